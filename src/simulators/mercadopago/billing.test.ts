import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fechaOf } from '../../fiscal/fecha.ts'
import { openSimulator } from './open-simulator.ts'
import { plain } from './snapshot.ts'
import { stamp } from './stamps.ts'
import type { Payment } from './state.ts'

const story = (payments: readonly Payment[]) =>
  payments.map(({ createdAt, status, statusDetail }) => [
    stamp(createdAt).slice(0, 16),
    status === 'approved' ? status : statusDetail,
  ])

test('a mandate is debited an hour after it is authorised, and then on its day of each month at noon', async (t) => {
  const { sim, create, payments, mandate, instalments } = await openSimulator(t)
  const id = await create()
  assert.deepEqual(sim.authorise(id), { kind: 'authorized' })
  await sim.advance({ minutes: 59 })
  assert.equal(payments().length, 0)
  await sim.advance({ until: new Date('2026-05-01T09:00:00-06:00') })

  // Noon in Mexico City is 14:00 by MercadoPago's stamps. The last day of a month is counted from the anchor.
  assert.deepEqual(story(payments()), [
    ['2026-01-31T12:00', 'approved'],
    ['2026-02-28T14:00', 'approved'],
    ['2026-03-31T14:00', 'approved'],
    ['2026-04-30T14:00', 'approved'],
  ])
  assert.deepEqual(
    instalments().map(({ sequence, status }) => [sequence, status]),
    [1, 2, 3, 4].map((sequence) => [sequence, 'processed']),
  )
  assert.deepEqual(mandate(id).charged.amountC, 260_200n)
  assert.equal(mandate(id).nextPaymentAt?.toISOString(), '2026-05-31T18:00:00.000Z')
})

test('a yearly mandate is twelve months, and a daily one is days', async (t) => {
  const { sim, create, payments } = await openSimulator(t)
  sim.authorise(await create({}, { frequency: 12 }))
  sim.authorise(await create({ reason: 'Diario' }, { frequency: 90, frequency_type: 'days' }))
  await sim.advance({ months: 13 })
  assert.deepEqual(
    payments().map(({ description, createdAt }) => [description[0], fechaOf(createdAt)]),
    [
      ['H', '2026-01-31'],
      ['D', '2026-01-31'],
      ['D', '2026-05-01'],
      ['D', '2026-07-30'],
      ['D', '2026-10-28'],
      ['D', '2027-01-26'],
      ['H', '2027-01-31'],
    ],
  )
})

test('a rejected instalment is tried four times more inside ten days and is then processed unpaid', async (t) => {
  const { sim, create, payments, instalments, mandate, received } = await openSimulator(t)
  const id = await create()
  sim.authorise(id, { script: ['FUND', 'CALL', 'OTHE', 'FUND', 'RISK', 'APRO'] })
  await sim.advance({ hours: 1 })
  assert.deepEqual([instalments()[0]?.status, instalments()[0]?.retryAttempt], ['recycling', 0])
  await sim.advance({ days: 27 })

  assert.deepEqual(story(payments()), [
    ['2026-01-31T12:00', 'cc_rejected_insufficient_amount'],
    ['2026-02-01T12:00', 'cc_rejected_call_for_authorize'],
    ['2026-02-03T12:00', 'cc_rejected_other_reason'],
    ['2026-02-06T12:00', 'cc_rejected_insufficient_amount'],
    ['2026-02-09T12:00', 'cc_rejected_high_risk'],
  ])
  assert.deepEqual([instalments()[0]?.status, instalments()[0]?.retryAttempt], ['processed', 4])
  assert.deepEqual([mandate(id).status, mandate(id).failed], ['authorized', 1])
  // The next month is debited though this one is unpaid.
  await sim.advance({ days: 3 })
  assert.equal(story(payments()).at(-1)?.[1], 'approved')
  // Each attempt is news of a payment and of its instalment.
  const news = received.filter(({ body }) => body.type === 'payment' && body.data.id === payments()[0]?.id)
  assert.equal(news.length, 1)
  const ofFirst = received.filter(({ body }) => body.data.id === instalments()[0]?.id)
  assert.deepEqual(
    ofFirst.map(({ body }) => body.action),
    ['created', 'updated', 'updated', 'updated', 'updated', 'updated'],
  )
})

