import type { Config } from '../../src/config.ts'
import { MigrationError } from '../../src/db/ledger.ts'
import { schemaVersionOf, templateName } from '../../src/db/migrations.ts'
import type { FleetDeps } from '../../src/tenants/fleet/migrate-tenant.ts'
import { planFleet } from '../../src/tenants/fleet/plan-fleet.ts'
import { refuseEdited } from '../../src/tenants/fleet/preflight.ts'
import { findServers, type Scope } from '../../src/tenants/fleet/queries.ts'
import { EXIT } from '../exit-codes.ts'
import { planCentral } from './central.ts'
import { line, numbered, planLine } from './text.ts'
import { conclude, type Voice } from './voice.ts'

/** Says what a run would do and touches nothing. Exit code 3 when something would change. */
export async function dryRun(config: Config, deps: FleetDeps, scope: Scope, voice: Voice): Promise<number> {
  try {
    const edited = await plan(config, deps, scope, voice)
    if (edited instanceof MigrationError) throw edited
    return conclude(voice, edited ? EXIT.partial : EXIT.ok)
  } catch (error) {
    if (!(error instanceof MigrationError)) throw error
    voice.say({ event: 'refused', reason: 'files', text: error.message }, `refused: ${error.message}`)
    return conclude(voice, EXIT.refused)
  }
}

async function plan(config: Config, deps: FleetDeps, scope: Scope, voice: Voice): Promise<boolean | MigrationError> {
  const target = schemaVersionOf(deps.migrations)
  const { from, pending } = await planCentral(config)
  const files = pending.map(({ file }) => file)
  const centralText =
    files.length > 0 ? `${numbered(from.version)}  would apply ${files.join(' ')}` : `${numbered(from.version)} ok`
  const head = `horux migrate-tenants   dry run   target ${numbered(target.version)} (chain ${target.hash.slice(0, 8)})`
  voice.say({ event: 'plan-central', from: from.version, files }, head, line('central', centralText))
  if (from.version === 0) return true // no fleet yet, not even its tables
  const edited = await refuseEdited(deps)
  if (edited) return edited
  let changes = files.length
  for (const { name, templateHash } of await findServers(deps.central, scope)) {
    if (templateHash === target.hash) continue
    changes++
    const template = templateName(target.hash)
    voice.say({ event: 'plan-template', server: name, template }, line('template', `${name}  would build ${template}`))
  }
  for await (const tenant of planFleet(deps, scope)) {
    changes++
    voice.say({ event: 'plan-tenant', ...tenant }, planLine(tenant, target.version))
  }
  if (changes === 0) voice.tell('  nothing to do')
  return changes > 0
}
