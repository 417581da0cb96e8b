import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { type SignatureRefusal, type SignedDelivery, verifySignature, type WebhookSecrets } from './signature.ts'

const SECRET = 'un-secreto-de-prueba-0001'
const OLD_SECRET = 'un-secreto-de-prueba-0000'
const SECRETS: WebhookSecrets = { current: SECRET, previous: OLD_SECRET }
const NOW = new Date('2026-05-04T18:00:00Z')
const SECONDS = String(NOW.getTime() / 1000)
const REQUEST_ID = 'b7f5c3a0-5f0e-4d0e-9d55-0d3e6c6f1a11'

/** HMAC of a manifest written out here, so that the verifier's own is not what it is measured by. */
const hmac = (manifest: string, secret = SECRET) => createHmac('sha256', secret).update(manifest).digest('hex')

interface Parts {
  id: string
  signedId: string
  requestId: string | null
  ts: string
  secret: string
  bodyDataId: unknown
}

function delivery(changes: Partial<Parts> = {}): SignedDelivery & { headers: Record<string, string> } {
  const parts: Parts = {
    id: '123456789',
    signedId: changes.id ?? '123456789',
    requestId: REQUEST_ID,
    ts: SECONDS,
    secret: SECRET,
    bodyDataId: changes.id ?? '123456789',
    ...changes,
  }
  const { id, signedId, requestId, ts, secret, bodyDataId } = parts
  const v1 = hmac(`id:${signedId};${requestId === null ? '' : `request-id:${requestId};`}ts:${ts};`, secret)
  const headers = { 'x-signature': `ts=${ts},v1=${v1}`, ...(requestId === null ? {} : { 'x-request-id': requestId }) }
  return { query: { 'data.id': id, type: 'payment' }, headers, bodyDataId }
}

const accepts = (given: SignedDelivery, secrets = SECRETS) => {
  const verdict = verifySignature(given, secrets, NOW)
  assert.ok(verdict.ok, JSON.stringify(verdict))
  return verdict
}
const refuses = (given: SignedDelivery, reason: SignatureRefusal, secrets = SECRETS) =>
  assert.deepEqual(verifySignature(given, secrets, NOW), { ok: false, reason })

// The table of billing.md 2.8; behind each what the SDK's WebhookSignatureValidator 3.6.1 says of it.

test('genuine, ts in seconds', () => {
  // SDK: accept
  assert.deepEqual(accepts(delivery()), {
    ok: true,
    dataId: '123456789',
    requestId: REQUEST_ID,
    signedAt: NOW,
    secret: 'current',
  })
})

test('genuine, ts in milliseconds', () => {
  // SDK with a tolerance: TimestampOutOfTolerance
  const verdict = accepts(delivery({ ts: String(NOW.getTime() - 1234) }))
  assert.equal(verdict.signedAt.toISOString(), '2026-05-04T17:59:58.766Z')
})

test('id in upper case in the address, signed in lower case', () => {
  // SDK: SignatureMismatch
  accepts(delivery({ id: '2C938084ABC', signedId: '2c938084abc' }))
})

test('id in upper case, signed as it is written', () => {
  accepts(delivery({ id: '2C938084ABC' }))
})

test('digest in upper case', () => {
  // SDK: SignatureMismatch
  const { query, headers, bodyDataId } = delivery()
  const header = (headers['x-signature'] ?? '').replace(/v1=.*/, (v1) => `v1=${v1.slice(3).toUpperCase()}`)
  accepts({ query, headers: { ...headers, 'x-signature': header }, bodyDataId })
})

test('id of the body another than the signed one of the query', () => {
  // SDK: accept, it never sees the body
  refuses(delivery({ bodyDataId: '987654321' }), 'body_query_mismatch')
})

test('an id that would write the next part of the manifest', () => {
  // SDK: accept
  const id = '1;request-id:x'
  refuses(delivery({ id, requestId: null }), 'bad_data_id')
})

test('ts an hour in the future', () => {
  // SDK with a wide tolerance: accept, it takes the absolute difference
  refuses(delivery({ ts: String(NOW.getTime() / 1000 + 3600) }), 'ts_in_future')
})

