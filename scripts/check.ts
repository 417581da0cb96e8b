import { spawn } from 'node:child_process'
import path from 'node:path'
import { text } from 'node:stream/consumers'

/** Types, manners and floors, side by side. Says nothing of what is well. Resolves with whether all is. */
export async function check(): Promise<boolean> {
  const verdicts = await Promise.all([
    run('types', 'tsc', ['--noEmit']),
    run('biome', 'biome', ['check', '--error-on-warnings', '--no-errors-on-unmatched']),
    run('imports', 'node', ['scripts/check-imports.ts']),
  ])
  return verdicts.every(Boolean)
}

async function run(name: string, tool: string, args: readonly string[]): Promise<boolean> {
  const child = spawn(path.join('node_modules', '.bin', tool), args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const { promise, resolve } = Promise.withResolvers<boolean>()
  child.once('error', () => resolve(false))
  child.once('close', (code) => resolve(code === 0))
  const [passed, said, complained] = await Promise.all([promise, text(child.stdout), text(child.stderr)])
  if (!passed) console.error(`── ${name} ──\n${said}${complained}`)
  return passed
}

if (import.meta.main) {
  const passed = await check()
  console.log(passed ? 'check: types, biome and imports are in order' : 'check: failed')
  process.exitCode = passed ? 0 : 1
}
