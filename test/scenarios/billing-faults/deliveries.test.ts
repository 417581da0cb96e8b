import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { uuidv7 } from 'uuidv7'
import { insertDeliveries } from '../../../src/billing/pipeline/queries.ts'
import type { NewFault } from '../../../src/simulators/mercadopago/fault-rules.ts'
import { asked, keptDeliveries, platformAlerts, refusals } from '../../support/billing-inbox.ts'
import { type BillingWorld, type Company, type Story, startBillingWorld } from '../../support/billing-world.ts'

/**
 * What happens to webhooks on their way (billing.md 5.5): a company pays undisturbed, and others pay the same day while
 * their deliveries suffer. All have the same story.
 */
describe('deliveries', () => {
  const ends: (() => Promise<void>)[] = []
  let world: BillingWorld
  let undisturbed: Company
  let story: Story

  before(async () => {
    world = await startBillingWorld({ after: (end) => void ends.push(end) })
    undisturbed = await world.company()
    await undisturbed.payByCard()
    story = await undisturbed.story()
  })
  after(async () => {
    for (const end of ends.reverse()) await end()
  })

  /** Another company pays by card under these faults. */
  async function paysUnder(...faults: NewFault[]): Promise<Company & { preapprovalId: string }> {
    const company = await world.company()
    const first = world.simulator.deliveries().length
    for (const fault of faults) world.simulator.addFault(fault)
    const preapprovalId = await company.authorise()
    await world.advance({ minutes: 61 })
    world.simulator.clearFaults()
    assert.ok(world.simulator.deliveries().length > first + 4, 'MercadoPago had something to say')
    return { ...company, preapprovalId }
  }

  const answersSince = (n: number): (string | number | null)[] =>
    world.simulator
      .deliveries()
      .slice(n)
      .flatMap(({ attempts }) => attempts.map(({ status, answer }) => (status === 200 ? resultOf(answer) : status)))

  test('undisturbed, a first charge is one period, one invoice and one mail', () => {
    assert.deepEqual(story, {
      estado: 'activa',
      motivo: null,
      access: 'full',
      paidUntil: '2027-02-04',
      events: ['trial_iniciado→trial', 'checkout_iniciado→trial', 'mandato_autorizado→trial', 'pago_aprobado→activa'],
      mails: ['pago_confirmado'],
      ledger: [],
      invoices: ['periodo:2027-01-04 paid 65000'],
      payments: ['mercadopago approved 65000 2027-01-04'],
      alerts: [],
      commands: [],
    })
  })

  test('the same delivery twice: the second is answered 200 and queues nothing', async () => {
    const first = world.simulator.deliveries().length
    const company = await paysUnder({ fault: 'duplicate_webhook', same_request_id: true })
    assert.deepEqual(await company.story(), story)
    const answers = answersSince(first)
    assert.equal(answers.filter((answer) => answer === 'repetido').length, answers.length / 2)
    assert.equal(answers.filter((answer) => answer === 'aceptado').length, answers.length / 2)
  })

  test('the same event under another request id: as little', async () => {
    const first = world.simulator.deliveries().length
    const company = await paysUnder({ fault: 'duplicate_webhook', same_request_id: false })
    assert.deepEqual(await company.story(), story)
    const answers = answersSince(first)
    assert.equal(answers.filter((answer) => answer === 'repetido').length, answers.length / 2)
  })

  test('the same fact under another event is read once more and changes nothing', async () => {
    const payment = paymentOf(undisturbed)
    const path = `/v1/payments/${payment}`
    const read = asked(world, 'GET', path)
    for (let i = 0; i < 3; i++) world.simulator.forge({ topic: 'payment', resourceId: payment })
    await world.settle()
    assert.deepEqual(await undisturbed.story(), story)
    const more = asked(world, 'GET', path) - read
    assert.ok(more >= 1 && more <= 3, `${more} readings for three deliveries`)
  })

  test('deliveries in any order: as if ordered', async () => {
    const company = await paysUnder({ fault: 'reorder_webhooks', window: 10 })
    assert.deepEqual(await company.story(), story)
  })

  test('the legacy IPN and merchant orders are answered 200 and kept nowhere', async () => {
    world.simulator.configure({ legacy_ipn: true })
    const first = world.simulator.deliveries().length
    const company = await paysUnder()
    world.simulator.configure({ legacy_ipn: false })
    assert.deepEqual(await company.story(), story)
    const old = world.simulator
      .deliveries()
      .slice(first)
      .filter(({ origin }) => origin === 'ipn')
    assert.ok(old.length > 0)
    const order = world.simulator.forge({ topic: 'merchant_order', resourceId: '55', signing: { mode: 'none' } })
    const plan = world.simulator.forge({ topic: 'subscription_preapproval_plan', resourceId: 'abc' })
    await world.settle()
    for (const { attempts } of [...old, plan]) assert.equal(resultOf(attempts[0]?.answer ?? ''), 'ignorado')
    assert.equal(order.attempts[0]?.status, 401, 'one with data.id is to be signed like any other')
    assert.deepEqual(await keptDeliveries(world, 'abc'), [])
  })

  test('deliveries that come hours after polling found it all: nothing is left for them to do', async () => {
    const first = world.simulator.deliveries().length
    const company = await paysUnder({ fault: 'delay_webhook', minutes: 90 })
    assert.deepEqual(await company.story(), story, 'before they came')
    const before = world.simulator.deliveries().length
    await world.advance({ minutes: 95 })
    assert.equal(world.simulator.deliveries().length, before)
    assert.deepEqual(new Set(answersSince(first)), new Set(['aceptado']))
    assert.deepEqual(await company.story(), story, 'after')
  })

  test('webhooks that never arrive: polling applies the same', async () => {
    const company = await paysUnder({ fault: 'drop_webhook' })
    assert.deepEqual(await company.story(), story)
    assert.deepEqual(await keptDeliveries(world, company.preapprovalId), [])
  })

  for (const fault of ['bad_signature', 'wrong_body_id', 'old_ts'] as const)
    test(`${fault}: 401, no fetch for it, and what is true is found all the same`, async () => {
      const first = world.simulator.deliveries().length
      const before = await refusals(world)
      const company = await paysUnder({ fault })
      assert.deepEqual(await company.story(), story)
      const answers = answersSince(first)
      assert.deepEqual(new Set(answers), new Set([401]))
      assert.deepEqual(await keptDeliveries(world, company.preapprovalId), [])
      const after = await refusals(world)
      const reason = REASONS[fault]
      assert.deepEqual(
        Object.keys(after).filter((key) => after[key] !== before[key]),
        [reason],
      )
      // MercadoPago insists, and is believed as soon as it signs well.
      await world.advance({ minutes: 15 })
      assert.deepEqual(await company.story(), story)
    })

  test('a wall of 401 raises one alarm, which settles when deliveries are good again', async () => {
    const before = await platformAlerts(world)
    assert.deepEqual(
      before.filter((line) => !line.startsWith('firmas_rechazadas')),
      [],
    )
    assert.equal(before.length, 1, 'one a day, however many')
    await world.advance({ hours: 2 })
    assert.deepEqual(await platformAlerts(world), ['firmas_rechazadas critica resolved'])
  })

  test('a genuine delivery of four days ago is read and harmless, one of six is refused', async () => {
    const payment = paymentOf(undisturbed)
    const age = (days: number) => ({ signing: { ageMs: days * 86_400_000 } })
    const late = world.simulator.forge({ topic: 'payment', resourceId: payment, ...age(4) })
    const tooLate = world.simulator.forge({ topic: 'payment', resourceId: payment, ...age(6) })
    await world.settle()
    assert.deepEqual(
      [late, tooLate].map(({ attempts }) => attempts[0]?.status),
      [200, 401],
    )
    assert.deepEqual(await undisturbed.story(), story)
  })

  test('forged ones are refused, ask MercadoPago nothing and change nothing', async () => {
    const payment = paymentOf(undisturbed)
    const requests = asked(world, 'GET', `/v1/payments/${payment}`)
    const forged = [
      world.simulator.forge({ topic: 'payment', resourceId: payment, signing: { mode: 'none' } }),
      world.simulator.forge({ topic: 'payment', resourceId: payment, signing: { mode: 'bad' } }),
      world.simulator.forge({
        topic: 'payment',
        resourceId: payment,
        signing: { secret: 'otro secreto de otra gente' },
      }),
      world.simulator.forge({ topic: 'payment', resourceId: payment, signing: { secret: '' } }),
      world.simulator.forge({ topic: 'payment', resourceId: payment, bodyId: '1' }),
      // In the future, by an hour.
      world.simulator.forge({ topic: 'payment', resourceId: payment, signing: { ageMs: -3_600_000 } }),
      // Shapes that would give the manifest another reading.
      ...['1;request-id:x', '1;ts:2', `${payment} `, '../users/me', '', 'x'.repeat(65), "1' or '1'='1"].map(
        (resourceId) => world.simulator.forge({ topic: 'payment', resourceId }),
      ),
    ]
    await world.simulator.settled()
    assert.deepEqual(
      forged.map(({ attempts }) => attempts[0]?.status),
      forged.map(() => 401),
    )
    await world.settle()
    assert.equal(asked(world, 'GET', `/v1/payments/${payment}`), requests)
    assert.deepEqual(await undisturbed.story(), story)
  })

  test('every delivery so far once more, old and good: nobody has two of anything', async () => {
    const all = world.simulator.deliveries().map(({ id }) => id)
    for (const id of all) world.simulator.replay(id)
    await world.settle()
    assert.deepEqual(await undisturbed.story(), story)
    const { rows } = await counts(world)
    assert.deepEqual(rows, {
      companies: rows.companies,
      payments: rows.companies,
      invoices: rows.companies,
      mails: rows.companies,
      ledger: 0,
    })
  })

  test('an id that does not exist is asked for seven times in half an hour, then put before a person', async () => {
    const missing = '77770001'
    world.simulator.forge({ topic: 'payment', resourceId: missing })
    await world.advance({ minutes: 40 })
    assert.equal(asked(world, 'GET', `/v1/payments/${missing}`), 7)
    assert.deepEqual(await keptDeliveries(world, missing), ['payment dead missing'])
    assert.deepEqual(
      (await platformAlerts(world)).filter((line) => line.startsWith('aviso_muerto')),
      ['aviso_muerto aviso'],
    )
  })

  test("the panel's own simulation, id 123456, is answered 200 and bothers nobody", async () => {
    const dead = async () => (await platformAlerts(world)).filter((line) => line.startsWith('aviso_muerto'))
    const before = await dead()
    const simulated = world.simulator.forge({ topic: 'payment', action: 'payment.created', resourceId: '123456' })
    await world.advance({ minutes: 40 })
    assert.equal(simulated.attempts[0]?.status, 200)
    assert.deepEqual(await keptDeliveries(world, '123456'), ['payment dead missing'])
    assert.deepEqual(await dead(), before)
  })

  test('a delivery of an API whose clock is ahead of the worker is answered like any other', async () => {
    const { central, queue, clock } = world.product.deps
    const resource = { connectorId: world.connectorId, kind: 'payment', resourceId: paymentOf(undisturbed) } as const
    const ahead = new Date(clock.now().getTime() + 5_000)
    await central.transaction().execute(async (trx) => {
      const id = uuidv7()
      const of = { topic: 'payment', action: null, eventId: null, requestId: id, headers: {}, body: {} }
      await insertDeliveries(trx, [{ id, resource, ...of, signedAt: ahead, receivedAt: ahead }])
      await queue.enqueue(trx, 'billing.fetch', resource)
    })
    await world.settle()
    assert.deepEqual(new Set(await keptDeliveries(world, resource.resourceId)), new Set(['payment processed']))
  })

  test('a body of 64 KiB is read and one byte more is refused; so is what is no JSON', async () => {
    const post = (body: string) =>
      fetch(`${world.appUrl}/api/webhooks/mercadopago?data.id=1&type=payment`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      })
    const padded = (bytes: number) => {
      const head = '{"data":{"id":"1"},"pad":"'
      return `${head}${'x'.repeat(bytes - head.length - 2)}"}`
    }
    assert.equal((await post(padded(65_536))).status, 401, 'read, and unsigned')
    assert.equal((await post(padded(65_537))).status, 413)
    assert.equal((await post('{')).status, 400)
    for (const body of ['null', '[]', '7', '"x"', '{"data":null}', '{"data":{"id":{}}}'])
      assert.equal((await post(body)).status, 401, body)
  })

  /** MercadoPago's id of the payment that paid a company's period. */
  function paymentOf(company: Company): string {
    const payment = [...world.simulator.state.payments.values()].find(
      ({ kind, externalReference }) => kind === 'subscription' && externalReference?.includes(company.subscriptionId),
    )
    assert.ok(payment, 'it was charged')
    return payment.id
  }
})

const REASONS = { bad_signature: 'signature_mismatch', wrong_body_id: 'body_query_mismatch', old_ts: 'ts_too_old' }

const resultOf = (answer: string): string => (JSON.parse(answer) as { resultado: string }).resultado

async function counts({ product }: BillingWorld) {
  const { central } = product.deps
  const count = async (query: { executeTakeFirstOrThrow(): Promise<{ n: string | number | bigint }> }) =>
    Number((await query.executeTakeFirstOrThrow()).n)
  const rows = {
    companies: await count(central.selectFrom('subscriptions').select((eb) => eb.fn.countAll().as('n'))),
    payments: await count(central.selectFrom('payments').select((eb) => eb.fn.countAll().as('n'))),
    invoices: await count(central.selectFrom('invoices').select((eb) => eb.fn.countAll().as('n'))),
    mails: await count(
      central
        .selectFrom('mail_outbox')
        .where('template', '=', 'pago_confirmado')
        .select((eb) => eb.fn.countAll().as('n')),
    ),
    ledger: await count(central.selectFrom('ledger').select((eb) => eb.fn.countAll().as('n'))),
  }
  return { rows }
}
