import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
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
  t.after(() => app.close())
  return { app, drain }
}

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
