import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, afterEach, before, beforeEach, test } from 'node:test'
import { buildApp } from '../../src/app.ts'
import { systemClock } from '../../src/clock.ts'
import { loadConfig } from '../../src/config.ts'
import { openAs } from '../../src/db/client.ts'
import { createDeps } from '../../src/deps.ts'
import { createLog } from '../../src/log.ts'
import { allowanceOf } from '../support/allowance.ts'
import { cfdiXml } from '../support/cfdi-xml.ts'
import { type Client, client, type Product, startProduct, type Tenant } from '../support/product.ts'
import { registerServerAs } from '../support/register-server.ts'
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts'
import { until } from '../support/until.ts'

/** Two companies, one of them on a road of its own; an API, limits and all, whose road to the central database is another. */
let product: Product
let lost: Tenant
let fine: Tenant
let road: TcpProxy
let centralRoad: TcpProxy
let as: Record<'lost' | 'fine' | 'nobody', Client>
let owner: Awaited<ReturnType<typeof openAs>>
/** What the machine adds to each limit. */
let allowanceMs: number

const ending = new AsyncDisposableStack()
after(() => ending.disposeAsync())
before(async () => {
  product = await startProduct({ after: (end) => ending.defer(end) })
  ;[lost, fine] = [await product.createTenant(), await product.createTenant()]
  const centralUrl = new URL(product.env['CENTRAL_DATABASE_URL'] ?? '')
  const host = centralUrl.hostname
  const port = Number(centralUrl.port)
  road = await startTcpProxy({ host, port })
  ending.defer(() => road.close())
  centralRoad = await startTcpProxy({ host, port })
  ending.defer(() => centralRoad.close())

  const admin = new URL(product.adminUrl)
  admin.pathname = centralUrl.pathname
  owner = await openAs(admin.href)
  ending.defer(() => owner.end())
  const far = { name: 'lejos', host: '127.0.0.1', port: road.port, tls: 'off' as const, ownerCredential: 'local-owner' }
  const id = await registerServerAs(admin.href, far)
  await owner.query('update tenant_databases set server_id = $1, generation = generation + 1 where tenant_id = $2', [
    id,
    lost.id,
  ])

  centralUrl.port = String(centralRoad.port)
  const env = { ...product.env, CENTRAL_DATABASE_URL: centralUrl.href, RATE_LIMIT_PER_MINUTE: '1000000' }
  const log = createLog({ level: 'silent', service: 'api' })
  const deps = createDeps(loadConfig(env, 'api'), { log, clock: systemClock })
  ending.defer(() => deps.close())
  const app = await buildApp(deps, { maxLoopDelayMs: 0 })
  ending.defer(() => app.close())
  as = { lost: client(app, lost.token), fine: client(app, fine.token), nobody: client(app, undefined) }
  assert.equal((await as.lost.get('/api/cfdi')).statusCode, 200)
})
beforeEach(async () => {
  allowanceMs = await allowanceOf(() => as.fine.get('/api/cfdi'))
})
afterEach(async () => {
  road.setSilent(false)
  centralRoad.setSilent(false)
  for (const company of [as.lost, as.fine]) await until(async () => (await company.get('/api/cfdi')).statusCode === 200)
})

test('the server of one company is down: it gets 503 within 5 s, the others notice nothing', async () => {
  await road.refuse()
  try {
    await oneSuffers(5000)
  } finally {
    await road.listen()
  }
})

test('the server of one company is silent, a black hole: 503 within 8 s, the others notice nothing', async () => {
  road.setSilent(true)
  await oneSuffers(8000)
})

test('one company has no connection left: 503 within 5 s, the others notice nothing', async () => {
  const [{ role } = { role: '' }] = await owner.query<{ role: string }>(
    'select role_name as role from tenant_databases where tenant_id = $1',
    [lost.id],
  )
  await owner.query(`alter role ${role} connection limit 0`)
  try {
    road.resetAll()
    await oneSuffers(5000)
  } finally {
    await owner.query(`alter role ${role} connection limit 16`)
  }
})

