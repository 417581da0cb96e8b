import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { sql } from 'kysely'
import { cancelado, dice, perdido, RFC, recibida, storeSpecs } from '../../../test/support/estado-sat.ts'
import { type ScratchTenants, scratchTenants } from '../../../test/support/scratch-tenant.ts'
import { lockLine } from '../../cfdi/store/insert-queries.ts'
import { rederive } from '../../cfdi/store/rederive.ts'
import type { TenantDb } from '../../db/databases.ts'
import { listHechos } from '../estado/history-queries.ts'
import { recordEstados } from '../estado/record-estados.ts'
import type { Respuesta } from '../estado/respuesta.ts'
import { applyKnownStates, applyMetadata } from './apply-metadata.ts'
import { type MetadataRow, upsertMetadata } from './queries.ts'

let tenants: ScratchTenants
before(async () => {
  tenants = await scratchTenants()
})
after(() => tenants.close())

const T0 = new Date('2026-02-10T18:00:00Z')
const days = (n: number) => new Date(T0.getTime() + n * 86_400_000)
const CUANDO = '2026-02-09T11:22:33'

const rowOf = (uuid: string, estatus: MetadataRow['estatus'], change: Partial<MetadataRow> = {}): MetadataRow => ({
  uuid_fiscal: uuid,
  servicio: 'cfdi',
  direccion: 'recibido',
  rfc_emisor: 'IIA040805DZ4',
  nombre_emisor: 'INDUSTRIA',
  rfc_receptor: RFC,
  nombre_receptor: 'ESCUELA KEMPER URGATE',
  rfc_pac: 'SPR190613I52',
  fecha_emision: '2026-01-15T12:00:00',
  fecha_certificacion: '2026-01-15T12:00:00',
  monto: '116.00',
  efecto: 'I',
  estatus,
  fecha_cancelacion: estatus === 'cancelado' ? CUANDO : null,
  rfc_terceros: null,
  nombre_terceros: null,
  ...change,
})

/** What a list made at `listedAt` says of one CFDI, learnt `now`. */
async function listed(
  db: TenantDb,
  uuid: string,
  estatus: MetadataRow['estatus'],
  { listedAt, now = listedAt, ...change }: { listedAt: Date; now?: Date } & Partial<MetadataRow>,
) {
  return db.transaction().execute(async (trx) => {
    await lockLine(trx)
    await upsertMetadata(trx, [rowOf(uuid, estatus, change)], { listedAt, now })
    return applyMetadata(trx, [uuid], now)
  })
}

const answered = (db: TenantDb, uuid: string, respuesta: Respuesta, preguntadoEn: Date, now = preguntadoEn) =>
  recordEstados(db, [{ uuid, preguntadoEn, respuesta }], now)

const cfdiOf = (db: TenantDb, uuid: string) =>
  db
    .selectFrom('cfdis')
    .select(['estado', 'fecha_cancelacion', 'cancelacion_conocida_en'])
    .where('uuid_fiscal', '=', uuid)
    .executeTakeFirstOrThrow()

const acreditable = async (db: TenantDb, mes = 1) =>
  (
    await db
      .selectFrom('iva_mensual')
      .select('iva_acreditable')
      .where('ejercicio', '=', 2026)
      .where('mes', '=', mes)
      .executeTakeFirst()
  )?.iva_acreditable

const alertasOf = (db: TenantDb) =>
  db
    .selectFrom('alertas')
    .select([
      'clave',
      'severidad',
      'mensaje',
      'accion',
      'monto_en_riesgo',
      'ejercicio',
      'mes',
      'uuid_fiscal',
      'resuelta_en',
    ])
    .orderBy('clave')
    .execute()

