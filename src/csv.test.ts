import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { csvLine, csvText } from './csv.ts'

const formulas = [
  '=1+1',
  '+1',
  '-1',
  '@SUM(A1)',
  '\t=1',
  '\r=1',
  '\n=1',
  '\0=1',
  ' =1',
  '"=1',
  "'=1",
  '＝1',
  '＋1',
  '－1',
  '＠A1',
  '−1',
  '\u202e=1',
  '%0A=1',
  '|calc',
]
for (const text of formulas)
  test(`${JSON.stringify(text)} is no formula any more`, () => {
    assert.match(csvText(text), /^'/)
  })

test('a line keeps what it says', () => {
  assert.equal(
    csvLine(['Ñandú, "S.A."', 'a\nb', null, undefined, 7, -7n, { decimal: '-1.50' }, true]),
    '"Ñandú, ""S.A.""",a b,,,7,-7,-1.50,sí\r\n',
  )
  assert.equal(csvLine(['a;b', ' orilla ', '😀', '\ud800x']), '"a;b"," orilla ",😀,�x\r\n')
})

test('what is called a decimal is one', () => {
  assert.throws(() => csvLine([{ decimal: '=1' }]), RangeError)
})

test('whatever the texts are, a line is one line of that many cells, and none begins like a formula', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary' }), { minLength: 1, maxLength: 5 }), (texts) => {
      const line = csvLine(texts)
      assert.ok(line.endsWith('\r\n') && !/[\r\n]/.test(line.slice(0, -2)))
      const cells = line.slice(0, -2).match(/("([^"]|"")*"|[^,"]*)(,|$)/g) as string[]
      assert.equal(cells.filter((cell, i) => cell !== '' || i === texts.length - 1).length >= 1, true)
      assert.doesNotMatch(line, /(^|,)"?[=+\-@\t\0]/)
    }),
    { numRuns: 2_000 },
  )
})
