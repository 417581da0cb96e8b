import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { pino } from 'pino'
import { type ScriptedApi, startScriptedApi } from '../../../test/support/scripted-api.ts'
import { AppError } from '../../errors.ts'
import { createPace } from '../../outbound/pace.ts'
import { setMercadoPagoUrl } from './base-url.ts'
import { createGateway } from './create-gateway.ts'

// The SDK has one address per process, so one server answers all of this file, one test after the other.
const api: ScriptedApi = await startScriptedApi({ after })
setMercadoPagoUrl(api.url)
const gateway = createGateway({
  accessToken: 'APP_USR-prueba',
  account: 'prueba',
  log: pino({ level: 'silent' }),
  pace: createPace({ intervalMs: 0 }),
  sleep: async () => {},
})

/** As the API answers, with what we do not use beside it. */
const PREAPPROVAL = {
  id: '2c938084726fca480172750000000000',
  version: 3,
  status: 'authorized',
  init_point: 'https://www.mercadopago.com.mx/subscriptions/checkout?preapproval_id=2c938084726fca480172750000000000',
  payer_id: 123456789,
  payer_email: '',
  collector_id: 987654321,
  application_id: 1234567812345678,
  reason: 'Horux360 Profesional',
  external_reference: 'hx-0198c0de-1',
  date_created: '2026-05-04T23:30:00.000-04:00',
  last_modified: '2026-05-05T00:10:00.000-04:00',
  next_payment_date: '2026-06-04T23:30:00.000-04:00',
  auto_recurring: {
    frequency: 1,
    frequency_type: 'months',
    transaction_amount: 650.5,
    currency_id: 'MXN',
    start_date: '2026-05-04T23:30:00.000-04:00',
    free_trial: null,
  },
  summarized: { quotas: null, semaphore: 'green' },
  payment_method_id: 'visa',
}

const PAYMENT = {
  id: 107000000001,
  status: 'approved',
  status_detail: 'accredited',
  transaction_amount: 650.5,
  transaction_amount_refunded: 0,
  currency_id: 'MXN',
  collector_id: 987654321,
  date_created: '2026-05-04T12:00:00.000-04:00',
  date_approved: '2026-05-04T12:00:02.000-04:00',
  date_last_updated: '2026-05-04T12:00:03.000-04:00',
  external_reference: null,
  operation_type: 'recurring_payment',
  description: 'Horux360 Profesional',
  payment_method_id: 'visa',
  payment_type_id: 'credit_card',
  payer: { id: '123456789', email: 'pago@ejemplo.mx', type: null },
  metadata: {},
  point_of_interaction: {
    type: 'SUBSCRIPTIONS',
    transaction_data: { subscription_id: PREAPPROVAL.id, subscription_sequence: { number: 2, total: null } },
  },
}

const failsWith = (code: string, detail?: RegExp) => (error: unknown) => {
  assert.ok(error instanceof AppError, String(error))
  assert.equal(error.code, code)
  if (detail) assert.match((error.cause as Error).message, detail)
  return true
}

test('a mandate is asked for with what billing.md 2.1 allows and nothing else', async () => {
  api.script({ status: 201, json: { ...PREAPPROVAL, status: 'pending' } })
  const input = {
    reason: 'Horux360 Profesional',
    externalReference: 'hx-0198c0de-1',
    payerEmail: 'pago@ejemplo.mx',
    backUrl: 'https://horux360.example/pago',
    amountC: 65050n,
  }
  const created = await gateway.createPreapproval({ ...input, frecuencia: 'mensual' })
  assert.equal(created.status, 'pending')
  assert.equal(created.initPoint, PREAPPROVAL.init_point)
  const [request] = api.requests
  assert.equal(request?.method, 'POST')
  assert.equal(request?.path, '/preapproval/')
  assert.equal(request?.headers.authorization, 'Bearer APP_USR-prueba')
  const sent = {
    reason: input.reason,
    external_reference: input.externalReference,
    payer_email: input.payerEmail,
    back_url: input.backUrl,
    status: 'pending',
  }
  const recurring = { frequency_type: 'months', transaction_amount: 650.5, currency_id: 'MXN' }
  assert.deepEqual(request?.body, { ...sent, auto_recurring: { ...recurring, frequency: 1 } })

  const startDate = new Date('2026-06-01T18:00:00Z')
  await gateway.createPreapproval({ ...input, frecuencia: 'anual', startDate })
  const yearly = { ...recurring, frequency: 12, start_date: '2026-06-01T18:00:00.000Z' }
  assert.deepEqual(api.requests[1]?.body, { ...sent, auto_recurring: yearly })
})

