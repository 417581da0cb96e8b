import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { sql } from 'kysely'
import { cancelado, dice, perdido, recibida, storeSpecs } from '../../../test/support/estado-sat.ts'
import { type ScratchTenants, scratchTenants } from '../../../test/support/scratch-tenant.ts'
import { until } from '../../../test/support/until.ts'
import { lockLine } from '../../cfdi/store/insert-queries.ts'
import { rederive } from '../../cfdi/store/rederive.ts'
import { openAs } from '../../db/client.ts'
import type { TenantDb } from '../../db/databases.ts'
import { listHechos } from './history-queries.ts'
import { type Resultado, recordEstados } from './record-estados.ts'
import type { Respuesta } from './respuesta.ts'

let tenants: ScratchTenants
before(async () => {
  tenants = await scratchTenants()
})
after(() => tenants.close())

const T0 = new Date('2026-02-10T18:00:00Z')
const days = (n: number) => new Date(T0.getTime() + n * 86_400_000)

const record = (db: TenantDb, uuid: string, respuesta: Respuesta, now = T0, preguntadoEn = now) =>
  recordEstados(db, [{ uuid, preguntadoEn, respuesta }], now)

const cfdiOf = (db: TenantDb, uuid: string) =>
  db
    .selectFrom('cfdis')
    .select(['estado', 'fecha_cancelacion', 'cancelacion_conocida_en', 'avisos', 'estado_por_consultar'])
    .where('uuid_fiscal', '=', uuid)
    .executeTakeFirstOrThrow()

const consultaOf = (db: TenantDb, uuid: string) =>
  db.selectFrom('cfdi_consultas').selectAll().where('uuid_fiscal', '=', uuid).executeTakeFirstOrThrow()

async function ivaOf(db: TenantDb, ejercicio = 2026, mes = 1) {
  const row = await db
    .selectFrom('iva_mensual')
    .select(['iva_trasladado', 'iva_pagado', 'iva_acreditable', 'iva_no_acreditable', 'no_acreditable_por_motivo'])
    .where('ejercicio', '=', ejercicio)
    .where('mes', '=', mes)
    .executeTakeFirst()
  return row && { trasladado: row.iva_trasladado, acreditable: row.iva_acreditable, no: row.no_acreditable_por_motivo }
}

const historyOf = async (db: TenantDb, uuid: string) =>
  (await listHechos(db, uuid, { after: undefined, limit: 50 })).toReversed()

test('a first answer is kept, and neither the CFDI nor its history says anything new', async () => {
  const db = await tenants.create()
  const [uuid = ''] = await storeSpecs(db, {})
  assert.deepEqual(await record(db, uuid, dice()), [])
  const { siguiente_en, ...consulta } = await consultaOf(db, uuid)
  assert.deepEqual(consulta, {
    uuid_fiscal: uuid,
    estado: 'vigente',
    codigo: 'S',
    es_cancelable: 'con_aceptacion',
    estatus_cancelacion: null,
    efos: 'no_listado',
    consultado_en: T0,
    prioridad: 0,
    ausencias: 0,
    ausente_el: null,
    fallos: 0,
    error: null,
    firme: 'vigente',
    firme_en: T0,
  })
  assert.ok(siguiente_en && siguiente_en > T0)
  assert.deepEqual(await historyOf(db, uuid), [])
  assert.deepEqual(await cfdiOf(db, uuid), {
    estado: 'vigente',
    fecha_cancelacion: null,
    cancelacion_conocida_en: null,
    avisos: [],
    estado_por_consultar: false,
  })
})

