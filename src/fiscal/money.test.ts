import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import {
  compareDecimals,
  formatCentavos,
  formatDecimal,
  ONE,
  parseCentavos,
  parseDecimal,
  roundToPesos,
  subtract,
  sumDecimals,
  toCentavos,
} from './money.ts'

const d = (text: string) => parseDecimal(text, { digits: 18, places: 10 })

test('decimals are read exactly and written in one way', () => {
  const cases: [string, string][] = [
    ['0', '0'],
    ['0.00', '0'],
    ['11600.00', '11600'],
    ['.16', '0.16'],
    ['5.', '5'],
    ['0.1600000000', '0.16'],
    ['00012.50', '12.5'],
    ['0.0531869529', '0.0531869529'],
    ['999999999999999999.123456', '999999999999999999.123456'],
  ]
  for (const [text, expected] of cases) assert.equal(formatDecimal(d(text)), expected, text)
})

test('what is not a plain decimal is refused', () => {
  const texts = [
    '',
    ' ',
    '.',
    '-1',
    '+1',
    '1e3',
    '1E+30',
    'NaN',
    'Infinity',
    '1,000.00',
    '1 ',
    ' 1',
    '0x10',
    '1_000',
    '١',
    '１',
    '1.2.3',
    '--1',
    '-0',
  ]
  for (const text of texts) assert.throws(() => parseDecimal(text), RangeError, JSON.stringify(text))
  assert.throws(() => parseDecimal('1234567890123'), RangeError, 'thirteen digits')
  assert.throws(() => parseDecimal('0.1234567'), RangeError, 'seven places')
  assert.doesNotThrow(() => parseDecimal('0.12345600'), 'zeros at the end are not places')
})

test('a text no number is written in is refused before it costs anything', () => {
  const started = process.cpuUsage()
  for (const text of [`0.${'0'.repeat(5_000_000)}1`, '0'.repeat(5_000_000), `1.${'0'.repeat(101)}`])
    assert.throws(() => parseDecimal(text), RangeError)
  const { user, system } = process.cpuUsage(started)
  assert.ok(user + system < 1_000_000, `${user + system} µs`)
  assert.doesNotThrow(() => parseDecimal(`1.${'0'.repeat(98)}`))
})

test('as many terms as a document may have are added up', () => {
  assert.equal(formatDecimal(sumDecimals(Array.from({ length: 200_000 }, () => d('0.01')))), '2000')
})

test('rounding happens once, half a centavo away from zero', () => {
  assert.equal(toCentavos([d('0.004999')]), 0n)
  assert.equal(toCentavos([d('0.005')]), 1n)
  assert.equal(toCentavos([d('1.005')]), 101n) // 1.005 as a double is 1.00499999999999989…
  assert.equal(toCentavos([{ units: -1005n, places: 3 }]), -101n)
  assert.equal(toCentavos([{ units: -1004n, places: 3 }]), -100n)
})

test('foreign currency: the amount over EquivalenciaDR times TipoCambioP', () => {
  // 600.36 USD paid in pesos, 0.0531869529 USD per peso: 600.36 / 0.0531869529 = 11287.7306799…
  assert.equal(formatCentavos(toCentavos([d('600.36'), ONE], [d('0.0531869529')])), '11287.73')
  // 160.00 USD paid in dollars at 18.9011: 160 × 18.9011 = 3024.176
  assert.equal(formatCentavos(toCentavos([d('160'), d('18.9011')], [ONE])), '3024.18')
  // Rounding in between would lose a centavo: 100 / 3 = 33.33, × 3 = 99.99; exact: 100.00
  assert.equal(formatCentavos(toCentavos([d('100'), d('3')], [d('3')])), '100.00')
  assert.throws(() => toCentavos([ONE], [d('0.00')]), RangeError)
})

test('money is written with two places and read back', () => {
  const cases: [bigint, string][] = [
    [0n, '0.00'],
    [7n, '0.07'],
    [-7n, '-0.07'],
    [-100n, '-1.00'],
    [123450n, '1234.50'],
    [34799999997n, '347999999.97'],
  ]
  for (const [centavos, text] of cases) {
    assert.equal(formatCentavos(centavos), text)
    assert.equal(parseCentavos(text), centavos)
  }
  assert.equal(parseCentavos('12'), 1200n)
  assert.equal(parseCentavos('12.500000'), 1250n)
  assert.throws(() => parseCentavos('12.505'), RangeError)
})

test('CFF art. 20: 1 to 50 centavos go to the lower peso, 51 to 99 to the upper', () => {
  const cases: [string, string][] = [
    ['0.00', '0.00'],
    ['0.01', '0.00'],
    ['0.50', '0.00'],
    ['0.51', '1.00'],
    ['1931.82', '1932.00'],
    ['5635.02', '5635.00'],
    ['2400.50', '2400.00'],
    ['2400.99', '2401.00'],
  ]
  for (const [amount, pesos] of cases) assert.equal(formatCentavos(roundToPesos(parseCentavos(amount))), pesos, amount)
  assert.throws(() => roundToPesos(-1n), RangeError)
})

const decimals = fc.record({ units: fc.bigInt({ min: 0n, max: 10n ** 24n }), places: fc.integer({ min: 0, max: 6 }) })

test('property: format and parse are inverse', () => {
  fc.assert(
    fc.property(decimals, (value) => {
      const back = parseDecimal(formatDecimal(value), { digits: 25, places: 6 })
      assert.equal(compareDecimals(back, value), 0)
      assert.equal(formatDecimal(back), formatDecimal(value))
    }),
  )
  fc.assert(
    fc.property(fc.bigInt({ min: -(10n ** 24n), max: 10n ** 24n }), (centavos) =>
      assert.equal(parseCentavos(formatCentavos(centavos)), centavos),
    ),
  )
})

test('property: sums are exact in any order, and a term can be taken back', () => {
  fc.assert(
    fc.property(fc.array(decimals), decimals, (terms, extra) => {
      const sum = sumDecimals(terms)
      assert.equal(compareDecimals(sum, sumDecimals(terms.toReversed())), 0)
      assert.equal(compareDecimals(subtract(sumDecimals([...terms, extra]), extra), sum), 0)
    }),
  )
})

test('property: rounding is symmetric and never off by more than half a centavo', () => {
  fc.assert(
    fc.property(decimals, decimals, (a, b) => {
      const divisor = b.units === 0n ? ONE : b
      const rounded = toCentavos([a], [divisor])
      assert.equal(toCentavos([{ ...a, units: -a.units }], [divisor]), -rounded)
      // |a/b − rounded/100| ≤ 1/200, in whole numbers
      const above = a.units * 10n ** BigInt(divisor.places)
      const below = divisor.units * 10n ** BigInt(a.places)
      const off = 100n * above - rounded * below
      assert.ok(2n * (off < 0n ? -off : off) <= below)
    }),
  )
})
