import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import type { CfdiSpec } from '../../../test/support/cfdi-xml.ts'
import { dice, RFC, recibida, storeSpecs } from '../../../test/support/estado-sat.ts'
import { type ScratchTenants, scratchTenants } from '../../../test/support/scratch-tenant.ts'
import { until } from '../../../test/support/until.ts'
import type { TenantDb } from '../../db/databases.ts'
import { createLog } from '../../log.ts'
import { createBreaker } from '../../outbound/breaker.ts'
import { createPace } from '../../outbound/pace.ts'
import { type SatSimulator, startSatSimulator } from '../../simulators/sat/simulator.ts'
import { askDue } from './ask-due.ts'
import { createEstadoSat } from './client.ts'
import { recordEstados } from './record-estados.ts'

let tenants: ScratchTenants
let sat: SatSimulator
before(async () => {
  tenants = await scratchTenants()
  sat = await startSatSimulator({ port: 0 })
})
after(async () => {
  await sat.close()
  await tenants.close()
})
beforeEach(() => sat.reset())

const T0 = new Date('2026-02-10T18:00:00Z') // noon in Mexico City
const DAY_MS = 86_400_000

/** A process that asks, at a time that a test moves. */
function asker({ at = T0, failures = 5 } = {}) {
  const time = { now: at, ms: 0 }
  const clock = { now: () => time.now }
  const lines: string[] = []
  const log = createLog({ level: 'debug', service: 'test', destination: { write: (line) => void lines.push(line) } })
  const breaker = createBreaker({ failures, now: () => time.ms, clock })
  const pace = createPace({ intervalMs: 0 })
  const estadoSat = createEstadoSat({ url: sat.estadoUrl, log, clock, pace, breaker, deadlineMs: 60_000 })
  const stopping = new AbortController()
  const ask = (db: TenantDb, size?: number) =>
    askDue({ clock, estadoSat }, db, { signal: stopping.signal, log, ...(size !== undefined && { size }) })
  return {
    time,
    ask,
    stopping,
    lines,
    wait: (days: number) => (time.now = new Date(time.now.getTime() + days * DAY_MS)),
  }
}

const asked = () => sat.requests().map(({ uuid }) => uuid?.toLowerCase())
const many = (n: number, spec: (i: number) => CfdiSpec = () => ({})) => Array.from({ length: n }, (_, i) => spec(i))
const consultas = (db: TenantDb) => db.selectFrom('cfdi_consultas').selectAll().orderBy('uuid_fiscal').execute()

test('what was never asked for is, the newest first, and then only when it is due', async () => {
  const db = await tenants.create()
  const uuids = await storeSpecs(db, ...many(5, (i) => ({ fecha: `2026-0${1 + (i % 2)}-0${i + 1}T10:00:00` })))
  const { ask, wait } = asker()
  assert.deepEqual(await ask(db), { asked: 5, changed: 0, failed: 0, more: false })
  assert.deepEqual(asked(), [uuids[3], uuids[1], uuids[4], uuids[2], uuids[0]])
  assert.deepEqual(await ask(db), { asked: 0, changed: 0, failed: 0, more: false })
  wait(2)
  assert.equal((await ask(db)).asked, 5)
})

test('what is asked is what the CFDI says', async () => {
  const db = await tenants.create()
  await storeSpecs(db, recibida({ emisor: { rfc: 'H&E951128469' }, total: '1160.50' }))
  await asker().ask(db)
  assert.match(sat.requests()[0]?.expresion ?? '', new RegExp(`^\\?re=H&E951128469&rr=${RFC}&tt=1160\\.5&id=`))
})

test('every kind but certificates of withholding is asked for', async () => {
  const db = await tenants.create()
  const uuids = await storeSpecs(db, { tipo: 'I' }, { tipo: 'E' }, { tipo: 'T' }, { tipo: 'I' })
  await db
    .updateTable('cfdis')
    .set({ tipo: 'R' })
    .where('uuid_fiscal', '=', uuids[3] ?? '')
    .execute()
  assert.equal((await asker().ask(db)).asked, 3)
  assert.ok(!asked().includes(uuids[3]))
})

test('one that was stamped just now waits until the SAT can know it; one dated in the future does not', async () => {
  const db = await tenants.create()
  const fresh = { fecha: '2026-02-10T11:30:00' }
  const [young = '', future = ''] = await storeSpecs(db, fresh, { fecha: '2027-01-01T00:00:00' })
  const { ask, wait } = asker()
  await ask(db)
  assert.deepEqual(asked(), [future])
  wait(0.2)
  await ask(db)
  assert.deepEqual(asked(), [future, young])
})

test('a cancellation that the SAT tells changes the month', async () => {
  const db = await tenants.create()
  const [uuid = ''] = await storeSpecs(db, {}, {})
  sat.cancel(uuid, 'con_aceptacion')
  assert.deepEqual(await asker().ask(db), { asked: 2, changed: 1, failed: 0, more: false })
  const { iva_trasladado } = await db.selectFrom('iva_mensual').select('iva_trasladado').executeTakeFirstOrThrow()
  assert.equal(iva_trasladado, '16.00')
})

