import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { sql } from 'kysely'
import { z } from 'zod'
import { type PreparedCluster, startPreparedCluster } from '../../test/support/prepared-cluster.ts'
import { openCentral } from '../db/client.ts'
import type { CentralDb } from '../db/databases.ts'
import { deleteExpiredKeys, idempotencyStore } from '../db/idempotency-keys.ts'
import { AppError } from '../errors.ts'
import { createLog } from '../log.ts'
import { honourIdempotencyKeys } from './idempotency.ts'
import type { Principal } from './principal.ts'
import { createShell } from './shell.ts'
import { type App, texto } from './zod.ts'

let cluster: PreparedCluster
let central: CentralDb
let app: App
/** How often each route's work was done. */
const done = { pagos: 0, fallas: 0, login: 0, enlaces: 0, ocupado: 0, sinPlan: 0 }
let gate = Promise.resolve()

// Also what a failing `before` has opened by then.
const ending = new AsyncDisposableStack()
after(() => ending.disposeAsync())
before(async () => {
  cluster = await startPreparedCluster()
  ending.defer(() => cluster.stop())
  const { url } = await cluster.createCentral()
  central = openCentral({ central: { url, poolMax: 5 }, processRole: 'api', statementTimeoutMs: 5000 })
  ending.defer(() => central.destroy())
  app = await build(central)
  ending.defer(() => app.close())
})

async function build(db: CentralDb): Promise<App> {
  const log = createLog({ level: 'silent', service: 'test' })
  const { app } = await createShell({ log, trustProxy: false, corsOrigins: [], maxLoopDelayMs: 0, checkText: true })
  app.decorateRequest('user')
  app.addHook('onRequest', async (request) => {
    const [userId = 'ana', tenantId = 't1'] = String(request.headers.authorization ?? 'ana t1').split(' ')
    request.user = { userId, tenantId } as Principal
  })
  honourIdempotencyKeys(app, idempotencyStore(db))
  const config = { acceso: { quien: 'sesion' as const } }
  const Pago = z.strictObject({ concepto: texto(50) })
  app.post('/pagos', { config, schema: { body: Pago } }, async (request, reply) => {
    done.pagos += 1
    await gate
    if (request.body.concepto === 'rechazado') throw new AppError('rejected', 'pago.rechazado', 'No se pudo.')
    if (request.body.concepto === 'sin plan' && done.sinPlan++ === 0)
      throw new AppError('payment_required', 'limit_reached', 'No cabe.')
    if (request.body.concepto === 'ocupado' && done.ocupado++ === 0)
      throw new AppError('conflict', 'pago.ocupado', 'Espera.', { retryAfterS: 5 })
    return reply.code(202).header('location', `/pagos/${done.pagos}`).send({ numero: done.pagos })
  })
  app.post('/pagos/:id/fallas', { config, schema: { params: z.strictObject({ id: texto(9) }) } }, async () => {
    done.fallas += 1
    if (done.fallas === 1) throw new Error('the first time fails')
    return { numero: done.fallas }
  })
  // Long enough for the key to be taken before, on a busy machine too.
  app.post('/colgado', { config, handlerTimeout: 1_000 }, () => new Promise(() => {}))
  app.post('/api/auth/login', { config }, async () => ({ numero: ++done.login }))
  const secret = { ...config, respuestaSecreta: true as const }
  app.post('/enlaces', { config: secret }, async () => ({ numero: ++done.enlaces }))
  return app
}

const pay = (key: string, concepto = 'renta', headers: Record<string, string> = {}) =>
  app.inject({ method: 'POST', url: '/pagos', payload: { concepto }, headers: { 'idempotency-key': key, ...headers } })

test('an answer that asks to come back later is not what comes back later', async () => {
  const first = await pay('k-ocupado', 'ocupado')
  assert.deepEqual([first.statusCode, first.headers['retry-after']], [409, '5'])
  assert.equal((await pay('k-ocupado', 'ocupado')).statusCode, 202)
})

test('what a plan refused is tried again: it may have been paid meanwhile', async () => {
  assert.equal((await pay('k-plan', 'sin plan')).statusCode, 402)
  assert.equal((await pay('k-plan', 'sin plan')).statusCode, 202)
})

test('a repeat gets the first answer, byte for byte, and nothing is done twice', async () => {
  const first = await pay('k-1')
  const before = done.pagos
  const again = await pay('k-1')
  assert.equal(done.pagos, before)
  assert.deepEqual([again.statusCode, again.body, again.headers.location], [202, first.body, first.headers.location])
  assert.equal(again.headers['content-type'], first.headers['content-type'])
  assert.equal(again.headers['idempotent-replayed'], 'true')
  assert.equal(first.headers['idempotent-replayed'], undefined)
})

test('a refusal is an answer too', async () => {
  const first = await pay('k-refused', 'rechazado')
  const again = await pay('k-refused', 'rechazado')
  assert.deepEqual([first.statusCode, again.statusCode, again.headers['idempotent-replayed']], [422, 422, 'true'])
  assert.match(again.headers['content-type'] as string, /problem\+json/)
})

test('the same key for another request is refused', async () => {
  await pay('k-2')
  const other = await pay('k-2', 'luz')
  assert.deepEqual([other.statusCode, other.json().code], [422, 'idempotencia_distinta'])
})

