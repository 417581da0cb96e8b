import { spawn } from 'node:child_process'
import { existsSync, globSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { check } from './check.ts'

/**
 * `make test [f=src/taxes]`: the check, then every *.test.ts (or those under the paths given), three files at a time: they wait as much as they work.
 * Node's own reporter prints, and its closing counts come last.
 */
const asked = process.argv.slice(2)
const files = [...new Set((asked.length > 0 ? asked : ['.']).flatMap(testsUnder))].sort()
if (files.length === 0) {
  console.error(`there is no *.test.ts under ${asked.join(' ')}`)
  process.exit(2)
}
if (!(await check())) process.exit(1)
console.log('check: types, biome and imports are in order')

// On a terminal every test is a line, and the counts come last. In CI dots are enough, but those end with the failures:
// the counts wait in a file until the run is over.
const counts = path.join(tmpdir(), `horux-counts-${process.pid}`)
const dots = [
  ['--test-reporter=dot', '--test-reporter-destination=stdout'],
  [`--test-reporter=${path.resolve('scripts/closing-counts.ts')}`, `--test-reporter-destination=${counts}`],
].flat()
const reporters = process.stdout.isTTY || asked.length > 0 ? ['--test-reporter=spec'] : dots
// A test that hangs ends; one that lives months of a company on a busy machine does not.
const args = ['--test', '--test-concurrency=3', '--test-timeout=240000', ...reporters, ...files]
const run = spawn(process.execPath, args, { stdio: 'inherit', env: { ...process.env, TZ: 'America/Mexico_City' } })
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => run.kill(signal))
run.once('exit', (code) => {
  if (existsSync(counts)) console.log(readFileSync(counts, 'utf8'))
  rmSync(counts, { force: true })
  process.exitCode = code ?? 1
})

function testsUnder(place: string): string[] {
  if (!existsSync(place)) return []
  if (statSync(place).isFile()) return [place]
  const folders = place === '.' ? '{src,workers,scripts,test,bench}/' : `${place}/`
  return globSync(`${folders}**/*.test.ts`, { exclude: ['**/node_modules/**'] })
}
