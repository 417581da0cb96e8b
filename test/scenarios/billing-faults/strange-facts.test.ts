import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { keptDeliveries, platformAlerts } from '../../support/billing-inbox.ts'
import { type BillingWorld, type Company, ok, type Story, startBillingWorld } from '../../support/billing-world.ts'
import { createDistortingProxy, type Json } from '../../support/distorting-proxy.ts'

/**
 * MercadoPago says what cannot be, or what we do not know (billing.md 4.1, 5.4, 3.10): nothing is guessed, nothing is
 * lost, a person is told, and what is true in the end is applied.
 */
describe('strange facts', () => {
  const ends: (() => Promise<void> | void)[] = []
  const t = { after: (end: () => Promise<void> | void) => void ends.push(end) }
  const proxy = createDistortingProxy(t)
  let world: BillingWorld
  let story: Story
  let seen: number

  before(async () => {
    world = await startBillingWorld(t, { at: new Date('2027-01-04T07:00:00Z'), through: proxy.before })
    const undisturbed = await world.company()
    await undisturbed.payByCard()
    story = await undisturbed.story()
  })
  beforeEach(async () => {
    proxy.distort = undefined
    proxy.refuse = undefined
    seen = (await platformAlerts(world)).length
  })
  after(async () => {
    for (const end of ends.reverse()) await end()
  })

  /** Another company is charged while MercadoPago's payments read like this. */
  async function charged(distort: (payment: Json) => void): Promise<Company & { paymentId: string }> {
    const company = await world.company()
    proxy.distort = ({ path }, { body }) => {
      if (/^\/v1\/payments\/\d+$/.test(path) && belongsTo(company, body)) distort(body)
    }
    await company.authorise()
    await world.advance({ minutes: 61 })
    return { ...company, paymentId: paymentOf(company) }
  }

  const belongsTo = (company: Company, { external_reference: reference }: Json) =>
    typeof reference === 'string' && reference.includes(company.subscriptionId)

  function paymentOf(company: Company): string {
    const payment = [...world.simulator.state.payments.values()].find(
      ({ kind, externalReference }) => kind === 'subscription' && externalReference?.includes(company.subscriptionId),
    )
    assert.ok(payment, 'it was charged')
    return payment.id
  }

  /** It reads well again, and MercadoPago says so. */
  async function mended(paymentId: string): Promise<void> {
    proxy.distort = undefined
    const { instalmentId } = world.simulator.state.payments.get(paymentId) ?? {}
    world.simulator.forge({ topic: 'payment', resourceId: paymentId })
    world.simulator.forge({ topic: 'subscription_authorized_payment', resourceId: instalmentId ?? '' })
    await world.settle()
  }

  const newAlerts = async () => (await platformAlerts(world)).slice(seen)
  /** Authorised, and not a centavo of a period. */
  const UNPAID = {
    estado: 'trial',
    paidUntil: null,
    events: ['trial_iniciado→trial', 'checkout_iniciado→trial', 'mandato_autorizado→trial'],
    mails: [],
    ledger: [],
    invoices: [],
    payments: [],
  }
  async function assertUnpaid(company: Company): Promise<void> {
    assert.partialDeepStrictEqual(await company.story(), UNPAID)
    const { invoices, mails, ledger } = await company.story()
    assert.deepEqual([invoices, mails, ledger], [[], [], []])
  }

  test('an amount with three decimals is no money, and holds up nobody else', async () => {
    const odd = await charged((payment) => {
      payment.transaction_amount = 650.005
    })
    await assertUnpaid(odd)
    assert.deepEqual((await odd.story()).payments, [])
    // Without webhooks only polling is left, and it meets the unreadable one first.
    world.simulator.addFault({ fault: 'drop_webhook' })
    const other = await world.company()
    await other.payByCard()
    world.simulator.clearFaults()
    assert.deepEqual(await other.story(), story)
    await world.advance({ minutes: 50 })
    // Of the payment and of its instalment, and the monitor's own for both.
    const told = ['aviso_muerto critica', 'aviso_muerto critica', 'avisos_muertos critica']
    assert.deepEqual((await newAlerts()).toSorted(), told)
    assert.deepEqual(await keptDeliveries(world, odd.paymentId), ['payment dead poison'])
    await mended(odd.paymentId)
    assert.deepEqual(await odd.story(), story)
  })

  test('another currency is kept for a person and pays nothing', async () => {
    const company = await charged((payment) => {
      payment.currency_id = 'USD'
    })
    await assertUnpaid(company)
    assert.deepEqual(await newAlerts(), ['pago_sin_relacion critica'])
  })

  test('a payment that somebody else collected pays nothing', async () => {
    const company = await charged((payment) => {
      payment.collector_id = 1_234_567
    })
    await assertUnpaid(company)
    assert.deepEqual(await newAlerts(), ['pago_sin_relacion critica'])
  })

  test('one that names no collector, as what our own account paid, pays nothing', async () => {
    const company = await charged((payment) => {
      delete payment.collector_id
    })
    await assertUnpaid(company)
    assert.deepEqual(await newAlerts(), ['pago_sin_relacion critica'])
    const fee = world.simulator.addForeignPayment(29_900n)
    world.simulator.forge({ topic: 'payment', resourceId: fee.id })
    await world.settle()
    assert.deepEqual(await newAlerts(), ['pago_sin_relacion critica'], 'its fee is none of our business')
  })

  test('a status of a payment that we do not know changes nothing, is told once, and what follows is applied', async () => {
    const company = await charged((payment) => {
      payment.status = 'levitating'
    })
    await assertUnpaid(company)
    for (let i = 0; i < 2; i++) world.simulator.forge({ topic: 'payment', resourceId: company.paymentId })
    await world.settle()
    assert.deepEqual((await company.story()).alerts, ['estado_desconocido'])
    await mended(company.paymentId)
    assert.deepEqual(await company.story(), { ...story, alerts: ['estado_desconocido'] })
  })

  for (const status of ['finished', 'levitating'])
    test(`a mandate that is "${status}" changes nothing and is told`, async () => {
      const company = await world.company()
      const preapprovalId = await company.payByCard()
      proxy.distort = ({ path }, { body }) => {
        if (path === `/preapproval/${preapprovalId}`) Object.assign(body, { status, version: body.version + 1 })
      }
      world.simulator.forge({ topic: 'subscription_preapproval', resourceId: preapprovalId })
      await world.settle()
      assert.deepEqual(await company.story(), { ...story, alerts: ['estado_desconocido'] })
    })

  test('a payment that appears minutes after its news is waited for', async () => {
    const company = await world.company()
    let hidden = 3
    proxy.refuse = ({ method, path }) => {
      const [, id = ''] = /^\/v1\/payments\/(\d+)$/.exec(path) ?? []
      const reference = world.simulator.state.payments.get(id)?.externalReference
      if (method !== 'GET' || !reference?.includes(company.subscriptionId) || hidden === 0) return undefined
      hidden -= 1
      return { status: 404, body: { message: 'Payment not found', error: 'not_found', status: 404, cause: [] } }
    }
    await company.authorise()
    await world.advance({ minutes: 61 })
    await world.advance({ minutes: 10 })
    assert.equal(hidden, 0)
    assert.deepEqual(await company.story(), story)
    assert.deepEqual(await newAlerts(), [])
  })

  test('the charge that proves a card pays nothing', async () => {
    world.simulator.configure({ validation_charge: 'min' })
    const company = await world.company()
    await company.authorise()
    await assertUnpaid(company)
    await world.advance({ minutes: 61 })
    world.simulator.configure({ validation_charge: 'zero' })
    assert.deepEqual(await company.story(), story)
  })

  test('an amount that MercadoPago refuses is put before a person; the card pays the old one and owes the rest', async () => {
    const company = await world.company()
    const preapprovalId = await company.payByCard()
    proxy.refuse = ({ method, path, body }) =>
      method === 'PUT' && path === `/preapproval/${preapprovalId}` && body.auto_recurring
        ? { status: 400, body: { message: 'Invalid transaction_amount', error: 'bad_request', status: 400, cause: [] } }
        : undefined
    const override = { tipo: 'precio', clave: 'mensual', valor: '700.00', hasta: null, motivo: 'Convenio' }
    await ok(world.product.staff.post(`/api/subscriptions/${company.id}/excepciones`, override))
    await world.advance({ until: new Date('2027-02-05T18:00:00Z') })
    const owing = await company.story()
    assert.deepEqual([owing.estado, owing.paidUntil, owing.alerts], ['activa', '2027-03-04', ['orden_rechazada']])
    assert.deepEqual(owing.ledger, ['undercharge -5000'])
    assert.deepEqual(owing.commands, ['set_amount dead'])
    proxy.refuse = undefined
    await world.advance({ until: new Date('2027-03-05T18:00:00Z') })
    const even = await company.story()
    assert.deepEqual(even.payments.at(-1), 'mercadopago approved 75000 2027-03-04')
    assert.equal(
      even.ledger.reduce((sum, line) => sum + Number(line.split(' ')[1]), 0),
      0,
    )
    assert.deepEqual(even.alerts, ['orden_rechazada'])
  })
})
