import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fold } from './fold.ts'

test('accents, case, punctuation and spaces make no difference', () => {
  for (const [text, folded] of [
    ['JOSÉ  NÚÑEZ', 'jose nunez'],
    ['Jose\u0301 Nu\u0301n\u0303ez', 'jose nunez'],
    ['ÑAVEZ, S.A. de C.V.', 'navez s a de c v'],
    ['F-123', 'f 123'],
    ['F 123', 'f 123'],
    ['\u202eotxet\u202c ra\u200bro', 'otxet raro'],
    ['ÁRBOL 100% NATURAL_SA\\', 'arbol 100 natural sa'],
    ['ＡＢＣ１２３ ﬁn', 'abc123 fin'],
    ['İSTANBUL straße', 'istanbul straße'],
    ['🙂 \u0000 \ud800 \t\n', ''],
    ['中文 名', '中文 名'],
  ] as const)
    assert.equal(fold(text), folded, JSON.stringify(text))
})

test('folding what is folded changes nothing, and leaves nothing that LIKE reads as a pattern', () => {
  const holds = (text: string) => {
    const once = fold(text)
    assert.equal(fold(once), once)
    assert.match(once, /^([\p{L}\p{N}]+( [\p{L}\p{N}]+)*)?$/u)
  }
  for (let code = 0; code <= 0x1_0ffff; code += 97)
    holds(String.fromCodePoint(...Array.from({ length: 97 }, (_, i) => Math.min(code + i, 0x10_ffff))))
  fc.assert(fc.property(fc.string({ unit: 'binary' }), holds), { numRuns: 2_000 })
})

test('a megabyte of combining marks is folded at once', () => {
  const began = process.cpuUsage().user
  assert.equal(fold(`a${'\u0315\u0300'.repeat(500_000)}b`), 'ab')
  // The square of their number would be minutes.
  assert.ok(process.cpuUsage().user - began < 5_000_000)
})
