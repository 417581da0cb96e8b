import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { alarms } from './alarms.ts'
import { monitorCodes } from './billing/monitor/findings.ts'

const ROOT = path.resolve(import.meta.dirname, '..')
const read = (file: string) => readFileSync(path.join(ROOT, file), 'utf8')

test('docs/alarmas.md has a row for every alarm, and none that does not exist', () => {
  const rows = [...read('docs/alarmas.md').matchAll(/^\| `([\w.]+)` \| (.*) \|$/gm)]
  assert.deepEqual(rows.map(([, name]) => name).toSorted(), [...alarms].sort())
  for (const [, name, cells = ''] of rows)
    assert.ok(cells.split(' | ').length === 4 && cells.split(' | ').every((cell) => cell.trim() !== ''), `${name}`)
})

test('every command that docs/alarmas.md names is one of horux', () => {
  const commands = new Set(read('docs/alarmas.md').match(/`horux [a-z-]+( [a-z]+)?/g))
  assert.ok(commands.size > 5)
  for (const command of commands) {
    const [, group = '', name = group] = command.slice(1).split(' ')
    const known = read(`scripts/commands/${group}.ts`).includes(`('${name}'`)
    assert.ok(known, command)
  }
})

test('every alarm of the list is raised somewhere', () => {
  const files = globSync('{src,workers,scripts}/**/*.ts', { cwd: ROOT }).filter(
    (file) => !file.endsWith('.test.ts') && file !== path.join('src', 'alarms.ts'),
  )
  const source = files.map(read).join('\n')
  const ofMonitor = new Set<string>(monitorCodes.map((code) => `billing.${code}`))
  assert.deepEqual(
    alarms.filter((name) => !source.includes(`'${name}'`) && !ofMonitor.has(name)),
    [],
  )
})
