import { Command } from 'commander'
import { type Config, loadConfig } from '../../src/config.ts'
import { openCentral } from '../../src/db/client.ts'
import type { CentralDb } from '../../src/db/databases.ts'
import { MigrationError } from '../../src/db/ledger.ts'
import { dropUnusedTemplates, ensureTemplates } from '../../src/tenants/fleet/ensure-templates.ts'
import { fleetDeps } from '../../src/tenants/fleet/fleet-deps.ts'
import { refuseEdited } from '../../src/tenants/fleet/preflight.ts'
import { findServers } from '../../src/tenants/fleet/queries.ts'
import { EXIT } from '../exit-codes.ts'
import { bringUpCentral, planCentral } from '../migrate-tenants/central.ts'
import { line, numbered, templateText } from '../migrate-tenants/text.ts'
import { conclude, createVoice, type Voice } from '../migrate-tenants/voice.ts'

export const command = new Command('migrate')
  .description('lleva la base central al esquema actual, crea las colas y prepara las plantillas de empresas nuevas')
  .option('--dry-run', 'dice qué haría, sin tocar nada')
  .option('--json', 'un evento JSON por línea')
  .action(async (options: { dryRun?: boolean; json?: boolean }) => {
    const config = loadConfig(process.env, 'cli')
    const voice = createVoice(options.json ?? false)
    const central = openCentral(config)
    try {
      process.exitCode = options.dryRun ? await plan(config, voice) : await migrate(config, central, voice)
    } finally {
      await central.destroy()
    }
  })

async function migrate(config: Config, central: CentralDb, voice: Voice): Promise<number> {
  const { exit, text } = await bringUpCentral(config, voice)
  if (exit !== EXIT.ok) return conclude(voice, exit)
  voice.tell('horux migrate', line('central', text), line('queues', 'ok'))
  return conclude(voice, await prepareTemplates(config, central, voice))
}

async function prepareTemplates(config: Config, central: CentralDb, voice: Voice): Promise<number> {
  const deps = fleetDeps(config, central)
  const edited = await refuseEdited(deps)
  if (edited) {
    voice.say({ event: 'refused', reason: 'files', text: edited.message }, `refused: ${edited.message}`)
    return EXIT.refused
  }
  const servers = await findServers(central, { tenant: null, server: null })
  let exit: number = EXIT.ok
  try {
    for (const result of await ensureTemplates(deps, servers)) {
      const server = result.server.name
      if ('template' in result) {
        const event = { event: 'template' as const, server, ...result.template }
        voice.say(event, line('template', templateText(event)))
      } else {
        exit = EXIT.partial
        voice.say(
          { event: 'server-unreachable', server, error: result.unreachable },
          line('UNREACHABLE', `${server}  ${result.unreachable}`),
        )
      }
    }
    await dropUnusedTemplates(deps, servers)
  } catch (error) {
    if (!(error instanceof MigrationError)) throw error
    voice.say(
      { event: 'failed', stage: 'template', error: error.message },
      line('FAILED', `template  ${error.message}`),
    )
    exit = EXIT.failed
  }
  return exit
}

async function plan(config: Config, voice: Voice): Promise<number> {
  try {
    const { from, pending } = await planCentral(config)
    const files = pending.map(({ file }) => file)
    const text =
      files.length > 0 ? `${numbered(from.version)}  would apply ${files.join(' ')}` : `${numbered(from.version)} ok`
    voice.say({ event: 'plan-central', from: from.version, files }, line('central', text))
    return conclude(voice, files.length > 0 ? EXIT.partial : EXIT.ok)
  } catch (error) {
    if (!(error instanceof MigrationError)) throw error
    voice.say({ event: 'refused', reason: 'files', text: error.message }, `refused: ${error.message}`)
    return conclude(voice, EXIT.refused)
  }
}