test('the key of another person, company or route is another key', async () => {
  await pay('k-3')
  const before = done.pagos
  await pay('k-3', 'renta', { authorization: 'beto t1' })
  await pay('k-3', 'renta', { authorization: 'ana t2' })
  assert.equal(done.pagos, before + 2)
})

test('of twenty at once one works; the others are told to wait', async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  gate = promise
  const before = done.pagos
  const answers = Array.from({ length: 20 }, () => pay('k-4'))
  // The one that works is held until all others have their answer.
  const refused = Promise.withResolvers<void>()
  let told = 0
  for (const answer of answers)
    void answer.then(({ statusCode }) => {
      if (statusCode === 409 && ++told === 19) refused.resolve()
    })
  await refused.promise
  resolve()
  const all = await Promise.all(answers)
  const early = all.find(({ statusCode }) => statusCode === 409)
  assert.deepEqual([early?.json().code, early?.headers['retry-after']], ['idempotencia_en_curso', '5'])
  assert.equal(done.pagos, before + 1)
  assert.equal((await pay('k-4')).statusCode, 202)
})

test('an answer of 500 is not kept: the repeat works', async () => {
  const send = () => app.inject({ method: 'POST', url: '/pagos/7/fallas', headers: { 'idempotency-key': 'k-5' } })
  assert.equal((await send()).statusCode, 500)
  assert.equal((await send()).statusCode, 200)
  assert.equal((await send()).headers['idempotent-replayed'], 'true')
  assert.equal(done.fallas, 2)
})

test('what ran into its deadline may still be at work: a repeat waits for the lease', async () => {
  const send = () => app.inject({ method: 'POST', url: '/colgado', headers: { 'idempotency-key': 'k-late' } })
  assert.equal((await send()).json().code, 'request.timeout')
  assert.equal((await send()).json().code, 'idempotencia_en_curso')
})

test('a key that a dead process held is free when its lease ends, for the same request only', async () => {
  const store = idempotencyStore(central)
  const request = { scope: 's', key: 'k-6', hash: Buffer.from('a'), leaseS: 30 }
  assert.equal((await store.claim(request)).state, 'ours')
  const held = await store.claim(request)
  assert.ok(held.state === 'running' && held.retryAfterS <= 30 && held.retryAfterS > 20, JSON.stringify(held))
  await sql`update idempotency_keys set locked_until = now() - interval '1 second' where key = 'k-6'`.execute(central)
  assert.equal((await store.claim({ ...request, hash: Buffer.from('b') })).state, 'different')
  const claims = await Promise.all(Array.from({ length: 8 }, () => store.claim(request)))
  assert.deepEqual(claims.map(({ state }) => state).sort(), ['ours', ...Array(7).fill('running')])
})

test('a request that outlived its lease does not overwrite the answer of the one that followed', async () => {
  const store = idempotencyStore(central)
  const request = { scope: 's', key: 'k-7', hash: Buffer.from('a'), leaseS: 30 }
  const late = await store.claim(request)
  await sql`update idempotency_keys set locked_until = now() - interval '1 second' where key = 'k-7'`.execute(central)
  // Thirty seconds later, as it were: claims are told apart by their leases, and these two may come in one millisecond.
  const next = await store.claim({ ...request, leaseS: 60 })
  assert.ok(late.state === 'ours' && next.state === 'ours')
  const answer = { status: 200, contentType: null, location: null, body: Buffer.from('next') }
  await store.keep({ ...request, lockedUntil: late.lockedUntil }, { ...answer, body: Buffer.from('late') })
  await store.release({ ...request, lockedUntil: late.lockedUntil })
  await store.keep({ ...request, lockedUntil: next.lockedUntil }, answer)
  assert.deepEqual(await store.claim(request), { state: 'done', answer })
})

test('a key is forgotten after its day', async () => {
  await pay('k-8')
  const before = done.pagos
  await sql`update idempotency_keys set expires_at = now() - interval '1 second' where key = 'k-8'`.execute(central)
  assert.equal((await pay('k-8', 'otra cosa')).statusCode, 202)
  assert.equal(done.pagos, before + 1)
  await sql`update idempotency_keys set expires_at = now() - interval '1 second'`.execute(central)
  await deleteExpiredKeys(central)
  assert.equal((await sql`select 1 from idempotency_keys`.execute(central)).rows.length, 0)
})

test('an answer that is a secret is kept nowhere', async () => {
  const link = () => app.inject({ method: 'POST', url: '/enlaces', headers: { 'idempotency-key': 'k-enlace' } })
  await link()
  assert.deepEqual((await link()).json(), { numero: 2 })
  assert.equal((await sql`select 1 from idempotency_keys where key = 'k-enlace'`.execute(central)).rows.length, 0)
})

test('answers of the auth routes are not kept, and a key that is none is refused', async () => {
  const login = () => app.inject({ method: 'POST', url: '/api/auth/login', headers: { 'idempotency-key': 'k-9' } })
  await login()
  assert.deepEqual((await login()).json(), { numero: 2 })
  for (const key of ['', ' ', 'x'.repeat(65), 'con espacio', 'ñ']) {
    const refused = await pay(key)
    assert.deepEqual([refused.statusCode, refused.json().code], [400, 'idempotencia_invalida'], JSON.stringify(key))
  }
})
