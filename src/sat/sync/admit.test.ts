import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Salud } from '../descarga/salud.ts'
import { admit, type Pendiente } from './admit.ts'

const START = Date.parse('2026-02-11T12:00:00Z')
const at = (minute: number) => new Date(START + minute * 60_000)
/** Their last digits, by which they are spread, evenly. */
const ids = Array.from(
  { length: 500 },
  (_, i) =>
    `019b0000-0000-7000-8000-0000${Math.floor((i / 500) * 0x1_0000_0000)
      .toString(16)
      .padStart(8, '0')}`,
)
const asking = (tenantId: string, change: Partial<Pendiente> = {}): Pendiente => ({
  tenantId,
  propio: false,
  anfitriones: ['cfdi.solicita'],
  ...change,
})
const all = ids.map((id) => asking(id))
const always = (salud: Salud) => () => salud
const BIEN = { estado: 'bien', desdeMs: null } as const
const CAIDO = { estado: 'caido' } as const
const A_PRUEBA = { estado: 'a_prueba' } as const

test('while the SAT answers everybody has a turn, and while it does not whoever needs only us', () => {
  assert.deepEqual(admit(all, always(BIEN), at(0)), ids)
  const own = asking(ids[77] ?? '', { propio: true })
  assert.deepEqual(admit([own], always(CAIDO), at(0)), [own.tenantId])
})

test('in an outage each looks in every six hours, so that it is told', () => {
  const seen = Array.from({ length: 360 }, (_, minute) => admit(all, always(CAIDO), at(minute)))
  assert.deepEqual(seen.flat().toSorted(), ids)
  assert.ok(seen.every((some) => some.length <= 2))
})

test('one sees whether a host answers again, each minute another', () => {
  const some = all.slice(0, 7)
  const seen = new Set(Array.from({ length: 14 }, (_, minute) => admit(some, always(A_PRUEBA), at(minute)).at(-1)))
  assert.equal(seen.size, 7)
  for (let minute = 0; minute < 60; minute++) assert.ok(admit(some, always(A_PRUEBA), at(minute)).length <= 3)
})

test('a host that fails keeps nobody from another', () => {
  const salud = (servicio: string) => (servicio === 'cfdi' ? CAIDO : BIEN)
  const both = asking(ids[3] ?? '', { anfitriones: ['cfdi.solicita', 'retenciones.solicita'] })
  assert.deepEqual(admit([both], salud, at(100)), [both.tenantId])
  // Packages are had after logging in where one asks.
  const packages = asking(ids[3] ?? '', { anfitriones: ['cfdi.descarga'] })
  const hosts = (solicita: Salud, descarga: Salud) => (_: string, operacion: string) =>
    operacion === 'solicita' ? solicita : descarga
  assert.deepEqual(admit([packages], hosts(CAIDO, BIEN), at(100)), [])
  assert.deepEqual(admit([packages], hosts(BIEN, CAIDO), at(100)), [])
  assert.deepEqual(admit([packages], hosts(BIEN, A_PRUEBA), at(100)), [packages.tenantId])
  assert.deepEqual(admit([packages], hosts(BIEN, BIEN), at(100)), [packages.tenantId])
})

test('when it answers again all have a turn within ten minutes, and not at once', () => {
  const had = Array.from({ length: 11 }, (_, minute) => {
    const salud = { estado: 'bien', desdeMs: minute * 60_000 } as const
    return admit(all, always(salud), at(1_000 + minute)).length
  })
  assert.equal(had.at(-1), 500)
  for (const [minute, n] of had.entries())
    assert.ok(n >= minute * 49 && n - (had[minute - 1] ?? 0) <= 53, had.join(' '))
})

test('where it answers three minutes of five, it is not always the same who have them', () => {
  const seen = new Set<string>()
  for (let outage = 0; outage < 24; outage++)
    for (const minute of [0, 1, 2]) {
      const salud = { estado: 'bien', desdeMs: minute * 60_000 } as const
      for (const id of admit(all, always(salud), at(outage * 5 + minute))) seen.add(id)
    }
  assert.equal(seen.size, 500)
})
