import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { until } from '../../test/support/until.ts'
import { type ChildSpec, keepRunning } from './children.ts'
import { anyFreePort } from './ports.ts'
import { isAlive } from './processes.ts'

const never = new AbortController().signal
const READY_MS = 60_000

test('a child that dies is run again, and what it said is in its log', async (t) => {
  const { spec, run, pid } = await workshop(t, `console.log('soy yo')`)
  const child = run(spec)
  await child.ready(READY_MS, never)
  const first = pid()
  process.kill(first, 'SIGKILL')
  await until(() => pid() > 0 && pid() !== first && isAlive(pid()))
  await child.ready(READY_MS, never)
  // It answers before what it said has gone through our hands.
  await until(() => /soy yo\n.*soy yo/s.test(readFileSync(path.join(spec.home, 'prueba.log'), 'utf8')))
  await child.stop(5_000)
  assert.equal(isAlive(pid()), false)
})

test('a child that ignores SIGTERM is killed after the deadline, with what it started', async (t) => {
  const grandchild = `import { spawn } from 'node:child_process'
    process.on('SIGTERM', () => {})
    writeFileSync(process.env.HOME_DIR + '/grandchild', String(spawn('/bin/sleep', ['300'], { stdio: 'ignore' }).pid))`
  const { spec, run, pid } = await workshop(t, grandchild)
  const child = run(spec)
  await child.ready(READY_MS, never)
  await child.stop(200)
  assert.equal(isAlive(pid()), false)
  // Killed with the others of its group, each ends in its own time.
  const grandchildPid = Number(readFileSync(path.join(spec.home, 'grandchild'), 'utf8'))
  await until(() => !isAlive(grandchildPid))
})

test('a wrong configuration is not tried again, and its own words are in the error', async (t) => {
  const { spec, run, said } = await workshop(t, `console.error('JWT_KEYS: missing'); process.exit(78)`)
  const child = run(spec)
  await assert.rejects(child.ready(READY_MS, never), /configuración no es válida.*JWT_KEYS: missing/s)
  assert.equal(said.filter((line) => line.includes('arranca de nuevo')).length, 0)
  await child.stop(1_000)
})

test('a child that is asked to stop while it waits to be run again does not come back', async (t) => {
  const { spec, run, said } = await workshop(t, `appendFileSync(process.env.HOME_DIR + '/runs', 'x'); process.exit(1)`)
  const child = run(spec)
  await until(() => said.some((line) => line.includes('arranca de nuevo')))
  await child.stop(1_000)
  assert.equal(readFileSync(path.join(spec.home, 'runs'), 'utf8'), 'x')
})

test('of a log in JSON people see what is a warning or worse, and in words', async (t) => {
  const lines = `console.log('{"level":"info","message":"listening"}'); console.log('{"level":"error","message":"failed","err":{"message":"disk"}}')`
  const { spec, run, said } = await workshop(t, lines)
  const child = run(spec)
  await until(() => said.length > 0)
  await child.stop(1_000)
  assert.deepEqual(said, ['failed: disk'])
})

/** A script that runs `body`, notes its pid and then listens. */
async function workshop(t: TestContext, body: string) {
  const home = mkdtempSync(path.join(tmpdir(), 'horux-children-'))
  t.after(() => rmSync(home, { recursive: true, force: true }))
  const port = await anyFreePort()
  const script = path.join(home, 'child.mjs')
  const source = `import { createServer } from 'node:http'
    import { appendFileSync, writeFileSync } from 'node:fs'
    writeFileSync(process.env.HOME_DIR + '/pid', String(process.pid))
    ${body}
    createServer((_, answer) => answer.end()).listen(${port}, '127.0.0.1')`
  writeFileSync(script, source)
  const said: string[] = []
  const spec = {
    name: 'prueba',
    script,
    env: { HOME_DIR: home },
    watch: false,
    readyUrl: `http://127.0.0.1:${port}/`,
    home,
  }
  const instance = { started: () => undefined, ended: () => undefined, close: () => undefined }
  const run = (asked: ChildSpec) => {
    const host = { instance, logDir: home, say: (_: string, line: string) => void said.push(line), verbose: false }
    const child = keepRunning(asked, host)
    t.after(() => child.kill())
    return child
  }
  // 0 while it is being written.
  const pid = () => Number(readFileSync(path.join(home, 'pid'), 'utf8'))
  return { spec, run, said, pid }
}
