import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { openSimulator, type Received, SECRET } from './open-simulator.ts'

/** Recomputes what `x-signature` must be from what arrived. */
function signedWith(secret: string, { query, headers }: Received, id = query.get('data.id') ?? ''): boolean {
  const [, ts, v1] = /^ts=(\d+),v1=([0-9a-f]{64})$/.exec(String(headers['x-signature'])) ?? []
  const manifest = `id:${id};request-id:${headers['x-request-id']};ts:${ts};`
  return createHmac('sha256', secret).update(manifest).digest('hex') === v1
}
const tsOf = ({ headers }: Received) => /ts=(\d+)/.exec(String(headers['x-signature']))?.[1]

test('a charge is told by both payment topics, in the real format and genuinely signed', async (t) => {
  const { sim, received, create, payments, instalments } = await openSimulator(t)
  const id = await create()
  sim.authorise(id)
  await sim.advance({ hours: 1 })

  assert.deepEqual(
    received.map(({ body }) => [body.type, body.action, body.data.id]),
    [
      ['subscription_preapproval', 'created', id],
      ['subscription_preapproval', 'updated', id],
      ['payment', 'payment.created', payments('validation')[0]?.id],
      ['subscription_authorized_payment', 'created', instalments()[0]?.id],
      ['payment', 'payment.created', payments()[0]?.id],
      ['subscription_authorized_payment', 'updated', instalments()[0]?.id],
    ],
  )
  const last = received[5] as Received
  assert.deepEqual(Object.keys(last.body), [
    ...[
      'id',
      'live_mode',
      'type',
      'date_created',
      'application_id',
      'user_id',
      'version',
      'api_version',
      'action',
      'data',
    ],
  ])
  assert.equal(last.body.user_id, sim.state.account.id)
  assert.notEqual(String(last.body.id), last.body.data.id)
  for (const delivery of received) {
    assert.ok(signedWith(SECRET, delivery))
    assert.equal(delivery.query.get('data.id'), delivery.body.data.id)
    assert.equal(delivery.query.get('type'), delivery.body.type)
    assert.match(
      String(delivery.headers['x-request-id']),
      /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    )
  }
  assert.equal(new Set(received.map(({ headers }) => headers['x-request-id'])).size, 6)
  assert.equal(new Set(received.map(({ body }) => body.id)).size, 6)
})

test('ts comes in seconds or milliseconds, and the id is signed in lower case or as it stands', async (t) => {
  const { sim, received, create } = await openSimulator(t)
  await create()
  await sim.settled()
  assert.equal(tsOf(received[0] as Received), String(Date.parse('2026-01-31T15:00:00Z') / 1000))

  sim.configure({ ts_unit: 'ms', url_id_case: 'upper', id_case: 'lower' })
  const id = await create()
  await sim.settled()
  const lower = received[1] as Received
  assert.equal(tsOf(lower), String(Date.parse('2026-01-31T15:00:00Z')))
  assert.deepEqual([lower.query.get('data.id'), lower.body.data.id], [id.toUpperCase(), id.toUpperCase()])
  assert.deepEqual([signedWith(SECRET, lower, id), signedWith(SECRET, lower)], [true, false])

  sim.configure({ id_case: 'verbatim' })
  await create()
  await sim.settled()
  assert.ok(signedWith(SECRET, received[2] as Received))
})

test('what is not answered 200 or 201 is sent again after 15 min, 30 min, 6 h, 48 h and 96 h, and then given up', async (t) => {
  const { sim, received, create, setAnswer } = await openSimulator(t)
  setAnswer(() => 500)
  await create()
  await sim.advance({ days: 10 })

  const [delivery] = sim.deliveries()
  const minutes = delivery?.attempts.map(({ at }) => (at.getTime() - Date.parse('2026-01-31T15:00:00Z')) / 60_000)
  assert.deepEqual(minutes, [0, 15, 45, 405, 3_285, 9_045])
  assert.deepEqual(
    [delivery?.state, delivery?.attempts.at(-1)?.status, delivery?.attempts[0]?.answer],
    ['given_up', 500, 'visto'],
  )
  // The same event, under a request id of its own each time.
  assert.equal(new Set(received.map(({ text }) => text)).size, 1)
  assert.equal(new Set(received.map(({ headers }) => headers['x-request-id'])).size, 6)
  assert.ok(received.every((each) => signedWith(SECRET, each)))
})