test('a cancellation in a list takes the CFDI out of its month, says when it was and what it costs, and its end puts all back', async () => {
  const db = await tenants.create()
  const [uuid = ''] = await storeSpecs(db, recibida(), recibida())
  assert.equal(await acreditable(db), '32.00')
  assert.deepEqual(await listed(db, uuid, 'cancelado', { listedAt: days(1), now: days(2) }), [uuid])
  assert.equal(await acreditable(db), '16.00')
  assert.deepEqual(await cfdiOf(db, uuid), {
    estado: 'cancelado',
    fecha_cancelacion: '2026-02-09 11:22:33',
    cancelacion_conocida_en: days(2),
  })
  const [hecho] = await listHechos(db, uuid, { after: undefined, limit: 5 })
  assert.deepEqual(
    [hecho?.estado, hecho?.fuente, hecho?.ocurrioEn, hecho?.conocidoEn],
    ['cancelado', 'metadata', CUANDO, days(2)],
  )
  const [alerta] = await alertasOf(db)
  assert.deepEqual(
    { ...alerta, mensaje: '', accion: '' },
    {
      clave: `CFDI_RECIBIDO_CANCELADO:${uuid}`,
      severidad: 'critica', // January is over
      ...{ mensaje: '', accion: '' },
      monto_en_riesgo: '16.00',
      ...{ ejercicio: 2026, mes: 1 },
      uuid_fiscal: uuid,
      resuelta_en: null,
    },
  )
  assert.match(
    alerta?.mensaje ?? '',
    /^IIA040805DZ4 canceló el 9 de febrero de 2026 la factura .* del 15 de enero de 2026 por \$116\.00 MXN\. Deja de acreditarse \$16\.00 de IVA en enero de 2026\.$/,
  )
  assert.match(alerta?.accion ?? '', /complementaria/)
  assert.deepEqual(await listed(db, uuid, 'cancelado', { listedAt: days(3) }), [], 'not learnt again')

  assert.deepEqual(await listed(db, uuid, 'vigente', { listedAt: days(4) }), [uuid])
  assert.equal(await acreditable(db), '32.00')
  assert.deepEqual(await cfdiOf(db, uuid), {
    estado: 'vigente',
    fecha_cancelacion: null,
    cancelacion_conocida_en: null,
  })
  assert.deepEqual((await alertasOf(db))[0]?.resuelta_en, days(4))
  await listed(db, uuid, 'cancelado', { listedAt: days(5) })
  assert.deepEqual((await alertasOf(db))[0]?.resuelta_en, null, 'it is one alert, open again')
})

test('the state service tells of it too, and what is still to be declared is less grave', async () => {
  const db = await tenants.create()
  const [uuid = '', other = '', own = ''] = await storeSpecs(
    db,
    recibida({ fecha: '2026-02-03T10:00:00' }),
    recibida({ metodoPago: 'PPD' }),
    {},
  )
  await answered(db, uuid, cancelado, T0)
  await answered(db, other, cancelado, T0)
  await answered(db, own, cancelado, T0)
  const told = Object.fromEntries((await alertasOf(db)).map((one) => [one.uuid_fiscal, one]))
  assert.deepEqual(Object.keys(told).sort(), [uuid, other].sort(), 'what the company cancels itself is no news to it')
  const of = (id: string) => [told[id]?.severidad, told[id]?.monto_en_riesgo, told[id]?.mes]
  assert.deepEqual(
    [of(uuid), of(other)],
    [
      ['alta', '16.00', 2],
      ['aviso', '0.00', 1], // to be paid later, and nothing was: nothing was credited
    ],
  )
  await answered(db, uuid, dice(), days(1))
  assert.deepEqual((await alertasOf(db)).find((one) => one.uuid_fiscal === uuid)?.resuelta_en, days(1))
})