test('a cancellation takes the CFDI out of its month, and its end puts it back; when each was learnt is kept', async () => {
  const db = await tenants.create()
  const [uuid = '', other = ''] = await storeSpecs(db, {}, {})
  assert.equal((await ivaOf(db))?.trasladado, '32.00')
  assert.deepEqual(await record(db, uuid, cancelado, days(1)), [uuid])
  assert.equal((await ivaOf(db))?.trasladado, '16.00')
  assert.deepEqual(await cfdiOf(db, uuid), {
    estado: 'cancelado',
    fecha_cancelacion: null, // the service does not say
    cancelacion_conocida_en: days(1),
    avisos: [],
    estado_por_consultar: false,
  })
  assert.deepEqual(await record(db, uuid, cancelado, days(2)), [])
  assert.deepEqual((await cfdiOf(db, uuid)).cancelacion_conocida_en, days(1), 'not learnt again')
  assert.deepEqual(await record(db, uuid, dice(), days(3)), [uuid])
  assert.equal((await ivaOf(db))?.trasladado, '32.00')
  const { estado, cancelacion_conocida_en } = await cfdiOf(db, uuid)
  assert.deepEqual([estado, cancelacion_conocida_en], ['vigente', null])
  assert.deepEqual(
    (await historyOf(db, uuid)).map(({ id: _, ...row }) => row),
    [
      {
        estado: 'cancelado',
        ocurrioEn: null,
        conocidoEn: days(1),
        fuente: 'consulta',
        estatusCancelacion: 'sin_aceptacion',
        efos: 'no_listado',
      },
      {
        estado: 'vigente',
        ocurrioEn: null,
        conocidoEn: days(3),
        fuente: 'consulta',
        estatusCancelacion: null,
        efos: 'no_listado',
      },
    ],
  )
  assert.equal((await cfdiOf(db, other)).estado, 'vigente')
})

test('a month without its only CFDI is as if it had never been, and comes back', async () => {
  const db = await tenants.create()
  const [uuid = ''] = await storeSpecs(db, {})
  await record(db, uuid, cancelado)
  assert.equal(await ivaOf(db), undefined)
  await record(db, uuid, dice(), days(1))
  assert.equal((await ivaOf(db))?.trasladado, '16.00')
})

test('a receipt that is cancelled takes back what it paid, in its own month', async () => {
  const db = await tenants.create()
  const invoice = randomUUID()
  const documentos = [{ id: invoice, pagado: '116.00', traslados: [{ base: '100.00', importe: '16.00' }] }]
  const [, rep = ''] = await storeSpecs(
    db,
    { uuid: invoice, metodoPago: 'PPD' },
    { tipo: 'P', fecha: '2026-03-02T10:00:00', pagos: [{ fecha: '2026-03-01T10:00:00', monto: '116.00', documentos }] },
  )
  assert.equal((await ivaOf(db, 2026, 3))?.trasladado, '16.00')
  await record(db, rep, cancelado)
  assert.equal(await ivaOf(db, 2026, 3), undefined)
  const movimientos = await db.selectFrom('movimientos').select(['clase', 'motivo']).orderBy('clase').execute()
  assert.deepEqual(movimientos, [
    { clase: 'PPD', motivo: 'ppd_sin_pago' },
    { clase: 'REP', motivo: 'cancelado' },
  ])
})

test('what a listed issuer issued is not credited while it is listed, and carries a warning', async () => {
  const db = await tenants.create()
  const [uuid = ''] = await storeSpecs(db, recibida(), recibida())
  const listed = dice({ efos: 'listado' })
  const before = await ivaOf(db)
  assert.deepEqual(before, { trasladado: '0.00', acreditable: '32.00', no: {} })
  assert.deepEqual(await record(db, uuid, listed, days(1)), [uuid])
  assert.deepEqual(await ivaOf(db), { trasladado: '0.00', acreditable: '16.00', no: { emisor_69b: '16.00' } })
  assert.deepEqual((await cfdiOf(db, uuid)).avisos, ['sat.emisor_69b'])
  const avisos = await db.selectFrom('cfdi_avisos').select(['codigo', 'mensaje']).execute()
  assert.match(avisos[0]?.mensaje ?? '', /69-B/)
  assert.deepEqual(await record(db, uuid, listed, days(2)), [], 'once')
  await record(db, uuid, dice({ efos: 'desconocido' }), days(3))
  assert.deepEqual((await cfdiOf(db, uuid)).avisos, ['sat.emisor_69b'], 'silence takes nothing back')
  assert.deepEqual(await record(db, uuid, dice(), days(4)), [uuid])
  assert.deepEqual([await ivaOf(db), (await cfdiOf(db, uuid)).avisos], [before, []])
  assert.equal((await db.selectFrom('cfdi_avisos').selectAll().execute()).length, 0)
  assert.deepEqual(
    (await historyOf(db, uuid)).map(({ efos, conocidoEn }) => [efos, conocidoEn]),
    [
      ['listado', days(1)],
      ['no_listado', days(4)],
    ],
  )
})