test('the retry that is paid ends the instalment', async (t) => {
  const { sim, create, payments, instalments, mandate } = await openSimulator(t)
  const id = await create()
  sim.authorise(id, { script: ['FUND', 'FUND', 'APRO'] })
  await sim.advance({ days: 20 })
  assert.equal(payments().length, 3)
  assert.deepEqual([instalments()[0]?.status, instalments()[0]?.paymentId], ['processed', payments()[2]?.id])
  assert.deepEqual([mandate(id).failed, mandate(id).charged.count], [0, 1])
})

test('the third instalment given up cancels the mandate, and nothing is debited after', async (t) => {
  const { sim, create, payments, mandate, instalments } = await openSimulator(t)
  const id = await create()
  sim.authorise(id)
  sim.setCard(id, 'FUND')
  await sim.advance({ until: new Date('2026-04-09T13:00:00-06:00') })

  assert.equal(mandate(id).status, 'cancelled')
  assert.equal(payments().length, 15)
  assert.deepEqual(
    instalments().map(({ status }) => status),
    ['processed', 'processed', 'processed'],
  )
  await sim.advance({ months: 6 })
  assert.equal(payments().length, 15)
})

test('cancelling takes back what was scheduled or waited for a retry', async (t) => {
  const { sim, create, instalments, payments } = await openSimulator(t)
  const waiting = await create()
  sim.authorise(waiting, { script: ['FUND'] })
  const scheduled = await create()
  await sim.advance({ hours: 1 })
  sim.authorise(scheduled)
  await sim.settled()
  sim.cancel(waiting)
  sim.cancel(scheduled)
  assert.deepEqual(
    instalments().map(({ status }) => status),
    ['cancelled', 'cancelled'],
  )
  await sim.advance({ months: 2 })
  assert.equal(payments().length, 1)
})

for (const lock of ['schedule', 'debit'] as const) {
  test(`with amount_lock=${lock} a new amount ${lock === 'debit' ? 'reaches' : 'misses'} an instalment already scheduled`, async (t) => {
    const { sim, create, call, payments, instalments } = await openSimulator(t, { settings: { amount_lock: lock } })
    const id = await create()
    sim.authorise(id)
    await sim.advance({ until: new Date('2026-02-27T13:00:00-06:00') })
    assert.equal(instalments().at(-1)?.status, 'scheduled')
    await call('PUT', `/preapproval/${id}`, { auto_recurring: { transaction_amount: 999.99, currency_id: 'MXN' } })
    await sim.advance({ until: new Date('2026-04-01T13:00:00-06:00') })
    assert.deepEqual(
      payments().map(({ amountC }) => amountC),
      [65_050n, lock === 'debit' ? 99_999n : 65_050n, 99_999n],
    )
  })
}

for (const charged of [false, true]) {
  test(`after a pause the grid goes on${charged ? ', and what fell into it is debited' : ''}`, async (t) => {
    const { sim, create, payments, mandate } = await openSimulator(t, { settings: { resume_charges_missed: charged } })
    const id = await create()
    sim.authorise(id)
    await sim.advance({ days: 10 })
    sim.pause(id)
    await sim.advance({ until: new Date('2026-04-15T09:00:00-06:00') })
    assert.equal(payments().length, 1)
    sim.resume(id)
    await sim.settled()
    assert.equal(payments().length, charged ? 3 : 1)
    assert.equal(mandate(id).nextPaymentAt?.toISOString(), '2026-04-30T18:00:00.000Z')
    await sim.advance({ until: new Date('2026-05-01T09:00:00-06:00') })
    assert.equal(payments().length, charged ? 4 : 2)
  })
}

test('a pause that begins once an instalment is scheduled stops its debit, and one that begins later its retries', async (t) => {
  const { sim, create, payments, instalments, mandate } = await openSimulator(t)
  const id = await create()
  sim.authorise(id, { script: ['FUND'] })
  await sim.settled()
  sim.pause(id)
  await sim.advance({ hours: 2 })
  assert.deepEqual([instalments()[0]?.status, mandate(id).missed], ['cancelled', 1])
  sim.resume(id)
  await sim.advance({ until: new Date('2026-03-01T09:00:00-06:00') })
  assert.equal(instalments()[1]?.status, 'recycling')
  sim.pause(id)
  await sim.advance({ days: 12 })
  assert.deepEqual([instalments()[1]?.status, payments().length], ['processed', 1])
})

