import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { applyStepwise, applyWhole } from './apply-file.ts'
import { sqlState } from './failures.ts'
import { type LedgerRow, type LedgerState, pendingMigrations } from './ledger.ts'
import { type Migration, parseMigrations, type SchemaVersion, schemaVersionOf } from './migrations.ts'
import { type MigrationSession, type OpenSession, type Patience, withSession } from './owner-session.ts'

export interface ApplyOptions extends Patience {
  /** Written into the ledger. */
  appVersion?: string
  /** How long to wait while somebody else migrates the same database. Default 5 s. */
  lockWaitMs?: number
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

// One number for every database: advisory locks are per database. It spells "horux".
const LOCK_KEY = 0x686f727578
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
