#!/usr/bin/env node
import { existsSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { Command, CommanderError } from 'commander'
import { ConfigError } from '../src/config.ts'
import { AppError } from '../src/errors.ts'
import { EXIT } from './exit-codes.ts'
import { loadEnvironmentFiles } from './supervisor/environment.ts'

/**
 * The operator's command line. `horux doctor` is `scripts/commands/doctor.ts`, which exports `command: Command`; only
 * the file of the command asked for is read. Data goes to stdout and talk to stderr; texts are Spanish, flags English.
 */
async function main(args: readonly string[]): Promise<void> {
  loadEnvironmentFiles()
  const program = new Command('horux').description('Horux360: operación').exitOverride()
  const asked = fileOf(args[0] ?? '')
  const files = asked
    ? [asked]
    : readdirSync(COMMANDS)
        .filter((name) => /^[a-z-]+\.ts$/.test(name))
        .sort()
  for (const file of files) program.addCommand((await loadCommand(file)).exitOverride())
  if (args.length === 0) program.outputHelp()
  else await program.parseAsync([...args], { from: 'user' })
}

const COMMANDS = path.join(import.meta.dirname, 'commands')

function fileOf(name: string): string | undefined {
  return /^[a-z-]+$/.test(name) && existsSync(path.join(COMMANDS, `${name}.ts`)) ? `${name}.ts` : undefined
}

async function loadCommand(file: string): Promise<Command> {
  const { command } = await import(path.join(COMMANDS, file))
  if (!(command instanceof Command)) throw new Error(`scripts/commands/${file} does not export \`command\``)
  return command
}

function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage // commander has spoken
  if (error instanceof ConfigError) {
    console.error(`Configuración incompleta:\n${error.problems.map((problem) => `  ${problem}`).join('\n')}`)
    return EXIT.configuration
  }
  if (error instanceof AppError) {
    console.error(`${error.mensaje} (${error.code})`)
    return error.kind === 'unavailable' ? EXIT.tryLater : EXIT.failed
  }
  console.error(error)
  return EXIT.failed
}

// exitCode and not exit(): what was written to a pipe would be cut off.
await main(process.argv.slice(2)).catch((error) => {
  process.exitCode = report(error)
})
