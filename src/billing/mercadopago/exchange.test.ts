import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { type Reply, startScriptedApi } from '../../../test/support/scripted-api.ts'
import { until } from '../../../test/support/until.ts'
import { AppError } from '../../errors.ts'
import { createLog } from '../../log.ts'
import { createBreaker } from '../../outbound/breaker.ts'
import { createPace } from '../../outbound/pace.ts'
import { setMercadoPagoUrl } from './base-url.ts'
import { createGateway } from './create-gateway.ts'
import { rejectionReasonOf } from './errors.ts'
import { type ExchangeOptions, PACE } from './exchange.ts'
import type { Gateway } from './gateway.ts'

// The SDK has one address per process, so one server answers all of this file, one test after the other.
const api = await startScriptedApi({ after })
setMercadoPagoUrl(api.url)

const TOKEN = 'APP_USR-1234-prueba'
const PREAPPROVAL = { id: 'abc', status: 'authorized' }
const OK: Reply = { json: PREAPPROVAL }
const status = (code: number, headers: Record<string, string> = {}): Reply => ({
  status: code,
  headers,
  json: { message: `answer ${code}`, status: code },
})

/** A gateway whose sleeps are written down, take no time and move its clock. */
function start(changes: Partial<ExchangeOptions> = {}) {
  const time = { ms: 0 }
  const now = () => time.ms
  const sleeps: number[] = []
  const lines: string[] = []
  const breaker = createBreaker({ now, clock: { now: () => new Date(Date.UTC(2026, 4, 4) + time.ms) } })
  const gateway = createGateway({
    accessToken: TOKEN,
    account: 'conector-1',
    log: createLog({ level: 'debug', service: 'test', destination: { write: (line) => void lines.push(line) } }),
    pace: createPace({ intervalMs: 0, now }),
    breaker,
    random: () => 0.999999999,
    async sleep(ms) {
      sleeps.push(ms)
      time.ms += ms
    },
    ...changes,
  })
  return { gateway, sleeps, lines, time, breaker }
}

const get = (gateway: Gateway) => gateway.getPreapproval('abc')
const create = (gateway: Gateway) =>
  gateway.createPreapproval({
    reason: 'Horux360',
    externalReference: 'hx-1-1',
    payerEmail: 'pago@ejemplo.mx',
    backUrl: 'https://horux360.example/pago',
    frecuencia: 'mensual',
    amountC: 65000n,
  })
const refund = (gateway: Gateway) => gateway.refundPayment('77', { amountC: null, idempotencyKey: 'clave-1' })
const preference = (gateway: Gateway) =>
  gateway.createPreference({
    title: 'Cambio de plan',
    amountC: 65000n,
    externalReference: 'up:1',
    payerEmail: 'pago@ejemplo.mx',
    backUrl: 'https://horux360.example/pago',
    expiresAt: new Date('2026-05-07T18:00:00Z'),
  })

async function failure(work: Promise<unknown>): Promise<AppError & { cause: Error }> {
  const error: unknown = await work.then(
    () => assert.fail('it succeeded'),
    (error: unknown) => error,
  )
  assert.ok(error instanceof AppError, String(error))
  return error as AppError & { cause: Error }
}

// What is asked again, and what is not.

const mendable: [string, Reply][] = [
  ['408', status(408)],
  ['423, a locked key', status(423)],
  ['424, a failed dependency', status(424)],
  ['429', status(429)],
  ['500', status(500)],
  ['502 with HTML', { status: 502, text: '<html>Bad Gateway</html>' }],
  ['503', status(503)],
  ['a hung up connection', 'cut'],
  ['HTML with 200', { text: '<html>Mantenimiento</html>' }],
  ['an empty body with 200', { text: '' }],
  ['null', { json: null }],
  ['a number', { json: 7 }],
  ['an array', { json: [] }],
  ['an answer without id', { json: { status: 'authorized' } }],
  ['an answer without status', { json: { id: 'abc' } }],
  ['an answer with an empty status', { json: { id: 'abc', status: '' } }],
  ['an answer about another', { json: { id: 'xyz', status: 'authorized' } }],
  ['204', { status: 204, text: '' }],
]
for (const [name, reply] of mendable) {
  test(`a GET that meets ${name} is asked again, and what comes then counts`, async () => {
    api.script(reply, OK)
    const { gateway, sleeps } = start()
    assert.equal((await get(gateway)).id, 'abc')
    assert.equal(api.requests.length, 2)
    assert.deepEqual(sleeps, [2_000])
  })
}

