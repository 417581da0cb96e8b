import type { Config } from '../../config.ts'
import { openOwner } from '../../db/client.ts'
import type { CentralDb } from '../../db/databases.ts'
import { readMigrations, TENANT_MIGRATIONS } from '../../db/migrate.ts'
import { MIGRATION_DEADLINE_MS } from '../../db/migrate-central.ts'
import type { FleetDeps } from './migrate-tenant.ts'

/** What migrating tenants takes, for those who hold the owner's credentials: the worker and the command line. */
export function fleetDeps(config: Pick<Config, 'credentialsDir' | 'version'>, central: CentralDb): FleetDeps {
  const options = { ...config, applicationName: 'horux-migrate', deadlineMs: MIGRATION_DEADLINE_MS }
  return {
    central,
    connect: (server, database) =>
      openOwner({ ...server, owner_credential: server.ownerCredential }, database, options),
    migrations: readMigrations(TENANT_MIGRATIONS),
    appVersion: config.version,
  }
}