test('an upload that met a dead database is stored once when it is repeated with its key', async () => {
  const uuid = randomUUID()
  const upload = () =>
    as.lost.send('POST', '/api/cfdi', {
      body: cfdiXml({ uuid, emisor: { rfc: lost.rfc } }),
      headers: { 'idempotency-key': uuid },
    })
  await road.refuse()
  try {
    refused(await timed(upload), 5000)
  } finally {
    await road.listen()
  }
  const stored = await until(async () => {
    const answer = await upload()
    return answer.statusCode < 500 ? answer : undefined
  })
  assert.deepEqual([stored.statusCode, stored.json()], [200, { stored: [uuid], repeated: [] }])
})

test('the central database is silent: whatever is asked, and however little before it was heard, 503 within 8 s', async () => {
  // A session that was read a moment ago is remembered: the request gets further before it meets the silence.
  for (const company of [as.lost, as.fine]) assert.equal((await company.get('/api/cfdi')).statusCode, 200)
  centralRoad.setSilent(true)
  const answers = await Promise.all([
    timed(login),
    timed(() => upload(as.fine)),
    timed(() => as.nobody.post('/api/auth/password/forgot', { email: 'nadie@empresa.example' })),
  ])
  for (const answer of answers) refused(answer, 8000)
})

test('the central database is down: whatever is asked, 503 within 5 s', async () => {
  await centralRoad.refuse()
  try {
    const answers = await Promise.all(
      [login, () => as.fine.get('/api/auth/sesiones'), () => upload(as.fine)].map(timed),
    )
    for (const answer of answers) refused(answer, 5000)
  } finally {
    await centralRoad.listen()
  }
})

const login = () =>
  as.nobody.post('/api/auth/login', { email: fine.admin.email, password: fine.admin.password, transporte: 'cuerpo' })

const upload = (company: Client) =>
  company.send('POST', '/api/cfdi', {
    body: cfdiXml({ emisor: { rfc: company === as.lost ? lost.rfc : fine.rfc } }),
    headers: { 'idempotency-key': randomUUID() },
  })

/** Every kind of request of one company is refused in time, while the other reads and writes as ever. */
async function oneSuffers(withinMs: number): Promise<void> {
  const suffering = Promise.all(
    [
      () => as.lost.get('/api/cfdi'),
      () => as.lost.get('/api/impuestos/iva?ejercicio=2026&mes=8'),
      () => upload(as.lost),
    ].map(timed),
  )
  let over = false
  void suffering.finally(() => {
    over = true
  })
  const unharmed = async () => {
    for (let asked = 0; !over || asked < 5; asked++) {
      for (const ask of [() => as.fine.get('/api/cfdi'), () => upload(as.fine)]) {
        const { answer, tookMs } = await timed(ask)
        assert.equal(answer.statusCode, 200, answer.body)
        assert.ok(tookMs < 2000 + allowanceMs, `the other company waited ${Math.round(tookMs)} ms`)
      }
    }
  }
  const [answers] = await Promise.all([suffering, unharmed()])
  for (const answer of answers) refused(answer, withinMs)
}

type Answer = Awaited<ReturnType<Client['get']>>

async function timed(ask: () => Promise<Answer>): Promise<{ answer: Answer; tookMs: number }> {
  const began = performance.now()
  const answer = await ask()
  return { answer, tookMs: performance.now() - began }
}

function refused({ answer, tookMs }: { answer: Answer; tookMs: number }, withinMs: number): void {
  assert.equal(answer.statusCode, 503, answer.body)
  assert.match(String(answer.headers['content-type']), /problem\+json/)
  assert.match(answer.json().code, /^database\./)
  assert.ok(Number(answer.headers['retry-after']) >= 1)
  assert.ok(tookMs < withinMs + allowanceMs, `${Math.round(tookMs)} ms`)
}
