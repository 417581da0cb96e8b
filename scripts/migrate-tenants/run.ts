import type { Config } from '../../src/config.ts'
import { MigrationError } from '../../src/db/ledger.ts'
import { schemaVersionOf } from '../../src/db/migrations.ts'
import { dropUnusedTemplates } from '../../src/tenants/fleet/ensure-templates.ts'
import { type FleetEvent, type FleetReport, migrateFleet } from '../../src/tenants/fleet/migrate-fleet.ts'
import type { FleetDeps } from '../../src/tenants/fleet/migrate-tenant.ts'
import { findServers, type Scope } from '../../src/tenants/fleet/queries.ts'
import { EXIT } from '../exit-codes.ts'
import { bringUpCentral } from './central.ts'
import { type Progress, progressBar } from './progress.ts'
import { exitCodeOf, headline, line, summary, templateText } from './text.ts'
import { conclude, type Voice } from './voice.ts'

export interface RunOptions {
  concurrency: number
  maxFailures: number
  onlyFailed: boolean
}

/** The central database, then every tenant of the scope. Resolves with the exit code. */
export async function runFleet(config: Config, deps: FleetDeps, scope: Scope, options: RunOptions, voice: Voice) {
  const central = await bringUpCentral(config, voice)
  if (central.exit !== EXIT.ok) return conclude(voice, central.exit)
  const listener = listen(voice, options.concurrency, central.text)
  try {
    const report = await migrateFleet(deps, { scope, ...options, signal: interruption(), onEvent: listener.hear })
    listener.end()
    const told = say(voice, report, listener.worked())
    if (report.state !== 'refused') await dropUnusedTemplates(deps, await findServers(deps.central, scope))
    return conclude(voice, exitCodeOf(report), told)
  } catch (error) {
    listener.end()
    if (!(error instanceof MigrationError)) throw error
    // Before any tenant: not even an empty database takes the files.
    const { version } = schemaVersionOf(deps.migrations)
    voice.say(
      { event: 'failed', stage: 'template', version, error: error.message },
      line('FAILED', `template  ${error.message}`),
    )
    return conclude(voice, EXIT.failed)
  }
}

function say(voice: Voice, report: FleetReport, worked: number): object {
  if (report.state === 'refused') {
    const { reason, text } = report
    voice.say({ event: 'refused', reason, text }, `refused: ${text}`)
    return {}
  }
  voice.tell(...summary(report, worked))
  return report
}

interface Listener {
  hear: (event: FleetEvent) => void
  worked: () => number
  end: () => void
}

function listen(voice: Voice, concurrency: number, centralText: string): Listener {
  let bar: Progress | undefined
  let templates: string[] = []
  let tenants = { total: 0, done: 0 }
  let worked = 0
  const flushTemplates = () => {
    if (templates.length > 0) voice.tell(line('template', templates.join('      ')))
    templates = []
  }
  return {
    hear(event) {
      switch (event.event) {
        case 'run':
          tenants = { total: event.tenants.total, done: event.tenants.total - event.tenants.pending }
          return voice.say(event, headline(event, concurrency), line('central', centralText))
        case 'template':
          templates.push(templateText(event))
          return voice.say(event)
        case 'server-unreachable':
          flushTemplates()
          return voice.say(event, line('UNREACHABLE', `${event.server}  ${event.error}`))
        case 'tenant':
          flushTemplates()
          bar ??= progressBar(process.stderr, tenants.total, tenants.done)
          worked++
          bar.tick()
          return voice.say(event)
      }
    },
    worked: () => worked,
    end() {
      flushTemplates()
      bar?.end()
    },
  }
}

/** The first Ctrl-C lets the tenants that are under way finish, the second one ends the process. */
function interruption(): AbortSignal {
  const controller = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      console.error('\nSe terminan las empresas en curso; Ctrl-C otra vez para salir ya.')
      controller.abort()
    })
  }
  return controller.signal
}