test('a mandate is read into our types', async () => {
  api.script({ json: PREAPPROVAL })
  assert.deepEqual(await gateway.getPreapproval(PREAPPROVAL.id), {
    id: PREAPPROVAL.id,
    status: 'authorized',
    rawStatus: 'authorized',
    externalReference: 'hx-0198c0de-1',
    payerEmail: null,
    payerId: '123456789',
    collectorId: '987654321',
    reason: 'Horux360 Profesional',
    amountC: 65050n,
    currency: 'MXN',
    frecuencia: 'mensual',
    dateCreated: new Date('2026-05-05T03:30:00Z'),
    lastModified: new Date('2026-05-05T04:10:00Z'),
    version: 3,
    initPoint: PREAPPROVAL.init_point,
    nextPaymentDate: new Date('2026-06-05T03:30:00Z'),
    startDate: new Date('2026-05-05T03:30:00Z'),
    method: 'visa',
  })
  assert.equal(api.requests[0]?.path, `/preapproval/${PREAPPROVAL.id}`)
})

test('a mandate of which little is said is read too, and what is not said is null', async () => {
  api.script({ json: { id: 'a1', status: 'finished', external_reference: 77, something_new: { deep: [1] } } })
  const read = await gateway.getPreapproval('A1')
  assert.equal(read.status, 'unknown')
  assert.equal(read.rawStatus, 'finished')
  assert.equal(read.externalReference, '77')
  assert.equal(read.amountC, null)
  assert.equal(read.frecuencia, null)
  assert.equal(read.nextPaymentDate, null)
  api.script({ json: { ...PREAPPROVAL, auto_recurring: { frequency: 12, frequency_type: 'days' } } })
  assert.equal((await gateway.getPreapproval(PREAPPROVAL.id)).frecuencia, null)
  api.script({ json: { ...PREAPPROVAL, auto_recurring: { frequency: 12, frequency_type: 'months' } } })
  assert.equal((await gateway.getPreapproval(PREAPPROVAL.id)).frecuencia, 'anual')
  api.script({ json: { ...PREAPPROVAL, status: 'canceled' } })
  assert.equal((await gateway.getPreapproval(PREAPPROVAL.id)).status, 'cancelled')
})

test('a change sends what is changed, the currency repeated', async () => {
  api.script({ json: { ...PREAPPROVAL, status: 'paused' } })
  assert.equal((await gateway.updatePreapproval(PREAPPROVAL.id, { status: 'paused' })).status, 'paused')
  await gateway.updatePreapproval(PREAPPROVAL.id, { amountC: 90500n })
  assert.deepEqual(
    api.requests.map(({ method, body }) => [method, body]),
    [
      ['PUT', { status: 'paused' }],
      ['PUT', { auto_recurring: { transaction_amount: 905, currency_id: 'MXN' } }],
    ],
  )
})

const CANCELLED = { status: 400, json: { message: 'You can not modify a cancelled preapproval.', status: 400 } }

test('cancelling what is cancelled succeeds with what is read again; pausing it does not', async () => {
  api.script(CANCELLED, { json: { ...PREAPPROVAL, status: 'cancelled' } })
  assert.equal((await gateway.updatePreapproval(PREAPPROVAL.id, { status: 'cancelled' })).status, 'cancelled')
  assert.deepEqual(
    api.requests.map(({ method }) => method),
    ['PUT', 'GET'],
  )
  for (const change of [{ status: 'paused' as const }, { amountC: 10000n }]) {
    api.script(CANCELLED)
    await assert.rejects(gateway.updatePreapproval(PREAPPROVAL.id, change), failsWith('gateway.rejected'))
    assert.equal(api.requests.length, 1)
  }
  api.script({ status: 400, json: { message: 'Something else', status: 400 } })
  await assert.rejects(
    gateway.updatePreapproval(PREAPPROVAL.id, { status: 'cancelled' }),
    failsWith('gateway.rejected', /Something else/),
  )
})

