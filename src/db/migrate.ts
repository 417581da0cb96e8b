import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { failureOf, sqlState } from './failures.ts'
import { type LedgerRow, type LedgerState, MigrationError, pendingMigrations } from './ledger.ts'
import { CONCURRENTLY, type Migration, parseMigrations, type SchemaVersion, schemaVersionOf } from './migrations.ts'
import { lineAt, type Statement } from './statements.ts'

/**
 * One direct session of `horux_owner` on the database that is migrated. It must never reconnect by itself: the lock
 * and the open transaction belong to the session, and what is sent after a silent reconnect would run outside both.
 * `query` without parameters uses the simple protocol and rejects with the server's `code`, `message` and `position`.
 */
export interface MigrationSession {
  query<Row extends object>(text: string, params?: readonly unknown[]): Promise<readonly Row[]>
  end(): Promise<void>
}

export interface ApplyOptions {
  /** Written into the ledger. */
  appVersion?: string
  /** How long to wait while somebody else migrates the same database. Default 5 s. */
  lockWaitMs?: number
  /** Tries after the first one of a file that met a lock, a deadlock or a lost connection. Default 5. */
  retries?: number
  /** Pause before the first of those tries; it doubles and is jittered. Default 100 ms. */
  backoffMs?: number
  /** Told after each file that was committed, with where the database now stands. */
  onApplied?: (migration: Migration) => void
}

export type Applied =
  | { state: 'current' | 'migrated'; from: SchemaVersion; to: SchemaVersion; files: readonly string[] }
  /** Somebody else held the lock to the end of `lockWaitMs`; nothing was touched. */
  | { state: 'locked' }

export const CENTRAL_MIGRATIONS = new URL('../../migrations/', import.meta.url)
export const TENANT_MIGRATIONS = new URL('../../tenant-migrations/', import.meta.url)

/** @throws MigrationFileError when a file of the folder cannot be a migration. */
export function readMigrations(folder: URL | string): Migration[] {
  const files = readdirSync(folder).filter((file) => file.endsWith('.sql'))
  const base = folder instanceof URL ? folder : new URL(`file://${folder.replace(/\/*$/, '/')}`)
  return parseMigrations(files.map((file) => ({ file, text: readFileSync(new URL(file, base), 'utf8') })))
}

/**
 * Brings one database to the end of `migrations`, opening a session of its own. A connection that breaks is opened
 * anew; what was committed by then stays, the ledger says where to go on.
 * @throws MigrationError: the ledger does not fit the files (nothing was touched), or a statement failed.
 */
export function migrateDatabase(
  open: OpenSession,
  migrations: readonly Migration[],
  options: ApplyOptions = {},
): Promise<Applied> {
  const work = async (session: MigrationSession): Promise<Applied> =>
    (await lock(session, options.lockWaitMs)) ? applyLocked(session, migrations, options) : { state: 'locked' }
  return withSession(open, work, options)
}

export type OpenSession = () => Promise<MigrationSession>

/** Opens a session for `work` and ends it after; when the connection breaks `work` starts anew, up to `retries` times. */
export async function withSession<T>(
  open: OpenSession,
  work: (session: MigrationSession) => Promise<T>,
  options: Pick<ApplyOptions, 'retries' | 'backoffMs'> = {},
): Promise<T> {
  const { retries = 5 } = options
  for (let failures = 0; ; failures++) {
    let session: MigrationSession | undefined
    try {
      session = await open()
      return await work(session)
    } catch (error) {
      if (!isConnectionFailure(error) || failures >= retries) throw error
      await pause(failures, options)
    } finally {
      // What went wrong with the work is the news, not that saying goodbye failed too.
      await session?.end().catch(() => undefined)
    }
  }
}

/** The same over a session that the caller opened and ends. Two of them on one database: the second waits or gives up. */
export async function applyMigrations(
  session: MigrationSession,
  migrations: readonly Migration[],
  options: ApplyOptions = {},
): Promise<Applied> {
  if (!(await lock(session, options.lockWaitMs))) return { state: 'locked' }
  try {
    return await applyLocked(session, migrations, options)
  } finally {
    // On a broken session the server has let go of it already.
    await session.query(`select pg_advisory_unlock(${LOCK_KEY})`).catch(() => undefined)
  }
}

async function applyLocked(
  session: MigrationSession,
  migrations: readonly Migration[],
  options: ApplyOptions,
): Promise<Applied> {
  const ledger = (await readRows(session)) ?? (await createLedger(session))
  const { from, pending } = pendingMigrations(ledger, migrations)
  for (const migration of pending) {
    const attempt = { started: performance.now(), appVersion: options.appVersion ?? '' }
    if (migration.transactional) await applyWhole(session, migration, attempt, options)
    else await applyStepwise(session, migration, ledger.at(-1), attempt, options)
    options.onApplied?.(migration)
  }
  const files = pending.map(({ file }) => file)
  return { state: files.length > 0 ? 'migrated' : 'current', from, to: schemaVersionOf(migrations), files }
}

