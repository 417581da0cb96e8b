import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { type Product, startProduct } from '../../../test/support/product.ts'
import { insertCompanies } from '../../../test/support/vault.ts'
import { AppError } from '../../errors.ts'
import type { ConsultaRango } from '../descarga/consulta.ts'
import { countHoles, findNextRetry } from './hole-queries.ts'
import { transition } from './machine.ts'
import { hoyDe } from './plan.ts'
import { planRun } from './plan-run.ts'
import { MOST_RETRIED } from './reintentos.ts'
import { insertSolicitudes, lockSolicitud } from './request-queries.ts'
import { retryRequest } from './retry-request.ts'
import { endRun, findOpenRun, orderRun } from './run-queries.ts'
import { writeOutcome } from './write-outcome.ts'

const RFC = 'EKU9003173C9'
const DAY_MS = 86_400_000
const FIRST_NIGHT = new Date('2026-02-10T10:00:00Z') // four in the morning in Mexico City
const INICIO = '2025-01-01T00:00:00'

let product: Product
let empresa: { id: string; rfc: string }
let now: Date
const ends: (() => Promise<void>)[] = []
before(async () => {
  product = await startProduct({ after: (end) => void ends.unshift(end) }, { worker: false })
  const [id = ''] = await insertCompanies(product.deps.central, [RFC])
  empresa = { id, rfc: RFC }
})
after(async () => {
  for (const end of ends) await end()
})
beforeEach(async () => {
  const { central } = product.deps
  now = FIRST_NIGHT
  for (const table of ['sat_solicitudes', 'sat_sync_jobs', 'sat_sync_settings'] as const)
    await central.deleteFrom(table).where('tenant_id', '=', empresa.id).execute()
  await central
    .insertInto('sat_sync_settings')
    .values({
      tenant_id: empresa.id,
      history_from: '2025-01-01',
      last_run_at: now,
      weekly_at: now,
      covered_until: {},
      created_at: now,
      updated_at: now,
    })
    .execute()
})

const clock = { now: () => now }
const deps = () => ({ ...product.deps, clock })
const by = { userId: '019b0000-0000-7000-8000-000000000001', email: 'a@b.mx' }

/** Plans the night of a day after; what is planned besides comes well at once. @returns what was asked for again */
async function night(days: number): Promise<{ id: string; desde: string; hasta: string; generacion: number }[]> {
  const { central } = product.deps
  now = new Date(FIRST_NIGHT.getTime() + days * DAY_MS)
  const { id: jobId } = await central
    .transaction()
    .execute((trx) => orderRun(trx, { tenantId: empresa.id, kind: 'nocturna', by: null, now }))
  await planRun({ central, clock }, empresa)
  await central
    .updateTable('sat_solicitudes')
    .set({ estado: 'completa', siguiente_en: null })
    .where('job_id', '=', jobId)
    .where('reintentos', '=', 0)
    .execute()
  const rows = await central
    .selectFrom('sat_solicitudes')
    .select(['id', 'parametros', 'generacion'])
    .where('job_id', '=', jobId)
    .where('reintentos', '>', 0)
    .where('siguiente_en', 'is not', null)
    .orderBy('id')
    .execute()
  return rows.map(({ id, parametros, generacion }) => {
    const { FechaInicial, FechaFinal } = parametros as Record<string, string>
    return { id, desde: FechaInicial ?? '', hasta: FechaFinal ?? '', generacion }
  })
}

/** What the SAT says of a request, written as a turn writes it. */
async function says(id: string, codigo: string, clase: 'persona' | 'parametros'): Promise<void> {
  await product.deps.central.transaction().execute(async (trx) => {
    const row = await lockSolicitud(trx, empresa.id, id)
    assert.ok(row)
    const respuesta = { codigo, mensaje: '', clase, idSolicitud: null }
    const outcome = transition(row, { kind: 'solicita', respuesta, conocida: 'nadie' }, now)
    assert.ok(await writeOutcome(trx, deps(), row, outcome, now))
  })
}

