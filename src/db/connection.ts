import { connect, type Socket } from 'node:net'
import postgres from 'postgres'
import { ConnectionFailure, codeOf } from './failures.ts'
import { PLANNED_ANEW } from './planned-anew.ts'
import { wireTypes } from './wire-types.ts'

/** Where a database is and as whom to enter it. */
export interface Target {
  host: string
  port: number
  database: string
  user: string
  /**
   * Tried in this order: after a change of key a role may still have the password of the older one. The one that the
   * server took moves to the front.
   */
  passwords: readonly string[]
  /** `prefer` and `require` encrypt without asking who the server is; only `verify-full` checks its certificate. */
  tls: 'off' | 'prefer' | 'require' | 'verify-full'
  applicationName: string
  /** Session settings sent with the start-up packet. None through a pooler, which refuses what it does not know. */
  settings: Readonly<Record<string, string | number>>
  /** False through a transaction pooler, where a statement prepared on one server connection is missing on the next. */
  prepare: boolean
}

export interface Rows {
  rows: Record<string, unknown>[]
  /** `SELECT`, `INSERT`, `COMMIT` …, as the server completed it. */
  command: string
  count: number | null
}

/**
 * One session with the server, that never becomes another one: when it breaks it stays broken. Statements run one after
 * the other, whoever sends them.
 */
export interface Connection {
  /**
   * Extended protocol. Rejects with PostgresError (`code` is the SQLSTATE) or, when the session is lost, ConnectionFailure.
   * `ahead` sends it at once, so that the server finds it when it is done with the one before; its deadline begins then.
   */
  query(text: string, params: readonly unknown[], deadlineMs: number, ahead?: boolean): Promise<Rows>
  /** Simple protocol: one or more statements without parameters, the rows of the last one. */
  script(text: string, deadlineMs: number): Promise<Rows>
  /** Sees the server say goodbye: when this resolves, its process is gone from pg_stat_activity. */
  end(): Promise<void>
  /** At once, without a word to the server. What was running rejects. */
  destroy(): void
  /** Why the session is lost; undefined while it lives. */
  readonly lost: string | undefined
  readonly openedAt: number
}

export interface ConnectOptions {
  deadlineMs: number
  onLost?: () => void
  onNotification?: (channel: string, payload: string) => void
}

/**
 * Opens a session and proves it with an empty round trip, so that whoever gets it knows: nothing that fails from here
 * on failed for want of a connection, and nothing was sent before.
 * @throws ConnectionFailure of stage `connect`.
 */
export async function openConnection(target: Target, options: ConnectOptions): Promise<Connection> {
  const deadline = performance.now() + options.deadlineMs
  const passwords = [...target.passwords]
  for (const password of passwords) {
    const isLast = password === passwords.at(-1)
    try {
      const connection = await openWith(password, target, { ...options, deadlineMs: deadline - performance.now() })
      if (password !== passwords[0]) target.passwords = [password, ...passwords.filter((other) => other !== password)]
      return connection
    } catch (error) {
      const refused = error instanceof ConnectionFailure && error.code === '28P01'
      if (isLast || !refused) throw error
    }
  }
  throw new Error(`no password for ${target.user}`)
}