test('a cancelled receipt of payment costs the IVA of its payments, in their month', async () => {
  const db = await tenants.create()
  const invoice = randomUUID()
  const documentos = [{ id: invoice, pagado: '116.00', traslados: [{ base: '100.00', importe: '16.00' }] }]
  const pago = {
    tipo: 'P',
    fecha: '2026-01-20T10:00:00',
    pagos: [{ fecha: '2026-01-20T10:00:00', monto: '116.00', documentos }],
  } as const
  const [, rep = ''] = await storeSpecs(
    db,
    recibida({ uuid: invoice, metodoPago: 'PPD', fecha: '2025-12-10T10:00:00' }),
    recibida(pago),
  )
  assert.equal(await acreditable(db), '16.00')
  await listed(db, rep, 'cancelado', { listedAt: T0, efecto: 'P' })
  const [alerta] = await alertasOf(db)
  assert.deepEqual([alerta?.severidad, alerta?.monto_en_riesgo, alerta?.mes], ['critica', '16.00', 1])
  // And the invoice itself, whose payments count no more than it does.
  const other = await tenants.create()
  await storeSpecs(other, recibida({ uuid: invoice, metodoPago: 'PPD', fecha: '2025-12-10T10:00:00' }), recibida(pago))
  await listed(other, invoice, 'cancelado', { listedAt: T0 })
  assert.deepEqual([(await alertasOf(other))[0]?.monto_en_riesgo, await acreditable(other)], ['16.00', undefined])
})

test('when it was cancelled is filled in where only that it was is known', async () => {
  const db = await tenants.create()
  const [uuid = ''] = await storeSpecs(db, recibida())
  await answered(db, uuid, cancelado, days(1))
  assert.equal((await cfdiOf(db, uuid)).fecha_cancelacion, null)
  // An older list: of the state it knows less, of the date it knows more.
  assert.deepEqual(await listed(db, uuid, 'cancelado', { listedAt: T0, now: days(2) }), [uuid])
  assert.deepEqual(await cfdiOf(db, uuid), {
    estado: 'cancelado',
    fecha_cancelacion: '2026-02-09 11:22:33',
    cancelacion_conocida_en: days(1),
  })
  const history = await listHechos(db, uuid, { after: undefined, limit: 5 })
  assert.deepEqual(
    history.map(({ fuente, ocurrioEn, estatusCancelacion }) => [fuente, ocurrioEn, estatusCancelacion]),
    [
      ['metadata', CUANDO, 'sin_aceptacion'],
      ['consulta', null, 'sin_aceptacion'],
    ],
  )
  assert.deepEqual(await answered(db, uuid, cancelado, days(3)), [], 'the same answer is no news')
})

test('a document that comes after the list that cancels it is cancelled by whoever looks next', async () => {
  const db = await tenants.create()
  const uuid = randomUUID()
  await listed(db, uuid, 'cancelado', { listedAt: T0 })
  await storeSpecs(db, recibida({ uuid }), recibida())
  assert.equal(await acreditable(db), '32.00')
  assert.equal(await applyKnownStates(db, days(1)), 1)
  assert.equal(await acreditable(db), '16.00')
  assert.equal((await cfdiOf(db, uuid)).fecha_cancelacion, '2026-02-09 11:22:33')
  assert.equal(await applyKnownStates(db, days(1)), 0)
  // What was answered since is newer, and is left alone by every later look.
  await answered(db, uuid, dice(), days(2))
  assert.equal(await applyKnownStates(db, days(3)), 0)
  assert.equal((await cfdiOf(db, uuid)).estado, 'vigente')
})

