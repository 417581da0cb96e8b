import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, connect, createServer } from 'node:net'
import { networkInterfaces, tmpdir } from 'node:os'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { z } from 'zod'

test('the process says where it listens, remembers over a restart, and ends in peace on SIGTERM', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'mercadopago-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const env = { MERCADOPAGO_SIM_DIR: folder, MERCADOPAGO_SIM_TOKEN: 'APP_USR-de-prueba' }
  const seen: number[] = []
  for (let i = 0; i < 2; i++) {
    const { child, exited } = start(t, env)
    const [line] = await once(child.stdout, 'data')
    const { url } = z.object({ url: z.url() }).parse(JSON.parse(String(line)))
    const headers = { authorization: 'Bearer APP_USR-de-prueba' }
    const made = await fetch(`${url}__sim/foreign-payment`, { method: 'POST', body: '{}' })
    assert.equal(made.status, 200)
    const found = await (await fetch(`${url}v1/payments/search`, { headers })).json()
    seen.push(z.object({ paging: z.object({ total: z.number() }) }).parse(found).paging.total)
    await beyond(url)
    child.kill('SIGTERM')
    assert.deepEqual(await exited, [0, null])
  }
  assert.deepEqual(seen, [1, 2])
})

test('a busy port ends it with the reason', async (t) => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  t.after(() => other.close())
  const busy = String((other.address() as AddressInfo).port)
  const { child, exited } = start(t, { MERCADOPAGO_SIM_PORT: busy })
  const [said, [code]] = await Promise.all([text(child.stderr), exited])
  assert.equal(code, 1)
  assert.match(said, new RegExp(`^mercadopago-simulator: .*EADDRINUSE.*${busy}`))
})

test('it does not start in production, where money is real, or on a setting it does not understand', async (t) => {
  for (const [variable, value] of [
    ['HORUX_ENV', 'production'],
    ['NODE_ENV', 'production'],
    ['MERCADOPAGO_SIM_PORT', 'ocho'],
    ['MERCADOPAGO_SIM_WEBHOOK_URL', 'javascript:alert(1)'],
    ['MERCADOPAGO_SIM_WEBHOOK_SECRET', 'corto'],
  ] as const) {
    const { child, exited } = start(t, { [variable]: value })
    const [said, [code]] = await Promise.all([text(child.stderr), exited])
    assert.equal(code, 78)
    assert.match(said, new RegExp(`^mercadopago-simulator: ${variable}: `))
    assert.ok(!said.includes('corto'))
  }
})

function start(t: TestContext, env: Record<string, string>) {
  const child = spawn(process.execPath, [path.join(import.meta.dirname, 'main.ts')], {
    env: { PATH: process.env['PATH'], MERCADOPAGO_SIM_PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const exited = once(child, 'exit')
  t.after(async () => {
    child.kill('SIGKILL')
    await exited
  })
  return { child, exited }
}

/** Nobody beyond this machine reaches it. */
async function beyond(url: string): Promise<void> {
  const outside = Object.values(networkInterfaces())
    .flatMap((all) => all ?? [])
    .filter(({ internal, family }) => !internal && family === 'IPv4')
  for (const { address } of outside) {
    const socket = connect({ host: address, port: Number(new URL(url).port) })
    const [error] = await once(socket, 'error')
    assert.equal(error.code, 'ECONNREFUSED')
  }
}
