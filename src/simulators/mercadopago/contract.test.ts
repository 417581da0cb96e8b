import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import {
  Chargeback,
  Invoice,
  MercadoPagoConfig,
  Payment,
  PaymentRefund,
  PreApproval,
  Preference,
  User,
} from 'mercadopago'
import { AppConfig } from 'mercadopago/dist/utils/config/index.js'
import { mandate, openSimulator } from './open-simulator.ts'

test('the SDK creates, reads, changes and finds a mandate', async (t) => {
  const { sim, config } = await open(t)

  const created = await new PreApproval(config()).create({
    body: { ...mandate(), notification_url: 'https://x.mx' } as object,
  })
  const id = String(created.id)
  const read = await new PreApproval(config()).get({ id })
  const changed = await new PreApproval(config()).update({
    id,
    body: { auto_recurring: { transaction_amount: 700, currency_id: 'MXN' } } as object,
  })
  const found = await new PreApproval(config()).search({ options: { payer_email: 'ANA@muebles.example' } })

  assert.match(id, /^[0-9a-f]{32}$/)
  assert.equal(created.init_point, `${sim.url}/subscriptions/checkout?preapproval_id=${id}`)
  const { api_response: _, ...fields } = read as object & { api_response: unknown }
  assert.deepEqual(fields, {
    id,
    version: 0,
    status: 'pending',
    init_point: created.init_point,
    payer_id: null,
    payer_email: '',
    collector_id: sim.state.account.id,
    application_id: sim.state.account.applicationId,
    reason: 'Horux360 plan Pro',
    external_reference: 'sub-1',
    back_url: 'http://localhost:3000/suscripcion/volver',
    date_created: '2026-01-31T11:00:00.000-04:00',
    last_modified: '2026-01-31T11:00:00.000-04:00',
    next_payment_date: null,
    auto_recurring: {
      frequency: 1,
      frequency_type: 'months',
      transaction_amount: 650.5,
      currency_id: 'MXN',
      free_trial: null,
    },
    summarized: {
      quotas: null,
      charged_quantity: 0,
      charged_amount: 0,
      pending_charge_quantity: 0,
      pending_charge_amount: 0,
      semaphore: 'green',
      last_charged_date: null,
      last_charged_amount: null,
    },
    payment_method_id: null,
    card_id: null,
    first_invoice_offset: null,
  })
  assert.equal(changed.auto_recurring?.transaction_amount, 700)
  assert.equal((changed as { version?: number }).version, 1)
  assert.deepEqual([found.paging?.total, found.results?.[0]?.id], [1, id])
})

test('the SDK reads the instalment and the payment of a debit, linked as measured', async (t) => {
  const { sim, config, create } = await open(t)
  const id = await create()
  sim.authorise(id)
  await sim.advance({ hours: 1 })

  const invoices = await new Invoice(config()).search({ options: { preapproval_id: id } })
  const invoice = await new Invoice(config()).get({ id: String(invoices.results?.[0]?.id) })
  const paymentId = String(invoice.payment?.id)
  const payment = await new Payment(config()).get({ id: paymentId })
  const payments = await new Payment(config()).search({
    options: { range: 'date_created', begin_date: 'NOW-1DAYS', end_date: 'NOW' },
  })
  const authorized = await new PreApproval(config()).get({ id })

  assert.equal(invoices.paging?.total, 1)
  assert.deepEqual(
    { ...invoice, api_response: undefined },
    {
      id: Number(invoice.id),
      type: 'scheduled',
      date_created: '2026-01-31T11:00:00.000-04:00',
      last_modified: '2026-01-31T12:00:00.000-04:00',
      preapproval_id: id,
      reason: 'Horux360 plan Pro',
      external_reference: 'sub-1',
      currency_id: 'MXN',
      transaction_amount: '650.50',
      debit_date: '2026-01-31T12:00:00.000-04:00',
      payer_id: authorized.payer_id,
      payment_method_id: 'master',
      retry_attempt: 0,
      status: 'processed',
      summarized: 'done',
      payment: { id: Number(paymentId), status: 'approved', status_detail: 'accredited' },
      api_response: undefined,
    },
  )
  const { point_of_interaction, metadata, status, transaction_amount, collector_id, operation_type } = payment
  assert.deepEqual(
    { metadata, status, transaction_amount, collector_id, operation_type },
    {
      metadata: {},
      status: 'approved',
      transaction_amount: 650.5,
      collector_id: sim.state.account.id,
      operation_type: 'recurring_payment',
    },
  )
  assert.deepEqual(point_of_interaction, {
    type: 'SUBSCRIPTIONS',
    transaction_data: {
      first_time_use: true,
      subscription_id: id,
      subscription_sequence: { number: 1, total: null },
      invoice_id: String(invoice.id),
      invoice_period: { period: 1, type: 'monthly' },
      billing_date: '2026-01-31',
      user_present: false,
    },
  })
  assert.equal(typeof payment.id, 'number')
  // The charge that proved the card comes first, and names no subscription.
  assert.deepEqual(
    payments.results?.map(({ operation_type, description }) => [operation_type, description]),
    [
      ['card_validation', 'Recurring payment validation'],
      ['recurring_payment', 'Horux360 plan Pro'],
    ],
  )
  const [proof] = (payments.results ?? []) as { point_of_interaction?: unknown }[]
  assert.deepEqual(proof?.point_of_interaction, { type: 'UNSPECIFIED', transaction_data: {} })
  assert.equal(authorized.next_payment_date, '2026-02-28T14:00:00.000-04:00')
  assert.equal(authorized.summarized?.charged_amount, 650.5)
})

