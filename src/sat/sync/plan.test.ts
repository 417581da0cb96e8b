import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addDays, addMonths, instantOf } from '../../fiscal/fecha.ts'
import { plusSeconds, secondsBetween } from './civil.ts'
import { cubiertoHasta, huecos, inicioDe, plan, porMes, type Rango, type Situacion, siguienteNoche } from './plan.ts'

const NOON = new Date('2026-02-10T18:00:00Z') // of Mexico City

const situacion = (change: Partial<Situacion> = {}): Situacion => ({
  kind: 'nocturna',
  historiaDesde: '2025-01-01',
  cubierto: () => [],
  semanal: false,
  ...change,
})

/** Numbers that are the same in each run. */
function dice(seed: number) {
  let state = seed
  return (below: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

test('a first synchronisation goes back month by month from yesterday, the list before the documents', () => {
  const asked = plan(situacion({ kind: 'inicial' }), NOON)
    .filter(({ consulta }) => consulta.servicio === 'cfdi' && consulta.direccion === 'recibidos')
    .map(({ consulta }) => `${consulta.tipo} ${consulta.desde} ${consulta.hasta} ${consulta.estado}`)
  assert.deepEqual(asked.slice(0, 4), [
    'Metadata 2026-02-01T00:00:00 2026-02-10T11:45:00 Todos',
    'CFDI 2026-02-01T00:00:00 2026-02-09T23:59:59 Vigente',
    'Metadata 2026-01-01T00:00:00 2026-01-31T23:59:59 Todos',
    'CFDI 2026-01-01T00:00:00 2026-01-31T23:59:59 Vigente',
  ])
  assert.equal(asked.length, 28)
  assert.equal(asked.at(-1), 'CFDI 2025-01-01T00:00:00 2025-01-31T23:59:59 Vigente')
})

test('a night asks for what came since the last one and for the metadata of the open months', () => {
  const cubierto = () => [{ desde: '2025-01-01T00:00:00', hasta: '2026-02-08T23:59:59' }]
  const asked = plan(situacion({ cubierto }), NOON).map(({ consulta }) => {
    const { servicio, direccion, tipo, desde, hasta } = consulta
    return `${servicio} ${direccion} ${tipo} ${desde} ${hasta}`
  })
  assert.deepEqual(asked.sort(), [
    'cfdi emitidos CFDI 2026-02-09T00:00:00 2026-02-09T23:59:59',
    'cfdi emitidos Metadata 2026-01-01T00:00:00 2026-01-31T23:59:59',
    'cfdi emitidos Metadata 2026-02-01T00:00:00 2026-02-10T11:45:00',
    'cfdi recibidos CFDI 2026-02-09T00:00:00 2026-02-09T23:59:59',
    'cfdi recibidos Metadata 2026-01-01T00:00:00 2026-01-31T23:59:59',
    'cfdi recibidos Metadata 2026-02-01T00:00:00 2026-02-10T11:45:00',
  ])
})

test('once a week the metadata of 24 months is asked for, and withholdings by year', () => {
  const asked = plan(situacion({ semanal: true, historiaDesde: '2020-05-01' }), NOON)
  const months = asked.filter(({ consulta }) => consulta.tipo === 'Metadata' && consulta.servicio === 'cfdi')
  assert.equal(months.length, 2 * 25)
  assert.equal(months.map(({ consulta }) => consulta.desde).sort()[0], '2024-02-01T00:00:00')
  const withheld = asked.filter(({ consulta }) => consulta.servicio === 'retenciones')
  assert.deepEqual(
    withheld
      .filter(({ consulta }) => consulta.tipo === 'CFDI' && consulta.direccion === 'emitidos')
      .map(({ consulta }) => consulta.desde.slice(0, 4)),
    ['2026', '2025', '2024', '2023', '2022', '2021', '2020'],
  )
})

test('somebody who asks in person gets this day too, but not each few minutes of it', () => {
  const cubierto = (hasta: string) => () => [{ desde: '2025-01-01T00:00:00', hasta }]
  const xmlOf = (change: Partial<Situacion>) =>
    plan(situacion({ kind: 'manual', ...change }), NOON).filter(({ consulta }) => consulta.tipo === 'CFDI')
  assert.equal(xmlOf({ cubierto: cubierto('2026-02-09T23:59:59') })[0]?.consulta.hasta, '2026-02-10T11:45:00')
  assert.deepEqual(xmlOf({ cubierto: cubierto('2026-02-10T11:00:00') }), [])
})

test('nights of any rhythm, with holes, ask for each second of XML exactly once', () => {
  for (let seed = 1; seed <= 60; seed++) {
    const roll = dice(seed)
    const historiaDesde = addDays('2025-06-01', roll(60))
    const covered: Rango[] = []
    let now = instantOf(addDays(historiaDesde, 1 + roll(40)), roll(24))
    for (let night = 0; night < 12; night++) {
      const kind = roll(4) === 0 ? 'manual' : night === 0 ? 'inicial' : 'nocturna'
      const asked = plan(situacion({ kind, historiaDesde, cubierto: () => covered }), now)
        .map(({ consulta }) => consulta)
        .filter(({ tipo, servicio, direccion }) => tipo === 'CFDI' && servicio === 'cfdi' && direccion === 'emitidos')
      for (const { desde, hasta } of asked) {
        assert.ok(desde < hasta, `${desde} ${hasta}`)
        assert.equal(desde.slice(0, 7), hasta.slice(0, 7), 'in one month')
        for (const before of covered)
          assert.ok(hasta < before.desde || desde > before.hasta, `${desde}…${hasta} twice (seed ${seed})`)
        // Some get lost and are planned again.
        if (roll(5) > 0) covered.push({ desde, hasta })
      }
      now = new Date(now.getTime() + (3_600_000 + roll(60 * 3_600_000)))
    }
    const last = plan(situacion({ historiaDesde, cubierto: () => covered }), now)
    for (const { consulta } of last)
      if (consulta.tipo === 'CFDI' && consulta.servicio === 'cfdi' && consulta.direccion === 'emitidos')
        covered.push(consulta)
    const ayer = `${addDays(now.toISOString().slice(0, 10), -2)}T23:59:59`
    assert.deepEqual(huecos({ desde: `${historiaDesde}T00:00:00`, hasta: ayer }, covered), [])
    const seconds = covered.reduce((sum, { desde, hasta }) => sum + secondsBetween(desde, hasta) + 1, 0)
    const end = cubiertoHasta(`${historiaDesde}T00:00:00`, covered) ?? ''
    assert.equal(seconds, secondsBetween(`${historiaDesde}T00:00:00`, end) + 1)
  }
})

test('months tile a range without a hole, over leap days and ends of years', () => {
  const months = porMes({ desde: '2023-11-15T10:00:00', hasta: '2024-03-01T00:00:00' })
  assert.deepEqual(months[0], { desde: '2023-11-15T10:00:00', hasta: '2023-11-30T23:59:59' })
  assert.equal(months[3]?.hasta, '2024-02-29T23:59:59')
  for (const [i, month] of months.slice(1).entries()) assert.equal(month.desde, plusSeconds(months[i]?.hasta ?? '', 1))
})

test('nothing is asked that is older than the SAT gives', () => {
  for (let day = 0; day < 800; day += 7) {
    const now = instantOf(addDays('2026-01-01', day), 3)
    const limit = `${addMonths(addDays('2026-01-01', day), -72)}T00:00:00`
    assert.ok(inicioDe('2010-01-01', now) > limit)
    for (const { consulta } of plan(situacion({ kind: 'inicial', historiaDesde: '2010-01-01' }), now))
      assert.ok(consulta.desde > limit)
  }
})

test('turns of the night are at 03:00 and later, spread evenly, each at its own minute', () => {
  const ids = Array.from({ length: 600 }, (_, i) => {
    const roll = dice(i + 7)
    return `019b0000-0000-7000-8000-${Array.from({ length: 12 }, () => roll(16).toString(16)).join('')}`
  })
  const nocheDe = (dia: string) => instantOf(dia, 3)
  const turns = ids.map((id) => siguienteNoche(id, 180, NOON, nocheDe))
  const minutes = turns.map((turn) => (turn.getTime() - instantOf('2026-02-11', 3).getTime()) / 60_000)
  assert.ok(minutes.every((minute) => minute >= 0 && minute < 180))
  const tenths = Array.from({ length: 10 }, (_, i) => minutes.filter((m) => Math.floor(m / 18) === i).length)
  assert.ok(Math.max(...tenths) <= 95 && Math.min(...tenths) >= 30, tenths.join(' '))
  const [id = ''] = ids
  const before = siguienteNoche(id, 180, new Date('2026-02-11T08:59:00Z'), nocheDe)
  assert.equal(before.getTime(), turns[0]?.getTime())
  assert.equal(siguienteNoche(id, 180, before, nocheDe).getTime(), before.getTime() + 86_400_000)
})
