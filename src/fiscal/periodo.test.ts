import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import {
  comparePeriodos,
  formatPeriodo,
  isFecha,
  limitsOf,
  nextPeriodo,
  parsePeriodo,
  periodoOf,
  previousPeriodo,
} from './periodo.ts'

test('the month comes from the text, whatever zone the server runs in', () => {
  const zone = process.env['TZ']
  for (const tz of ['America/Mexico_City', 'UTC', 'Asia/Tokyo', 'Pacific/Honolulu']) {
    process.env['TZ'] = tz
    assert.deepEqual(periodoOf('2026-03-31T20:00:00'), { ejercicio: 2026, mes: 3 })
    assert.deepEqual(periodoOf('2026-01-01T00:00:00'), { ejercicio: 2026, mes: 1 })
    assert.ok(isFecha('2026-04-05T02:30:00'), 'an hour that summer time once skipped is an hour')
  }
  if (zone === undefined) delete process.env['TZ']
  else process.env['TZ'] = zone
})

test('only real dates without a zone are dates', () => {
  for (const text of ['2026-08-03T09:15:00', '2024-02-29T23:59:59', '2000-02-29T00:00:00'])
    assert.ok(isFecha(text), text)
  const refused = [
    '2026-02-29T00:00:00',
    '2026-13-01T00:00:00',
    '2026-00-01T00:00:00',
    '2026-04-31T00:00:00',
    '2026-04-00T00:00:00',
    '2026-08-03T24:00:00',
    '2026-08-03T23:60:00',
    '2026-08-03T23:59:60',
    '2026-08-03T09:15:00Z',
    '2026-08-03T09:15:00-06:00',
    '2026-08-03T09:15:00.000',
    '2026-08-03 09:15:00',
    '2026-08-03',
    '1999-12-31T00:00:00',
    '9999-12-31T00:00:00',
    '2026-08-03T09:15:00\n',
    '',
  ]
  for (const text of refused) assert.equal(isFecha(text), false, JSON.stringify(text))
})

test('periods are read, written and refused', () => {
  assert.deepEqual(parsePeriodo('2026-08'), { ejercicio: 2026, mes: 8 })
  assert.equal(formatPeriodo({ ejercicio: 2026, mes: 8 }), '2026-08')
  for (const text of ['2026-00', '2026-13', '2026-8', '26-08', '1999-01', '2026-08-01', '']) {
    assert.throws(() => parsePeriodo(text), RangeError, text)
  }
})

test('a month lasts from its first second to its last', () => {
  assert.deepEqual(limitsOf({ ejercicio: 2028, mes: 2 }), {
    desde: '2028-02-01T00:00:00',
    hasta: '2028-02-29T23:59:59',
  })
  assert.deepEqual(limitsOf({ ejercicio: 2026, mes: 12 }), {
    desde: '2026-12-01T00:00:00',
    hasta: '2026-12-31T23:59:59',
  })
})

test('property: next and previous are inverse, ordered, and follow the calendar', () => {
  const periodos = fc.record({ ejercicio: fc.integer({ min: 2001, max: 2098 }), mes: fc.integer({ min: 1, max: 12 }) })
  fc.assert(
    fc.property(periodos, (periodo) => {
      const next = nextPeriodo(periodo)
      assert.equal(comparePeriodos(previousPeriodo(next), periodo), 0)
      assert.ok(comparePeriodos(periodo, next) < 0 && comparePeriodos(next, periodo) > 0)
      assert.equal(comparePeriodos(periodo, { ...periodo }), 0)
      assert.ok(formatPeriodo(periodo) < formatPeriodo(next))
      const { desde, hasta } = limitsOf(periodo)
      assert.ok(isFecha(desde) && isFecha(hasta) && hasta < limitsOf(next).desde)
    }),
  )
})