test('with keep_request_id a redelivery repeats its request id, and 201 ends it', async (t) => {
  const { sim, received, create, setAnswer } = await openSimulator(t, { settings: { keep_request_id: true } })
  setAnswer(() => (received.length < 2 ? 503 : 201))
  await create()
  await sim.advance({ days: 1 })
  assert.equal(received.length, 2)
  assert.equal(received[0]?.headers['x-request-id'], received[1]?.headers['x-request-id'])
  assert.equal(sim.deliveries()[0]?.state, 'delivered')
})

test('the first attempt is waited for longer than the later ones, and a redirect is no answer', async (t) => {
  const { sim, create, setAnswer, received } = await openSimulator(t, {
    settings: { first_timeout_ms: 60_000, later_timeout_ms: 20, redelivery_minutes: [15, 30] },
  })
  const slow = () => new Promise<number>((resolve) => setTimeout(resolve, 60, 500))
  setAnswer(() => (received.length === 2 ? false : slow()))
  await create()
  await sim.advance({ minutes: 20 })
  sim.configure({ later_timeout_ms: 60_000 })
  setAnswer(() => 302)
  await sim.advance({ hours: 1 })
  assert.deepEqual(
    sim.deliveries()[0]?.attempts.map(({ error, status }) => error ?? status),
    [500, 'timeout', 302],
  )
  assert.equal(sim.deliveries()[0]?.state, 'given_up')
})

test('each tab of the panel has its URL and secret, and one nobody filled in is silence', async (t) => {
  const { sim, received, create } = await openSimulator(t)
  sim.configure({ tab: 'test' })
  await create()
  await sim.settled()
  assert.deepEqual([received.length, sim.deliveries()[0]?.state], [0, 'silenced'])

  const url = sim.state.tabs.production?.url ?? ''
  sim.setTab('test', { url: `${url}?pestana=prueba`, secret: 'otro-secreto-0123456789' })
  await create()
  await sim.settled()
  const [delivery] = received as [Received]
  assert.equal(delivery.query.get('pestana'), 'prueba')
  assert.ok(signedWith('otro-secreto-0123456789', delivery) && !signedWith(SECRET, delivery))
})

test('the IPN of old comes beside each payment, unsigned, and two orders beside what a page sold', async (t) => {
  const { sim, received, call } = await openSimulator(t, { settings: { legacy_ipn: true } })
  const preference = await call('POST', '/checkout/preferences', {
    items: [{ title: 'Mejora', quantity: 1, unit_price: 10 }],
  })
  sim.payPreference(preference.body.id)
  await sim.settled()
  assert.deepEqual(
    received.map(({ query }) => [query.get('type'), query.get('topic')]),
    [
      ['payment', null],
      [null, 'payment'],
      [null, 'merchant_order'],
      [null, 'merchant_order'],
    ],
  )
  assert.equal(received[1]?.headers['x-signature'], undefined)
})