test('a search without results in its answer is asked again', async () => {
  api.script({ json: {} }, { json: { results: [] } })
  const { gateway } = start()
  await gateway.searchPreapprovals({})
  assert.equal(api.requests.length, 2)
})

const final: [number, string][] = [
  [400, 'gateway.rejected'],
  [401, 'gateway.unauthorized'],
  [403, 'gateway.rejected'],
  [404, 'gateway.not_found'],
  [409, 'gateway.rejected'],
  [422, 'gateway.rejected'],
]
for (const [code, expected] of final) {
  test(`${code} is final, for a GET and for a POST: ${expected}`, async () => {
    const { gateway, sleeps } = start()
    for (const call of [get, create]) {
      api.script(status(code))
      const error = await failure(call(gateway))
      assert.equal(error.code, expected)
      assert.match(error.cause.message, new RegExp(`HTTP ${code}: answer ${code}`))
      assert.equal(api.requests.length, 1)
    }
    assert.deepEqual(sleeps, [])
  })
}

test('a call is tried four times, each wait up to twice the one before', async () => {
  api.script(status(500))
  const { gateway, sleeps, lines } = start()
  const error = await failure(get(gateway))
  assert.equal(error.code, 'gateway.unavailable')
  assert.equal(error.kind, 'unavailable')
  assert.equal(api.requests.length, 4)
  assert.deepEqual(sleeps, [2_000, 4_000, 8_000])
  assert.equal(lines.filter((line) => line.includes('asking MercadoPago again')).length, 3)
})

test('the jitter is full: chance may make every wait nothing', async () => {
  api.script(status(500))
  const { gateway, sleeps } = start({ random: () => 0 })
  await failure(get(gateway))
  assert.deepEqual(sleeps, [0, 0, 0])
})

test('no wait is longer than thirty seconds', async () => {
  api.script(status(500), status(500), status(500), status(500), OK)
  const { gateway, sleeps } = start({ retries: 6, breaker: createBreaker({ failures: 100 }) })
  await get(gateway)
  assert.deepEqual(sleeps, [2_000, 4_000, 8_000, 16_000])
  api.script(...Array.from({ length: 6 }, () => status(500)), OK)
  await get(gateway)
  assert.deepEqual(sleeps.slice(-2), [30_000, 30_000])
})

test('Retry-After of a 429 is waited for, up to the longest wait', async () => {
  api.script(status(429, { 'retry-after': '7' }), status(429, { 'retry-after': '3600' }), OK)
  const { gateway, sleeps } = start({ random: () => 0 })
  await get(gateway)
  assert.deepEqual(sleeps, [7_000, 30_000])
})

test('a Retry-After that is nonsense is as none', async () => {
  api.script(status(429, { 'retry-after': 'mañana' }), status(429, { 'retry-after': '-5' }), OK)
  const { gateway, sleeps } = start({ random: () => 0 })
  await get(gateway)
  assert.deepEqual(sleeps, [0, 0])
})

test('who gives up on a 429 tells how long to wait', async () => {
  api.script(status(429, { 'retry-after': '40' }))
  const { gateway } = start({ retries: 0 })
  assert.equal((await failure(get(gateway))).retryAfterS, 40)
})

test('an answer that stays unusable is told as such', async () => {
  api.script({ text: '<html></html>' })
  const { gateway } = start()
  const error = await failure(get(gateway))
  assert.equal(error.code, 'gateway.unusable_answer')
  assert.equal(api.requests.length, 4)
})

test('a change is asked again, with the same absolute value', async () => {
  api.script('cut', OK)
  const { gateway } = start()
  await gateway.updatePreapproval('abc', { amountC: 65000n })
  assert.deepEqual(api.requests[0]?.body, api.requests[1]?.body)
})

test('a cancellation whose answer was lost succeeds when the next try finds it done', async () => {
  const cancelled = { json: { ...PREAPPROVAL, status: 'cancelled' } }
  api.script('cut', { status: 400, json: { message: 'You can not modify a cancelled preapproval.' } }, cancelled)
  const { gateway } = start()
  assert.equal((await gateway.updatePreapproval('abc', { status: 'cancelled' })).status, 'cancelled')
  assert.deepEqual(
    api.requests.map(({ method }) => method),
    ['PUT', 'PUT', 'GET'],
  )
})

