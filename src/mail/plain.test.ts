import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { inert, plain } from './plain.ts'

test('a line is cleaned, cut and no longer than asked', () => {
  for (const [text, max, expected] of [
    ['  Muebles   &\tCía\r\nS.A. ', 80, 'Muebles & Cía S.A.'],
    ['a\u0000b\u202Ec\u2066d\uFEFFe\uD800f', 80, 'a bcdef'],
    ['Cafe\u0301', 80, 'Café'],
    ['e\u0301\u0301\u0301\u0301\u0301', 80, 'é\u0301\u0301'],
    ['!\u0000\u{33CBA}\u0000!', 80, '! !'],
    ['abcdef', 5, 'abcd…'],
    ['😀😀😀', 2, '😀…'],
    ['', 5, ''],
  ] as const)
    assert.equal(plain(text, max), expected)
})

test('cleaning what is clean changes nothing, with or without links made inert', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), fc.integer({ min: 1, max: 100 }), (text, max) => {
      const once = plain(text, max)
      assert.equal(plain(once, max), once)
      assert.equal(plain(inert(once), max), once)
      assert.ok([...once].length <= max)
      assert.ok(once.isWellFormed())
    }),
    { numRuns: 2_000 },
  )
})