test('a future start_date is the day of the first debit, or a trial that no card survives', async (t) => {
  const start = { start_date: '2026-02-10T15:30:00.000-06:00' }
  const { sim, create, payments, call, mandate } = await openSimulator(t)
  const plainOne = await create({}, start)
  sim.configure({ debit_time: 'first_debit' })
  const timed = await create({}, start)
  sim.authorise(timed)
  sim.configure({ debit_time: 'debit_hour' })
  sim.authorise(plainOne)
  sim.configure({ debit_time: 'first_debit' })
  await sim.advance({ until: new Date('2026-03-11T09:00:00-06:00') })
  assert.deepEqual(
    payments().map(({ preapprovalId, createdAt }) => [preapprovalId === timed, stamp(createdAt).slice(0, 16)]),
    [
      [false, '2026-02-10T14:00'],
      [true, '2026-02-10T17:30'],
      [false, '2026-03-10T14:00'],
      [true, '2026-03-10T17:30'],
    ],
  )

  sim.configure({ start_date_as_trial: true })
  const trial = await create({}, { start_date: '2026-03-21T09:00:00.000-06:00' })
  const { free_trial } = (await call('GET', `/preapproval/${trial}`)).body.auto_recurring
  assert.deepEqual(free_trial, { frequency: 10, frequency_type: 'days' })
  assert.equal(sim.authorise(trial).kind, 'refused')
  assert.equal(mandate(trial).status, 'pending')
  const asked = await create({}, { free_trial: { frequency: 14, frequency_type: 'days' } })
  assert.equal(sim.authorise(asked).kind, 'refused')
})

test('the charge that proves a card: none, of nothing, or of a peso which is given back', async (t) => {
  const { sim, create, payments } = await openSimulator(t, { settings: { validation_charge: 'none' } })
  sim.authorise(await create())
  assert.equal(payments('validation').length, 0)
  sim.configure({ validation_charge: 'zero' })
  sim.authorise(await create())
  sim.configure({ validation_charge: 'min' })
  sim.authorise(await create())
  await sim.advance({ minutes: 2 })
  assert.deepEqual(
    payments('validation').map(({ amountC, status, preapprovalId, description }) => [
      amountC,
      status,
      preapprovalId,
      description,
    ]),
    [
      [0n, 'approved', null, 'Recurring payment validation'],
      [100n, 'refunded', null, 'Recurring payment validation'],
    ],
  )
})

test('a refused card keeps the payer at the checkout, and so does the wrong account', async (t) => {
  const { sim, create, mandate } = await openSimulator(t)
  const id = await create()
  const refused = (result: ReturnType<typeof sim.authorise>) => result.kind === 'refused' && result.statusDetail

  assert.equal(refused(sim.authorise(id, { holder: 'EXPI' })), 'cc_rejected_bad_filled_date')
  assert.equal(refused(sim.authorise(id, { email: 'otra@muebles.example' })), 'payer_mismatch')
  sim.configure({ payer_mismatch: 'high_risk' })
  assert.equal(refused(sim.authorise(id, { email: 'otra@muebles.example' })), 'cc_rejected_high_risk')
  assert.equal(mandate(id).status, 'pending')
  assert.equal(sim.authorise(id, { email: ' ANA@muebles.example' }).kind, 'authorized')
  assert.equal(refused(sim.authorise(id)), 'not_pending')

  sim.configure({ refused_card: 'cancelled' })
  const other = await create()
  sim.reject(other)
  assert.equal(mandate(other).status, 'cancelled')
})

