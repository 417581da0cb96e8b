import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, test } from 'node:test'
import { buildApp } from '../../src/app.ts'
import { ensureStaff } from '../../src/auth/ensure-staff.ts'
import { systemClock } from '../../src/clock.ts'
import { loadConfig } from '../../src/config.ts'
import { openAs } from '../../src/db/client.ts'
import { createDeps, type Deps } from '../../src/deps.ts'
import type { App } from '../../src/http/zod.ts'
import { createLog } from '../../src/log.ts'
import { allowanceOf } from '../support/allowance.ts'
import { JWT_KEYS } from '../support/auth.ts'
import { type PreparedCluster, startPreparedCluster } from '../support/prepared-cluster.ts'
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts'
import { until } from '../support/until.ts'

/** An API whose only way to the central database is a line that we can cut. */
let cluster: PreparedCluster
let line: TcpProxy
let deps: Deps
let app: App
let headers: { authorization: string }
/** What the machine adds to each limit. */
let allowanceMs: number

const email = 'operador@horux.example'
const password = 'tres faros apagados en la costa'

// Also what a failing `before` has opened by then.
const ending = new AsyncDisposableStack()
after(() => ending.disposeAsync())
before(async () => {
  cluster = await startPreparedCluster()
  ending.defer(() => cluster.stop())
  const url = new URL((await cluster.createCentral()).url)
  line = await startTcpProxy({ host: url.hostname, port: Number(url.port) })
  ending.defer(() => line.close())
  url.port = String(line.port)
  const env = {
    HORUX_ENV: 'test',
    CENTRAL_DATABASE_URL: url.href,
    CENTRAL_POOL_MAX: '4',
    HORUX_TENANT_KEY: JWT_KEYS,
    JWT_KEYS,
    BILLING_ENCRYPTION_KEY: JWT_KEYS,
    FIEL_ENCRYPTION_KEY: JWT_KEYS,
    RATE_LIMIT_PER_MINUTE: '0',
  }
  deps = createDeps(loadConfig(env, 'api'), { log: createLog({ level: 'silent', service: 'api' }), clock: systemClock })
  ending.defer(() => deps.close())
  app = await buildApp(deps, { maxLoopDelayMs: 0 })
  ending.defer(() => app.close())
  await ensureStaff(deps.central, { email, nombre: 'Operación', password, temporaryUntil: null }, new Date())
  headers = { authorization: `Bearer ${(await login()).json().accessToken}` }
})
beforeEach(async () => {
  allowanceMs = await allowanceOf(() => app.inject({ url: '/api/auth/sesiones', headers }))
})
afterEach(async () => {
  line.setSilent(false)
  await until(async () => (await app.inject('/api/ready')).statusCode === 200)
})

const login = () =>
  app.inject({ method: 'POST', url: '/api/auth/login', payload: { email, password, transporte: 'cuerpo' } })

/** Reads, writes and logins: each is a 503 with a code, in time, and says when to come back. */
async function refusedWithin(ms: number) {
  const requests = [
    () => app.inject({ url: '/api/auth/sesiones', headers }),
    () => app.inject({ method: 'POST', url: '/api/auth/tenant', payload: { tenant: 'EKU9003173C9' }, headers }),
    login,
  ]
  await Promise.all(
    requests.map(async (send) => {
      const began = performance.now()
      const answer = await send()
      const tookMs = performance.now() - began
      assert.equal(answer.statusCode, 503, answer.body)
      assert.match(String(answer.headers['content-type']), /problem\+json/)
      assert.match(answer.json().code, /^database\./)
      assert.ok(Number(answer.headers['retry-after']) >= 1)
      assert.ok(tookMs < ms + allowanceMs, `${Math.round(tookMs)} ms`)
    }),
  )
}

/** Alive, not ready, and says so within the second it gives the database. */
async function aliveAndNotReady() {
  const began = performance.now()
  const [live, ready, health] = await Promise.all(['live', 'ready', 'health'].map((name) => app.inject(`/api/${name}`)))
  assert.ok(performance.now() - began < 2500 + allowanceMs)
  assert.equal(live?.statusCode, 200)
  assert.deepEqual([ready?.statusCode, ready?.json().code], [503, 'ready.central'])
  assert.deepEqual([health?.statusCode, health?.json().status], [200, 'degradado'])
}

test('the central database is down: 503 within 5 s, and all is well when it is back', async () => {
  await line.refuse()
  try {
    await aliveAndNotReady()
    await refusedWithin(5000)
  } finally {
    await line.listen()
  }
  await until(async () => (await app.inject({ url: '/api/auth/sesiones', headers })).statusCode === 200)
})

test('the central database is silent, a black hole: 503 within 8 s', async () => {
  line.setSilent(true)
  await aliveAndNotReady()
  await refusedWithin(8000)
})

test('the server has no connection left: 503 within 5 s, never its own words', async () => {
  // A limit on the role is the same refusal (53300) as a full server, and leaves the other tests their connections.
  const admin = await openAs(cluster.adminUrl)
  try {
    await admin.query('alter role horux_central connection limit 0')
    line.resetAll()
    await refusedWithin(5000)
    const { body } = await app.inject({ url: '/api/auth/me', headers })
    assert.doesNotMatch(body, /role|connections|53300/)
  } finally {
    await admin.query('alter role horux_central connection limit -1')
    await admin.end()
  }
})
