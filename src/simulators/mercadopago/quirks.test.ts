import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mandate, openSimulator } from './open-simulator.ts'

const over = (change: Record<string, unknown>, recurring: Record<string, unknown> = {}) => mandate(change, recurring)
const LONG = 'x'.repeat(60)

test('a mandate is refused for the reasons MercadoPago refuses it, in its words', async (t) => {
  const { sim, call } = await openSimulator(t)
  const cases: [body: unknown, message: string | RegExp][] = [
    [over({ reason: `${LONG}x` }), 'reason has more than 60 characters'],
    [over({ reason: '' }), 'Invalid value for reason'],
    [over({ external_reference: undefined }), 'Invalid value for external_reference'],
    [over({ payer_email: 'ana' }), 'Invalid value for payer_email, must be a valid email'],
    [over({ payer_email: `test_user_${sim.state.account.id}@testuser.com` }), 'User bad request'],
    [over({ back_url: 'volver' }), 'Invalid value for back_url, must be a valid URL'],
    [over({ back_url: 'ftp://ejemplo.mx/x' }), 'Invalid value for back_url, must be a valid URL'],
    [over({ back_url: 'javascript:alert(1)' }), 'Invalid value for back_url, must be a valid URL'],
    [over({ back_url: 'http://intranet/x' }), 'Invalid value for back_url, must be a valid URL'],
    [over({ status: 'authorized' }), 'card_token_id is required'],
    [over({ preapproval_plan_id: 'plan' }), 'card_token_id is required'],
    [over({}, { frequency_type: 'years' }), /frequency_type/],
    [over({}, { frequency: 0 }), /frequency/],
    [over({}, { transaction_amount: 99.99 }), 'Cannot pay an amount lower than $ 100.00'],
    [over({}, { transaction_amount: 200_000.01 }), 'Cannot pay an amount greater than $ 200000.00'],
    [over({}, { transaction_amount: 650.555 }), /at most 2 decimals/],
    [over({}, { transaction_amount: '650.50' }), 'Invalid value for transaction_amount'],
    [over({}, { transaction_amount: -650 }), /lower than/],
    [over({}, { currency_id: 'ARS' }), 'Invalid value for currency_id'],
    [over({}, { start_date: 'mañana' }), 'Invalid value for start_date'],
    [over({}, { end_date: '2025-01-01T00:00:00.000-06:00' }), /end_date/],
    ['{', 'Invalid body'],
    ['[]', 'Invalid body'],
    ['null', 'Invalid body'],
  ]
  for (const [body, message] of cases) {
    const answer = await call('POST', '/preapproval', body)
    assert.equal(answer.status, 400, String(message))
    if (typeof message === 'string') assert.equal(answer.body.message, message)
    else assert.match(answer.body.message, message)
    assert.deepEqual(Object.keys(answer.body), ['message', 'error', 'status', 'cause'])
  }
  assert.equal(sim.state.preapprovals.size, 0)
})

test('the bounds themselves are fine, as are a number for a reference and our own host', async (t) => {
  const { call } = await openSimulator(t)
  for (const body of [
    over({ reason: LONG, external_reference: 7, back_url: 'http://127.0.0.1:3000/x' }, { transaction_amount: 100 }),
    over({ back_url: 'https://app.ejemplo.mx/x' }, { transaction_amount: 200_000 }),
  ])
    assert.equal((await call('POST', '/preapproval/', body)).status, 201)
})

test('real and test users do not mix', async (t) => {
  const { sim, call } = await openSimulator(t)
  const both = 'Both payer and collector must be real or test users'
  const asTest = over({ payer_email: 'test_user_123@testuser.com' })

  assert.equal((await call('POST', '/preapproval', asTest)).status, 201)
  sim.configure({ strict_payers: true })
  assert.equal((await call('POST', '/preapproval', over({}))).body.message, both)
  sim.setAccount({ nickname: 'HORUX360' })
  assert.equal((await call('POST', '/preapproval', over({}))).status, 201)
  assert.equal((await call('POST', '/preapproval', asTest)).body.message, both)
})