test('a payment held for review is decided by itself a day later, or by hand', async (t) => {
  const { sim, create, payments, instalments, mandate } = await openSimulator(t)
  const id = await create()
  sim.authorise(id, { script: ['CONT', 'CONT', 'APRO'] })
  await sim.advance({ hours: 1 })
  assert.deepEqual([payments()[0]?.status, instalments()[0]?.status], ['in_process', 'waiting for gateway'])
  await sim.advance({ days: 1 })
  assert.deepEqual([payments()[0]?.status, instalments()[0]?.status], ['approved', 'processed'])
  assert.equal(mandate(id).charged.count, 1)
  await sim.advance({ until: new Date('2026-02-28T13:00:00-06:00') })
  sim.resolve(payments()[1]?.id ?? '', 'rejected')
  assert.equal(instalments()[1]?.status, 'recycling')
  await sim.advance({ days: 2 })
  assert.equal(payments()[2]?.status, 'approved')
  assert.throws(() => sim.resolve(payments()[2]?.id ?? '', 'won'), /cannot end as won/)
})

test('a dispute holds the money until somebody has it, and a chargeback that is lost stays lost', async (t) => {
  const { sim, create, payments } = await openSimulator(t)
  sim.authorise(await create())
  await sim.advance({ months: 3 })
  const [first, second, third] = payments() as [Payment, Payment, Payment]
  sim.dispute(first.id)
  assert.equal(first.status, 'in_mediation')
  sim.resolve(first.id, 'won')
  assert.equal(first.status, 'approved')
  sim.dispute(second.id)
  sim.resolve(second.id, 'lost')
  assert.deepEqual([second.status, second.refundedC], ['refunded', 65_050n])
  const { id } = sim.chargeBack(third.id)
  sim.resolve(third.id, 'in_review')
  sim.resolve(third.id, 'lost')
  assert.deepEqual(
    [third.status, third.statusDetail, sim.state.chargebacks.get(id)?.status],
    ['charged_back', 'settled', 'lost'],
  )
  assert.throws(() => sim.resolve(third.id, 'won'), /cannot end/)
  assert.throws(() => sim.dispute(third.id), /approved/)
  assert.throws(() => sim.chargeBack(second.id), /approved/)
})

test('a mandate ends with its end_date', async (t) => {
  const { sim, create, payments, mandate } = await openSimulator(t)
  const id = await create({}, { end_date: '2026-03-15T00:00:00.000-06:00' })
  sim.authorise(id)
  await sim.advance({ months: 6 })
  assert.deepEqual([payments().length, mandate(id).status, mandate(id).nextPaymentAt], [2, 'finished', null])
})

test('who does not want to wait charges now', async (t) => {
  const { sim, create, payments } = await openSimulator(t)
  const id = await create()
  assert.equal(await sim.chargeNow(id), false)
  sim.authorise(id)
  for (const at of ['2026-01-31T12:00', '2026-02-28T14:00']) {
    assert.equal(await sim.chargeNow(id), true)
    assert.equal(stamp(sim.now()).slice(0, 16), at)
  }
  assert.equal(payments().length, 2)
})

test('a year of five companies is the same year again with the same seed, and another with another', async (t) => {
  const live = async (seed: number, months: number) => {
    const { sim, create, received } = await openSimulator(t, { seed })
    for (const script of [[], ['FUND'], ['FUND', 'FUND', 'FUND', 'FUND', 'FUND'], ['CONT'], ['OTHE']]) {
      const id = await create()
      sim.authorise(id, { script })
      await sim.advance({ days: 3 })
    }
    sim.addFault({ fault: 'drop_webhook', probability: 0.2 })
    sim.addFault({ fault: 'duplicate_webhook', probability: 0.2 })
    sim.addFault({ fault: 'reorder_webhooks', window: 4 })
    await sim.advance({ months })
    const { payments, instalments, preapprovals } = sim.state
    return {
      history: JSON.stringify(plain([payments, instalments, preapprovals])),
      heard: received.map(({ text, headers }) => [text, headers['x-request-id'], headers['x-signature']]),
      count: payments.size,
    }
  }
  const [one, same, other] = [await live(7, 12), await live(7, 12), await live(8, 1)]
  assert.ok(one.count > 60)
  assert.equal(one.history, same.history)
  assert.deepEqual(one.heard, same.heard)
  assert.notDeepEqual(one.heard.slice(0, other.heard.length), other.heard)
})