async function endNight(): Promise<void> {
  const { central } = product.deps
  const run = await findOpenRun(central, empresa.id)
  if (run) await central.transaction().execute((trx) => endRun(trx, run.id, 'con_fallas', now))
}

async function ask(...consultas: ConsultaRango[]): Promise<string[]> {
  const { central } = product.deps
  return central.transaction().execute(async (trx) => {
    const { id: jobId } = await orderRun(trx, { tenantId: empresa.id, kind: 'nocturna', by: null, now })
    const nuevas = consultas.map((consulta) => ({ consulta, prioridad: 0 }))
    await insertSolicitudes(trx, { tenantId: empresa.id, jobId, rfc: RFC }, nuevas, now)
    const rows = await trx
      .selectFrom('sat_solicitudes')
      .select('id')
      .where('job_id', '=', jobId)
      .orderBy('id')
      .execute()
    return rows.map(({ id }) => id)
  })
}

const month = (n: number, change: Partial<ConsultaRango> = {}): ConsultaRango => {
  const first = new Date(Date.UTC(2025, n - 1, 1))
  const last = new Date(Date.UTC(2025, n, 1) - 1000)
  const [desde = '', hasta = ''] = [first, last].map((at) => at.toISOString().slice(0, 19))
  return { servicio: 'cfdi', direccion: 'recibidos', tipo: 'CFDI', desde, hasta, estado: 'Vigente', ...change }
}

const holes = () => countHoles(product.deps.central, empresa.id, INICIO)
const nextRetry = async () => {
  const at = await findNextRetry(product.deps.central, empresa.id, INICIO, now)
  return at && hoyDe(at)
}

test('a range that fails is asked for again on growing days, always in new words, and stays a hole until it comes', async () => {
  const [first = ''] = await ask(month(12))
  await says(first, '9999', 'persona')
  await endNight()
  assert.deepEqual([await holes(), await nextRetry()], [1, '2026-02-11'])
  const asked: string[] = []
  const nights: number[] = []
  let last = ''
  for (let day = 1; day <= 30; day++) {
    const again = await night(day)
    assert.ok(again.length <= 1)
    for (const { id, desde, hasta, generacion } of again) {
      nights.push(day)
      asked.push(hasta)
      last = id
      assert.deepEqual([desde, generacion], ['2025-12-01T00:00:00', 0])
      assert.deepEqual([await holes(), await nextRetry()], [1, null], 'while it is being asked for again')
      await says(id, '9999', 'persona')
    }
    await endNight()
    assert.equal(await holes(), 1)
  }
  assert.deepEqual(nights, [1, 4, 11, 18, 25])
  assert.deepEqual(
    asked,
    [0, 1, 2, 3, 4].map((second) => `2026-01-01T00:00:0${second}`),
  )
  // At last it comes.
  await product.deps.central
    .updateTable('sat_solicitudes')
    .set({ estado: 'completa', siguiente_en: null })
    .where('id', '=', last)
    .execute()
  assert.deepEqual([await holes(), await nextRetry()], [0, null])
})

test('what is refused by its parameters is asked for again each week', async () => {
  const [first = ''] = await ask(month(12))
  await says(first, '301', 'parametros')
  await endNight()
  const nights: number[] = []
  for (let day = 1; day <= 22; day++) {
    for (const { id } of await night(day)) {
      nights.push(day)
      await says(id, '301', 'parametros')
    }
    await endNight()
  }
  assert.deepEqual(nights, [7, 14, 21])
})

test('many of them are asked for again a few a day, however often it is planned, and all of them in the end', async () => {
  const many = (['recibidos', 'emitidos'] as const).flatMap((direccion) =>
    Array.from({ length: 12 }, (_, i) => month(i + 1, { direccion, estado: 'Vigente' })),
  )
  for (const id of await ask(...many)) await says(id, '9999', 'persona')
  await endNight()
  const seen = new Set<string>()
  for (const day of [1, 2, 3]) {
    const again = await night(day)
    assert.equal(again.length, Math.min(MOST_RETRIED, 24 - seen.size))
    for (const { id } of again) seen.add(id)
    assert.equal((await night(day + 0.1)).length, again.length, 'planned again the same day')
    await product.deps.central
      .updateTable('sat_solicitudes')
      .set({ estado: 'completa', siguiente_en: null })
      .where('id', 'in', [...seen])
      .execute()
    await endNight()
  }
  assert.equal(await holes(), 0)
})