test('warnings of a CFDI that are not ours stay, with their numbers', async () => {
  const db = await tenants.create()
  const [uuid = ''] = await storeSpecs(db, recibida({ total: '999.00' }))
  const avisos = () => db.selectFrom('cfdi_avisos').select(['n', 'codigo']).orderBy('n').execute()
  const own = await avisos()
  assert.ok(own.length > 0)
  const codes = (await cfdiOf(db, uuid)).avisos
  await record(db, uuid, dice({ efos: 'listado' }))
  assert.deepEqual((await avisos()).slice(0, own.length), own)
  assert.deepEqual((await cfdiOf(db, uuid)).avisos, [...codes, 'sat.emisor_69b'].sort())
  await record(db, uuid, dice(), days(1))
  assert.deepEqual([await avisos(), (await cfdiOf(db, uuid)).avisos], [own, codes])
})

test('not found leaves the CFDI counting, and is told on the third day', async () => {
  const db = await tenants.create()
  const [uuid = ''] = await storeSpecs(db, {})
  for (const day of [1, 1, 1, 2]) await record(db, uuid, perdido, days(day))
  const { estado, ausencias } = await consultaOf(db, uuid)
  assert.deepEqual([estado, ausencias, await historyOf(db, uuid)], ['no_encontrado', 2, []])
  assert.deepEqual(await record(db, uuid, perdido, days(3)), [uuid])
  const cfdi = await cfdiOf(db, uuid)
  assert.deepEqual([cfdi.estado, cfdi.avisos], ['vigente', ['sat.no_encontrado']])
  assert.equal((await ivaOf(db))?.trasladado, '16.00')
  assert.deepEqual(
    (await historyOf(db, uuid)).map((row) => row.estado),
    ['no_encontrado'],
  )
  await record(db, uuid, dice(), days(4))
  assert.deepEqual((await cfdiOf(db, uuid)).avisos, [])
})

test('an expression that is not understood, and no answer at all, leave everything as it was but the next try', async () => {
  const db = await tenants.create()
  const [uuid = ''] = await storeSpecs(db, {})
  await record(db, uuid, cancelado)
  const invalid = dice({ estado: 'expresion_invalida', codigo: '601', efos: 'desconocido' })
  await record(db, uuid, invalid, days(1))
  await recordEstados(db, [{ uuid, preguntadoEn: days(1), fallo: 'sat.no_disponible' }], days(1))
  const consulta = await consultaOf(db, uuid)
  assert.deepEqual([consulta.estado, consulta.fallos, consulta.error], ['cancelado', 2, 'sat.no_disponible'])
  assert.deepEqual(consulta.consultado_en, T0)
  assert.equal((await cfdiOf(db, uuid)).estado, 'cancelado')
  await record(db, uuid, cancelado, days(2))
  assert.deepEqual([(await consultaOf(db, uuid)).fallos, (await consultaOf(db, uuid)).error], [0, null])
})