test('a search of mandates asks for what it can filter, and pages', async () => {
  api.script({ json: { paging: { total: 3, limit: 50, offset: 0 }, results: [PREAPPROVAL, PREAPPROVAL] } })
  const page = await gateway.searchPreapprovals({ payerEmail: 'pago@ejemplo.mx', status: 'pending' })
  assert.equal(page.items.length, 2)
  assert.equal(page.items[0]?.externalReference, 'hx-0198c0de-1')
  assert.equal(page.nextOffset, 2)
  const { path, query } = api.requests[0]!
  assert.equal(path, '/preapproval/search')
  const search = { limit: '50', offset: '0', payer_email: 'pago@ejemplo.mx', status: 'pending' }
  assert.deepEqual(Object.fromEntries(query), search)

  api.script({ json: { paging: { total: 3, limit: 50, offset: 2 }, results: [PREAPPROVAL] } })
  const last = await gateway.searchPreapprovals({ offset: 2 })
  assert.equal(last.nextOffset, null)
  assert.deepEqual(Object.fromEntries(api.requests[0]!.query), { limit: '50', offset: '2' })
})

test('without a total, a page is followed until one is empty', async () => {
  api.script({ json: { results: [PREAPPROVAL] } })
  assert.equal((await gateway.searchPreapprovals({ offset: 4 })).nextOffset, 5)
  api.script({ json: { results: [] } })
  assert.deepEqual(await gateway.searchPreapprovals({ offset: 5 }), {
    items: [],
    unreadable: [],
    nextOffset: null,
    total: null,
  })
})

test('an instalment is read with the amount as text or number, and with the payment it names', async () => {
  const instalment = {
    id: 7028333474,
    type: 'scheduled',
    status: 'waiting for gateway',
    preapproval_id: PREAPPROVAL.id,
    transaction_amount: '24.50',
    currency_id: 'MXN',
    debit_date: '2026-05-04T12:00:00.000-04:00',
    retry_attempt: 1,
    date_created: '2026-05-04T11:00:00.000-04:00',
    last_modified: '2026-05-04T12:00:00.000-04:00',
    payment: { id: 107000000001, status: 'rejected', status_detail: 'cc_rejected_high_risk' },
  }
  api.script({ json: instalment })
  const read = await gateway.getAuthorizedPayment('7028333474')
  assert.equal(read.status, 'waiting_for_gateway')
  assert.equal(read.rawStatus, 'waiting for gateway')
  assert.equal(read.amountC, 2450n)
  assert.equal(read.retryAttempt, 1)
  assert.equal(read.debitDate?.toISOString(), '2026-05-04T16:00:00.000Z')
  const payment = { id: '107000000001', status: 'rejected', rawStatus: 'rejected' }
  assert.deepEqual(read.payment, { ...payment, statusDetail: 'cc_rejected_high_risk' })

  api.script({ json: { ...instalment, status: 'scheduled', transaction_amount: 24.5, payment: undefined } })
  const scheduled = await gateway.getAuthorizedPayment('7028333474')
  assert.equal(scheduled.amountC, 2450n)
  assert.equal(scheduled.payment, null)
})

test('instalments are searched without a limit, which would be refused', async () => {
  api.script({ json: { paging: { total: 0 }, results: [] } })
  await gateway.searchAuthorizedPayments({ preapprovalId: PREAPPROVAL.id })
  await gateway.searchAuthorizedPayments({ paymentId: '107000000001', offset: 12 })
  assert.deepEqual(
    api.requests.map(({ query }) => Object.fromEntries(query)),
    [
      { offset: '0', preapproval_id: PREAPPROVAL.id },
      { offset: '12', payment_id: '107000000001' },
    ],
  )
})

test('a payment is read into our types', async () => {
  api.script({ json: PAYMENT })
  assert.deepEqual(await gateway.getPayment('107000000001'), {
    id: '107000000001',
    status: 'approved',
    rawStatus: 'approved',
    statusDetail: 'accredited',
    amountC: 65050n,
    refundedC: 0n,
    currency: 'MXN',
    collectorId: '987654321',
    dateCreated: new Date('2026-05-04T16:00:00Z'),
    dateApproved: new Date('2026-05-04T16:00:02Z'),
    lastUpdated: new Date('2026-05-04T16:00:03Z'),
    preapprovalId: PREAPPROVAL.id,
    sequence: 2,
    externalReference: null,
    operationType: 'recurring_payment',
    description: 'Horux360 Profesional',
    isValidation: false,
    payerEmail: 'pago@ejemplo.mx',
    method: 'visa',
    methodType: 'credit_card',
  })
})

const readPayment = async (changes: object) => {
  api.script({ json: { ...PAYMENT, ...changes } })
  return gateway.getPayment('107000000001')
}

