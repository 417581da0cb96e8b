import { MigrationError } from '../../db/ledger.ts'
import { readLedger } from '../../db/migrate.ts'
import type { Migration } from '../../db/migrations.ts'
import { withSession } from '../../db/owner-session.ts'
import type { FleetDeps } from './migrate-tenant.ts'
import { type FleetServer, type FleetTenant, findSchemaGroups, findServers } from './queries.ts'

/**
 * Looks, before anything is touched, whether the files are still those that the fleet was migrated with. A template
 * built from edited files would give every new company another schema than the old ones have.
 *
 * Returns why the run must be refused. A single database that differs while others have the very same files applied is
 * no reason: it fails by itself when its turn comes.
 */
export async function refuseEdited(deps: FleetDeps): Promise<MigrationError | undefined> {
  const groups = await findSchemaGroups(deps.central)
  const fits = ({ schemaVersion, schemaHash }: FleetTenant) => chainAt(deps.migrations, schemaVersion) === schemaHash
  const strangers = groups.filter((group) => !fits(group))
  if (strangers.length === 0) return undefined
  const servers = await findServers(deps.central, { tenant: null, server: null })
  for (const stranger of strangers) {
    const server = servers.find(({ id }) => id === stranger.serverId)
    const error = server && (await compare(deps, server, stranger))
    if (!error) continue
    const version = deps.migrations.find(({ file }) => file === error.file)?.version ?? deps.migrations.length + 1
    if (!groups.some((group) => fits(group) && group.schemaVersion >= version)) return error
  }
  return undefined
}

const chainAt = (migrations: readonly Migration[], version: number) =>
  version === 0 ? '' : migrations[version - 1]?.chain

/** What the ledger itself says; a placement may merely be behind. */
async function compare(deps: FleetDeps, server: FleetServer, tenant: FleetTenant): Promise<MigrationError | undefined> {
  try {
    await withSession(
      () => deps.connect(server, tenant.databaseName),
      (session) => readLedger(session, deps.migrations),
      { retries: 1 },
    )
  } catch (error) {
    if (error instanceof MigrationError) return error
    // Not there, or not to be reached: no evidence against the files. The run itself will tell.
  }
  return undefined
}
