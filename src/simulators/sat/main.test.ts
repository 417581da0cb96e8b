import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { z } from 'zod'

test('the process says where it listens and ends in peace on SIGTERM', async (t) => {
  const { child, exited } = start(t, { SAT_SIM_PORT: '0' })
  const [line] = await once(child.stdout, 'data')
  const { url } = z.object({ url: z.url() }).parse(JSON.parse(String(line)))
  assert.equal((await fetch(url)).status, 200)
  child.kill('SIGTERM')
  assert.deepEqual(await exited, [0, null])
})

test('a busy port ends it with the reason', async (t) => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  t.after(() => other.close())
  const { child, exited } = start(t, { SAT_SIM_PORT: String((other.address() as AddressInfo).port) })
  const [said, [code]] = await Promise.all([text(child.stderr), exited])
  assert.equal(code, 1)
  assert.match(said, /^sat-simulator: .*EADDRINUSE/)
})

test('it does not start in production, where the SAT is the SAT, or on a setting it does not understand', async (t) => {
  for (const [variable, value] of [
    ['HORUX_ENV', 'production'],
    ['NODE_ENV', 'production'],
    ['SAT_SIM_PORT', 'ocho'],
  ] as const) {
    const { child, exited } = start(t, { [variable]: value })
    const [said, [code]] = await Promise.all([text(child.stderr), exited])
    assert.equal(code, 78)
    assert.match(said, new RegExp(`^sat-simulator: ${variable}: `))
  }
})

function start(t: TestContext, env: Record<string, string>) {
  const child = spawn(process.execPath, [path.join(import.meta.dirname, 'main.ts')], {
    env: { PATH: process.env['PATH'], SAT_SIM_PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.after(() => child.kill('SIGKILL'))
  return { child, exited: once(child, 'exit') }
}
