import { AppError } from '../errors.ts'

/**
 * A session that could not be had (`connect`: nothing was sent) or was lost while a statement was on its way
 * (`statement`: it may have been executed, so nobody may send it again).
 */
export class ConnectionFailure extends Error {
  readonly stage: 'connect' | 'statement'
  /** SQLSTATE, errno, one of postgres.js' CONNECTION_…, or our own CONNECT_TIMEOUT and DEADLINE. */
  readonly code: string

  constructor(stage: 'connect' | 'statement', code: string, options?: ErrorOptions) {
    super(`database connection lost at ${stage}: ${code}`, options)
    this.name = 'ConnectionFailure'
    this.stage = stage
    this.code = code
  }
}

/**
 * A statement that the server refused. The driver's own error is born in a socket's event and does not know who asked;
 * this one is made where the query was awaited. It leaves out `detail`, which quotes rows and would end up in logs.
 */
export class StatementError extends Error {
  /** SQLSTATE */
  readonly code: string
  readonly constraint_name: string | undefined
  readonly table_name: string | undefined

  constructor(code: string, cause: Error & { constraint_name?: string; table_name?: string }) {
    super(cause.message, { cause })
    this.name = 'StatementError'
    this.code = code
    this.constraint_name = cause.constraint_name
    this.table_name = cause.table_name
  }
}

/** The server's refusal with the stack of whoever asked; every other error as it is. */
export function refused(error: unknown): unknown {
  return error instanceof Error && 'severity' in error ? new StatementError(codeOf(error), error) : error
}

/** What leaves the database room for the slices: passing troubles as AppError with the cause kept, the rest as it is. */
export function toAppError(error: unknown): unknown {
  if (error instanceof AppError) return error
  if (error instanceof ConnectionFailure) return databaseUnavailable(error)
  switch (sqlState(error)) {
    case '57014': // statement_timeout; nothing of ours cancels statements otherwise
      return new AppError('unavailable', 'database.timeout', TIMEOUT, { cause: error, retryAfterS: 5 })
    case '55P03': // lock_timeout
    case '40P01': // deadlock
    case '40001': // serialization
      return new AppError('unavailable', 'database.conflict', CONFLICT, { cause: error, retryAfterS: 1 })
    case '53100':
      return new AppError('no_space', 'database.no_space', NO_SPACE, { cause: error })
    case '53200':
    case '53300':
    case '53400':
      return databaseUnavailable(error)
    default:
      return error
  }
}

export const databaseUnavailable = (cause: unknown) =>
  new AppError('unavailable', 'database.unavailable', UNAVAILABLE, { cause, retryAfterS: 2 })

export const databaseBusy = () => new AppError('unavailable', 'database.busy', BUSY, { retryAfterS: 1 })

/** The SQLSTATE behind an error, through its causes. Undefined when the server said nothing. */
export function sqlState(error: unknown): string | undefined {
  const found = causes(error).find((cause) => SQLSTATE.test(codeOf(cause)))
  return found && codeOf(found)
}

/** Whether a unique index refused the row; `constraint` is the name of the index. */
export function isUniqueViolation(error: unknown, constraint?: string): boolean {
  return causes(error).some(
    (cause) =>
      codeOf(cause) === '23505' &&
      (constraint === undefined || (cause as { constraint_name?: unknown }).constraint_name === constraint),
  )
}

/** Whether the session could not be had or was lost, whatever the reason. */
export function isConnectionError(error: unknown): boolean {
  return failureOf(error) !== undefined
}

/**
 * Whether the database may simply not be where it was: it refused us at the door (moved, renamed, closed, its role
 * changed), or it threw us out. The placement is then read anew. Never for a server that is silent or full.
 */
export function isFenceError(error: unknown): boolean {
  const failure = failureOf(error)
  if (!failure) return false
  return failure.stage === 'connect'
    ? DOOR.has(failure.code) || THROWN_OUT.test(failure.code)
    : THROWN_OUT.test(failure.code)
}

export function failureOf(error: unknown): ConnectionFailure | undefined {
  return causes(error).find((cause) => cause instanceof ConnectionFailure)
}

export function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : ''
}

function causes(error: unknown): Error[] {
  const chain: Error[] = []
  // Eight: nobody nests deeper, and a cause that points back must not hang us.
  for (let at = error; at instanceof Error && chain.length < 8; at = at.cause) chain.push(at)
  return chain
}

const SQLSTATE = /^[0-9A-Z]{5}$/

/**
 * Refusals while connecting: no such database, connections off, wrong password, no such role or NOLOGIN, no CONNECT.
 * They come as SQLSTATEs, but only at the door: 55000 and 42501 mean other things to a statement.
 */
const DOOR = new Set(['3D000', '55000', '28P01', '28000', '42501'])

/** 57P01 is pg_terminate_backend, 57P04 a dropped database; the rest is how it looks when the goodbye was not read. */
const THROWN_OUT = /^(57P01|57P04|CONNECTION_CLOSED|CONNECTION_ENDED|ECONNRESET|EPIPE)$/

const UNAVAILABLE = 'La base de datos no está disponible en este momento. Intenta de nuevo en unos segundos.'
const BUSY = 'Hay demasiadas operaciones en curso. Intenta de nuevo en unos segundos.'
const TIMEOUT = 'La operación tardó demasiado y se canceló. Intenta de nuevo.'
const CONFLICT = 'Otra operación está usando los mismos datos. Intenta de nuevo.'
const NO_SPACE = 'No hay espacio para guardar más información. Ya avisamos al equipo de operación.'
