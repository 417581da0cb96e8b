import { styleText } from 'node:util'
import { Command } from 'commander'
import { type Config, ConfigError, loadConfig } from '../../src/config.ts'
import { databases } from '../doctor/databases.ts'
import { type Finding, ok, problem } from '../doctor/finding.ts'
import * as machine from '../doctor/machine.ts'
import { vault } from '../doctor/vault.ts'
import { EXIT } from '../exit-codes.ts'

export const command = new Command('doctor')
  .description('revisa esta instalación y dice cómo corregir lo que falte')
  .option('--json', 'un objeto por renglón, y al final uno con el resumen')
  .action(async ({ json }: { json?: boolean }) => {
    const findings = await examine(process.env)
    const exitCode = exitCodeOf(findings)
    if (json) for (const finding of findings) console.log(JSON.stringify(finding))
    if (json) console.log(JSON.stringify({ ok: exitCode === EXIT.ok, exitCode, counts: counts(findings) }))
    else console.log(findings.map(line).join('\n'))
    process.exitCode = exitCode
  })

/** Looks at everything that can be looked at; a thing that is broken does not hide the next. */
export async function examine(env: NodeJS.ProcessEnv): Promise<Finding[]> {
  const { config, finding } = configuration(env)
  const here = [machine.nodeVersion(), machine.dependencies(), machine.freeDisk(), finding, machine.secretFiles(config)]
  const data = machine.dataDirectory()
  if (data) here.push(data)
  if (!config) return [...here, await machine.pgDump(undefined)]
  const [found, sealed, ...reached] = await Promise.all([
    databases(config, env),
    vault(config),
    machine.apiPort(config),
    machine.smtp(config),
    machine.mercadoPago(config),
    machine.sat(config),
  ])
  return [...here, ...sealed, ...found.findings, ...reached, await machine.pgDump(found.serverMajor)]
}

/** The worst decides: a wrong setting, then a database that does not answer, then anything else that failed. */
export function exitCodeOf(findings: readonly Finding[]): number {
  const states = new Set(findings.map(({ state }) => state))
  if (states.has('configuration')) return EXIT.configuration
  if (states.has('unreachable')) return EXIT.tryLater
  return states.has('failed') ? EXIT.failed : EXIT.ok
}

function configuration(env: NodeJS.ProcessEnv): { config: Config | undefined; finding: Finding } {
  try {
    const config = loadConfig(env, 'cli')
    return { config, finding: ok('Configuración', config.env) }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    const remedy = 'make start en desarrollo; en producción, .env.example explica cada variable'
    const finding = problem('Configuración', 'configuration', error.problems.join('; '), remedy)
    return { config: undefined, finding }
  }
}

function counts(findings: readonly Finding[]): Record<string, number> {
  const byState = Object.groupBy(findings, ({ state }) => state)
  return Object.fromEntries(Object.entries(byState).map(([state, found]) => [state, found?.length ?? 0]))
}

function line({ check, state, detail, remedy }: Finding): string {
  const { mark, colour } = MARKS[state]
  const first = `${styleText(colour, mark)} ${check.padEnd(22)} ${detail}`
  return remedy ? `${first}\n  ${''.padEnd(22)} ${styleText('dim', '→')} ${remedy}` : first
}

const MARKS = {
  ok: { mark: '✔', colour: 'green' },
  info: { mark: 'ℹ', colour: 'blue' },
  warning: { mark: '!', colour: 'yellow' },
  failed: { mark: '✖', colour: 'red' },
  configuration: { mark: '✖', colour: 'red' },
  unreachable: { mark: '✖', colour: 'red' },
} as const
