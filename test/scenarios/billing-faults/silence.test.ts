import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { platformAlerts } from '../../support/billing-inbox.ts'
import { type BillingWorld, type Company, startBillingWorld } from '../../support/billing-world.ts'

/** A panel without webhooks for two months (billing.md 2.7, 5.7): polling carries the product alone. */
describe('silence', () => {
  const ends: (() => Promise<void>)[] = []
  let world: BillingWorld
  let renewing: Company
  let failing: Company
  let leaving: Company
  let refunded: Company

  before(async () => {
    world = await startBillingWorld({ after: (end) => void ends.push(end) })
    renewing = await world.company()
    failing = await world.company()
    leaving = await world.company()
    refunded = await world.company()
    world.simulator.addFault({ fault: 'drop_webhook' })
    await renewing.authorise()
    // The first charge, then a whole instalment that is rejected and tried again in vain.
    await failing.authorise({ script: ['APRO', 'FUND', 'FUND', 'FUND', 'FUND', 'FUND'] })
    const leavingId = await leaving.authorise()
    const refundedId = await refunded.authorise()
    await world.advance({ until: new Date('2027-01-20T18:00:00Z') })
    world.simulator.cancel(leavingId)
    const payment = [...world.simulator.state.payments.values()].find(
      ({ kind, preapprovalId }) => kind === 'subscription' && preapprovalId === refundedId,
    )
    world.simulator.refund(payment?.id ?? '')
    await world.advance({ until: new Date('2027-03-05T18:00:00Z') })
  })
  after(async () => {
    for (const end of ends.reverse()) await end()
  })

  test('nothing came', async () => {
    const { n } = await world.product.deps.central
      .selectFrom('webhook_events')
      .select((eb) => eb.fn.countAll<string>().as('n'))
      .executeTakeFirstOrThrow()
    assert.equal(n, 0n.toString())
  })

  test('who pays renews on the day', async () => {
    const renewal = ['aviso_renovacion→activa', 'preparar_cobro→activa', 'pago_aprobado→activa']
    assert.deepEqual(await renewing.story(), {
      estado: 'activa',
      motivo: null,
      access: 'full',
      paidUntil: '2027-04-04',
      events: [
        'trial_iniciado→trial',
        'checkout_iniciado→trial',
        'mandato_autorizado→trial',
        'pago_aprobado→activa',
        ...renewal,
        ...renewal,
      ],
      mails: ['pago_confirmado', 'aviso_renovacion', 'pago_confirmado', 'aviso_renovacion', 'pago_confirmado'],
      ledger: [],
      invoices: ['periodo:2027-01-04 paid 65000', 'periodo:2027-02-04 paid 65000', 'periodo:2027-03-04 paid 65000'],
      payments: [
        'mercadopago approved 65000 2027-01-04',
        'mercadopago approved 65000 2027-02-04',
        'mercadopago approved 65000 2027-03-04',
      ],
      alerts: [],
      commands: [],
    })
  })

  test('who does not is told, warned and suspended in his days, and taken back when he pays', async () => {
    const { estado, mails, payments } = await failing.story()
    assert.equal(estado, 'activa')
    assert.deepEqual(payments.filter((line) => line.includes('rejected')).length, 5)
    assert.deepEqual(
      mails.filter((template) => template !== 'pago_fallido'),
      ['pago_confirmado', 'aviso_renovacion', 'gracia', 'suspendida', 'pago_confirmado', 'reactivada'],
    )
  })

  test('who cancels at MercadoPago keeps what is paid and ends', async () => {
    const { estado, motivo, mails, payments } = await leaving.story()
    assert.deepEqual([estado, motivo], ['cancelada', 'fin_periodo'])
    assert.deepEqual(mails, ['pago_confirmado', 'cancelada', 'por_vencer_5d'])
    assert.deepEqual(payments, ['mercadopago approved 65000 2027-01-04'])
  })

  test('a refund is found by the nightly comparison', async () => {
    const { payments, ledger, mails } = await refunded.story()
    assert.equal(payments[0], 'mercadopago refunded 65000 2027-01-04')
    assert.ok(mails.includes('pago_reembolsado'))
    assert.deepEqual(ledger, [])
  })

  test('somebody is told of the silence every day, until it ends', async () => {
    const { n } = await world.product.deps.central
      .selectFrom('billing_alerts')
      .select((eb) => eb.fn.countAll<string>().as('n'))
      .where('code', '=', 'avisos_en_silencio')
      .executeTakeFirstOrThrow()
    assert.ok(Number(n) > 2)
    world.simulator.clearFaults()
    await world.advance({ until: new Date('2027-04-04T19:00:00Z') })
    const open = (await platformAlerts(world)).filter((line) => !line.endsWith('resolved'))
    assert.deepEqual(open, [])
  })
})
