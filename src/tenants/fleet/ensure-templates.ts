import { isConnectionError } from '../../db/failures.ts'
import type { ApplyOptions } from '../../db/migrate.ts'
import { schemaVersionOf } from '../../db/migrations.ts'
import { dropOldTemplates, ensureTemplate, type Template } from '../../db/templates.ts'
import { describeFailure, type FleetDeps } from './migrate-tenant.ts'
import { type FleetServer, saveServerError, saveTemplate } from './queries.ts'

export type ServerTemplate =
  | { server: FleetServer; template: Template }
  /** Cannot be reached, or not as its owner; the text says why. */
  | { server: FleetServer; unreachable: string }

/**
 * The template of the current files on each of the servers, so that new companies are born with it from here on.
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

/** Tidies up after a run, on the servers that can be reached. What cannot be dropped now is dropped another time. */
export async function dropUnusedTemplates(deps: FleetDeps, servers: readonly FleetServer[]): Promise<void> {
  const { hash } = schemaVersionOf(deps.migrations)
  const drops = servers.map((server) =>
    dropOldTemplates((database) => deps.connect(server, database), server.maintenanceDb, hash),
  )
  await Promise.allSettled(drops)
}

async function ensureOn(deps: FleetDeps, server: FleetServer, patience: ApplyOptions): Promise<ServerTemplate> {
  const connect = (database: string) => deps.connect(server, database)
  const options = { appVersion: deps.appVersion, maintenanceDb: server.maintenanceDb, ...patience }
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
