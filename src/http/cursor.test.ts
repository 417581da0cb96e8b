import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { decodeCursor, encodeCursor, momento } from './cursor.ts'

const KEY = z.tuple([momento, z.int()])

test('a cursor gives back the key that it was made of', () => {
  const key = [new Date('2026-03-31T23:59:59.123Z').toISOString(), 7] as const
  assert.deepEqual(decodeCursor(encodeCursor(key), KEY), key)
})

test('a cursor that somebody made up is refused, whatever is in it', () => {
  const forged = [
    ['0000-01-01T00:00:00Z', 7], // PostgreSQL has no year 0
    ['2026-02-30T00:00:00Z', 7],
    ['infinity', 7],
    ['2026-03-31T00:00:00Z', '7'],
    ['2026-03-31T00:00:00Z'],
    [],
    [null, null],
  ]
  for (const key of forged.map((one) => encodeCursor(one as never)))
    assert.throws(() => decodeCursor(key, KEY), { code: 'request.invalid_cursor' })
  for (const text of ['x', '', 'bm8', Buffer.from('{"__proto__":1}').toString('base64url')])
    assert.throws(() => decodeCursor(text, KEY), { code: 'request.invalid_cursor' })
})
