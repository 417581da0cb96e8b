import { existsSync, rmSync } from 'node:fs'
import path from 'node:path'
import { createInterface } from 'node:readline/promises'
import { Command } from 'commander'
import { stopPostgres } from '../embedded-postgres.ts'
import { EXIT } from '../exit-codes.ts'
import { removeDataDir } from '../supervisor/data-directory.ts'
import { DATA_DIR, HOME, INSTANCE } from '../supervisor/environment.ts'
import { runningSupervisor, stopLeftoversOf } from '../supervisor/instance.ts'
import { stopProcess } from '../supervisor/processes.ts'

export const command = new Command('reset')
  .description('detiene todo y borra los datos de desarrollo de esta copia de trabajo')
  .option('--yes', 'sin preguntar')
  .option('--dry-run', 'sólo dice qué borraría')
  .action(async (options: { yes?: boolean; dryRun?: boolean }) => {
    const doomed = MADE_BY_START.map((name) => path.join(HOME, name))
    console.error(`Se borra: ${doomed.join(' ')}`)
    if (options.dryRun) {
      process.exitCode = doomed.some((entry) => existsSync(entry)) ? EXIT.partial : EXIT.ok
      return
    }
    if (!options.yes && !(await confirmed())) {
      console.error('No se borró nada.')
      process.exitCode = EXIT.refused
      return
    }
    await stopEverything()
    removeDataDir(DATA_DIR)
    for (const entry of doomed) rmSync(entry, { recursive: true, force: true })
    console.error('Listo. make start empieza de nuevo.')
  })

/** Not `test`: the caches of test clusters hold nothing of anybody, and a test may be copying one. */
const MADE_BY_START = ['pg', 'mail', 'mercadopago', 'sat', 'credentials', 'logs', 'dev.env', 'run.json']

async function confirmed(): Promise<boolean> {
  if (!process.stdin.isTTY) {
    console.error('Sin terminal donde preguntar: repite con ARGS=--yes si eso quieres.')
    return false
  }
  const questions = createInterface({ input: process.stdin, output: process.stderr })
  const answer = await questions.question('Escribe borrar para confirmar: ')
  questions.close()
  return answer.trim() === 'borrar'
}

async function stopEverything(): Promise<void> {
  const supervisor = runningSupervisor(INSTANCE)
  if (supervisor) {
    console.error(`Deteniendo a make start (proceso ${supervisor})…`)
    const gone = await stopProcess(supervisor, [
      ['SIGTERM', 60_000],
      ['SIGKILL', 5_000],
    ])
    if (!gone) throw new Error(`make start (proceso ${supervisor}) no termina`)
  }
  await stopLeftoversOf(INSTANCE)
  await stopPostgres(DATA_DIR)
}