test('a refund is asked again with its own key', async () => {
  api.script(status(500), 'cut', { json: { id: 5, amount: 1, status: 'approved' } })
  const { gateway } = start()
  await refund(gateway)
  assert.deepEqual(
    api.requests.map(({ headers }) => headers['x-idempotency-key']),
    ['clave-1', 'clave-1', 'clave-1'],
  )
})

const lost: [string, Reply][] = mendable.filter(([name]) => name !== '429' && name !== 'an answer about another')
for (const [name, reply] of lost) {
  test(`a new mandate that meets ${name} is never asked for again: its answer is lost`, async () => {
    api.script(reply, { status: 201, json: PREAPPROVAL })
    const { gateway, sleeps } = start()
    assert.equal((await failure(create(gateway))).code, 'gateway.lost_answer')
    assert.equal(api.requests.length, 1)
    assert.deepEqual(sleeps, [])
  })
}

test('a new mandate that was made and cannot be read is not forgotten either', async () => {
  api.script({ status: 201, json: { ...PREAPPROVAL, auto_recurring: { transaction_amount: 10.005 } } })
  const { gateway } = start()
  assert.equal((await failure(create(gateway))).code, 'gateway.lost_answer')
})

test('a new mandate refused with 429 was not made, and is not asked for again', async () => {
  api.script(status(429), { status: 201, json: PREAPPROVAL })
  const { gateway } = start()
  assert.equal((await failure(create(gateway))).code, 'gateway.unavailable')
  assert.equal(api.requests.length, 1)
})

test('a page for one payment is not asked for again, and a lost one is no mystery', async () => {
  api.script(status(500), { status: 201, json: { id: '1', init_point: 'https://www.mercadopago.com.mx/x' } })
  const { gateway } = start()
  assert.equal((await failure(preference(gateway))).code, 'gateway.unavailable')
  assert.equal(api.requests.length, 1)
})

// The time a call may take: enough for what is answered at once, on a busy machine too.
const DEADLINE_MS = 1_500

test('a body that stalls is left at our deadline, which the SDK has not', async () => {
  api.script('stall', OK)
  const { gateway } = start({ deadlineMs: DEADLINE_MS, retries: 0 })
  const error = await failure(get(gateway))
  assert.equal(error.code, 'gateway.unavailable')
  assert.match(error.cause.message, /no whole answer within 1500 ms/)
})

test('a stalled answer to a new mandate is a lost one', async () => {
  api.script('stall')
  const { gateway } = start({ deadlineMs: DEADLINE_MS })
  assert.equal((await failure(create(gateway))).code, 'gateway.lost_answer')
})

test('no answer at all meets it too, and is asked again', async () => {
  api.script('hang', OK)
  const { gateway, lines } = start({ deadlineMs: DEADLINE_MS })
  assert.equal((await get(gateway)).id, 'abc')
  assert.equal(api.requests.length, 2)
  assert.match(lines.join(), /network: no whole answer within 1500 ms/)
})

// What comes, and how it ends.

