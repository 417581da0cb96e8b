import { sqlState } from './failures.ts'
import { type LedgerRow, MigrationError } from './ledger.ts'
import { CONCURRENTLY, type Migration } from './migrations.ts'
import { isConnectionFailure, type MigrationSession, type Patience, retrying } from './owner-session.ts'
import { lineAt, type Statement } from './statements.ts'

const DEFAULT_LOCK_TIMEOUT = '2s'
// Waits for the transactions of others but blocks nobody meanwhile, so it may be patient.
const CONCURRENTLY_LOCK_TIMEOUT = '60s'

export interface Attempt {
  started: number
  appVersion: string
}

/**
 * A file, its ledger row and the commit, sent in one piece: with hundreds of databases the round trips are what costs.
 * When that fails and the server does not say where, the file is tried again statement by statement, which tells.
 */
export async function applyWhole(session: MigrationSession, migration: Migration, attempt: Attempt, options: Patience) {
  const timeout = migration.lockTimeout ?? DEFAULT_LOCK_TIMEOUT
  const begin = `begin; set local lock_timeout = '${timeout}'; set local statement_timeout = 0;\n`
  const record = () => `${recordSql(migration, migration.statements.length, attempt)}; commit`
  let careful = false
  await retrying(options, async () => {
    if (careful) return oneByOne()
    try {
      await orRollBack(() => session.query(`${begin}${migration.text}\n;${record()}`))
    } catch (error) {
      if (isConnectionFailure(error)) throw error
      careful = true
      const place = placeOf(migration, Number(serverError(error).position ?? 0) - 1 - begin.length)
      if (place) throw failed(migration, place, error)
      await oneByOne()
    }
  })

  function oneByOne() {
    return orRollBack(async () => {
      await session.query(begin)
      for (const statement of migration.statements) await run(session, migration, statement)
      // Deferred constraints speak at the commit: the nearest place that can be named is the end of the file.
      const last = { line: migration.statements.at(-1)?.line ?? 1, text: 'commit' }
      await run(session, migration, last, record())
    })
  }

  async function orRollBack(work: () => Promise<unknown>): Promise<void> {
    try {
      await work()
    } catch (error) {
      await session.query('rollback').catch(() => undefined)
      throw error
    }
  }
}

export async function applyStepwise(
  session: MigrationSession,
  migration: Migration,
  interrupted: LedgerRow | undefined,
  attempt: Attempt,
  options: Patience,
): Promise<void> {
  const resumed = interrupted?.version === migration.version
  const done = resumed ? interrupted.statements_done : 0
  if (!resumed || done === 0) await session.query(recordSql(migration, 0, attempt, 'null'))
  for (const [index, statement] of migration.statements.entries()) {
    if (index < done) continue
    const fallback = CONCURRENTLY.test(statement.text) ? CONCURRENTLY_LOCK_TIMEOUT : DEFAULT_LOCK_TIMEOUT
    await session.query(`set lock_timeout = '${migration.lockTimeout ?? fallback}'; set statement_timeout = 0`)
    let again = resumed && index === done
    await retrying(
      options,
      async () => {
        const built = await clearIndex(session, migration, statement)
        // Built, and then we died before we could write it down.
        if (!(built && again)) await run(session, migration, statement)
      },
      () => {
        again = true
      },
    )
    await session.query(recordSql(migration, index + 1, attempt, 'null'))
  }
  await session.query(`reset all; ${recordSql(migration, migration.statements.length, attempt)}`)
}

/**
 * Drops what an interrupted CREATE INDEX CONCURRENTLY left: an invalid index, which nobody uses, everybody maintains
 * and `if not exists` takes for the real one. True when the index is there and valid.
 */
async function clearIndex(
  session: MigrationSession,
  migration: Migration,
  { text, line }: Statement,
): Promise<boolean> {
  const [, name] =
    /^create\s+(?:unique\s+)?index\s+concurrently\s+(?:if\s+not\s+exists\s+)?("(?:[^"]|"")+"|[\w$]+)/i.exec(text) ?? []
  if (!name) return false
  const find = 'select indisvalid as valid from pg_index where indexrelid = to_regclass($1)'
  const [index] = await session.query<{ valid: boolean }>(find, [name])
  if (index && !index.valid) await run(session, migration, { text: `drop index concurrently ${name}`, line })
  return index?.valid ?? false
}

/** The ledger row as SQL, so that it travels with the commit. Names and sums are plain by construction. */
function recordSql(
  migration: Migration,
  done: number,
  { started, appVersion }: Attempt,
  appliedAt = 'clock_timestamp()',
) {
  const values = [
    migration.version,
    ...[migration.name, migration.checksum, migration.phase].map(literal),
    done,
    appliedAt,
    Math.round(performance.now() - started),
    literal(appVersion),
  ]
  return `insert into public.schema_migrations (version, name, checksum, phase, statements_done, applied_at, duration_ms, app_version)
    values (${values.join(', ')})
    on conflict (version) do update set name = excluded.name, checksum = excluded.checksum, phase = excluded.phase,
      statements_done = excluded.statements_done, applied_at = excluded.applied_at, duration_ms = excluded.duration_ms,
      app_version = excluded.app_version`
}

const literal = (text: string) => `'${text.replaceAll("'", "''")}'`

async function run(session: MigrationSession, migration: Migration, statement: Statement, sql = statement.text) {
  try {
    await session.query(sql)
  } catch (error) {
    if (isConnectionFailure(error)) throw error
    const position = sql === statement.text ? Number(serverError(error).position ?? 0) : 0
    const line = statement.line + (position > 0 ? lineAt(sql, position - 1) - 1 : 0)
    throw failed(migration, { line, text: statement.text }, error)
  }
}

function failed(migration: Migration, { line, text }: Statement, error: unknown): MigrationError {
  const place = { file: migration.file, line, statement: text, sqlstate: sqlState(error), cause: error }
  return new MigrationError('sql', serverError(error).message, place)
}

/** The statement at an offset of the file, with the line of that offset. */
function placeOf({ text, statements }: Migration, offset: number): Statement | undefined {
  if (offset < 0 || offset >= text.length) return undefined
  const line = lineAt(text, offset)
  const statement = statements.findLast((candidate) => candidate.line <= line)
  return statement && { text: statement.text, line }
}

/** What the server said, below whatever the error was wrapped into on its way here. */
function serverError(error: unknown): { message: string; position?: unknown } {
  if (!(error instanceof Error)) return { message: String(error) }
  return error.cause instanceof Error && sqlState(error.cause) ? serverError(error.cause) : error
}