test('a person may try it again at any time, and then the night does not', async () => {
  const [first = ''] = await ask(month(12))
  await says(first, '301', 'parametros')
  await endNight()
  const mine = await retryRequest(deps(), empresa.id, first, by)
  assert.deepEqual([await holes(), (await night(7)).map(({ id }) => id)], [1, [mine]])
  assert.equal(await retryRequest(deps(), empresa.id, first, by), mine, 'asked for twice it is the same')
  await says(mine, '9999', 'persona')
  await endNight()
  const [again] = await night(10)
  assert.ok(again)
  // The night was faster: it is the same.
  assert.equal(await retryRequest(deps(), empresa.id, mine, by), again.id)
  await assert.rejects(
    retryRequest(deps(), empresa.id, again.id, by),
    (error) => error instanceof AppError && error.code === 'sat.solicitud_sin_falla',
  )
})

test('a person and a night at once ask for it once', async () => {
  const { central } = product.deps
  for (let round = 0; round < 5; round++) {
    const [failed = ''] = await ask(month(round + 1))
    await says(failed, '9999', 'persona')
    await endNight()
    now = new Date(FIRST_NIGHT.getTime() + DAY_MS)
    await central
      .transaction()
      .execute((trx) => orderRun(trx, { tenantId: empresa.id, kind: 'nocturna', by: null, now }))
    const [id] = await Promise.all([retryRequest(deps(), empresa.id, failed, by), planRun({ central, clock }, empresa)])
    const children = await central.selectFrom('sat_solicitudes').select('id').where('padre_id', '=', failed).execute()
    assert.deepEqual(children, [{ id }])
    await endNight()
    now = FIRST_NIGHT
  }
})

test('a list that failed is asked for again unless a later one tells the same', async () => {
  const lists = [month(3), month(4)].map((one) => ({ ...one, tipo: 'Metadata' as const, estado: 'Todos' as const }))
  for (const id of await ask(...lists)) await says(id, '9999', 'persona')
  await endNight()
  now = new Date(FIRST_NIGHT.getTime() + DAY_MS / 2)
  const [april] = lists.slice(1)
  assert.ok(april)
  await ask(april)
  await endNight()
  assert.deepEqual(
    (await night(1)).map(({ desde }) => desde),
    ['2025-03-01T00:00:00'],
  )
})

test('what the SAT gives no more, being six years old, is left off, and what lies before is no hole', async () => {
  const { central } = product.deps
  await central
    .updateTable('sat_sync_settings')
    .set({ history_from: '2020-01-01' })
    .where('tenant_id', '=', empresa.id)
    .execute()
  const old = (desde: string, hasta: string): ConsultaRango => ({ ...month(1), desde, hasta })
  const ids = await ask(
    old('2020-02-01T00:00:00', '2020-02-29T23:59:59'),
    old('2020-01-01T00:00:00', '2020-01-31T23:59:59'),
  )
  for (const id of ids) await says(id, '9999', 'persona')
  await endNight()
  assert.deepEqual(
    (await night(1)).map(({ desde, hasta }) => [desde, hasta]),
    [['2020-02-13T00:00:00', '2020-03-01T00:00:00']],
  )
})

test('a clock that was weeks ahead puts nothing off', async () => {
  const ids = await ask(...Array.from({ length: MOST_RETRIED + 1 }, (_, i) => month(i + 1)))
  for (const id of ids) await says(id, '9999', 'persona')
  await endNight()
  const again = await night(40)
  assert.equal(again.length, MOST_RETRIED)
  for (const { id } of again) await says(id, '9999', 'persona')
  await endNight()
  // Asked for again, and refused, in a time that is still to come.
  assert.equal((await night(1)).length, MOST_RETRIED)
})