test('a cancelled mandate is final, and one that waits cannot be paused or authorised by us', async (t) => {
  const { sim, call, create, mandate: found } = await openSimulator(t)
  const id = await create()
  const put = (body: unknown) => call('PUT', `/preapproval/${id}`, body)

  assert.equal((await put({ status: 'paused' })).status, 400)
  assert.equal((await put({ status: 'authorized' })).body.message, 'card_token_id is required')
  assert.equal((await put({ status: 'canceled' })).status, 400)
  assert.equal(
    (await put({ auto_recurring: { transaction_amount: 700 } })).body.message,
    'Invalid value for currency_id',
  )
  assert.equal((await put({ reason: `${LONG}x` })).status, 400)
  assert.equal(found(id).version, 0)

  assert.deepEqual(
    [(await put({ external_reference: 'otra', reason: 'Otro' })).body.external_reference, found(id).reason],
    ['otra', 'Otro'],
  )
  sim.authorise(id)
  assert.equal((await put({ status: 'paused' })).body.status, 'paused')
  assert.equal((await put({ status: 'authorized' })).body.status, 'authorized')
  const cancelled = await put({ status: 'cancelled' })
  assert.deepEqual([cancelled.body.status, cancelled.body.next_payment_date], ['cancelled', null])
  for (const body of [{ status: 'authorized' }, { status: 'cancelled' }, { reason: 'x' }]) {
    const again = await put(body)
    assert.deepEqual([again.status, again.body.message], [400, 'You can not modify a cancelled preapproval.'])
  }
})

test('searching mandates ignores external_reference in silence and leaves rows incomplete', async (t) => {
  const { sim, call, create } = await openSimulator(t)
  const first = await create({ external_reference: 'a' })
  const second = await create({ external_reference: 'b', payer_email: 'luis@despacho.example', reason: 'Despacho' })
  sim.authorise(second)
  const search = async (query: string) => (await call('GET', `/preapproval/search?${query}`)).body
  const ids = async (query: string) => (await search(query)).results.map((row: { id: string }) => row.id)

  assert.deepEqual(await ids('external_reference=a'), [first, second])
  assert.deepEqual(await ids('status=authorized'), [second])
  assert.deepEqual(await ids('payer_email=ana%40muebles.example'), [first])
  assert.deepEqual(await ids('q=despacho'), [second])
  assert.deepEqual(await ids('sort=date_created:desc&limit=1'), [second])
  assert.deepEqual(await ids('offset=1'), [second])
  const [row] = (await search('status=authorized')).results
  assert.equal(row.next_payment_date, null)
  assert.equal(row.auto_recurring.free_trial, null)
  assert.notEqual((await call('GET', `/preapproval/${second}`)).body.next_payment_date, null)
  assert.equal((await call('GET', '/preapproval/search?limit=100')).status, 200)
  assert.equal((await call('GET', '/preapproval/search?limit=101')).status, 400)
  assert.equal((await call('GET', '/preapproval/search?offset=-1')).status, 400)
})

test('instalments come in pages of 12, and a limit above 15 is an error', async (t) => {
  const { sim, call, create } = await openSimulator(t)
  const id = await create({}, { frequency: 1, frequency_type: 'days' })
  sim.authorise(id)
  await sim.advance({ days: 20 })
  const search = (query: string) => call('GET', `/authorized_payments/search?${query}`)

  const page = (await search(`preapproval_id=${id}`)).body
  assert.deepEqual([page.results.length, page.paging], [12, { offset: 0, limit: 12, total: 21 }])
  assert.equal((await search(`preapproval_id=${id}&offset=12&limit=15`)).body.results.length, 9)
  const over = await search('limit=16')
  assert.deepEqual([over.status, over.body.message], [400, 'Invalid value for limit'])
  const { id: instalment, payment } = page.results[3]
  assert.deepEqual((await search(`payment_id=${payment.id}`)).body.results[0].id, instalment)
  assert.equal((await search('payer_id=1')).body.paging.total, 0)
})

test('searching payments: what it refuses, what it does not find, what it finds though it is not ours', async (t) => {
  const { sim, call, create } = await openSimulator(t)
  sim.authorise(await create())
  await sim.advance({ hours: 1 })
  const foreign = sim.addForeignPayment(19_900n)
  const search = (query: string) => call('GET', `/v1/payments/search?${query}`)
  const total = async (query: string) => (await search(query)).body.paging.total

  for (const name of ['preapproval_id', 'subscription_id', 'payer.email'])
    assert.equal((await search(`${name}=x`)).status, 400, name)
  assert.equal(await total('external_reference=sub-1'), 0)
  assert.equal(await total(''), 3)
  assert.equal(await total(`collector.id=${sim.state.account.id}`), 2)
  assert.equal(
    await total('status=approved&range=date_approved&begin_date=NOW-30MINUTES'.replace('30MINUTES', '1HOURS')),
    3,
  )
  assert.equal(await total('begin_date=2026-01-31T09:30:00.000-06:00&end_date=NOW'), 2)
  assert.equal((await search('begin_date=ayer')).status, 400)
  assert.equal((await search('range=x')).status, 400)
  const { results } = (await search('sort=date_created&criteria=desc&limit=1')).body
  assert.equal(String(results[0].id), foreign.id)
  const single = await call('GET', `/v1/payments/${foreign.id}`)
  assert.deepEqual([single.status, single.body.status, 'collector_id' in single.body], [200, 'approved', false])

  sim.configure({ index_payments: false })
  assert.equal(await total(''), 0)
  assert.equal((await call('GET', `/v1/payments/${foreign.id}`)).status, 200)
})