test('one turn is bounded and says that there is more; of each kind it takes some', async () => {
  const db = await tenants.create()
  const due = await storeSpecs(db, ...many(6))
  const { ask, wait } = asker()
  await ask(db)
  wait(2)
  const old = await storeSpecs(db, ...many(40, () => ({ fecha: '2025-06-01T10:00:00' })))
  sat.reset()
  assert.deepEqual(await ask(db, 12), { asked: 12, changed: 0, failed: 0, more: true })
  const [news, again] = [old, due].map((uuids) => asked().filter((uuid) => uuids.includes(uuid ?? '')).length)
  assert.equal((news ?? 0) + (again ?? 0), 12)
  assert.ok((again ?? 0) >= 3 && (news ?? 0) >= 6, `${news} of the new, ${again} of the due`)
})

test('several turns at once ask for nothing twice', async () => {
  const db = await tenants.create()
  await storeSpecs(db, ...many(40))
  const { ask } = asker()
  const turns = await Promise.all([ask(db, 15), ask(db, 15), ask(db, 15)])
  assert.equal(new Set(asked()).size, asked().length)
  const rest = await ask(db, 40)
  assert.equal(
    [...turns, rest].reduce((sum, turn) => sum + turn.asked, 0),
    40,
  )
})

test('a turn that dies leaves what it took to the next, after a while', async () => {
  const db = await tenants.create()
  await storeSpecs(db, ...many(3))
  const { ask, wait } = asker()
  const lost = { clock: { now: () => T0 }, estadoSat: { restMs: () => 0, ask: () => new Promise<never>(() => {}) } }
  void askDue(lost, db, { signal: new AbortController().signal, log: console })
  await until(async () => (await consultas(db)).length === 3)
  assert.equal((await ask(db)).asked, 0, 'it may still be alive')
  wait(1 / 24)
  assert.equal((await ask(db)).asked, 3)
})

test('with the SAT out of order a turn ends in peace, and nothing is lost', async () => {
  const db = await tenants.create()
  await storeSpecs(db, ...many(12))
  const { ask, time, lines } = asker()
  sat.addFault({ fault: 'http_503' })
  assert.deepEqual(await ask(db), { asked: 0, changed: 0, failed: 5, more: false })
  assert.equal(lines.filter((line) => line.includes('sat_estado_down')).length, 1)
  const before = sat.requests().length
  assert.deepEqual(await ask(db), { asked: 0, changed: 0, failed: 0, more: false })
  assert.equal(sat.requests().length, before, 'not even tried')
  sat.clearFaults()
  time.ms += 60_000
  assert.equal((await ask(db)).asked, 7, 'those that were not asked are due at once')
  time.now = new Date(T0.getTime() + 15 * 60_000)
  assert.equal((await ask(db)).asked, 5, 'those that failed a little later')
  assert.ok((await consultas(db)).every(({ estado, fallos }) => estado === 'vigente' && fallos === 0))
})

test('one CFDI that the SAT chokes on keeps no other from being asked', async () => {
  const db = await tenants.create()
  const uuids = await storeSpecs(db, ...many(6, (i) => ({ fecha: `2026-01-0${9 - i}T10:00:00` })))
  sat.addFault({ fault: 'http_500', uuid: uuids[0] ?? '' })
  sat.addFault({ fault: 'other_words', uuid: uuids[1] ?? '' })
  sat.addFault({ fault: '601', uuid: uuids[2] ?? '' })
  assert.deepEqual(await asker().ask(db), { asked: 4, changed: 0, failed: 2, more: false })
  const errors = (await consultas(db)).flatMap(({ error }) => error ?? [])
  assert.deepEqual(errors.sort(), ['sat.expresion_invalida', 'sat.no_disponible', 'sat.respuesta_ilegible'])
})

test('a worker that stops writes down what it has and gives the rest back', async () => {
  const db = await tenants.create()
  await storeSpecs(db, ...many(8))
  const { ask, stopping } = asker()
  sat.addFault({ fault: 'latency', ms: 40 })
  const turn = ask(db)
  await until(() => sat.requests().length >= 3)
  stopping.abort(new Error('the worker is stopping'))
  const { asked: answered } = await turn
  assert.ok(answered >= 2 && answered < 8)
  sat.clearFaults()
  assert.equal((await asker().ask(db)).asked, 8 - answered)
})

