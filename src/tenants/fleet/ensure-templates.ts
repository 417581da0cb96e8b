import { isConnectionError } from '../../db/failures.ts'
import type { ApplyOptions } from '../../db/migrate.ts'
import { schemaVersionOf } from '../../db/migrations.ts'
import { ensureTemplate, type Template } from '../../db/templates.ts'
import { describeFailure, type FleetDeps } from './migrate-tenant.ts'
import { type FleetServer, saveServerError, saveTemplate } from './queries.ts'

export type ServerTemplate =
  | { server: FleetServer; template: Template }
  /** Cannot be reached, or not as its owner; the text says why. */
  | { server: FleetServer; unreachable: string }

/**
 * The template of the current files on each of the servers, so that new companies are born with it from here on. The
 * template that was current until now stays for those who are cloning it; older ones are dropped.
 * @throws MigrationError when the files do not apply to an empty database: no company must meet them.
 */
export function ensureTemplates(
  deps: FleetDeps,
  servers: readonly FleetServer[],
  { retries, backoffMs }: Pick<ApplyOptions, 'retries' | 'backoffMs'> = {},
): Promise<ServerTemplate[]> {
  const patience = { ...(retries !== undefined && { retries }), ...(backoffMs !== undefined && { backoffMs }) }
  return Promise.all(servers.map((server) => ensureOn(deps, server, patience)))
}

async function ensureOn(deps: FleetDeps, server: FleetServer, patience: ApplyOptions): Promise<ServerTemplate> {
  const connect = (database: string) => deps.connect(server, database)
  const keep = server.templateHash ? [server.templateHash] : []
  const options = { appVersion: deps.appVersion, maintenanceDb: server.maintenanceDb, keep, ...patience }
  let template: Template
  try {
    template = await ensureTemplate(connect, deps.migrations, options)
  } catch (error) {
    if (!isConnectionError(error)) throw error
    const { text } = describeFailure(error)
    await saveServerError(deps.central, server.id, text)
    return { server, unreachable: text }
  }
  await saveTemplate(deps.central, server.id, schemaVersionOf(deps.migrations).hash, template.serverVersion)
  return { server, template }
}
