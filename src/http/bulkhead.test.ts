import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { until } from '../../test/support/until.ts'
import { createLog } from '../log.ts'
import { type Bulkhead, limitConcurrency } from './bulkhead.ts'
import type { Principal } from './principal.ts'
import { createShell } from './shell.ts'

async function build(t: TestContext, perCompany: Bulkhead, perProcess: Bulkhead, perApart = wide) {
  const log = createLog({ level: 'silent', service: 'test' })
  const { app } = await createShell({ log, trustProxy: false, corsOrigins: [], maxLoopDelayMs: 0, checkText: true })
  const held = Promise.withResolvers<void>()
  const state = { arrived: 0, working: 0, most: 0, aborted: 0 }
  app.decorateRequest('user')
  app.addHook('onRequest', async (request) => {
    state.arrived += 1
    request.user = { tenantId: String(request.headers['x-t']) } as Principal
  })
  limitConcurrency(app, perCompany, perProcess, perApart)
  app.addHook('onRequestAbort', async (_request) => {
    state.aborted += 1
  })
  app.get('/lento', { config: { acceso: { quien: 'publico' } } }, async () => {
    state.working += 1
    state.most = Math.max(state.most, state.working)
    await held.promise
    state.working -= 1
    return {}
  })
  app.get('/aparte', { config: { acceso: { quien: 'publico' }, aparte: true } }, async () => ({}))
  app.get('/vivo', { config: { acceso: { quien: 'publico' }, probe: true } }, async () => ({}))
  t.after(() => app.close())
  const ask = (tenant: string, url = '/lento') => app.inject({ url, headers: { 'x-t': tenant } })
  return { app, ask, state, release: held.resolve }
}

const wide = { running: 100, waiting: 100, waitMs: 60_000 }

test('a company that hammers waits for itself, then is refused; another one is served at once', async (t) => {
  const { ask, state, release } = await build(t, { running: 2, waiting: 3, waitMs: 60_000 }, wide)
  const many = Array.from({ length: 12 }, () => ask('a'))
  const refused = await Promise.any(many)
  assert.deepEqual(
    [refused.statusCode, refused.json().code, refused.headers['retry-after']],
    [429, 'limite_inquilino', '1'],
  )
  assert.equal(state.working, 2)
  const other = ask('b')
  await until(() => state.working === 3)
  release()
  const statuses = (await Promise.all(many)).map(({ statusCode }) => statusCode)
  assert.deepEqual([statuses.filter((s) => s === 200).length, statuses.filter((s) => s === 429).length], [5, 7])
  assert.equal((await other).statusCode, 200)
  assert.equal(state.most, 3)
  assert.equal((await ask('a')).statusCode, 200)
})

test('what stands apart takes no place from people, and has none of theirs', async (t) => {
  const none = { running: 0, waiting: 0, waitMs: 60_000 }
  const closed = await build(t, wide, wide, none)
  assert.equal((await closed.ask('a', '/aparte')).statusCode, 503)
  closed.release()
  assert.equal((await closed.ask('a')).statusCode, 200)
  const busy = await build(t, wide, none)
  assert.equal((await busy.ask('a')).statusCode, 503)
  assert.equal((await busy.ask('a', '/aparte')).statusCode, 200)
})

test('a process that has enough says 503, whoever asks, and stays alive', async (t) => {
  const { ask, release, state } = await build(t, wide, { running: 3, waiting: 0, waitMs: 60_000 })
  const many = ['a', 'b', 'c'].map((tenant) => ask(tenant))
  await until(() => state.working === 3)
  const refused = await ask('d')
  assert.deepEqual([refused.statusCode, refused.json().code, refused.headers['retry-after']], [503, 'sobrecarga', '2'])
  assert.equal((await ask('d', '/vivo')).statusCode, 200)
  release()
  assert.deepEqual(
    (await Promise.all(many)).map(({ statusCode }) => statusCode),
    [200, 200, 200],
  )
  assert.equal((await ask('d')).statusCode, 200)
})

test('who waits too long, or goes away, gives the place up', async (t) => {
  const { app, ask, release, state } = await build(t, { running: 1, waiting: 1, waitMs: 60_000 }, wide)
  const first = ask('a')
  await until(() => state.working === 1)
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const impatient = new AbortController()
  const left = fetch(`${url}/lento`, { headers: { 'x-t': 'a' }, signal: impatient.signal })
  await until(() => state.arrived === 2)
  assert.equal((await ask('a')).statusCode, 429) // there is room for one to wait
  impatient.abort()
  await assert.rejects(left)
  await until(() => state.aborted === 1)
  const second = ask('a')
  await until(() => state.arrived === 4)
  release()
  assert.deepEqual([(await first).statusCode, (await second).statusCode], [200, 200])

  const short = await build(t, { running: 1, waiting: 1, waitMs: 20 }, wide)
  const holds = short.ask('a')
  await until(() => short.state.working === 1)
  assert.equal((await short.ask('a')).statusCode, 429)
  short.release()
  assert.equal((await holds).statusCode, 200)
})

test('who went away before a place was asked for does not keep one for ever', async (t) => {
  const { app, release, state } = await build(t, { running: 1, waiting: 0, waitMs: 60_000 }, wide)
  const parting = Promise.withResolvers<void>()
  app.addHook('preValidation', async (request) => {
    if (request.headers['x-t'] === 'fugaz') await parting.promise
  })
  release()
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const impatient = new AbortController()
  const left = fetch(`${url}/lento`, { headers: { 'x-t': 'fugaz' }, signal: impatient.signal })
  await until(() => state.arrived === 1)
  impatient.abort()
  await assert.rejects(left)
  await until(() => state.aborted === 1)
  parting.resolve()
  await until(() => state.most === 1)
  assert.equal((await fetch(`${url}/lento`, { headers: { 'x-t': 'fugaz' } })).status, 200)
})
