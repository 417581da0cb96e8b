import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { parseKeyRing } from '../config.ts'
import { open, SealError, seal, sealedWith } from './seal.ts'

const old = `vieja:${randomBytes(32).toString('base64')}`
const fresh = `nueva-2026:${randomBytes(48).toString('base64')}`
const ring = (text: string) => parseKeyRing('BILLING_ENCRYPTION_KEY', text)
const CONTEXT = 'connector:019adb4e-0000-7000-8000-000000000001:access_token'
const TOKEN = 'APP_USR-7250000000000001-112800-ñ-123'

test('what was sealed opens, whatever its length, and no two sealings are alike', () => {
  const keys = ring(fresh)
  for (const secret of [TOKEN, '', 'x', 'ñ€😀', 'x'.repeat(100_000)])
    assert.equal(open(keys, seal(keys, secret, CONTEXT), CONTEXT), secret)
  const sealings = Array.from({ length: 200 }, () => seal(keys, TOKEN, CONTEXT).toString('hex'))
  assert.equal(new Set(sealings).size, sealings.length)
})

test('nothing of the secret or of its context shows in the sealed bytes', () => {
  const sealed = seal(ring(fresh), TOKEN, CONTEXT).toString('latin1')
  for (const piece of ['APP_USR', '7250000', 'connector', 'access']) assert.ok(!sealed.includes(piece), piece)
})

test('any other byte, anywhere, and it does not open', () => {
  const keys = ring(`${fresh},${old}`)
  const sealed = seal(keys, TOKEN, CONTEXT)
  for (let at = 0; at < sealed.length; at++)
    for (const bit of [1, 0x80]) {
      const changed = Buffer.from(sealed)
      changed[at] = (changed[at] as number) ^ bit
      assert.throws(() => open(keys, changed, CONTEXT), SealError, `byte ${at}`)
    }
})

test('bytes that were cut or added do not open, and a short tag is no tag', () => {
  const keys = ring(fresh)
  const sealed = seal(keys, TOKEN, CONTEXT)
  for (let length = 0; length < sealed.length; length++)
    assert.throws(() => open(keys, sealed.subarray(0, length), CONTEXT), SealError, `${length} bytes`)
  for (const more of [1, 4, 16])
    assert.throws(() => open(keys, Buffer.concat([sealed, Buffer.alloc(more)]), CONTEXT), SealError)
  assert.throws(() => open(keys, Buffer.from(TOKEN), CONTEXT), SealError)
})

test('it opens only as what it was sealed as', () => {
  const keys = ring(fresh)
  const sealed = seal(keys, TOKEN, CONTEXT)
  for (const other of [
    '',
    `${CONTEXT} `,
    CONTEXT.replace('access_token', 'webhook_secret'),
    CONTEXT.replace('1:', '2:'),
  ])
    assert.throws(() => open(keys, sealed, other), { name: 'SealError', reason: 'damaged' }, other)
})

test('the kid is bound too: the same key under another name does not open it', () => {
  const material = randomBytes(32).toString('base64')
  const sealed = seal(ring(`a1:${material}`), TOKEN, CONTEXT)
  const renamed = Buffer.from(sealed)
  renamed[3] = '2'.charCodeAt(0)
  assert.equal(sealedWith(renamed), 'a2')
  assert.throws(() => open(ring(`a2:${material}`), renamed, CONTEXT), { reason: 'damaged' })
})

test('a ring turns: what the old key sealed opens until that key leaves', () => {
  const before = seal(ring(old), TOKEN, CONTEXT)
  const turned = ring(`${fresh},${old}`)
  assert.equal(open(turned, before, CONTEXT), TOKEN)
  const after = seal(turned, TOKEN, CONTEXT)
  assert.deepEqual([sealedWith(before), sealedWith(after)], ['vieja', 'nueva-2026'])
  assert.throws(() => open(ring(fresh), before, CONTEXT), { reason: 'unknown_key', message: /vieja/ })
  assert.equal(open(ring(fresh), after, CONTEXT), TOKEN)
})

test('a failure tells neither the secret nor where it belongs', () => {
  const keys = ring(fresh)
  const sealed = seal(keys, TOKEN, CONTEXT)
  for (const failing of [
    () => open(ring(old), sealed, CONTEXT),
    () => open(keys, sealed, 'otro'),
    () => open(keys, Buffer.from(TOKEN), CONTEXT),
  ])
    assert.throws(failing, (error: Error) => !/APP_USR|connector/.test(`${error.stack}${JSON.stringify(error)}`))
})
