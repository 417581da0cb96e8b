import type { Config } from '../config.ts'
import { parseDatabaseUrl } from './address.ts'
import { type OwnerConnection, openOwner } from './client.ts'
import { type Applied, type ApplyOptions, CENTRAL_MIGRATIONS, migrateDatabase, readMigrations } from './migrate.ts'

type CentralOwner = Pick<Config, 'central' | 'centralOwnerCredential' | 'credentialsDir'>

/**
 * Brings the central database to the current schema as its owner, then makes the queues: both are what running
 * processes expect to find, and may not make. `locked` means that another process was at it for a whole minute.
 * @throws MigrationError; ConnectionFailure when the database cannot be reached.
 */
export async function migrateCentral(
  config: CentralOwner & Pick<Config, 'version'>,
  ensureQueues: (centralUrl: string) => Promise<void>,
  options: ApplyOptions = {},
): Promise<Applied> {
  const applied = await migrateDatabase(() => openCentralOwner(config), readMigrations(CENTRAL_MIGRATIONS), {
    appVersion: config.version,
    lockWaitMs: 60_000,
    ...options,
  })
  if (applied.state !== 'locked') await ensureQueues(config.central.url)
  return applied
}

/** A direct session of horux_owner in the central database. */
export function openCentralOwner(config: CentralOwner): Promise<OwnerConnection> {
  const { host, port, tls, database } = parseDatabaseUrl(config.central.url)
  const server = { host, port, tls, owner_credential: config.centralOwnerCredential }
  return openOwner(server, database, { ...config, applicationName: 'horux-migrate', deadlineMs: MIGRATION_DEADLINE_MS })
}

/** One statement of a migration may rewrite a large table. */
export const MIGRATION_DEADLINE_MS = 24 * 3_600_000
