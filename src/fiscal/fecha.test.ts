import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { addDays, addMonths, daysBetween, fechaOf, instantOf, isFechaCivil, parseFecha } from './fecha.ts'

test('the day is the one in Mexico City, whatever zone an instant was written in', () => {
  // MercadoPago stamps with -04:00 (billing.md 4.3).
  assert.equal(fechaOf(new Date('2026-09-30T00:30:00-04:00')), '2026-09-29')
  assert.equal(fechaOf(new Date('2026-01-01T05:59:59Z')), '2025-12-31')
  assert.equal(fechaOf(new Date('2026-01-01T06:00:00Z')), '2026-01-01')
  // Daylight saving still existed.
  assert.equal(fechaOf(new Date('2022-07-01T04:59:59Z')), '2022-06-30')
  assert.equal(fechaOf(new Date('2022-07-01T05:00:00Z')), '2022-07-01')
})

test('an hour of a day is that hour there, in summers that had daylight saving too', () => {
  assert.equal(instantOf('2026-03-31').toISOString(), '2026-03-31T06:00:00.000Z')
  assert.equal(instantOf('2026-03-31', 8).toISOString(), '2026-03-31T14:00:00.000Z')
  assert.equal(instantOf('2022-07-01', 8).toISOString(), '2022-07-01T13:00:00.000Z')
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 40_000 }), fc.integer({ min: 3, max: 23 }), (days, hour) => {
      const fecha = addDays('2000-01-01', days)
      assert.equal(fechaOf(instantOf(fecha, hour)), fecha)
    }),
  )
})

test('months are counted from the anchor and clamped to the last day', () => {
  const from31 = [1, 2, 6, 12].map((months) => addMonths('2026-08-31', months))
  assert.deepEqual(from31, ['2026-09-30', '2026-10-31', '2027-02-28', '2027-08-31'])
  assert.equal(addMonths('2027-08-31', 6), '2028-02-29')
  assert.equal(addMonths('2026-01-15', -1), '2025-12-15')
})

test('days are calendar days', () => {
  assert.equal(addDays('2028-02-28', 2), '2028-03-01')
  assert.equal(daysBetween('2026-08-31', '2027-08-31'), 365)
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 40_000 }), fc.integer({ min: -800, max: 800 }), (start, days) => {
      const fecha = addDays('2000-01-01', start)
      assert.equal(daysBetween(fecha, addDays(fecha, days)), days)
    }),
  )
})

test('what is no day of the calendar is refused', () => {
  for (const text of ['2026-02-29', '2026-13-01', '2026-00-10', '2026-1-01', '2026-01-32', '', '2026-01-01T00:00:00'])
    assert.equal(isFechaCivil(text), false, text)
  assert.throws(() => parseFecha('hoy'), RangeError)
  assert.equal(parseFecha('2028-02-29'), '2028-02-29')
})
