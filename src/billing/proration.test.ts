import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { addDays, daysBetween } from '../fiscal/fecha.ts'
import { formatCentavos, parseCentavos } from '../fiscal/money.ts'
import { periodAt } from './periods.ts'
import { intervalChange, type Proration, prorate } from './proration.ts'
import { frecuencias } from './subscription.ts'

const june = { start: '2026-06-01', end: '2026-07-01' }
const year = { start: '2026-08-31', end: '2027-08-31' }

const shown = ({ remaining, days, creditC, chargeC, netC }: Proration) => [
  days,
  remaining,
  ...[creditC, chargeC, netC].map(formatCentavos),
]

test('the cases of billing.md 4.6', () => {
  const change = (oldPrice: string, newPrice: string, period: { start: string; end: string }, on: string) =>
    shown(prorate({ oldC: parseCentavos(oldPrice), newC: parseCentavos(newPrice), period, on }))
  assert.deepEqual(change('650.00', '1250.00', june, '2026-06-09'), [30, 22, '-476.67', '916.67', '440.00'])
  assert.deepEqual(change('1250.00', '650.00', june, '2026-06-20'), [30, 11, '-458.33', '238.33', '-220.00'])
  assert.deepEqual(change('6500.00', '12500.00', year, '2027-01-12'), [365, 231, '-4113.70', '7910.96', '3797.26'])
})

test('each of the two lines is rounded: 58.07, where rounding their difference would give 58.06', () => {
  const july = { start: '2026-07-01', end: '2026-08-01' }
  const change = prorate({ oldC: 65_000n, newC: 125_000n, period: july, on: '2026-07-29' })
  assert.deepEqual(shown(change), [31, 3, '-62.90', '120.97', '58.07'])
})

test('the first day is the whole period and the last is one day of it', () => {
  const first = prorate({ oldC: 65_000n, newC: 125_000n, period: june, on: '2026-06-01' })
  assert.deepEqual(shown(first), [30, 30, '-650.00', '1250.00', '600.00'])
  const last = prorate({ oldC: 65_000n, newC: 125_000n, period: june, on: '2026-06-30' })
  assert.deepEqual(shown(last), [30, 1, '-21.67', '41.67', '20.00'])
})

test('a day outside the period and a negative price are refused', () => {
  for (const on of ['2026-05-31', '2026-07-01']) {
    assert.throws(() => prorate({ oldC: 1n, newC: 1n, period: june, on }), RangeError, on)
    assert.throws(() => intervalChange({ oldC: 1n, newC: 1n, period: june, on }), RangeError, on)
  }
  assert.throws(() => prorate({ oldC: -100n, newC: 100n, period: june, on: '2026-06-01' }), RangeError)
  assert.throws(() => prorate({ oldC: 100n, newC: -100n, period: june, on: '2026-06-01' }), RangeError)
  assert.throws(() => intervalChange({ oldC: 100n, newC: -100n, period: june, on: '2026-06-01' }), RangeError)
})

test('a change of interval gives back what is unused and charges a whole new period', () => {
  const change = (oldPrice: string, newPrice: string, period: { start: string; end: string }, on: string) =>
    shown(intervalChange({ oldC: parseCentavos(oldPrice), newC: parseCentavos(newPrice), period, on }))
  assert.deepEqual(change('650.00', '6500.00', june, '2026-06-09'), [30, 22, '-476.67', '6500.00', '6023.33'])
  assert.deepEqual(change('6500.00', '650.00', year, '2027-01-12'), [365, 231, '-4113.70', '650.00', '-3463.70'])
})

const changes = fc
  .record({
    anchor: fc.integer({ min: 0, max: 20_000 }).map((days) => addDays('2020-01-01', days)),
    frecuencia: fc.constantFrom(...frecuencias),
    oldC: fc.bigInt({ min: 0n, max: 20_000_000n }),
    newC: fc.bigInt({ min: 0n, max: 20_000_000n }),
    into: fc.double({ min: 0, max: 0.999, noNaN: true }),
  })
  .map(({ anchor, frecuencia, into, ...prices }) => {
    const period = periodAt(anchor, frecuencia, 0)
    return { ...prices, period, on: addDays(anchor, Math.floor(into * daysBetween(period.start, period.end))) }
  })

test('no credit is above what was paid, and no charge above the new price', () => {
  fc.assert(
    fc.property(changes, (change) => {
      const { creditC, chargeC, netC, remaining, days } = prorate(change)
      assert.ok(creditC <= 0n && creditC >= -change.oldC)
      assert.ok(chargeC >= 0n && chargeC <= change.newC)
      assert.equal(netC, creditC + chargeC)
      assert.ok(remaining >= 1 && remaining <= days)
      if (change.newC >= change.oldC) assert.ok(netC >= 0n, 'an upgrade never pays')
      else assert.ok(netC <= 0n, 'a downgrade never costs')
    }),
  )
})

test('up and down on one day costs nothing, whatever the day and the prices', () => {
  fc.assert(
    fc.property(changes, (change) => {
      const back = { ...change, oldC: change.newC, newC: change.oldC }
      assert.equal(prorate(change).netC + prorate(back).netC, 0n)
    }),
  )
})

test('the used and the unused part are the price, within the centavo that one rounding may cost', () => {
  fc.assert(
    fc.property(changes, ({ oldC, period, on }) => {
      const { creditC } = intervalChange({ oldC, newC: 0n, period, on })
      const days = BigInt(daysBetween(period.start, period.end))
      const used = BigInt(daysBetween(period.start, on))
      const error = -creditC * days - oldC * (days - used)
      assert.ok(2n * (error < 0n ? -error : error) <= days)
    }),
  )
})
