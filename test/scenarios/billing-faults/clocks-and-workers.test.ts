import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type BillingWorld, type Company, type Story, startBillingWorld } from '../../support/billing-world.ts'

/** Time that jumps and workers that are not there (billing.md 3.6, 5.5): late is late, and shortens nothing. */
describe('clocks and workers', () => {
  const ends: (() => Promise<void>)[] = []
  let world: BillingWorld

  before(async () => {
    world = await startBillingWorld({ after: (end) => void ends.push(end) })
  })
  after(async () => {
    for (const end of ends.reverse()) await end()
  })

  /** Only the product's clock goes wrong; MercadoPago's is right. */
  async function moveOurClock(to: Date): Promise<void> {
    const answer = await fetch(`${world.appUrl}/__test/clock`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ahora: to.toISOString() }),
    })
    assert.equal(answer.status, 200)
    await settled()
  }

  async function settled(): Promise<void> {
    for (;;) {
      const { ocioso } = (await (await fetch(`${world.appUrl}/__test/idle`)).json()) as { ocioso: boolean }
      if (ocioso) return
    }
  }

  test('a clock three months ahead for a while cuts nobody off, and afterwards all is as it was', async () => {
    const company = await world.company()
    await company.payByCard()
    const before = await company.story()
    const now = world.simulator.now()
    await moveOurClock(new Date(now.getTime() + 90 * 86_400_000))
    const ahead = await company.story()
    assert.deepEqual([ahead.estado, ahead.access], ['pendiente_pago', 'full'], 'late is told, and has its days')
    await moveOurClock(now)
    const back = await company.story()
    assert.equal(back.access, 'full')
    assert.deepEqual([back.payments, back.ledger], [before.payments, before.ledger])
    await world.advance({ until: new Date('2027-02-04T19:00:00Z') })
    const renewed = await company.story()
    assert.deepEqual([renewed.estado, renewed.paidUntil, renewed.access], ['activa', '2027-03-04', 'full'])
    assert.deepEqual(renewed.payments, [...before.payments, 'mercadopago approved 65000 2027-02-04'])
    assert.deepEqual(renewed.ledger, [])
    assert.deepEqual(
      renewed.invoices.filter((line) => line.includes('paid')),
      ['periodo:2027-01-04 paid 65000', 'periodo:2027-02-04 paid 65000'],
    )
  })

  describe('two weeks without a worker', () => {
    let renewing: Company
    let failing: Company
    let trying: Company
    let rejectedFirst: Company
    let paid: Story

    before(async () => {
      await world.advance({ until: new Date('2027-02-04T20:00:00Z') })
      renewing = await world.company()
      failing = await world.company()
      rejectedFirst = await world.company()
      // All of 4 February; renewals fall on 4 March.
      await renewing.authorise()
      await failing.authorise({ script: ['APRO', 'FUND', 'FUND', 'FUND', 'FUND', 'FUND'] })
      await rejectedFirst.authorise({ script: ['APRO', 'FUND', 'APRO'] })
      await world.advance({ until: new Date('2027-03-01T18:00:00Z') })
      paid = await renewing.story()
      trying = await world.company()
      await world.withoutWorker(() => world.advance({ until: new Date('2027-03-15T18:00:00Z') }))
    })

    test('who was charged is as if there had been one', async () => {
      const { events, ...facts } = await renewing.story()
      // Heard of before the sweep came to it, a payment needs nobody to prepare its invoice.
      const news = events.slice(paid.events.length).filter((event) => event !== 'preparar_cobro→activa')
      assert.deepEqual(news, ['pago_aprobado→activa'])
      const { events: before, ...factsBefore } = paid
      assert.deepEqual(events.slice(0, before.length), before)
      assert.deepEqual(facts, {
        ...factsBefore,
        paidUntil: '2027-04-04',
        mails: [...paid.mails, 'pago_confirmado'],
        invoices: [...paid.invoices, 'periodo:2027-03-04 paid 65000'],
        payments: [...paid.payments, 'mercadopago approved 65000 2027-03-04'],
      })
    })

    test('a rejection that is heard of after the payment that followed it changes nothing and mails nothing', async () => {
      const { estado, paidUntil, mails, payments, ledger } = await rejectedFirst.story()
      assert.deepEqual([estado, paidUntil, ledger], ['activa', '2027-04-04', []])
      assert.deepEqual(mails, [...paid.mails, 'pago_confirmado'])
      assert.deepEqual(payments.slice(1).toSorted(), [
        'mercadopago approved 65000 2027-03-04',
        'mercadopago rejected 65000',
      ])
    })

    test('who was not is told now, and has a day before the grace and two before the end of it', async () => {
      const late = await failing.story()
      assert.deepEqual([late.estado, late.access], ['pendiente_pago', 'full'])
      assert.ok(late.mails.some((template) => template === 'pago_fallido' || template === 'pago_pendiente'))
      await world.advance({ hours: 23 })
      assert.equal((await failing.story()).estado, 'pendiente_pago')
      await world.advance({ hours: 25 })
      const grace = await failing.story()
      assert.deepEqual([grace.estado, grace.access], ['grace_period', 'read_only'])
      await world.advance({ hours: 22 })
      assert.equal((await failing.story()).estado, 'grace_period')
      await world.advance({ hours: 48 })
      const suspended = await failing.story()
      assert.deepEqual([suspended.estado, suspended.access], ['suspendida', 'blocked'])
      // 'suspendida' is the last thing he is told, and no notice before it was skipped.
      assert.deepEqual(suspended.mails.slice(-2), ['gracia', 'suspendida'])
    })

    test('a trial that ended meanwhile was announced and ended, in this order', async () => {
      const { estado, mails } = await trying.story()
      assert.equal(estado, 'vencida')
      assert.deepEqual(mails, ['trial_por_vencer', 'trial_vencido'])
    })
  })
})
