import assert from 'node:assert/strict'
import { Agent, request } from 'node:http'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock } from '../clock.ts'
import { createLog } from '../log.ts'
import { closeConnectionsOf, createDrain, leave } from './drain.ts'
import { healthRoutes } from './health.ts'
import { createShell } from './shell.ts'
import type { App } from './zod.ts'

async function unit(t: TestContext) {
  const log = createLog({ level: 'silent', service: 'test' })
  const { app } = await createShell({ log, trustProxy: false, corsOrigins: [], maxLoopDelayMs: 0, checkText: true })
  const drain = createDrain()
  closeConnectionsOf(app, drain)
  await app.register(healthRoutes({ version: '0', clock: systemClock, drain, ready: { central: async () => {} } }))
  app.post('/trabajo', { config: { acceso: { quien: 'publico' } } }, async () => {
    await sleep(15)
    return { hecho: true }
  })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  t.after(() => app.close())
  return { app, drain, url }
}

/** One request on a kept connection. Resolves with the status and what the server said about the connection. */
function send(method: string, url: string, agent: Agent): Promise<{ status: number; connection: string | undefined }> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, agent }, (answer) => {
      answer.resume()
      answer.once('end', () => resolve({ status: answer.statusCode ?? 0, connection: answer.headers.connection }))
      answer.once('error', reject)
    })
    sent.once('error', reject)
    sent.end()
  })
}

async function until(fact: () => boolean) {
  for (const deadline = performance.now() + 10_000; !fact(); await sleep(5)) assert.ok(performance.now() < deadline)
}

test('two units, twenty kept connections, one unit leaves: no request fails and nobody waits out the keep-alive', async (t) => {
  const units = [await unit(t), await unit(t)]
  const [first] = units as [(typeof units)[0]]
  const ready = [true, true]
  let working = true
  const probe = new Agent({ keepAlive: false })
  // As a proxy does it: ask each unit every 50 ms whether it takes requests.
  const watch = Promise.all(
    units.map(async ({ url }, i) => {
      while (working) {
        ready[i] = await send('GET', `${url}/api/ready`, probe).then(
          ({ status }) => status === 200,
          () => false,
        )
        await sleep(50)
      }
    }),
  )
  const counts = { done: 0, closed: 0 }
  const failures: unknown[] = []
  const clients = Array.from({ length: 20 }, async (_, i) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    for (let n = i; working; n++) {
      const target = units[n % 2 === 0 && ready[0] ? 0 : 1]
      const { status, connection } = await send('POST', `${target?.url}/trabajo`, agent).catch((error: unknown) => ({
        status: error,
        connection: '',
      }))
      if (status === 200) counts.done += 1
      else failures.push(status)
      if (connection === 'close') counts.closed += 1
    }
    agent.destroy()
  })
  await until(() => counts.done >= 200)
  const began = performance.now()
  assert.equal(await leave({ ...first, release: async () => {} }), true)
  const took = performance.now() - began
  const later = counts.done + 100
  await until(() => counts.done >= later || failures.length > 0)
  working = false
  await Promise.all([...clients, watch])
  assert.deepEqual(failures, [])
  assert.ok(counts.closed > 0)
  assert.ok(took < 3000, `left after ${took} ms`)
  await assert.rejects(send('GET', `${first.url}/api/live`, probe), /ECONNREFUSED/)
})

test('a process that drains is alive and not ready', async (t) => {
  const { app, drain } = await unit(t)
  assert.deepEqual((await app.inject('/api/ready')).json(), { status: 'ok' })
  drain.begin()
  const refused = await app.inject('/api/ready')
  assert.deepEqual(
    [refused.statusCode, refused.json().code, refused.headers.connection],
    [503, 'ready.draining', 'close'],
  )
  assert.equal((await app.inject('/api/live')).statusCode, 200)
  assert.equal((await app.inject('/api/health')).json().status, 'degradado')
})

test('a request that never ends does not keep the process', async (t) => {
  const { drain } = await unit(t)
  const never = new Promise<undefined>(() => {})
  assert.equal(
    await leave({
      drain,
      app: { close: (() => never) as App['close'] },
      release: async () => {},
      noticeMs: 1,
      deadlineMs: 50,
    }),
    false,
  )
})