/** What a database holds and what it lacks, read without lock or write. @throws MigrationError as above. */
export async function readLedger(session: MigrationSession, migrations: readonly Migration[]): Promise<LedgerState> {
  return pendingMigrations((await readRows(session)) ?? [], migrations)
}

/** Whether the session was lost, or could not be had for a reason that may pass; not that SQL or a password was wrong. */
export function isConnectionFailure(error: unknown): boolean {
  const state = sqlState(error) ?? ''
  // 53300, too many clients: the server is there, but not for us. Class 08 and 57P0x: it went away or is not up yet.
  if (/^(08|57P0|53300)/.test(state)) return true
  const failure = failureOf(error)
  return failure !== undefined && !LASTING.has(failure.code)
}

// No such database, connections off, wrong password, no such role, no CONNECT; a statement that took all the time it had.
const LASTING = new Set(['3D000', '55000', '28P01', '28000', '42501', 'DEADLINE'])

// One number for every database: advisory locks are per database. It spells "horux".
const LOCK_KEY = 0x686f727578
const DEFAULT_LOCK_TIMEOUT = '2s'
// Waits for the transactions of others but blocks nobody meanwhile, so it may be patient.
const CONCURRENTLY_LOCK_TIMEOUT = '60s'

// Every process reads how far its database is. A tenant's role gets all rights on new tables by default, and what the
// ledger says is not its business to change.
const CREATE_LEDGER = `
  create table public.schema_migrations (
    version         int primary key,
    name            text not null,
    checksum        text not null,
    phase           text not null,
    statements_done int not null,
    applied_at      timestamptz,
    duration_ms     int,
    app_version     text not null
  );
  comment on table public.schema_migrations is 'Ledger of the migrator. Without applied_at: a file of single statements that is under way, statements_done of them behind it.';
  do $$ declare other regrole; begin
    for other in
      select distinct grantee::regrole from pg_class, aclexplode(relacl)
      where pg_class.oid = 'public.schema_migrations'::regclass and grantee not in (0, relowner)
    loop execute format('revoke insert, update, delete on public.schema_migrations from %s', other); end loop;
  end $$;
  grant select on public.schema_migrations to public`

/** Takes the migration lock. False when it stays with somebody else. */
async function lock(session: MigrationSession, waitMs = 5_000): Promise<boolean> {
  const deadline = performance.now() + waitMs
  for (;;) {
    // Tried and never waited for: a waiting pg_advisory_lock holds a snapshot, and the CREATE INDEX CONCURRENTLY of
    // whoever has the lock waits for that snapshot. One of the two would die of a deadlock.
    const [row] = await session.query<{ locked: boolean }>(`select pg_try_advisory_lock(${LOCK_KEY}) as locked`)
    if (row?.locked) return true
    if (performance.now() >= deadline) return false
    await sleep(25 + Math.random() * 75)
  }
}

/** Undefined when there is no ledger yet. Asking first would cost every database of a fleet a round trip more. */
async function readRows(session: MigrationSession): Promise<readonly LedgerRow[] | undefined> {
  try {
    return await session.query<LedgerRow>(
      'select version, name, checksum, statements_done, applied_at is not null as applied from public.schema_migrations order by version',
    )
  } catch (error) {
    if (sqlState(error) === '42P01') return undefined
    throw error
  }
}

async function createLedger(session: MigrationSession): Promise<LedgerRow[]> {
  await session.query(CREATE_LEDGER)
  return []
}

interface Attempt {
  started: number
  appVersion: string
}

/**
 * A file, its ledger row and the commit, sent in one piece: with hundreds of databases the round trips are what costs.
 * When that fails and the server does not say where, the file is tried again statement by statement, which tells.
 */
async function applyWhole(session: MigrationSession, migration: Migration, attempt: Attempt, options: ApplyOptions) {
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

async function applyStepwise(
  session: MigrationSession,
  migration: Migration,
  interrupted: LedgerRow | undefined,
  attempt: Attempt,
  options: ApplyOptions,
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

/** Somebody held a lock longer than we were willing to make others wait, or the server chose us: step aside, try again. */
const WORTH_ANOTHER_TRY = new Set(['55P03', '40P01', '57014'])

async function retrying(options: ApplyOptions, work: () => Promise<void>, onFailure = () => {}): Promise<void> {
  const { retries = 5 } = options
  for (let failures = 0; ; failures++) {
    try {
      return await work()
    } catch (error) {
      if (!WORTH_ANOTHER_TRY.has(sqlState(error) ?? '') || failures >= retries) throw error
      onFailure()
      await pause(failures, options)
    }
  }
}

/** Doubling, capped at 2 s, jittered so that migrators that met do not meet again. */
function pause(failures: number, { backoffMs = 100 }: Pick<ApplyOptions, 'backoffMs'>): Promise<void> {
  return sleep(Math.min(backoffMs * 2 ** failures, 2_000) * (0.5 + Math.random()))
}