test('a refund needs its idempotency key, and the sandbox forbids it', async (t) => {
  const { sim, call, create, payments } = await openSimulator(t)
  sim.authorise(await create())
  await sim.advance({ hours: 1 })
  const at = `/v1/payments/${payments()[0]?.id}/refunds`
  const refund = (body: unknown, key: string) => call('POST', at, body, { 'x-idempotency-key': key })

  assert.match((await call('POST', at, {})).body.message, /X-Idempotency-Key/)
  sim.configure({ refund_forbidden: true })
  const forbidden = await refund({}, 'a')
  assert.deepEqual([forbidden.status, forbidden.body.error], [403, 'PA_UNAUTHORIZED_RESULT_FROM_POLICIES'])
  sim.configure({ refund_forbidden: false })
  for (const amount of [0, 650.51, -1, '10']) assert.equal((await refund({ amount }, `b${amount}`)).status, 400)
  assert.equal((await refund({ amount: 50 }, 'a')).status, 201)
  assert.equal((await refund({ amount: 50 }, 'a')).status, 201)
  assert.equal((await call('GET', at)).body.length, 1)
  const { id } = (await call('GET', at)).body[0]
  assert.equal((await call('GET', `${at}/${id}`)).body.amount, 50)
  assert.equal((await call('GET', `${at}/1`)).status, 404)
})

test('an idempotency key gives the same answer for a day, and a conflict to another request', async (t) => {
  const { sim, call } = await openSimulator(t)
  const post = (body: unknown, key = 'K1') => call('POST', '/preapproval', body, { 'x-idempotency-key': key })

  const first = await post(mandate())
  assert.equal((await post(mandate())).text, first.text)
  assert.equal((await post(mandate({ reason: 'Otro' }))).status, 409)
  const put = await call('PUT', `/preapproval/${first.body.id}`, mandate(), { 'x-idempotency-key': 'K1' })
  assert.equal(put.status, 409, 'a key that leaks into another call, as the SDK lets it')
  assert.equal(sim.state.preapprovals.size, 1)
  // What was refused is not remembered: the same key may try again.
  assert.equal((await post(mandate({ reason: '' }), 'K2')).status, 400)
  assert.equal((await post(mandate(), 'K2')).status, 201)

  await sim.advance({ days: 1 })
  assert.notEqual((await post(mandate())).body.id, first.body.id)
  sim.configure({ preapproval_idempotency: false })
  assert.notEqual((await post(mandate(), 'K3')).body.id, (await post(mandate(), 'K3')).body.id)
})

test('only the token opens the API, and the log of requests does not hold it', async (t) => {
  const { sim, call } = await openSimulator(t)
  for (const authorization of ['', 'Bearer otro', sim.accessToken]) {
    const answer = await call('GET', '/users/me', undefined, { authorization })
    assert.deepEqual([answer.status, answer.body.error], [401, 'unauthorized'])
  }
  await call('GET', '/users/me', undefined, { 'x-idempotency-key': 'visible' })
  const last = sim.requests().at(-1)
  assert.deepEqual(
    [last?.method, last?.path, last?.status, last?.headers['x-idempotency-key']],
    ['GET', '/users/me', 200, 'visible'],
  )
  assert.ok(!JSON.stringify(sim.requests()).includes(sim.accessToken))
})

test('an upper-case id reads the same mandate, and what is no resource is a 404', async (t) => {
  const { call, create } = await openSimulator(t)
  const id = await create()
  assert.equal((await call('GET', `/preapproval/${id.toUpperCase()}`)).body.id, id)
  for (const path of [
    '/v1/payments/123456',
    '/authorized_payments/1',
    '/v1/chargebacks/1',
    '/checkout/preferences/x',
    '/v2/x',
  ])
    assert.equal((await call('GET', path)).status, 404, path)
  assert.equal((await call('GET', '/v1/payments/%E0%A4%A')).status, 404)
  assert.equal((await call('PUT', '/preapproval/__proto__', {})).status, 404)
})