test('an answer to an older question never covers one to a newer, but one that a wrong clock wrote does not last', async () => {
  const db = await tenants.create()
  const [uuid = ''] = await storeSpecs(db, {})
  const at = (s: number) => new Date(T0.getTime() + s * 1_000)
  await record(db, uuid, cancelado, at(10), at(5))
  await record(db, uuid, dice(), at(11), at(4))
  assert.equal((await cfdiOf(db, uuid)).estado, 'cancelado')
  await record(db, uuid, dice(), days(400))
  assert.equal((await cfdiOf(db, uuid)).estado, 'vigente')
  await record(db, uuid, cancelado, days(2))
  assert.equal((await cfdiOf(db, uuid)).estado, 'cancelado', 'a time after now is no newer question')
  const conocido = (await historyOf(db, uuid)).map(({ estado, conocidoEn }) => [estado, conocidoEn])
  assert.deepEqual(conocido, [
    ['cancelado', at(10)],
    ['vigente', days(400)],
    ['cancelado', days(400)], // later by its place, so not before what it followed
  ])
})

test('an answer without news waits for nobody: an import may hold the line of the company', async () => {
  const db = await tenants.create()
  const [uuid = '', other = ''] = await storeSpecs(db, {}, {})
  const held = Promise.withResolvers<void>()
  const free = Promise.withResolvers<void>()
  const holder = db.transaction().execute(async (trx) => {
    await lockLine(trx)
    held.resolve()
    await free.promise
  })
  await held.promise
  await record(db, uuid, dice())
  const changing = record(db, other, cancelado)
  const owner = await openAs(tenants.ownerUrl(db))
  try {
    await until(() => waitsForLock(owner))
  } finally {
    free.resolve()
  }
  await holder
  assert.deepEqual(await changing, [other])
  await owner.end()
})

test('who has the document first gets its question: a new state never closes a circle', async () => {
  const db = await tenants.create()
  const [uuid = ''] = await storeSpecs(db, {})
  await record(db, uuid, dice())
  const owner = await openAs(tenants.ownerUrl(db))
  const { changing } = await db.transaction().execute(async (trx) => {
    // As the first answer of two at once: it waited for the document, which is no longer to be asked for, and has it.
    await sql`select from cfdis where uuid_fiscal = ${uuid}::uuid for no key update`.execute(trx)
    const changing = record(db, uuid, cancelado, days(1))
    await until(() => waitsForLock(owner))
    await sql`select from cfdi_consultas where uuid_fiscal = ${uuid}::uuid for update`.execute(trx)
    return { changing }
  })
  assert.deepEqual(await changing, [uuid])
  await owner.end()
})

test('opposite answers, uploads and turns at once: all end, and the last question decides', async () => {
  const db = await tenants.create()
  const uuids = await storeSpecs(db, ...Array.from({ length: 12 }, () => recibida()))
  const answer = (offset: number, respuesta: Respuesta, of: readonly string[]) =>
    recordEstados(
      db,
      of.map((uuid): Resultado => ({ uuid, preguntadoEn: new Date(T0.getTime() + offset), respuesta })),
      new Date(T0.getTime() + 60_000),
    )
  for (let round = 0; round < 6; round++) {
    const offset = round * 1_000
    await Promise.all([
      answer(offset + 1, cancelado, uuids),
      answer(offset + 2, dice({ efos: 'listado' }), uuids.toReversed()),
      storeSpecs(db, ...Array.from({ length: 5 }, () => recibida())),
      answer(offset + 3, round % 2 ? cancelado : dice(), uuids.slice(4)),
    ])
  }
  const estados = await db.selectFrom('cfdis').select('estado').where('uuid_fiscal', 'in', uuids.slice(4)).execute()
  assert.deepEqual(new Set(estados.map(({ estado }) => estado)), new Set(['cancelado']))
  await holdsTogether(db)
})

