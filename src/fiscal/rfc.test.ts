import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { AppError } from '../errors.ts'
import { databaseName, hasCheckDigit, isGenericRfc, isRfc, parseRfc, rfcOfDatabase } from './rfc.ts'

const READ: [given: string, rfc: string][] = [
  ['EKU9003173C9', 'EKU9003173C9'],
  ['  eku9003173c9\n', 'EKU9003173C9'],
  ['xiqb891116qe4', 'XIQB891116QE4'],
  ['oño120726rx3', 'OÑO120726RX3'],
  ['on\u0303o120726rx3', 'OÑO120726RX3'], // decomposed, as macOS file names bring it
  ['h&e951128469', 'H&E951128469'],
  ['AAA000229AAA', 'AAA000229AAA'], // 29 February 2000
  ['XAXX010101000', 'XAXX010101000'],
]
for (const [given, rfc] of READ) {
  test(`${JSON.stringify(given)} is the RFC ${rfc}`, () => assert.equal(parseRfc(given), rfc))
}

const REFUSED = [
  '',
  'NO VALIDO',
  'EKU9003173C', // short
  'EKU9003173C99', // long for a company, and 003173 is no date for a person
  'EKU9013173C9', // month 13
  'EKU9002303C9', // 30 February
  'EKU0102293C9', // 29 February 2001
  'EKU9000103C9', // month 0
  'EKU9001003C9', // day 0
  'EKU9003173CB', // the check digit is 0-9 or A
  'ÉKU9003173C9',
  'ＥKU9003173C9', // full-width E
  "EKU9003173C9'; drop database x; --",
  'EKU9003173C9\u0000',
]
for (const given of REFUSED) {
  test(`${JSON.stringify(given)} is refused as an RFC`, () => {
    assert.throws(() => parseRfc(given), { code: 'rfc.invalid', kind: 'invalid' })
  })
}

test('a text that is far too long is refused before it costs anything', () => {
  const started = process.cpuUsage()
  // Putting marks in canonical order takes the square of their number: a million of them took minutes.
  const marks = `a${'\u0301\u0327'.repeat(500_000)}`
  for (const text of [marks, `EKU9003173C9${marks}`, `${' '.repeat(1_000_000)}EKU9003173C9 ${marks}`])
    assert.throws(() => parseRfc(text), { code: 'rfc.invalid' })
  const { user, system } = process.cpuUsage(started)
  assert.ok(user + system < 1_000_000, `${user + system} µs`)
})

test('the refusal never repeats control characters or a long text', () => {
  const error = captured(() => parseRfc(`\u001b[31m\u0000<script>${'x'.repeat(10_000)}`))
  assert.match(error.mensaje, /^[\p{L}\p{N}&« »?. _-]{1,80}$/u)
})

test('generic RFCs are RFCs and have no database', () => {
  for (const rfc of ['XAXX010101000', 'XEXX010101000']) {
    assert.ok(isGenericRfc(parseRfc(rfc)))
    assert.throws(() => databaseName(rfc.toLowerCase()), { code: 'rfc.generic', kind: 'rejected' })
    assert.equal(rfcOfDatabase(`horux_${rfc.toLowerCase()}`), undefined)
  }
})

test('database names of known RFCs', () => {
  assert.equal(databaseName('EKU9003173C9'), 'horux_eku9003173c9')
  assert.equal(databaseName('OÑO120726RX3'), 'horux_o_no120726rx3')
  assert.equal(databaseName('H&E951128469'), 'horux_h_ye951128469')
  assert.equal(databaseName('on\u0303o120726rx3'), databaseName('OÑO120726RX3'))
})

test('names of ours for other things are no company', () => {
  const names = [
    'horux_central',
    'horux_tpl_base',
    'horux_tpl_0123456789ab',
    'horux_deleted_eku9003173c9_20260101000000',
  ]
  for (const name of [...names, 'postgres', 'horux_EKU9003173C9', 'horux_oño120726rx3', 'horux_']) {
    assert.equal(rfcOfDatabase(name), undefined, name)
  }
})

// Full of ñ and &: those are the letters a careless name would lose.
const letters = fc.string({ unit: fc.constantFrom('Ñ', '&', 'N', 'Y', 'A', 'Z'), minLength: 3, maxLength: 4 })
const digits = fc.integer({ min: 0, max: 36_524 }).map((days) => {
  const date = new Date(Date.UTC(1950, 0, 1) + days * 86_400_000)
  return date.toISOString().slice(2, 10).replaceAll('-', '')
})
const tail = fc.string({ unit: fc.constantFrom('A', '0', '9', 'Z'), minLength: 2, maxLength: 2 })
const rfcs = fc.tuple(letters, digits, tail, fc.constantFrom('A', '0', '7')).map((parts) => parts.join(''))

test('property: a name decodes to its RFC, is plain ASCII and fits in 63 bytes with room for every suffix', () => {
  fc.assert(
    fc.property(rfcs, (rfc) => {
      assert.ok(isRfc(rfc), rfc)
      const name = databaseName(rfc)
      assert.match(name, /^horux_[a-z0-9_]{12,17}$/)
      assert.equal(rfcOfDatabase(name), rfc)
      assert.ok(Buffer.byteLength(`horux_deleted_${name.slice(6)}_20260101000000`) <= 46)
      assert.equal(databaseName(` ${rfc.normalize('NFD').toLowerCase()} `), name)
    }),
    { numRuns: 5_000 },
  )
})

test('property: two RFCs never share a database', () => {
  fc.assert(
    fc.property(fc.uniqueArray(rfcs, { minLength: 50, maxLength: 400 }), (many) => {
      assert.equal(new Set(many.map(databaseName)).size, many.length)
    }),
    { numRuns: 100 },
  )
})

test('property: any text is read as an RFC or refused with rfc.invalid, nothing else', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      try {
        assert.ok(isRfc(parseRfc(text)))
      } catch (error) {
        assert.ok(error instanceof AppError && error.code === 'rfc.invalid')
      }
    }),
  )
})

function captured(work: () => unknown): AppError {
  try {
    work()
  } catch (error) {
    if (error instanceof AppError) return error
  }
  throw new Error('an AppError was expected')
}

test('the check digit follows from the other characters, and the generic RFCs are beyond it', () => {
  // Of SAT's test certificates and of public companies: letters, ñ and &, twelve characters and thirteen, digits 0 and A.
  const right =
    'EKU9003173C9 URE180429TM6 XIQB891116QE4 H&E951128469 OÑO120726RX3 IIA040805DZ4 SAT970701NN3 XAXX010101000'
  for (const rfc of right.split(' ')) assert.ok(hasCheckDigit(rfc), rfc)
  for (const rfc of ['EKU9003173C8', 'EKU9003713C9', 'AAA010101AAA', 'URE180429TM0'])
    assert.ok(!hasCheckDigit(rfc), rfc)
})
