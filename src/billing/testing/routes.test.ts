import assert from 'node:assert/strict'
import { test } from 'node:test'
import { client, type Product, startProduct, until } from '../../../test/support/product.ts'
import { buildApp } from '../../app.ts'
import { loadConfig } from '../../config.ts'
import { createDeps } from '../../deps.ts'
import type { App } from '../../http/zod.ts'
import { createLog } from '../../log.ts'

const DAY = 86_400_000
const MOVABLE = { env: { TEST_CLOCK: 'true' }, worker: false }

test('a move at one process is the time of the next request at another and of the next job of the worker', async (t) => {
  const product = await startProduct(t, { ...MOVABLE, worker: true })
  const other = await secondApi(t, product)
  const tenant = await product.createTenant()
  assert.equal((await client(other, tenant.token).get('/api/auth/me')).statusCode, 200)

  const target = new Date(Date.now() + 400 * DAY)
  const moved = await put(product.app, target)
  assert.ok(isAbout(moved.ahora, target))
  // The guard is the first to look at the time: a token of an hour ago is now one of the year before.
  const late = await client(other, tenant.token).get('/api/auth/me')
  assert.equal(late.json().code, 'auth.token_expired')
  assert.ok(isAbout((await other.inject('/__test/clock')).json().ahora, target))

  const before = (await product.mailTo(tenant.admin.email)).id
  const forgot = { email: tenant.admin.email }
  assert.ok((await client(other, undefined).post('/api/auth/password/forgot', forgot)).statusCode < 300)
  const mail = await until('the mail with the link', async () => {
    const newest = await product.mailTo(tenant.admin.email)
    return newest.id === before ? undefined : newest
  })
  const source = await (await fetch(`${product.mailboxUrl}/correos/${mail.id}/fuente`)).text()
  assert.ok(isAbout(/^Date: (.*)$/im.exec(source)?.[1] ?? '', target), source.slice(0, 500))
})

test('a test may go to the past, development only back to the real time', async (t) => {
  const product = await startProduct(t, MOVABLE)
  const yesterday = new Date(Date.now() - DAY)
  assert.ok(isAbout((await put(product.app, yesterday)).ahora, yesterday))

  const development = await secondApi(t, product, { HORUX_ENV: 'development' })
  const tomorrow = new Date(Date.now() + DAY)
  assert.ok(isAbout((await put(development, tomorrow)).ahora, tomorrow))
  assert.ok(isAbout((await put(development, yesterday)).ahora, new Date()))
})

test('what is no instant moves nothing', async (t) => {
  const product = await startProduct(t, MOVABLE)
  const bodies = [{}, { ahora: null }, { ahora: 'mañana' }, { ahora: '2027-01-01' }, { ahora: 1 }]
  for (const payload of [...bodies, { ahora: new Date().toISOString(), mas: 1 }]) {
    const answer = await product.app.inject({ method: 'PUT', url: '/__test/clock', payload })
    assert.equal(answer.statusCode, 400, JSON.stringify(payload))
  }
  assert.ok(isAbout((await product.app.inject('/__test/clock')).json().ahora, new Date()))
})

test('who is not on this machine is refused and moves nothing', async (t) => {
  const product = await startProduct(t, MOVABLE)
  const payload = { ahora: new Date(Date.now() + DAY).toISOString() }
  for (const stranger of [
    { headers: { host: 'horux.example' } },
    { headers: { host: 'localhost.horux.example:3000' } },
    { headers: { 'x-forwarded-for': '127.0.0.1' } },
    { remoteAddress: '192.168.1.20' },
  ])
    for (const request of [
      { method: 'PUT' as const, url: '/__test/clock', payload },
      { method: 'GET' as const, url: '/__test/clock' },
      { method: 'GET' as const, url: '/__test/idle' },
    ]) {
      const answer = await product.app.inject({ ...request, ...stranger })
      assert.equal(answer.statusCode, 403, JSON.stringify(stranger))
      assert.equal(answer.json().code, 'test_clock.only_local')
    }
  assert.ok(isAbout((await product.app.inject('/__test/clock')).json().ahora, new Date()))
})

test('nothing of it is in the document, and none of it exists where the clock is the real one', async (t) => {
  const product = await startProduct(t, MOVABLE)
  const { paths } = (await product.app.inject('/api/openapi.json')).json()
  assert.deepEqual(
    Object.keys(paths).filter((path) => path.startsWith('/__')),
    [],
  )
  const real = await secondApi(t, product, { TEST_CLOCK: 'false' })
  for (const url of ['/__test/clock', '/__test/idle']) assert.equal((await real.inject(url)).statusCode, 404)
  await put(product.app, new Date(Date.now() + 400 * DAY))
  assert.ok(isAbout((await real.inject('/api/health')).json().timestamp, new Date()), 'and nobody asks its row')
})

test('a process whose database is away is alive, and answers nothing that has a time', async (t) => {
  const product = await startProduct(t, MOVABLE)
  const alone = await secondApi(t, product, { CENTRAL_DATABASE_URL: 'postgres://horux_central:x@127.0.0.1:1/nadie' })
  assert.equal((await alone.inject('/api/live')).statusCode, 200)
  assert.equal((await alone.inject('/__test/clock')).statusCode, 503)
})

async function secondApi(
  t: { after(end: () => Promise<void>): void },
  product: Product,
  env: Record<string, string> = {},
): Promise<App> {
  const config = loadConfig({ ...product.env, ...env }, 'api')
  const log = createLog({ level: 'silent', service: 'api', destination: { write: () => undefined } })
  const deps = createDeps(config, { log, clock: { now: () => new Date() } })
  const app = await buildApp(deps, { maxLoopDelayMs: 0 })
  t.after(async () => {
    await app.close()
    await deps.close()
  })
  return app
}

async function put(app: App, instant: Date): Promise<{ ahora: string }> {
  const payload = { ahora: instant.toISOString() }
  const answer = await app.inject({ method: 'PUT', url: '/__test/clock', payload })
  assert.equal(answer.statusCode, 200, answer.body)
  return answer.json()
}

/** The clock runs on while the test does; moves are of a day and more. */
const isAbout = (instant: string | Date, expected: Date) =>
  Math.abs(new Date(instant).getTime() - expected.getTime()) < DAY / 24