test('many answers in one commit leave what they leave one by one, in any order', async () => {
  const kinds = [dice(), cancelado, perdido, dice({ efos: 'listado' }), dice({ estatusCancelacion: 'en_proceso' })]
  const specs = Array.from({ length: 8 }, (_, i) => ({
    ...(i % 2 ? recibida() : {}),
    uuid: randomUUID(),
    fecha: `2026-0${1 + (i % 3)}-10T10:00:00`,
  }))
  const one = await tenants.create()
  const other = await tenants.create()
  const uuids = await storeSpecs(one, ...specs)
  await storeSpecs(other, ...specs)
  const rounds = fc.array(fc.array(fc.constantFrom(...kinds), { minLength: 8, maxLength: 8 }), { maxLength: 4 })
  let day = 0
  await fc.assert(
    fc.asyncProperty(rounds, async (some) => {
      for (const answers of some) {
        day += 1
        const results = uuids.map(
          (uuid, i): Resultado => ({ uuid, preguntadoEn: days(day), respuesta: answers[i] ?? dice() }),
        )
        await recordEstados(one, results, days(day))
        for (const result of results.toReversed()) await recordEstados(other, [result], days(day))
        assert.deepEqual(await everything(one), await everything(other))
      }
      await holdsTogether(one)
    }),
    { numRuns: 12 },
  )
})

test('a CFDI that is not here is nobody, and nothing is written of it', async () => {
  const db = await tenants.create()
  assert.deepEqual(await record(db, randomUUID(), cancelado), [])
  assert.equal((await db.selectFrom('cfdi_consultas').selectAll().execute()).length, 0)
})

/** All that answers leave, without ids, times of their own and turns, which one answer may move for another CFDI. */
async function everything(db: TenantDb) {
  const { rows } = await sql<{ all: unknown }>`
    select json_build_object(
      'cfdis', (select json_agg(json_build_object('u', uuid_fiscal, 'e', estado, 'k', cancelacion_conocida_en, 'a', avisos) order by uuid_fiscal) from cfdis),
      'consultas', (select json_agg(to_jsonb(q) - 'siguiente_en' - 'prioridad' order by uuid_fiscal) from cfdi_consultas q),
      'estados', (select json_agg(json_build_object('u', uuid_fiscal, 'e', estado, 'k', conocido_en, 'd', detalle) order by uuid_fiscal, id) from cfdi_estados),
      'avisos', (select json_agg(json_build_object('u', uuid_fiscal, 'n', n, 'c', codigo) order by uuid_fiscal, n) from cfdi_avisos),
      'movimientos', (select json_agg(m order by uuid_fiscal, n) from movimientos m),
      'meses', (select json_agg(to_jsonb(i) - 'calculado_en' order by ejercicio, mes) from iva_mensual i)) as all`.execute(
    db,
  )
  return rows[0]?.all
}

/** Deriving everything anew changes nothing, states and history agree, and lists show the warnings there are. */
async function holdsTogether(db: TenantDb): Promise<void> {
  const before = await everything(db)
  const uuids = (await db.selectFrom('cfdis').select('uuid_fiscal').execute()).map(({ uuid_fiscal }) => uuid_fiscal)
  await db.transaction().execute((trx) => rederive(trx, uuids))
  assert.deepEqual(await everything(db), before)
  const { rows } = await sql`
    select c.uuid_fiscal from cfdis c
    left join lateral (select estado from cfdi_estados e where e.uuid_fiscal = c.uuid_fiscal and estado <> 'no_encontrado'
      order by conocido_en desc, id desc limit 1) h on true
    where c.estado <> coalesce(h.estado, 'vigente')
      or c.avisos <> array(select distinct codigo from cfdi_avisos a where a.uuid_fiscal = c.uuid_fiscal order by 1)`.execute(
    db,
  )
  assert.deepEqual(rows, [])
}

/** Whether somebody in the same database stands before a lock. */
async function waitsForLock(owner: Awaited<ReturnType<typeof openAs>>): Promise<boolean> {
  const waiting = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
  return (await owner.query(waiting)).length > 0
}