test('an issuer that is found listed has everything else it sent asked for at once, and again when it is listed no more', async () => {
  const db = await tenants.create()
  const listed = { emisor: { rfc: 'H&E951128469' } }
  const specs = ['2026-02-01', '2025-03-01', '2020-05-01'].map((day) =>
    recibida({ ...listed, fecha: `${day}T10:00:00` }),
  )
  await storeSpecs(db, ...specs)
  await storeSpecs(db, ...many(3, () => recibida({ fecha: '2025-03-01T10:00:00' })))
  const { ask, wait } = asker()
  await ask(db)
  const warned = async () =>
    (await db.selectFrom('cfdi_avisos').select('uuid_fiscal').where('codigo', '=', 'sat.emisor_69b').execute()).length
  for (const [code, expected] of [
    ['100', 3],
    ['200', 0],
  ] as const) {
    sat.setEfos('H&E951128469', code)
    wait(2) // only the open month is due
    assert.equal((await ask(db)).changed, 1)
    assert.deepEqual(await ask(db), { asked: 2, changed: 2, failed: 0, more: false })
    assert.equal(await warned(), expected)
    assert.equal((await ask(db)).asked, 0, 'and that is all')
  }
})

test('a turn that a clock of the future gave is no turn', async () => {
  const db = await tenants.create()
  await storeSpecs(db, ...many(3))
  await asker({ at: new Date('2031-01-01T00:00:00Z') }).ask(db)
  const { ask } = asker()
  assert.equal((await ask(db)).asked, 3)
  assert.equal((await ask(db)).asked, 0)
})

test('an answer that cannot be written down holds up none of its neighbours, and is told', async () => {
  const db = await tenants.create()
  const uuids = await storeSpecs(db, ...many(4))
  for (const uuid of uuids) sat.cancel(uuid, 'sin_aceptacion')
  // As a bug of ours might leave it: a month of this CFDI cannot be computed.
  await db
    .updateTable('cfdis')
    .set({ total: '999999999999.000000', tipo_cambio: '999999999999.000000', moneda: 'USD' })
    .where('uuid_fiscal', '=', uuids[0] ?? '')
    .execute()
  const { ask, lines } = asker()
  assert.deepEqual(await ask(db), { asked: 4, changed: 3, failed: 0, more: false })
  const estados = await db.selectFrom('cfdis').select('uuid_fiscal').where('estado', '=', 'cancelado').execute()
  assert.deepEqual(estados.map(({ uuid_fiscal }) => uuid_fiscal).sort(), uuids.slice(1).sort())
  assert.ok(lines.some((line) => line.includes('sat_estado_unwritten')))
  const [broken] = (await consultas(db)).filter(({ error }) => error !== null)
  assert.deepEqual([broken?.uuid_fiscal, broken?.error], [uuids[0], 'sat.no_registrado'])
})

test('finding what is due reads no more than it takes, in a company with twenty thousand', async () => {
  const db = await tenants.create()
  const [uuid = ''] = await storeSpecs(db, {})
  await recordEstados(db, [{ uuid, preguntadoEn: T0, respuesta: dice() }], T0)
  const { sql } = await import('kysely')
  const columns = (
    await sql<{ names: string }>`
    select string_agg(quote_ident(attname), ', ') as names from pg_attribute
    where attrelid = 'cfdis'::regclass and attnum > 0 and not attisdropped and attname <> 'uuid_fiscal' and attgenerated = ''`.execute(
      db,
    )
  ).rows[0]?.names
  await sql`insert into cfdis (uuid_fiscal, ${sql.raw(columns ?? '')}) select gen_random_uuid(), ${sql.raw(columns ?? '')} from cfdis, generate_series(1, 20000)`.execute(
    db,
  )
  await sql`insert into cfdi_consultas (uuid_fiscal, siguiente_en, prioridad)
    select uuid_fiscal, ${T0}::timestamptz + random() * interval '7 days', 1 from cfdis on conflict do nothing`.execute(
    db,
  )
  const explain = async (query: ReturnType<typeof sql>) =>
    JSON.stringify((await sql`explain (analyze, buffers, format json) ${query}`.execute(db)).rows)
  const unasked = await explain(sql`select uuid_fiscal from cfdis c where c.estado_por_consultar and c.tipo <> 'R'
    and c.fecha_timbrado not between '2026-02-10 10:00' and '2026-02-10 14:00'
    order by c.fecha_emision desc, c.uuid_fiscal limit 30 for no key update skip locked`)
  assert.match(unasked, /cfdis_por_consultar/)
  const due = await explain(sql`select c.uuid_fiscal from cfdi_consultas q join cfdis c using (uuid_fiscal)
    where q.prioridad = 1 and q.siguiente_en <= ${T0} order by q.siguiente_en limit 30 for update of q skip locked`)
  assert.match(due, /cfdi_consultas_siguiente/)
  const never = await explain(sql`select c.uuid_fiscal from cfdi_consultas q join cfdis c using (uuid_fiscal)
    where q.siguiente_en is null and q.consultado_en > ${T0}::timestamptz + interval '1 day' limit 30 for update of q skip locked`)
  for (const plan of [unasked, due, never]) assert.doesNotMatch(plan, /Seq Scan/)
})
