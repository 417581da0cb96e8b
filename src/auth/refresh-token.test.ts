import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deviceIdOf, hashToken, newToken, openSuccessor, sealSuccessor } from './refresh-token.ts'

test('a successor opens under the token it was sealed for, and under nothing else', () => {
  const [presented, successor] = [newToken(), newToken()]
  const sealed = sealSuccessor(presented, successor)
  assert.equal(openSuccessor(presented, sealed), successor)
  assert.throws(() => openSuccessor(newToken(), sealed))
  assert.throws(() => openSuccessor(presented, sealed.subarray(0, sealed.length - 12)), 'a tag cut to four bytes')
  for (let i = 0; i < sealed.length; i += 1) {
    const altered = Buffer.from(sealed)
    altered[i] = (altered[i] as number) ^ 1
    assert.throws(() => openSuccessor(presented, altered))
  }
})

test('tokens are 256 bits, never the same, and neither hash nor device tells them', () => {
  const tokens = new Set(Array.from({ length: 1000 }, newToken))
  assert.equal(tokens.size, 1000)
  for (const token of [...tokens].slice(0, 10)) {
    assert.equal(Buffer.from(token, 'base64url').length, 32)
    assert.equal(hashToken(token).length, 32)
    assert.match(deviceIdOf(token), /^[\da-f]{8}-[\da-f]{4}-8[\da-f]{3}-a[\da-f]{3}-[\da-f]{12}$/)
    assert.equal(deviceIdOf(token), deviceIdOf(token))
  }
})