test('an empty secret configured and the sender signs with the empty key', () => {
  // SDK: accept
  refuses(delivery({ secret: '' }), 'missing_secret', { current: '', previous: null })
})

test('no data.id and no x-request-id, only ts signed', () => {
  // SDK: accept
  const headers = { 'x-signature': `ts=${SECONDS},v1=${hmac(`ts:${SECONDS};`)}` }
  refuses({ query: { type: 'payment' }, headers, bodyDataId: undefined }, 'bad_data_id')
})

// The order and the edges of our own.

test('a secret of fifteen characters is none, one of sixteen is one', () => {
  refuses(delivery({ secret: 'x'.repeat(15) }), 'missing_secret', { current: 'x'.repeat(15), previous: null })
  accepts(delivery({ secret: 'x'.repeat(16) }), { current: 'x'.repeat(16), previous: null })
})

test('the previous secret signs too and is told, unless it is empty', () => {
  assert.equal(accepts(delivery({ secret: OLD_SECRET })).secret, 'previous')
  assert.equal(accepts(delivery({ id: 'ABC', signedId: 'abc', secret: OLD_SECRET })).secret, 'previous')
  refuses(delivery({ secret: OLD_SECRET }), 'signature_mismatch', { current: SECRET, previous: null })
  refuses(delivery({ secret: '' }), 'signature_mismatch', { current: SECRET, previous: '' })
})

test('data.id given twice, empty, too long or not of its alphabet', () => {
  const { headers } = delivery()
  for (const id of [['1', '1'], ['1', '2'], [], '', 'x'.repeat(65), 'ñ', '1\n', ' 1', '1.0', '../1'])
    refuses({ query: { 'data.id': id }, headers, bodyDataId: '1' }, 'bad_data_id')
  accepts(delivery({ id: 'x'.repeat(64) }))
  accepts(delivery({ id: 'a-b_C9' }))
})

test('no signature header, or one of blanks', () => {
  const { query, bodyDataId } = delivery()
  for (const headers of [{}, { 'x-signature': '' }, { 'x-signature': '  ' }, { 'x-signature': [] }])
    refuses({ query, headers, bodyDataId }, 'missing_header')
})

test('a header without ts or v1, with one twice or of the wrong length', () => {
  const { query, bodyDataId } = delivery()
  const v1 = hmac(`id:123456789;request-id:${REQUEST_ID};ts:${SECONDS};`)
  const broken = [
    `v1=${v1}`,
    `ts=${SECONDS}`,
    `ts=${SECONDS},v1=`,
    `ts=,v1=${v1}`,
    `ts=${SECONDS}1,v1=${v1}`,
    `ts=-${SECONDS.slice(1)},v1=${v1}`,
    `ts=${SECONDS},v1=${v1.slice(1)}`,
    `ts=${SECONDS},v1=${v1}0`,
    `ts=${SECONDS},v1=${v1.slice(1)}g`,
    `ts=${SECONDS},v2=${v1}`,
    `ts=${SECONDS},ts=${SECONDS},v1=${v1}`,
    `ts=${SECONDS},v1=${v1},v1=${v1}`,
    [`ts=${SECONDS},v1=${v1}`, `ts=${SECONDS},v1=${v1}`],
    'nonsense',
  ]
  for (const header of broken)
    refuses({ query, headers: { 'x-signature': header, 'x-request-id': REQUEST_ID }, bodyDataId }, 'malformed_header')
})

test('parts in another order, with blanks and with one of a later version, are read', () => {
  const { query, bodyDataId } = delivery()
  const v1 = hmac(`id:123456789;request-id:${REQUEST_ID};ts:${SECONDS};`)
  const header = ` v2=abc , V1 = ${v1} , TS = ${SECONDS} `
  accepts({ query, headers: { 'x-signature': header, 'x-request-id': REQUEST_ID }, bodyDataId })
})