test('a payment names its mandate in transaction_data, else in metadata, else not at all', async () => {
  const metadata = { preapproval_id: 'de-metadata' }
  assert.equal((await readPayment({ metadata })).preapprovalId, PREAPPROVAL.id)
  const elsewhere = await readPayment({ metadata, point_of_interaction: { type: 'X', transaction_data: {} } })
  assert.equal(elsewhere.preapprovalId, 'de-metadata')
  assert.equal((await readPayment({ metadata, point_of_interaction: null })).preapprovalId, 'de-metadata')
  const unlinked = await readPayment({ metadata: 'odd', point_of_interaction: undefined })
  assert.equal(unlinked.preapprovalId, null)
  assert.equal(unlinked.sequence, null)
  const bare = { transaction_data: { subscription_id: 'x', subscription_sequence: 5 } }
  assert.equal((await readPayment({ point_of_interaction: bare })).sequence, 5)
})

test('what our own account paid has no collector', async () => {
  assert.equal((await readPayment({ collector_id: undefined })).collectorId, null)
})

test('a charge that only proves a card is told from one that pays', async () => {
  assert.equal((await readPayment({ operation_type: 'card_validation' })).isValidation, true)
  assert.equal((await readPayment({ transaction_amount: 0 })).isValidation, true)
  assert.equal((await readPayment({ description: 'Recurring payment validation' })).isValidation, true)
  assert.equal((await readPayment({ description: 'Validation of invoices' })).isValidation, false)
})

test('a partial refund is on the payment, and a status of next year is unknown', async () => {
  assert.equal((await readPayment({ transaction_amount_refunded: '100.25' })).refundedC, 10025n)
  assert.equal((await readPayment({ transaction_amount_refunded: null })).refundedC, 0n)
  const odd = await readPayment({ status: 'teleported' })
  assert.deepEqual([odd.status, odd.rawStatus], ['unknown', 'teleported'])
})

test('a payment whose amount or dates cannot be read is no payment, and asking again would not help', async () => {
  for (const changes of [
    { transaction_amount: 10.005 },
    { transaction_amount: null },
    { transaction_amount: -1 },
    { date_last_updated: 'yesterday at noon' },
    { date_last_updated: undefined },
  ]) {
    await assert.rejects(readPayment(changes), failsWith('gateway.unreadable_answer', /^getPayment: /))
    assert.equal(api.requests.length, 1)
  }
})

test('payments are searched by their last change, newest first, and one odd row hides no other', async () => {
  const odd = { ...PAYMENT, id: 107000000002, transaction_amount: 10.005 }
  api.script({ json: { paging: { total: 103 }, results: [PAYMENT, odd, 'nonsense'] } })
  const [begin, end] = [new Date('2026-05-01T06:00:00Z'), new Date('2026-05-04T06:00:00Z')]
  const page = await gateway.searchPayments({ begin, end, offset: 100 })
  assert.deepEqual(
    page.items.map(({ id }) => id),
    ['107000000001'],
  )
  assert.deepEqual(page.unreadable, ['107000000002', '?'])
  assert.equal(page.nextOffset, null)
  assert.deepEqual(Object.fromEntries(api.requests[0]!.query), {
    range: 'date_last_updated',
    begin_date: '2026-05-01T06:00:00.000Z',
    end_date: '2026-05-04T06:00:00.000Z',
    sort: 'date_last_updated',
    criteria: 'desc',
    limit: '100',
    offset: '100',
  })
})

test('a refund sends its key and the amount, or nothing for all of it', async () => {
  api.script({ status: 201, json: { id: 55, payment_id: 107000000001, amount: 100.25, status: 'approved' } })
  const refund = await gateway.refundPayment('107000000001', { amountC: 10025n, idempotencyKey: 'clave-1' })
  assert.deepEqual(refund, {
    id: '55',
    paymentId: '107000000001',
    status: 'approved',
    rawStatus: 'approved',
    amountC: 10025n,
    dateCreated: null,
  })
  await gateway.refundPayment('107000000001', { amountC: null, idempotencyKey: 'clave-2' })
  assert.deepEqual(
    api.requests.map(({ method, path, headers, body }) => [method, path, headers['x-idempotency-key'], body]),
    [
      ['POST', '/v1/payments/107000000001/refunds', 'clave-1', { amount: 100.25 }],
      ['POST', '/v1/payments/107000000001/refunds', 'clave-2', {}],
    ],
  )
})