const large = (pad: string) => Buffer.from(JSON.stringify({ ...PREAPPROVAL, pad }))
const closing = (body: Buffer, header = '') =>
  ({
    raw: Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n${header}\r\n`), body]),
  }) as const
const NOISE = randomBytes(512 * 1024).toString('base64')

test('a megabyte that ends with its connection is read when whole, and asked again when not', async () => {
  const whole = large(NOISE + NOISE.slice(0, 400_000))
  assert.ok(whole.length > 1_000_000)
  for (const header of ['', `content-length: ${whole.length}\r\n`]) {
    api.script(closing(whole, header))
    assert.equal((await get(start().gateway)).id, 'abc')
    assert.equal(api.requests.length, 1)
    api.script(closing(whole.subarray(0, 500_000), header), OK)
    assert.equal((await get(start().gateway)).id, 'abc')
    assert.equal(api.requests.length, 2)
  }
})

// Read by fetch alone this ends the process: unzipping lags behind, and then the connection ends.
test('a zipped answer, which nobody asked for, is none', async () => {
  const bomb = gzipSync(large('0'.repeat(64 * 1024 ** 2)))
  for (const zipped of [gzipSync(large(NOISE)), bomb]) {
    api.script(closing(zipped, 'content-encoding: gzip\r\n'), OK)
    const { gateway, lines } = start()
    assert.equal((await get(gateway)).id, 'abc')
    assert.equal(api.requests[0]?.headers['accept-encoding'], 'identity')
    assert.match(lines.join(), /network: encoded as gzip/)
  }
})

test('an answer of more than eight megabytes is not read to its end', async () => {
  api.script({ json: { ...PREAPPROVAL, pad: 'x'.repeat(9 * 1024 ** 2) } }, OK)
  const { gateway, lines } = start()
  assert.equal((await get(gateway)).id, 'abc')
  assert.match(lines.join(), /network: more than 8388608 bytes/)
})

test('past its deadline a call has ended there too', async () => {
  const gone = api.nextClosed()
  api.script('stall')
  await failure(get(start({ deadlineMs: DEADLINE_MS, retries: 0 }).gateway))
  await gone
})

test('an answer that sends us elsewhere is not followed: what we ask is for nobody there', async (t) => {
  const elsewhere = await startScriptedApi(t)
  elsewhere.script(OK)
  for (const [code, call, expected] of [
    [302, get, 'gateway.unavailable'],
    [307, create, 'gateway.lost_answer'],
    [308, refund, 'gateway.unavailable'],
  ] as const) {
    api.script(status(code, { location: `${elsewhere.url}/v1/payments/7` }))
    assert.equal((await failure(call(start({ retries: 0 }).gateway))).code, expected, `${code}`)
  }
  api.script(status(302, { location: '/otra' }))
  await failure(get(start({ retries: 0 }).gateway))
  assert.deepEqual([elsewhere.requests.length, api.requests.length], [0, 1])
})

// The breaker.

test('five failed tries in a row open it, and then nobody is asked', async () => {
  api.script(status(500))
  const { gateway, lines } = start()
  await failure(get(gateway))
  const second = await failure(get(gateway))
  assert.equal(second.code, 'gateway.unavailable')
  assert.equal(second.retryAfterS, 60)
  assert.equal(api.requests.length, 5)

  for (const call of [get, create, refund]) {
    const error = await failure(call(gateway))
    assert.equal(error.code, 'gateway.breaker_open')
    assert.equal(error.retryAfterS, 60)
  }
  assert.equal(api.requests.length, 5)
  const stats = gateway.stats()
  assert.equal(stats.account, 'conector-1')
  assert.equal(stats.breaker, 'open')
  assert.deepEqual([stats.calls, stats.failures, stats.consecutiveFailures], [5, 5, 5])
  assert.ok(stats.unreachableSince)
  assert.equal(lines.filter((line) => line.includes('mercadopago_down')).length, 1)
})

test('who is refused by it takes nobody else a turn', async () => {
  let turns = 0
  api.script(status(500))
  const { gateway } = start({ retries: 0, pace: { turn: async () => void turns++, waitMs: () => 0 } })
  for (let n = 0; n < 7; n++) await failure(get(gateway))
  assert.equal(turns, 5)
})

test('one probe after a minute closes it', async () => {
  const { gateway, time } = start({ retries: 0 })
  api.script(status(503))
  for (let n = 0; n < 5; n++) await failure(get(gateway))
  api.script(OK)
  time.ms += 59_999
  assert.equal((await failure(get(gateway))).code, 'gateway.breaker_open')
  time.ms += 1
  // Two at once: one is the probe, the other is not let through.
  const [probe, other] = await Promise.allSettled([get(gateway), get(gateway)])
  assert.equal(probe.status, 'fulfilled')
  assert.equal(other.status, 'rejected')
  assert.equal(api.requests.length, 1)
  assert.equal(gateway.stats().breaker, 'closed')
  assert.equal(gateway.stats().unreachableSince, null)
  await get(gateway)
})

test('a probe that fails is not repeated, the minute begins again, and nobody is called a second time', async () => {
  const { gateway, time, lines } = start()
  api.script(status(503))
  await failure(get(gateway))
  await failure(get(gateway))
  const before = api.requests.length
  time.ms += 60_000
  assert.equal((await failure(get(gateway))).retryAfterS, 60)
  assert.equal(api.requests.length, before + 1)
  assert.equal(gateway.stats().breaker, 'open')
  assert.equal(lines.filter((line) => line.includes('mercadopago_down')).length, 1)
})

test('refusals do not open it, and break a row of failures', async () => {
  const { gateway } = start({ retries: 0 })
  for (const code of [400, 401, 403, 404, 409, 422]) {
    api.script(status(code))
    await failure(get(gateway))
  }
  assert.equal(gateway.stats().consecutiveFailures, 0)
  for (const code of [500, 500, 500, 500, 404, 500, 500, 500, 500]) {
    api.script(status(code))
    await failure(get(gateway))
  }
  assert.equal(gateway.stats().breaker, 'closed')
})

test('one payment that cannot be read does not open it for all, however often it is asked', async () => {
  api.script({ json: { id: '7', status: 'approved', transaction_amount: 10.005 } })
  const { gateway, lines } = start()
  for (let n = 0; n < 6; n++) assert.equal((await failure(gateway.getPayment('7'))).code, 'gateway.unreadable_answer')
  assert.equal(gateway.stats().breaker, 'closed')
  assert.ok(lines.some((line) => line.includes('mercadopago_unreadable') && line.includes('transaction_amount')))
})

test('gateways of one connector share its breaker', async () => {
  api.script(status(500))
  const { gateway, breaker } = start({ retries: 0 })
  for (let n = 0; n < 5; n++) await failure(get(gateway))
  const another = start({ breaker, retries: 0 })
  assert.equal((await failure(get(another.gateway))).code, 'gateway.breaker_open')
})

// The turns.

test('calls of one account go out in the order of asking, 350 ms apart, tries included', async () => {
  const time = { ms: 0 }
  const turns: number[] = []
  const pace = createPace({
    ...PACE,
    now: () => time.ms,
    // By the end of a wait those before have arrived.
    async sleep(ms) {
      const before = turns.push(ms)
      await until(() => api.requests.length >= before)
    },
  })
  api.script(status(500), OK)
  const { gateway } = start({ pace })
  await get(gateway)
  await Promise.all([gateway.updatePreapproval('abc', { status: 'paused' }), get(gateway)])
  assert.deepEqual(turns, [350, 700, 1_050])
  assert.deepEqual(
    api.requests.map(({ method }) => method),
    ['GET', 'GET', 'PUT', 'GET'],
  )
})

// What errors tell, and what they do not.

const refusals: [string, string][] = [
  ['You can not modify a cancelled preapproval.', 'already_cancelled'],
  ['Both payer and collector must be real or test users', 'both_real_or_test'],
  ['User bad request', 'payer_email_mismatch'],
  ['payer_email does not match the logged in user', 'payer_email_mismatch'],
  ['reason has more than 60 characters', 'reason_too_long'],
  ['Invalid value for back_url, must be a valid URL', 'invalid_back_url'],
  ['Invalid value for back url', 'invalid_back_url'],
  ['Cannot pay an amount lower than $ 100.00', 'amount_out_of_range'],
  ['Cannot pay an amount greater than $ 200000.00', 'amount_out_of_range'],
  ['card_token_id is required', 'card_token_required'],
  ['Parameters passed are invalid', 'other'],
]
for (const [message, reason] of refusals) {
  test(`«${message}» is ${reason}`, async () => {
    api.script({ status: 400, json: { message, status: 400 } })
    const { gateway } = start()
    const error = await failure(create(gateway))
    assert.equal(error.code, 'gateway.rejected')
    assert.equal(rejectionReasonOf(error), reason)
    assert.equal(error.cause.message, `HTTP 400: ${message}`)
    assert.notEqual(error.mensaje, '')
  })
}

test('the reason is found in the causes too, and other failures have none', async () => {
  const cause = [{ code: 'x', description: 'card_token_id is required' }]
  api.script({ status: 400, json: { message: 'bad_request', cause } })
  const { gateway } = start()
  assert.equal(rejectionReasonOf(await failure(create(gateway))), 'card_token_required')
  api.script(status(409))
  assert.equal(rejectionReasonOf(await failure(refund(gateway))), 'idempotency_conflict')
  api.script(status(403))
  assert.equal(rejectionReasonOf(await failure(refund(gateway))), 'forbidden')
  api.script(status(404))
  assert.equal(rejectionReasonOf(await failure(get(gateway))), undefined)
  assert.equal(rejectionReasonOf(new Error('gateway.rejected')), undefined)
})

test('the access token is in no error and in no line of the log, even when MercadoPago repeats it', async () => {
  const { gateway, lines } = start({ breaker: createBreaker({ failures: 2 }) })
  const errors: AppError[] = []
  for (const code of [400, 401, 500]) {
    api.script({ status: code, json: { message: `invalid token ${TOKEN}`, error: TOKEN, cause: [{ code: TOKEN }] } })
    errors.push(await failure(get(gateway)))
  }
  api.script('cut')
  errors.push(await failure(get(gateway)))
  const told = errors.map((error) => [error.message, error.stack, String(error.cause), JSON.stringify(error)].join())
  assert.ok(!told.join().includes(TOKEN))
  assert.ok(lines.length > 0)
  assert.ok(!lines.join().includes(TOKEN))
})