test('without x-request-id its part is left out of the manifest, and one that was signed cannot be dropped', () => {
  assert.equal(accepts(delivery({ requestId: null })).requestId, null)
  const { 'x-request-id': _, ...headers } = delivery().headers
  refuses({ ...delivery(), headers }, 'signature_mismatch')
  const added = delivery({ requestId: null })
  refuses({ ...added, headers: { ...added.headers, 'x-request-id': REQUEST_ID } }, 'signature_mismatch')
})

test('an x-request-id given twice or with a semicolon in it', () => {
  const given = delivery()
  refuses({ ...given, headers: { ...given.headers, 'x-request-id': [REQUEST_ID, REQUEST_ID] } }, 'malformed_header')
  refuses(delivery({ requestId: 'x;ts:1' }), 'malformed_header')
})

test('the id of the body may be a number, and nothing that only prints like one', () => {
  accepts(delivery({ bodyDataId: 123456789 }))
  for (const bodyDataId of [undefined, null, ['123456789'], { id: '123456789' }, 123456789n, '123456789 '])
    refuses(delivery({ bodyDataId }), 'body_query_mismatch')
})

test('a body that does not match is not told to somebody who cannot sign', () => {
  refuses(delivery({ secret: 'otro-secreto-de-prueba', bodyDataId: '1' }), 'signature_mismatch')
})

const at = (offsetMs: number) => String(NOW.getTime() + offsetMs)
const MINUTES_5 = 5 * 60_000
const DAYS_5 = 5 * 24 * 3_600_000
const ages: [string, string, SignatureRefusal | null][] = [
  ['five minutes ahead', at(MINUTES_5), null],
  ['a millisecond more', at(MINUTES_5 + 1), 'ts_in_future'],
  ['five days old', at(-DAYS_5), null],
  ['a millisecond older', at(-DAYS_5 - 1), 'ts_too_old'],
  ['five days old in seconds', String((NOW.getTime() - DAYS_5) / 1000), null],
  ['a second older', String((NOW.getTime() - DAYS_5) / 1000 - 1), 'ts_too_old'],
]
for (const [name, ts, reason] of ages) {
  test(`signed ${name}: ${reason ?? 'accepted'}`, () => {
    if (reason) refuses(delivery({ ts }), reason)
    else accepts(delivery({ ts }))
  })
}

test('any one character changed in what is signed, or in the digest, is refused', () => {
  const id = fc.stringMatching(/^[0-9a-z_-]{1,40}$/)
  const requestId = fc.stringMatching(/^[0-9a-f-]{8,40}$/)
  const place = fc.record({
    field: fc.constantFrom('id', 'requestId', 'ts', 'v1'),
    at: fc.nat(),
    with: fc.constantFrom(...'0123456789abcdef'),
  })
  fc.assert(
    fc.property(id, requestId, fc.boolean(), place, (id, requestId, inMs, { field, at, with: replacement }) => {
      const ts = inMs ? String(NOW.getTime()) : SECONDS
      const v1 = hmac(`id:${id};request-id:${requestId};ts:${ts};`)
      const genuine = { id, requestId, ts, v1 }
      const changed = { ...genuine, [field]: replaceAt(genuine[field as keyof typeof genuine], at, replacement) }
      const given = (parts: typeof genuine): SignedDelivery => ({
        query: { 'data.id': parts.id },
        headers: { 'x-signature': `ts=${parts.ts},v1=${parts.v1}`, 'x-request-id': parts.requestId },
        bodyDataId: parts.id,
      })
      assert.ok(verifySignature(given(genuine), SECRETS, NOW).ok)
      if (changed[field as keyof typeof changed] === genuine[field as keyof typeof genuine]) return
      assert.equal(verifySignature(given(changed), SECRETS, NOW).ok, false)
    }),
    { numRuns: 500 },
  )
})

function replaceAt(text: string, at: number, replacement: string): string {
  const index = at % text.length
  return text.slice(0, index) + replacement + text.slice(index + 1)
}

test('a string of anything as header never throws and is never accepted', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.anything(), (header, requestId, bodyDataId) => {
      const headers = { 'x-signature': header, 'x-request-id': requestId }
      assert.equal(verifySignature({ query: { 'data.id': '1' }, headers, bodyDataId }, SECRETS, NOW).ok, false)
    }),
  )
})
