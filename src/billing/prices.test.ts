import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatCentavos, fromCentavos, parseCentavos, toCentavos } from '../fiscal/money.ts'
import { chargedPrice, roundHalfAway, splitTax } from './prices.ts'

const amounts = fc.bigInt({ min: 0n, max: 100_000_000_00n })
const rates = fc.constantFrom(0, 800, 1600, 10_000)

test('a half goes away from zero, on either side', () => {
  const cases: [bigint, bigint, bigint][] = [
    [1n, 2n, 1n],
    [-1n, 2n, -1n],
    [1n, -2n, -1n],
    [-1n, -2n, 1n],
    [3n, 2n, 2n],
    [49n, 100n, 0n],
    [-49n, 100n, 0n],
    [-51n, 100n, -1n],
    [7n, 3n, 2n],
    [8n, 3n, 3n],
    [-8n, 3n, -3n],
    [0n, -7n, 0n],
    [10n ** 40n + 1n, 2n, 5n * 10n ** 39n + 1n],
  ]
  for (const [above, below, expected] of cases) assert.equal(roundHalfAway(above, below), expected, `${above}/${below}`)
  assert.throws(() => roundHalfAway(1n, 0n), RangeError)
})

test('it rounds as the rest of the product rounds', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(10n ** 12n), max: 10n ** 12n }), fc.bigInt({ min: 1n, max: 10_000n }), (a, b) => {
      assert.equal(roundHalfAway(a, b), toCentavos([fromCentavos(a)], [{ units: b, places: 0 }]))
    }),
  )
})

test('a charged price is split into base and IVA', () => {
  const split = (text: string, rateBp: number) => {
    const { baseC, ivaC } = splitTax(parseCentavos(text), rateBp)
    return [formatCentavos(baseC), formatCentavos(ivaC)]
  }
  assert.deepEqual(split('650.00', 1600), ['560.34', '89.66'])
  assert.deepEqual(split('1250.00', 1600), ['1077.59', '172.41'])
  assert.deepEqual(split('440.00', 1600), ['379.31', '60.69'])
  assert.deepEqual(split('905.00', 1600), ['780.17', '124.83'])
  assert.deepEqual(split('650.00', 800), ['601.85', '48.15'], 'border region')
  assert.deepEqual(split('650.00', 0), ['650.00', '0.00'])
  assert.deepEqual(split('0.00', 1600), ['0.00', '0.00'])
})

test('base and IVA sum to what was charged, and the base is the nearest centavo', () => {
  fc.assert(
    fc.property(amounts, rates, (chargedC, rateBp) => {
      const { baseC, ivaC } = splitTax(chargedC, rateBp)
      assert.equal(baseC + ivaC, chargedC)
      assert.ok(ivaC >= 0n)
      const away = baseC * (10_000n + BigInt(rateBp)) - chargedC * 10_000n
      assert.ok(2n * (away < 0n ? -away : away) <= 10_000n + BigInt(rateBp))
    }),
  )
})

test('a price without IVA is charged with it, and comes back as the base', () => {
  const charged = (text: string, rateBp: number) =>
    formatCentavos(chargedPrice(parseCentavos(text), { mode: 'excluded', rateBp }))
  assert.equal(charged('560.34', 1600), '649.99')
  assert.equal(charged('100.00', 800), '108.00')
  assert.equal(charged('0.03', 1600), '0.03', 'half a centavo of IVA would need 0.03125')
  assert.equal(charged('0.04', 1600), '0.05')
  assert.equal(charged('85.00', 1600), '98.60')
  fc.assert(
    fc.property(amounts, rates, (priceC, rateBp) => {
      assert.equal(splitTax(chargedPrice(priceC, { mode: 'excluded', rateBp }), rateBp).baseC, priceC)
      assert.equal(chargedPrice(priceC, { mode: 'included', rateBp }), priceC)
    }),
  )
})

test('no price is negative and no rate is beyond a hundred per cent', () => {
  assert.throws(() => chargedPrice(-1n, { mode: 'included', rateBp: 1600 }), RangeError)
  assert.throws(() => splitTax(-1n, 1600), RangeError)
  for (const rateBp of [-1, 10_001, 16.5, Number.NaN]) {
    assert.throws(() => splitTax(100n, rateBp), RangeError, `${rateBp}`)
    assert.throws(() => chargedPrice(100n, { mode: 'included', rateBp }), RangeError, `${rateBp}`)
  }
})
