import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Consultado, FARTHEST_MS, trasFallo, turnoDe } from './agenda.ts'

const NOW = new Date('2026-04-15T18:00:00Z')
const DAY_MS = 86_400_000
const cfdi: Consultado = {
  uuid: '5c1a1e63-0000-4000-8000-00000000c0de',
  fechaEmision: '2026-04-10T10:00:00',
  estado: 'vigente',
  estatusCancelacion: null,
  cambio: false,
  sinConfirmar: false,
}

/** Days until the next turn, and before whom. */
function turno(change: Partial<Consultado>, now = NOW): [days: number | null, prioridad: number] {
  const { siguienteEn, prioridad } = turnoDe({ ...cfdi, ...change }, now)
  return [siguienteEn && Math.round((siguienteEn.getTime() - now.getTime()) / DAY_MS), prioridad]
}

test('open months are asked each day, later ones each week, old ones no more', () => {
  assert.deepEqual(turno({}), [1, 0])
  assert.deepEqual(turno({ fechaEmision: '2026-03-01T00:00:00' }), [1, 0])
  assert.deepEqual(turno({ fechaEmision: '2026-02-28T23:59:59' }), [7, 1])
  assert.deepEqual(turno({ fechaEmision: '2024-04-01T00:00:00' }), [7, 1])
  assert.deepEqual(turno({ fechaEmision: '2024-03-31T23:59:59' }), [null, 1])
  assert.deepEqual(turno({ fechaEmision: '2026-12-31T23:59:59' }), [1, 0], 'of the future')
})

test('the month is that of Mexico City', () => {
  const lastEvening = new Date('2026-05-01T03:00:00Z') // 30 April, 21:00
  assert.deepEqual(turno({ fechaEmision: '2026-03-01T00:00:00' }, lastEvening), [1, 0])
})

test('what is not settled is asked each day, however old', () => {
  const old = { fechaEmision: '2020-01-01T00:00:00' }
  assert.deepEqual(turno({ ...old, estatusCancelacion: 'en_proceso' }), [1, 0])
  assert.deepEqual(turno({ ...old, estado: 'no_encontrado', sinConfirmar: true }), [1, 0])
  assert.deepEqual(turno({ ...old, estado: 'cancelado', cambio: true }), [1, 0])
  assert.deepEqual(turno({ ...old, estado: 'no_encontrado' }).at(0), 7)
})

test('what is cancelled for good is asked rarely', () => {
  const [days, prioridad] = turno({ estado: 'cancelado' })
  assert.ok(days && days > 40)
  assert.equal(prioridad, 1)
  assert.deepEqual(turno({ estado: 'cancelado', fechaEmision: '2020-01-01T00:00:00' }), [null, 1])
})

test('no turn is in the past or beyond what passes for a broken clock, and a load does not come due at once', () => {
  const any = fc.record({
    uuid: fc.uuid(),
    fechaEmision: fc
      .date({ min: new Date('2005-01-01'), max: new Date('2060-01-01'), noInvalidDate: true })
      .map((d) => d.toISOString().slice(0, 19)),
    estado: fc.constantFrom('vigente', 'cancelado', 'no_encontrado'),
    estatusCancelacion: fc.constantFrom(null, 'en_proceso', 'solicitud_rechazada'),
    cambio: fc.boolean(),
    sinConfirmar: fc.boolean(),
  })
  fc.assert(
    fc.property(
      any,
      fc.date({ min: new Date('2024-01-01'), max: new Date('2040-01-01'), noInvalidDate: true }),
      (one, now) => {
        const { siguienteEn } = turnoDe(one, now)
        if (siguienteEn === null) return
        const wait = siguienteEn.getTime() - now.getTime()
        assert.ok(wait > DAY_MS / 2 && wait < FARTHEST_MS, `${wait}`)
      },
    ),
  )
  const turns = Array.from({ length: 1_000 }, (_, i) =>
    turnoDe({ ...cfdi, uuid: `${(i * 16_777).toString(16).padStart(8, '0').slice(-8)}-0000` }, NOW),
  )
  assert.ok(new Set(turns.map(({ siguienteEn }) => siguienteEn?.getTime())).size > 100)
})

test('what fails is tried soon, then less often, and what never works behind everybody else', () => {
  const minutes = [1, 2, 3, 4, 5, 6, 12, 13, 1_000_000].map((n) =>
    Math.round((trasFallo(n, '80000000', NOW).siguienteEn.getTime() - NOW.getTime()) / 60_000),
  )
  assert.deepEqual(minutes, [10, 20, 40, 80, 160, 320, 360, 4_320, 4_320])
  assert.deepEqual(
    [3, 4].map((n) => trasFallo(n, '80000000', NOW).prioridad),
    [0, 1],
  )
})
