import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { keptApart } from './kept-bytes.ts'

test('what is kept is what was given, whatever is kept after it, and holds nothing of a pool', () => {
  const given = Array.from({ length: 500 }, (_, i) => randomBytes((i * 97) % 3_000))
  const kept = given.map(keptApart)
  for (const [i, bytes] of kept.entries()) assert.deepEqual(bytes, given[i])
  assert.ok(new Set(kept.map(({ buffer }) => buffer)).size < 12, 'they lie side by side')
  const large = randomBytes(100_000)
  assert.equal(keptApart(large), large)
})
