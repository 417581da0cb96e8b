import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { AlreadyRunning, claimInstance, runningSupervisor } from './instance.ts'
import { isAlive } from './processes.ts'

test('children of a killed supervisor are stopped by the next one', async (t) => {
  const { file, idle } = workshop(t)
  const orphan = await idle('orphan.mjs')
  writeFileSync(
    file,
    JSON.stringify({ supervisor: 2 ** 30, children: { api: { pid: orphan.pid, script: orphan.script } } }),
  )
  const { instance, stopped } = await claimInstance(file)
  assert.deepEqual(stopped, ['api'])
  assert.equal(isAlive(orphan.pid), false)
  instance.close()
  assert.equal(existsSync(file), false)
})

test('a process that merely has the number of a former child is left alone', async (t) => {
  const { file, idle } = workshop(t)
  const stranger = await idle('stranger.mjs')
  writeFileSync(
    file,
    JSON.stringify({ supervisor: 2 ** 30, children: { api: { pid: stranger.pid, script: '/other/server.ts' } } }),
  )
  const { stopped } = await claimInstance(file)
  assert.deepEqual(stopped, [])
  assert.equal(isAlive(stranger.pid), true)
})

test('a second supervisor is refused while the first lives', async (t) => {
  const { file, idle } = workshop(t)
  const first = await idle('scripts/start.ts')
  writeFileSync(file, JSON.stringify({ supervisor: first.pid, children: {} }))
  assert.equal(runningSupervisor(file), first.pid)
  await assert.rejects(claimInstance(file), (error) => error instanceof AlreadyRunning && error.pid === first.pid)
  assert.equal(JSON.parse(readFileSync(file, 'utf8')).supervisor, first.pid)
})

test('a file that was cut short is taken over', async (t) => {
  const { file, home } = workshop(t)
  writeFileSync(file, '{"superv')
  const { instance, stopped } = await claimInstance(file)
  assert.deepEqual(stopped, [])
  instance.started('api', 1, 'x')
  assert.equal(JSON.parse(readFileSync(file, 'utf8')).supervisor, process.pid)
  assert.deepEqual(
    readdirSync(home).filter((name) => name.startsWith('run.json')),
    ['run.json'],
  )
})

function workshop(t: TestContext) {
  const home = mkdtempSync(path.join(tmpdir(), 'horux-instance-'))
  t.after(() => rmSync(home, { recursive: true, force: true }))
  const idle = async (name: string) => {
    const script = path.join(home, name)
    mkdirSync(path.dirname(script), { recursive: true })
    writeFileSync(script, 'console.log(1); setInterval(() => {}, 1000)')
    const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'ignore'], detached: true })
    t.after(() => child.kill('SIGKILL'))
    await once(child.stdout, 'data')
    return { pid: child.pid ?? 0, script }
  }
  return { home, file: path.join(home, 'run.json'), idle }
}
