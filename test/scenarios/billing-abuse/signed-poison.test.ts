import assert from 'node:assert/strict'
import { createHmac, randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { keptDeliveries } from '../../support/billing-inbox.ts'
import { type BillingWorld, ok, startBillingWorld } from '../../support/billing-world.ts'

/**
 * A signature covers an id, a request id and a time. Whoever sends one that is good can put anything beside it, and what
 * MercadoPago sends one day may be odd too: it must be kept, answered and forgotten, and cost nobody else anything.
 */
const SECRET = 'aGoodSecretOfTheDoor-2027'
const ending = new AsyncDisposableStack()
let world: BillingWorld
after(() => ending.disposeAsync())
before(async () => {
  world = await startBillingWorld({ after: (end) => ending.defer(end) })
  const url = `/api/conectores-pago/${world.connectorId}`
  await ok(world.product.staff.send('PATCH', url, { body: { webhookSecret: SECRET } }))
})

/** A delivery about `id`, well signed, with this text as its body. */
function deliver(id: string, body: string, { requestId = randomUUID(), type = 'payment' } = {}) {
  const ts = Math.floor(world.product.deps.clock.now().getTime() / 1000)
  const manifest = `id:${id.toLowerCase()};request-id:${requestId};ts:${ts};`
  const v1 = createHmac('sha256', SECRET).update(manifest).digest('hex')
  return fetch(`${world.appUrl}/api/webhooks/mercadopago?data.id=${id}&type=${type}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-request-id': requestId, 'x-signature': `ts=${ts},v1=${v1}` },
    body,
  })
}

const about = (id: string, rest: object = {}) => JSON.stringify({ type: 'payment', data: { id }, ...rest })
const deep = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`

const ODD = {
  'a NUL in a value': (id: string) => about(id, { action: 'payment.\0updated', date_created: '\0' }),
  'a NUL in a name': (id: string) => about(id, { 'a\0b': 1 }),
  'a NUL in the id of its event': (id: string) => about(id, { id: 'uno\0' }),
  'half a character': (id: string) => about(id, { action: 'payment.\ud800', id: '\udfff', 'x\ud800': ['\udc00'] }),
  'what only looks like an escape': (id: string) => about(id, { action: '\\u0000 \\ud800', nota: '\\\\u0000' }),
  'a number beyond numbers': (id: string) => `{"type":"payment","data":{"id":"${id}"},"id":1e308,"version":-1e400}`,
  'thirty thousand levels': (id: string) => `{"type":"payment","data":{"id":"${id}"},"pad":${deep(30_000)}}`,
  'names that objects have already': (id: string) => about(id, { toString: 1, valueOf: null, hasOwnProperty: [] }),
}

test('whatever stands beside what is signed, a delivery is kept and its news looked at', async () => {
  let n = 4_400_000_000
  for (const [what, write] of Object.entries(ODD)) {
    n += 1
    const id = String(n)
    const answer = await deliver(id, write(id))
    assert.deepEqual([answer.status, await answer.json()], [200, { resultado: 'aceptado' }], what)
  }
  await world.settle()
  const kept = await keptDeliveries(world, '4400000001')
  assert.equal(kept.length, 1)
})

test('what only looks like an escape is kept as it was written', async () => {
  const id = '4400009999'
  assert.equal((await deliver(id, ODD['what only looks like an escape'](id))).status, 200)
  const { body, action } = await world.product.deps.central
    .selectFrom('webhook_events')
    .select(['body', 'action'])
    .where('data_id', '=', id)
    .executeTakeFirstOrThrow()
  assert.equal(action, '\\u0000 \\ud800')
  assert.deepEqual((body as { nota: string }).nota, '\\\\u0000')
})

test('a topic with a name that every object has is none of ours', async () => {
  for (const type of ['constructor', 'toString', '__proto__', 'hasOwnProperty', 'valueOf']) {
    const answer = await deliver('4400001111', about('4400001111', { type }), { type })
    assert.deepEqual([answer.status, await answer.json()], [200, { resultado: 'ignorado' }], type)
  }
  assert.deepEqual(await keptDeliveries(world, '4400001111'), [])
})

test('odd ones in a burst take none of the good ones with them, and a company pays meanwhile', async () => {
  const company = await world.company()
  const writers = Object.values(ODD)
  const ids = Array.from({ length: 24 }, (_, i) => String(4_500_000_000 + i))
  const sent = ids.map((id, i) => deliver(id, i % 4 ? about(id) : (writers[(i / 4) % writers.length] ?? about)(id)))
  const [answers] = await Promise.all([Promise.all(sent), company.authorise()])
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]))
  await world.advance({ hours: 2 })
  assert.equal((await company.story()).estado, 'activa')
})