test('the SDK refunds a part and then the rest, lists both, and not a peso more', async (t) => {
  const { sim, config, create, payments } = await open(t)
  sim.authorise(await create())
  await sim.advance({ hours: 1 })
  const payment_id = Number(payments()[0]?.id)

  const part = await new PaymentRefund(config()).create({ payment_id, body: { amount: 50.25 } })
  const partly = await new Payment(config()).get({ id: payment_id })
  const rest = await new PaymentRefund(config()).total({ payment_id })
  const wholly = await new Payment(config()).get({ id: payment_id })
  const list = await new PaymentRefund(config()).list({ payment_id })

  assert.deepEqual([part.amount, part.status, rest.amount], [50.25, 'approved', 600.25])
  assert.deepEqual(
    [partly.status, partly.status_detail, partly.transaction_amount_refunded],
    ['approved', 'partially_refunded', 50.25],
  )
  assert.deepEqual(
    [wholly.status, wholly.status_detail, wholly.transaction_amount_refunded],
    ['refunded', 'refunded', 650.5],
  )
  assert.equal((list as unknown as unknown[]).length, 2)
  await assert.rejects(new PaymentRefund(config()).create({ payment_id, body: { amount: 1 } }), { status: 400 })
})

test('the SDK makes a page for one payment, which is paid once and found by its reference', async (t) => {
  const { sim, config } = await open(t)
  const preference = await new Preference(config()).create({
    body: {
      items: [{ id: 'mejora', title: 'Mejora de plan', quantity: 1, unit_price: 312.07, currency_id: 'MXN' }],
      external_reference: 'mejora-1',
      payer: { email: 'ana@muebles.example' },
      back_urls: { success: 'https://app.ejemplo.mx/ok' },
      auto_return: 'approved',
      expires: true,
      expiration_date_to: '2026-02-01T09:00:00-06:00',
    },
  })
  const id = String(preference.id)
  assert.equal(preference.init_point, `${sim.url}/checkout/v1/redirect?pref_id=${id}`)

  assert.equal(sim.payPreference(id, { holder: 'FUND' }).kind, 'refused')
  assert.equal(sim.payPreference(id).kind, 'paid')
  assert.deepEqual(sim.payPreference(id), { kind: 'refused', mensaje: 'Este cobro ya se pagó.' })

  const found = await new Payment(config()).search({ options: { external_reference: 'mejora-1' } })
  assert.deepEqual(
    found.results?.map(({ status, transaction_amount, operation_type }) => [
      status,
      transaction_amount,
      operation_type,
    ]),
    [
      ['rejected', 312.07, 'regular_payment'],
      ['approved', 312.07, 'regular_payment'],
    ],
  )
  const late = await new Preference(config()).create({
    body: {
      items: [{ id: 'x', title: 'Tarde', quantity: 2, unit_price: 10 }],
      expires: true,
      expiration_date_to: '2026-02-01T09:00:00-06:00',
    },
  })
  await sim.advance({ days: 1 })
  assert.deepEqual(sim.payPreference(String(late.id)), { kind: 'refused', mensaje: 'Este cobro ya venció.' })
  assert.equal((await new Preference(config()).get({ preferenceId: String(late.id) })).items?.[0]?.unit_price, 20)
})

test('the SDK reads a chargeback from its opening to its end, and who we are', async (t) => {
  const { sim, config, create, payments } = await open(t)
  sim.authorise(await create())
  await sim.advance({ hours: 1 })
  const payment = payments()[0]?.id ?? ''
  const { id } = sim.chargeBack(payment)

  const opened = await new Chargeback(config()).get({ id })
  assert.deepEqual([opened.status, opened.amount, String(opened.payment_id)], ['new', 650.5, payment])
  assert.equal((await new Payment(config()).get({ id: payment })).status, 'charged_back')
  const found = await new Chargeback(config()).search({ options: { payment_id: Number(payment), status: 'new' } })
  assert.equal(found.results?.[0]?.id, id)

  sim.resolve(payment, 'won')
  assert.equal((await new Chargeback(config()).get({ id })).status, 'won')
  assert.equal((await new Payment(config()).get({ id: payment })).status, 'approved')

  const me = await new User(config()).get()
  assert.deepEqual([me.id, me.site_id], [sim.state.account.id, 'MLM'])
  assert.match(String(me.nickname), /^TESTUSER\d+$/)
  sim.setAccount({ nickname: 'HORUX360' })
  assert.equal((await new User(config()).get()).nickname, 'HORUX360')
})

test("the SDK's refusals carry MercadoPago's words", async (t) => {
  const { config } = await open(t)
  await assert.rejects(new PreApproval(config()).get({ id: 'f'.repeat(32) }), {
    name: 'MPNotFoundError',
    message: `The preapproval with id ${'f'.repeat(32)} does not exist`,
  })
  await assert.rejects(new PreApproval(config('APP_USR-otro')).get({ id: 'f'.repeat(32) }), {
    name: 'MPAuthenticationError',
  })
})

async function open(t: TestContext) {
  const bench = await openSimulator(t)
  // Process-wide in the SDK (2.10): one test of this file runs at a time.
  const sdk = AppConfig as { BASE_URL: string }
  const before = sdk.BASE_URL
  sdk.BASE_URL = bench.sim.url
  t.after(() => {
    sdk.BASE_URL = before
  })
  const config = (accessToken = bench.sim.accessToken) =>
    new MercadoPagoConfig({ accessToken, options: { timeout: 60_000, maxRetries: 0 } })
  return { ...bench, config }
}
