import assert from 'node:assert/strict'
import { test } from 'node:test'
import { storableBody, storableText } from './storable.ts'

test('text loses what PostgreSQL has no place for, and nothing else', () => {
  for (const [given, kept] of [
    ['payment.updated', 'payment.updated'],
    ['a\0b', 'a\ufffdb'],
    ['\ud800', '\ufffd'],
    ['x\udc00y', 'x\ufffdy'],
    ['ñ 😀', 'ñ 😀'],
    ['\\u0000 \\ud800', '\\u0000 \\ud800'],
  ] as const)
    assert.equal(storableText(given), kept)
})

test('a body is mended in its names and values, however they are nested', () => {
  const body = { 'a\0': ['\0', { b: '\udfff', n: 1, no: null, si: true }] }
  assert.deepEqual(storableBody(body), { 'a\ufffd': ['\ufffd', { b: '\ufffd', n: 1, no: null, si: true }] })
  assert.deepEqual(storableBody([1, 'x']), [1, 'x'])
})

test('what is no object, or has no end, is kept as nothing', () => {
  for (const body of [null, undefined, 7, 'x', true]) assert.deepEqual(storableBody(body), {})
  const nested = (levels: number): unknown => JSON.parse('['.repeat(levels) + ']'.repeat(levels))
  assert.deepEqual(storableBody(nested(100_000)), {})
  assert.deepEqual(storableBody({ a: nested(19) }), { a: nested(19) })
  assert.deepEqual(storableBody({ a: nested(20) }), {})
})