test('of any answers and lists, in any order of arrival, the one that knew last decides', async () => {
  const db = await tenants.create()
  type Event = { kind: 'lista' | 'consulta'; dice: 'vigente' | 'cancelado' | 'no_encontrado'; at: number }
  const event = fc.record({
    kind: fc.constantFrom('lista', 'consulta') as fc.Arbitrary<Event['kind']>,
    dice: fc.constantFrom('vigente', 'cancelado', 'no_encontrado') as fc.Arbitrary<Event['dice']>,
    at: fc.nat(40),
  })
  // Of two that know of the same moment none is newer: the property is of different ones.
  const events = fc
    .uniqueArray(event, { selector: ({ at }) => at, maxLength: 7 })
    .map((some) => some.filter(({ kind, dice: said }) => kind === 'consulta' || said !== 'no_encontrado'))
  const answers = { vigente: dice(), cancelado, no_encontrado: perdido }
  await fc.assert(
    fc.asyncProperty(events, async (some) => {
      const [uuid = ''] = await storeSpecs(db, recibida())
      const now = days(50)
      const known: Event[] = []
      let asked = -1
      for (const { kind, dice: said, at } of some) {
        if (kind === 'lista') await listed(db, uuid, said as 'vigente', { listedAt: days(at), now })
        else await answered(db, uuid, answers[said], days(at), now)
        // An answer to an older question than one that was answered is not taken down at all (ADR 0015).
        if (kind === 'consulta' && at < asked) continue
        const last = known.toSorted((a, b) => b.at - a.at).find((one) => one.kind === 'lista')
        const contradicted = last && last.at > at && last.dice !== said
        if (kind === 'consulta' && !(contradicted && said !== 'no_encontrado')) asked = at
        if (said !== 'no_encontrado') known.push({ kind, dice: said, at })
      }
      const newest = known.toSorted((a, b) => b.at - a.at)[0]?.dice ?? 'vigente'
      assert.equal((await cfdiOf(db, uuid)).estado, newest, JSON.stringify(some))
      const open = (await alertasOf(db)).find((one) => one.uuid_fiscal === uuid)
      assert.equal(
        open !== undefined && open.resuelta_en === null,
        newest === 'cancelado',
        'the alert goes with the state',
      )
      // An answer that came after the list says no date: whoever looks next fills it in, and that is all there is to do.
      await applyKnownStates(db, now)
      assert.equal((await cfdiOf(db, uuid)).estado, newest)
      assert.equal(await applyKnownStates(db, now), 0)
    }),
    { numRuns: 60 },
  )
  await holdsTogether(db)
})

test('lists and answers at once about the same CFDI: all end, and what knew last decides', async () => {
  const db = await tenants.create()
  const uuids = await storeSpecs(db, ...Array.from({ length: 10 }, () => recibida()))
  const now = days(30)
  const ask = (respuesta: Respuesta, at: Date) =>
    recordEstados(
      db,
      uuids.map((uuid) => ({ uuid, preguntadoEn: at, respuesta })),
      now,
    )
  const list = (estatus: MetadataRow['estatus'], listedAt: Date) =>
    db.transaction().execute(async (trx) => {
      await lockLine(trx)
      const rows = uuids.toSorted().map((uuid) => rowOf(uuid, estatus))
      await upsertMetadata(trx, rows, { listedAt, now })
      await applyMetadata(trx, uuids, now)
    })
  for (let day = 0; day < 20; day += 4) {
    const last = day % 8 === 0 ? 'cancelado' : 'vigente'
    const at = (n: number) => days(day + n)
    await Promise.all([
      ask(dice(), at(0)),
      list('cancelado', at(1)),
      ask(cancelado, at(2)),
      last === 'cancelado' ? list('cancelado', at(3)) : ask(dice(), at(3)),
      storeSpecs(db, recibida(), recibida()),
    ])
    await applyKnownStates(db, now)
    const estados = await db.selectFrom('cfdis').select('estado').where('uuid_fiscal', 'in', uuids).execute()
    assert.deepEqual(new Set(estados.map(({ estado }) => estado)), new Set([last]), `day ${day}`)
  }
  await holdsTogether(db)
})

/** Deriving everything anew changes nothing, and states and history agree. */
async function holdsTogether(db: TenantDb): Promise<void> {
  const derived = async () => {
    const { rows } = await sql`
      select (select json_agg(m order by uuid_fiscal, n) from movimientos m) as movimientos,
        (select json_agg(to_jsonb(i) - 'calculado_en' order by ejercicio, mes) from iva_mensual i) as meses`.execute(db)
    return rows
  }
  const before = await derived()
  const uuids = (await db.selectFrom('cfdis').select('uuid_fiscal').execute()).map(({ uuid_fiscal }) => uuid_fiscal)
  await db.transaction().execute((trx) => rederive(trx, uuids))
  assert.deepEqual(await derived(), before)
  const { rows } = await sql`
    select c.uuid_fiscal from cfdis c
    left join lateral (select estado from cfdi_estados e where e.uuid_fiscal = c.uuid_fiscal and estado <> 'no_encontrado'
      order by conocido_en desc, id desc limit 1) h on true
    where c.estado <> coalesce(h.estado, 'vigente')`.execute(db)
  assert.deepEqual(rows, [])
}
