import type { Config } from '../../config.ts'
import { openAs, openOwner } from '../../db/client.ts'
import type { CentralDb } from '../../db/databases.ts'
import { databaseUnavailable } from '../../db/failures.ts'
import { readMigrations, TENANT_MIGRATIONS } from '../../db/migrate.ts'
import { type SchemaVersion, schemaVersionOf, templateName } from '../../db/migrations.ts'
import { scramVerifier } from '../../db/scram.ts'
import { tenantPassword } from '../../db/tenant-credentials.ts'
import { ensureTemplates } from '../fleet/ensure-templates.ts'
import type { FleetDeps } from '../fleet/migrate-tenant.ts'
import type { FleetServer } from '../fleet/queries.ts'
import { countInstances, type Site } from '../queries.ts'
import { sessionsPerTenant } from './connection-limit.ts'
import type { OwnerSession, RoleAccess } from './queries.ts'
import type { TenantSession } from './seed-queries.ts'

/** The ways into the database servers that only the worker and the command line have. */
export interface Servers {
  /** What migrating needs; its `connect` opens a direct session of horux_owner. */
  fleet: FleetDeps
  /** The schema this version of the program makes. */
  schema: SchemaVersion
  /** A direct session of horux_owner in the maintenance database of a server. */
  owner(server: FleetServer): Promise<OwnerSession>
  /** A session of the tenant's own role, in its own database. */
  tenant(site: Site): Promise<TenantSession>
  /** What the tenant's role logs in with from now on. */
  access(site: Site): Promise<RoleAccess>
  /** How many sessions every tenant's role may have by now. */
  connectionLimit(): Promise<number>
  /** The template that new tenants of that server are cloned from. */
  templateOf(server: FleetServer): string
  /** Builds the template of this version where it is missing. */
  buildTemplate(server: FleetServer): Promise<string>
}

export function createServers(deps: {
  config: Pick<Config, 'credentialsDir' | 'tenantKeys' | 'tenantPool' | 'version'>
  central: CentralDb
}): Servers {
  const { config, central } = deps
  const migrations = readMigrations(TENANT_MIGRATIONS)
  const schema = schemaVersionOf(migrations)
  const fleet: FleetDeps = {
    central,
    migrations,
    appVersion: config.version,
    connect: (server, database) => openOwner({ ...server, owner_credential: server.ownerCredential }, database, config),
  }
  const connectionLimit = async () => sessionsPerTenant(config.tenantPool.max, await countInstances(central))

  return {
    fleet,
    schema,
    connectionLimit,
    owner: (server) => fleet.connect(server, server.maintenanceDb),
    tenant: ({ server: { host, port, tls }, databaseName, roleName, tenantId, credentialGeneration }) => {
      const password = tenantPassword(config.tenantKeys, tenantId, credentialGeneration)
      const target = { host, port, tls, database: databaseName, user: roleName, password }
      return openAs(target, { applicationName: 'horux-provision', deadlineMs: 60_000 })
    },
    async access({ tenantId, credentialGeneration }) {
      const verifier = scramVerifier(tenantPassword(config.tenantKeys, tenantId, credentialGeneration))
      return { verifier, connectionLimit: await connectionLimit() }
    },
    // A migration run says what its server clones now; before the first one, what this version would build.
    templateOf: ({ templateHash }) => templateName(templateHash ?? schema.hash),
    async buildTemplate(server) {
      const [result] = await ensureTemplates(fleet, [server])
      if (!result || 'unreachable' in result) throw databaseUnavailable(new Error(result?.unreachable))
      return result.template.name
    },
  }
}