test('faults on the way: dropped, doubled, late, disordered, badly signed, old, of another resource', async (t) => {
  const { sim, received, create } = await openSimulator(t)
  const next = async (fault: Parameters<typeof sim.addFault>[0]) => {
    received.length = 0
    sim.addFault({ next: 1, topic: 'subscription_preapproval', ...fault })
    const id = await create()
    await sim.settled()
    assert.deepEqual(sim.state.faults, [])
    return id
  }

  await next({ fault: 'drop_webhook' })
  assert.deepEqual([received.length, sim.deliveries().at(-1)?.state], [0, 'dropped'])

  await next({ fault: 'duplicate_webhook' })
  assert.equal(received.length, 2)
  assert.equal(received[0]?.text, received[1]?.text)
  assert.notEqual(received[0]?.headers['x-request-id'], received[1]?.headers['x-request-id'])
  await next({ fault: 'duplicate_webhook', same_request_id: true })
  assert.equal(received[0]?.headers['x-request-id'], received[1]?.headers['x-request-id'])

  await next({ fault: 'delay_webhook', minutes: 90 })
  assert.equal(received.length, 0)
  await sim.advance({ minutes: 89 })
  assert.equal(received.length, 0)
  await sim.advance({ minutes: 1 })
  assert.equal(received.length, 1)

  await next({ fault: 'bad_signature' })
  assert.equal(signedWith(SECRET, received[0] as Received), false)
  await next({ fault: 'old_ts' })
  assert.ok(signedWith(SECRET, received[0] as Received))
  assert.equal(Number(tsOf(received[0] as Received)), sim.now().getTime() / 1000 - 6 * 86_400)
  const id = await next({ fault: 'wrong_body_id' })
  assert.deepEqual([received[0]?.query.get('data.id'), received[0]?.body.data.id], [id, `${id}1`])
  assert.ok(signedWith(SECRET, received[0] as Received))

  received.length = 0
  const ids = [await create(), await create(), await create(), await create()]
  await sim.settled()
  received.length = 0
  sim.addFault({ fault: 'reorder_webhooks', window: 3, next: 1 })
  for (const each of ids) sim.cancel(each)
  await sim.settled()
  const heard = received.map(({ body }) => body.data.id)
  assert.notDeepEqual(heard.slice(0, 3), ids.slice(0, 3))
  assert.deepEqual(heard.toSorted(), ids.toSorted())
  assert.equal(heard[3], ids[3])
})

test('a delivery is replayed, edited and forged', async (t) => {
  const { sim, received, create } = await openSimulator(t)
  const id = await create()
  await sim.settled()
  const [first] = sim.deliveries()
  assert.ok(first)

  const again = sim.replay(first.id)
  await sim.settled()
  assert.equal(received[1]?.text, received[0]?.text)
  assert.notEqual(received[1]?.headers['x-request-id'], received[0]?.headers['x-request-id'])
  assert.deepEqual([again.origin, again.state], ['replay', 'delivered'])
  sim.replay(first.id, { sameRequestId: true })
  await sim.settled()
  assert.equal(received[2]?.headers['x-request-id'], received[0]?.headers['x-request-id'])

  sim.resend(first.id, { body: first.body.replace(id, 'otro') })
  await sim.settled()
  assert.deepEqual([received[3]?.body.data.id, received[3]?.query.get('data.id')], ['otro', id])
  assert.ok(signedWith(SECRET, received[3] as Received))

  sim.forge({ topic: 'payment', resourceId: '123456', signing: { mode: 'bad' } })
  sim.forge({ topic: 'payment', resourceId: '123456', signing: { mode: 'none' } })
  sim.forge({
    topic: 'payment',
    resourceId: '7',
    bodyId: '8',
    requestId: 'mio',
    signing: { secret: 'robado-0123456789', ageMs: 1_000 },
  })
  await sim.settled()
  const [bad, none, stolen] = received.slice(4) as [Received, Received, Received]
  assert.equal(signedWith(SECRET, bad), false)
  assert.equal(none.headers['x-signature'], undefined)
  assert.ok(signedWith('robado-0123456789', stolen))
  assert.deepEqual([stolen.headers['x-request-id'], stolen.body.data.id], ['mio', '8'])
  assert.throws(() => sim.replay('0'), /no delivery/)
})

test('a forger does not insist, and neither does the alarm of fraud', async (t) => {
  const { sim, received, setAnswer } = await openSimulator(t)
  setAnswer(() => 401)
  sim.forge({ topic: 'payment', resourceId: '1' })
  sim.forge({ topic: 'stop_delivery_op_wh', resourceId: '1' })
  await sim.advance({ days: 10 })
  assert.equal(received.length, 2)
  assert.deepEqual(
    sim.deliveries().map(({ state }) => state),
    ['given_up', 'given_up'],
  )
})

test('an application that is down hears of it later', async (t) => {
  const { sim, create, received } = await openSimulator(t)
  const up = sim.state.tabs.production
  sim.setTab('production', { url: 'http://127.0.0.1:1/api/webhooks/mercadopago', secret: SECRET })
  await create()
  await sim.settled()
  assert.deepEqual([sim.deliveries()[0]?.state, sim.deliveries()[0]?.attempts[0]?.status], ['pending', null])
  sim.setTab('production', up)
  await sim.advance({ minutes: 15 })
  assert.equal(received.length, 1)
})
