import { isConnectionError } from '../../db/failures.ts'
import { MigrationError } from '../../db/ledger.ts'
import { readLedger } from '../../db/migrate.ts'
import { schemaVersionOf } from '../../db/migrations.ts'
import { withSession } from '../../db/owner-session.ts'
import { describeFailure, type FleetDeps } from './migrate-tenant.ts'
import { type FleetServer, type FleetTenant, findFleet, findServers, type Scope } from './queries.ts'

export interface TenantPlan {
  tenant: FleetTenant
  from: number
  /** What would be applied, in order. */
  files: readonly string[]
  error: { code: string; text: string } | null
}

/** What a run would do to each tenant that is not current, read from the databases' own ledgers. Writes nothing. */
export async function* planFleet(deps: FleetDeps, scope: Scope): AsyncGenerator<TenantPlan> {
  const { version, hash } = schemaVersionOf(deps.migrations)
  const servers = new Map((await findServers(deps.central, scope)).map((server) => [server.id, server]))
  for (const tenant of await findFleet(deps.central, scope)) {
    if (tenant.schemaVersion === version && tenant.schemaHash === hash) continue
    const server = servers.get(tenant.serverId)
    if (server) yield await planTenant(deps, server, tenant)
  }
}

async function planTenant(deps: FleetDeps, server: FleetServer, tenant: FleetTenant): Promise<TenantPlan> {
  try {
    const { from, pending } = await withSession(
      () => deps.connect(server, tenant.databaseName),
      (session) => readLedger(session, deps.migrations),
      { retries: 0 },
    )
    return { tenant, from: from.version, files: pending.map(({ file }) => file), error: null }
  } catch (error) {
    if (!(error instanceof MigrationError) && !isConnectionError(error)) throw error
    return { tenant, from: tenant.schemaVersion, files: [], error: describeFailure(error) }
  }
}