async function openWith(password: string, target: Target, options: ConnectOptions): Promise<Connection> {
  // postgres.js is used for what it is best at, the protocol, one connection at a time. Its own pool reconnects
  // silently, queues without bound, sends a statement behind a slow one and never notices a peer that went silent.
  let open = false
  let lost: string | undefined
  let turn = Promise.resolve()
  const prepared = new Set<string>()
  const door = oneSocket(target)
  const how = {
    ...driverOptions(target, password, options),
    socket: door.open,
    onclose: () => lose('CONNECTION_CLOSED'),
  }
  const sql = postgres(how)
  await proven()

  return {
    query(text, params, deadlineMs, ahead = false) {
      const send = () => {
        // Never the simple protocol, not even without parameters: it would run a second statement after a semicolon.
        const extended = { simple: false, prepare: worthPreparing(text, params) }
        return sql.unsafe(text, params.map(untyped), extended)
      }
      // One that this session has not prepared yet has to ask for its types first, and nothing passes meanwhile.
      const early = ahead && lost === undefined && prepared.has(text) ? outcomeOf(send()) : undefined
      return inTurn(deadlineMs, send, early)
    },
    script: (text, deadlineMs) => inTurn(deadlineMs, async () => lastOf(await sql.unsafe(text))),
    end,
    destroy: () => lose('CONNECTION_DESTROYED'),
    get lost() {
      return lost
    },
    openedAt: performance.now(),
  }

  async function proven(): Promise<void> {
    const timer = setTimeout(() => lose('CONNECT_TIMEOUT'), Math.max(1, options.deadlineMs))
    try {
      await sql.unsafe('select')
      open = true
    } catch (error) {
      const code = lost === 'CONNECT_TIMEOUT' ? lost : codeOf(error)
      lose(code)
      throw new ConnectionFailure('connect', code, { cause: error })
    } finally {
      clearTimeout(timer)
    }
  }

  async function inTurn(deadlineMs: number, send: () => Sent, early?: Promise<Outcome>): Promise<Rows> {
    const before = turn
    const { promise, resolve } = Promise.withResolvers<void>()
    turn = promise
    await before
    const timer = setTimeout(() => lose('DEADLINE'), deadlineMs)
    try {
      if (lost && !early) throw new ConnectionFailure('connect', lost)
      const result = early ? resultOf(await early) : await send()
      return { rows: result.slice(), command: result.command, count: result.count }
    } catch (error) {
      throw endsSession(error) ? lostAt(error) : error
    } finally {
      clearTimeout(timer)
      resolve()
    }
  }

  function lostAt(error: unknown): ConnectionFailure {
    // What the server said in parting tells more than the closed socket that we may have seen first.
    const code = lost === undefined || lost === 'CONNECTION_CLOSED' ? codeOf(error) : lost
    lose(code)
    return new ConnectionFailure('statement', code, { cause: error })
  }

  function endsSession(error: unknown): boolean {
    if (error instanceof ConnectionFailure) return false
    if (error instanceof postgres.PostgresError) return FATAL.has((error as { severity?: string }).severity ?? '')
    // An error of ours, such as a parameter that is undefined, has another kind of code or none.
    return lost !== undefined || /^(CONNECTION_|E[A-Z]+$)/.test(codeOf(error))
  }

  async function end(): Promise<void> {
    await sql.end({ timeout: 1 }).catch(() => {}) // it was gone already
    lose('CONNECTION_ENDED')
  }

  function lose(code: string): void {
    if (lost !== undefined) return
    lost = code
    // Not through postgres.js: it would say goodbye to a silent peer and keep the socket, and us, for minutes.
    door.close(code)
    if (open) options.onLost?.()
  }

  function worthPreparing(text: string, params: readonly unknown[]): boolean {
    if (!target.prepare || params.length > 64) return false
    if (prepared.has(text)) return true
    if (text.includes(PLANNED_ANEW)) return false
    // A prepared statement stays on the server until the session ends; an insert of n rows has a text for each n.
    return prepared.size < 500 && prepared.add(text) !== undefined
  }

  /** Without a type of ours the server decides, which knows the column; ours would call an array of bigint a bigint. */
  function untyped(value: unknown) {
    return sql.typed(value, 0) as never
  }
}

/** The one socket of a session, in our hands. postgres.js asks for a second one when it wants to reconnect: refused. */
function oneSocket(target: Target) {
  let socket: Socket | undefined
  let closed: string | undefined
  return {
    async open(): Promise<Socket> {
      if (socket || closed) throw new ConnectionFailure('connect', closed ?? 'CONNECTION_CLOSED')
      const path = `${target.host}/.s.PGSQL.${target.port}`
      const made = target.host.startsWith('/')
        ? connect({ path })
        : connect({ ...KEEP_ALIVE, host: target.host, port: target.port })
      socket = made
      await new Promise<void>((resolve, reject) => {
        made.once('connect', resolve).once('error', reject)
        made.once('close', () => reject(new ConnectionFailure('connect', closed ?? 'CONNECTION_CLOSED')))
      })
      // `host` is where postgres.js looks for the name that the certificate must have.
      return Object.assign(made, { host: target.host })
    },
    close(code: string): void {
      closed ??= code
      socket?.destroy()
    },
  }
}

type Sent = PromiseLike<postgres.RowList<postgres.Row[]>>

interface Outcome {
  result?: Awaited<Sent>
  error?: unknown
}

/** Listened to from the start: a rejection that comes before its turn would else end the process. */
const outcomeOf = (sent: Sent): Promise<Outcome> =>
  Promise.resolve(
    sent.then(
      (result) => ({ result }),
      (error: unknown) => ({ error }),
    ),
  )

function resultOf({ result, error }: Outcome): Awaited<Sent> {
  if (result) return result
  throw error
}

/** Several statements in one text are answered by an array of results. */
function lastOf(result: Awaited<Sent>): Awaited<Sent> {
  const last: unknown = result.at(-1)
  return Array.isArray(last) ? (last as unknown as Awaited<Sent>) : result
}

const KEEP_ALIVE = { noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 }
const FATAL = new Set(['FATAL', 'PANIC'])

function driverOptions(target: Target, password: string, { onNotification }: ConnectOptions) {
  // idle_timeout and max_lifetime are the pool's: it knows whether a transaction is open.
  const ssl = target.tls === 'off' ? false : target.tls === 'verify-full' ? { rejectUnauthorized: true } : target.tls
  return {
    host: target.host,
    port: target.port,
    database: target.database,
    user: target.user,
    password,
    ssl,
    max: 1,
    idle_timeout: 0,
    max_lifetime: 0,
    connect_timeout: 0,
    fetch_types: false,
    prepare: target.prepare,
    types: wireTypes(),
    connection: { ...target.settings, application_name: target.applicationName },
    onnotice: () => {},
    onnotify: (channel: string, payload: string) => onNotification?.(channel, payload),
  }
}
