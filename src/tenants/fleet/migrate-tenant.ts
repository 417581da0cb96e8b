import type { CentralDb } from '../../db/databases.ts'
import { sqlState } from '../../db/failures.ts'
import { MigrationError } from '../../db/ledger.ts'
import { type Applied, type ApplyOptions, migrateDatabase } from '../../db/migrate.ts'
import type { Migration, SchemaVersion } from '../../db/migrations.ts'
import type { MigrationSession } from '../../db/owner-session.ts'
import { tenantNotFound } from '../errors.ts'
import { type FleetServer, type FleetTenant, findFleetTenant, findServers, savePlacementSchema } from './queries.ts'

export interface FleetDeps {
  central: CentralDb
  /** Opens a direct session of horux_owner in a database of a server. */
  connect: (server: FleetServer, database: string) => Promise<MigrationSession>
  /** The files of tenant-migrations. */
  migrations: readonly Migration[]
  appVersion: string
}

/**
 * Brings one tenant's database to the current schema, whatever the state of its placement, and writes into the
 * placement what it reached. May run twice and beside a run over the fleet: `locked` says that somebody else is at it.
 * @throws MigrationError, or what kept us from connecting.
 */
export async function migrateTenant(deps: FleetDeps, tenantId: string, options?: ApplyOptions): Promise<Applied> {
  const tenant = await findFleetTenant(deps.central, tenantId)
  const servers = await findServers(deps.central, { tenant: null, server: null })
  const server = servers.find(({ id }) => id === tenant?.serverId)
  if (!tenant || !server) throw tenantNotFound()
  const outcome = await bringUp(deps, server, tenant, options)
  if (outcome.reached) await savePlacementSchema(deps.central, tenant, outcome.reached)
  if ('error' in outcome) throw outcome.error
  return outcome.applied
}

/** What became of a database. `reached` is where it stands now, as far as we saw: a failed one may have come half-way. */
export type Outcome = { reached: SchemaVersion | undefined } & ({ applied: Applied } | { error: unknown })

/** The same without a look at the central database, for the run that has a row for it. */
export async function bringUp(
  deps: Pick<FleetDeps, 'connect' | 'migrations' | 'appVersion'>,
  server: FleetServer,
  tenant: FleetTenant,
  options: ApplyOptions = {},
): Promise<Outcome> {
  let reached: SchemaVersion | undefined
  const onApplied = ({ version, chain }: Migration) => {
    reached = { version, hash: chain }
  }
  try {
    const open = () => deps.connect(server, tenant.databaseName)
    const applied = await migrateDatabase(open, deps.migrations, { appVersion: deps.appVersion, onApplied, ...options })
    return { applied, reached: applied.state === 'locked' ? undefined : applied.to }
  } catch (error) {
    return { error, reached }
  }
}

/** How a failure is written into a row and shown to the operator: on one line, without what the driver says around it. */
export function describeFailure(error: unknown): { code: string; text: string } {
  if (error instanceof MigrationError) return { code: error.sqlstate ?? error.code, text: error.message }
  const said = error instanceof Error && error.cause instanceof Error ? error.cause : error
  const code = sqlState(error) ?? (said instanceof Error && 'code' in said ? String(said.code) : 'error')
  const message = said instanceof Error ? said.message : String(said)
  return { code, text: message.includes(code) ? message : `${code} ${message}` }
}
