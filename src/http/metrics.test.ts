import assert from 'node:assert/strict'
import { request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { z } from 'zod'
import { until } from '../../test/support/until.ts'
import { createLog } from '../log.ts'
import { createMetrics, metricsApp } from './metrics.ts'
import type { Principal } from './principal.ts'
import { createShell } from './shell.ts'

test('a thousand companies make no more series than one: labels are routes, methods and statuses', async (t) => {
  const log = createLog({ level: 'silent', service: 'test' })
  const { app } = await createShell({ log, trustProxy: false, corsOrigins: [], maxLoopDelayMs: 0, checkText: true })
  const metrics = createMetrics({
    tenantPools: () => ({
      live: 3,
      connections: 7,
      leased: 2,
      waiting: 0,
      opens: 5,
      evictions: 2,
      youngEvictions: 1,
      retries: 0,
      mismatches: 0,
    }),
    queueDepth: async () => [{ queue: 'mail.send', state: 'created', jobs: 4 }],
  })
  metrics.watch(app)
  app.decorateRequest('user')
  app.addHook('onRequest', async (request) => {
    request.user = { tenantId: request.headers['x-t'] } as unknown as Principal
  })
  app.get('/cosas/:id', { config: { acceso: { quien: 'publico' } } }, async () => ({}))
  const operator = metricsApp(metrics)
  t.after(() => Promise.all([app.close(), operator.close()]))

  const series = async () =>
    (await operator.inject('/metrics')).body.split('\n').filter((line) => line && !line.startsWith('#')).length
  await app.inject('/cosas/1')
  await app.inject('/nada')
  const before = await series()
  for (let i = 0; i < 1000; i++) await app.inject({ url: `/cosas/${i}`, headers: { 'x-t': `tenant-${i}` } })
  await app.inject('/otra/nada')
  assert.equal(await series(), before)

  const { body } = await operator.inject('/metrics')
  assert.match(body, /http_request_duration_seconds_count\{route="\/cosas\/:id",method="GET",status="200"\} 1001/)
  assert.match(body, /http_request_duration_seconds_count\{route="none",method="GET",status="404"\} 2/)
  assert.match(body, /http_requests_in_flight 0/)
  assert.match(body, /tenant_pools\{what="leased"\} 2/)
  assert.match(body, /tenant_pool_events_total\{event="evictions"\} 2/)
  assert.match(body, /pgboss_queue_depth\{queue="mail.send",state="created"\} 4/)
  assert.doesNotMatch(body, /tenant-\d/)
})

test('whoever leaves before the answer counts, whatever was asked; a stream is left by everybody and keeps nobody busy', async (t) => {
  const log = createLog({ level: 'silent', service: 'test' })
  const { app } = await createShell({ log, trustProxy: false, corsOrigins: [], maxLoopDelayMs: 0, checkText: true })
  const metrics = createMetrics({})
  metrics.watch(app)
  let waiting = 0
  const never = () => {
    waiting += 1
    return new Promise<never>(() => undefined)
  }
  const acceso = { quien: 'publico' } as const
  app.get('/lenta', { config: { acceso } }, never)
  app.post('/lenta', { config: { acceso }, schema: { body: z.strictObject({ a: z.number() }) } }, never)
  app.get('/eventos', { config: { acceso, flujo: true } }, never)
  await app.listen({ host: '127.0.0.1', port: 0 })
  t.after(() => app.close())
  const { port } = app.server.address() as AddressInfo
  const count = async (name: string) => (await metrics.registry.getSingleMetric(name)?.get())?.values[0]?.value

  const begin = async (method: string, url: string, body = '') => {
    const before = waiting
    const headers = { 'content-type': 'application/json', 'content-length': body.length }
    const asking = request({ host: '127.0.0.1', port, method, path: url, ...(body && { headers }) })
    asking.on('error', () => undefined).end(body)
    await until(() => waiting > before)
    return asking
  }
  const asked = [await begin('GET', '/lenta'), await begin('POST', '/lenta', '{"a":1}'), await begin('GET', '/eventos')]
  assert.equal(await count('http_requests_in_flight'), 2)
  for (const asking of asked) asking.destroy()
  await until(async () => (await count('http_requests_in_flight')) === 0)
  await until(async () => (await promisify(app.server.getConnections.bind(app.server))()) === 0)
  assert.equal(await count('http_requests_aborted_total'), 2)
})