test('the key of a refund goes with no later call', async () => {
  api.script({ json: { id: 55, amount: 1, status: 'approved' } }, { json: PREAPPROVAL })
  await gateway.refundPayment('1', { amountC: null, idempotencyKey: 'clave-1' })
  await gateway.updatePreapproval(PREAPPROVAL.id, { status: 'paused' })
  await gateway.createPreapproval({
    reason: 'x',
    externalReference: 'hx-1',
    payerEmail: 'pago@ejemplo.mx',
    backUrl: 'https://horux360.example/pago',
    frecuencia: 'mensual',
    amountC: 10000n,
  })
  const keys = api.requests.map(({ headers }) => headers['x-idempotency-key'])
  assert.equal(keys[0], 'clave-1')
  assert.equal(new Set(keys).size, 3)
})

test('a page for one payment ends when we say, slips of shops included', async () => {
  const initPoint = 'https://www.mercadopago.com.mx/checkout/v1/redirect?pref_id=987-abc'
  api.script({ status: 201, json: { id: '987-abc', init_point: initPoint, sandbox_init_point: 'x' } })
  const preference = await gateway.createPreference({
    title: 'Cambio a Profesional',
    amountC: 32500n,
    externalReference: 'up:0198c0de',
    payerEmail: 'pago@ejemplo.mx',
    backUrl: 'https://horux360.example/pago',
    expiresAt: new Date('2026-05-07T18:00:00Z'),
  })
  assert.deepEqual(preference, { id: '987-abc', initPoint })
  const { path, body } = api.requests[0]!
  assert.equal(path, '/checkout/preferences/')
  const backUrl = 'https://horux360.example/pago'
  assert.deepEqual(body, {
    items: [{ id: 'up:0198c0de', title: 'Cambio a Profesional', quantity: 1, unit_price: 325, currency_id: 'MXN' }],
    external_reference: 'up:0198c0de',
    payer: { email: 'pago@ejemplo.mx' },
    back_urls: { success: backUrl, pending: backUrl, failure: backUrl },
    expires: true,
    expiration_date_to: '2026-05-07T18:00:00.000Z',
    date_of_expiration: '2026-05-07T18:00:00.000Z',
  })
})

test('a chargeback is read as the SDK types it and as the guide shows it', async () => {
  api.script({ json: { id: 'cb-1', payment_id: 107000000001, status: 'in_review', amount: 650.5, currency_id: 'MXN' } })
  assert.deepEqual(await gateway.getChargeback('cb-1'), {
    id: 'cb-1',
    status: 'in_review',
    rawStatus: 'in_review',
    paymentIds: ['107000000001'],
    amountC: 65050n,
    currency: 'MXN',
    dateCreated: null,
    lastUpdated: null,
  })
  const guide = { id: 'cb-1', payments: [107000000001, 107000000002], amount: 650.5, currency: 'MXN' }
  for (const [coverage, status] of [
    [null, 'new'],
    [true, 'won'],
    [false, 'lost'],
  ] as const) {
    api.script({ json: { ...guide, coverage_applied: coverage, date_last_updated: '2026-05-04T12:00:00.000-04:00' } })
    const read = await gateway.getChargeback('cb-1')
    assert.equal(read.status, status)
    assert.deepEqual(read.paymentIds, ['107000000001', '107000000002'])
    assert.equal(read.lastUpdated?.toISOString(), '2026-05-04T16:00:00.000Z')
  }
})

test('whose account it is, and whether it is of a test user', async () => {
  const real = { id: 987654321, nickname: 'HORUX360MX', email: 'cobros@ejemplo.mx', site_id: 'MLM', tags: ['normal'] }
  api.script({ json: real })
  const account = { id: '987654321', nickname: 'HORUX360MX', email: 'cobros@ejemplo.mx', siteId: 'MLM' }
  assert.deepEqual(await gateway.whoAmI(), { ...account, isTest: false })
  assert.equal(api.requests[0]?.path, '/users/me')
  for (const [changes, isTest] of [
    [{ nickname: 'TESTUSER1234567' }, true],
    [{ nickname: 'TEST_USER_1234' }, true],
    [{ nickname: 'TETE7654321' }, true],
    [{ nickname: 'TESTIGOS DE OAXACA' }, false],
    [{ tags: ['normal', 'test_user'] }, true],
    [{ test_data: { test_user: true } }, true],
    [{ email: 'test_user_123@testuser.com' }, true],
  ] as const) {
    api.script({ json: { ...real, ...changes } })
    assert.equal((await gateway.whoAmI()).isTest, isTest, JSON.stringify(changes))
  }
})
