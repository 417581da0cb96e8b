import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { addDays, addMonths, daysBetween } from '../fiscal/fecha.ts'
import { inWords, monthsOf, periodAt, periodContaining } from './periods.ts'
import { frecuencias } from './subscription.ts'

const anchors = fc.integer({ min: 0, max: 40_000 }).map((days) => addDays('2000-01-01', days))
const grids = fc.record({ anchor: anchors, frecuencia: fc.constantFrom(...frecuencias) })
const numbers = fc.integer({ min: 0, max: 400 })

test('the boundaries of the table of billing.md 4.3', () => {
  const ends = (anchor: string) => [0, 1, 5, 11].map((n) => periodAt(anchor, 'mensual', n).end)
  assert.deepEqual(ends('2026-08-31'), ['2026-09-30', '2026-10-31', '2027-02-28', '2027-08-31'])
  assert.deepEqual(ends('2027-08-31'), ['2027-09-30', '2027-10-31', '2028-02-29', '2028-08-31'])
  assert.deepEqual(periodAt('2026-08-31', 'mensual', 1), { start: '2026-09-30', end: '2026-10-31' })
  assert.deepEqual(periodAt('2026-08-31', 'anual', 0), { start: '2026-08-31', end: '2027-08-31' })
  // A year that began on 29 February ends on the 28th and comes back to the 29th in the next leap year.
  const leap = [0, 1, 2, 3].map((n) => periodAt('2028-02-29', 'anual', n).end)
  assert.deepEqual(leap, ['2029-02-28', '2030-02-28', '2031-02-28', '2032-02-29'])
})

test('each period begins where the one before ended, and has days', () => {
  fc.assert(
    fc.property(grids, numbers, ({ anchor, frecuencia }, n) => {
      const [period, next] = [periodAt(anchor, frecuencia, n), periodAt(anchor, frecuencia, n + 1)]
      assert.equal(period.end, next.start)
      assert.ok(period.start < period.end)
      const days = daysBetween(period.start, period.end)
      if (frecuencia === 'mensual') assert.ok(days >= 28 && days <= 31, `${days} days`)
      else assert.ok(days === 365 || days === 366, `${days} days`)
    }),
  )
})

test('a boundary has the day of the anchor, or is the last of a month that lacks it', () => {
  fc.assert(
    fc.property(grids, numbers, ({ anchor, frecuencia }, n) => {
      const { start } = periodAt(anchor, frecuencia, n)
      const isLast = addDays(start, 1).slice(8) === '01'
      assert.ok(start.slice(8) === anchor.slice(8) || (isLast && start.slice(8) < anchor.slice(8)), start)
      assert.equal(start.slice(0, 7), addMonths(`${anchor.slice(0, 7)}-01`, n * monthsOf(frecuencia)).slice(0, 7))
    }),
  )
})

test('every day from the anchor on is in exactly the period that is found for it', () => {
  fc.assert(
    fc.property(grids, fc.integer({ min: 0, max: 8_000 }), ({ anchor, frecuencia }, days) => {
      const day = addDays(anchor, days)
      const found = periodContaining(anchor, frecuencia, day)
      assert.ok(found.start <= day && day < found.end, `${day} in ${found.start}–${found.end}`)
      const holders = []
      for (let n = 0; periodAt(anchor, frecuencia, n).start <= day; n++) {
        const period = periodAt(anchor, frecuencia, n)
        if (day < period.end) holders.push(period)
      }
      assert.deepEqual(holders, [found])
    }),
    { numRuns: 50 },
  )
})

test('the day before a boundary is in the period that ends there', () => {
  const at = (day: string) => periodContaining('2026-08-31', 'mensual', day).start
  assert.equal(at('2026-09-29'), '2026-08-31')
  assert.equal(at('2026-09-30'), '2026-09-30')
  assert.equal(at('2026-10-30'), '2026-09-30')
  assert.equal(at('2027-02-27'), '2027-01-31')
  assert.equal(at('2027-02-28'), '2027-02-28')
  assert.equal(periodContaining('2026-08-31', 'anual', '2027-08-30').start, '2026-08-31')
  assert.equal(periodContaining('2026-08-31', 'anual', '2027-08-31').start, '2027-08-31')
  for (const before of ['2026-08-01', '2026-05-10', '2020-01-01'])
    assert.equal(at(before), '2026-08-31', 'before the anchor there is no other period')
})

test('a period is told by its first and last day', () => {
  const told = (start: string, end: string) => inWords({ start, end })
  assert.equal(told('2026-06-01', '2026-07-01'), 'del 1 al 30 de junio de 2026')
  assert.equal(told('2026-06-15', '2026-07-15'), 'del 15 de junio al 14 de julio de 2026')
  assert.equal(told('2026-08-31', '2027-08-31'), 'del 31 de agosto de 2026 al 30 de agosto de 2027')
  assert.equal(told('2026-12-31', '2027-01-01'), 'el 31 de diciembre de 2026')
})
