import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { sql } from 'kysely'
import type { CfdiSpec } from '../../../test/support/cfdi-xml.ts'
import { RFC, recibida, storeSpecs } from '../../../test/support/estado-sat.ts'
import { retencionXml } from '../../../test/support/retencion-xml.ts'
import { listed, rowOf, LISTED_AT as T0, uuidsOf } from '../../../test/support/sat-lists.ts'
import { type ScratchTenants, scratchTenants } from '../../../test/support/scratch-tenant.ts'
import { parseCfdi } from '../../cfdi/read/parse.ts'
import { storeCfdis } from '../../cfdi/store/store-cfdis.ts'
import type { TenantDb } from '../../db/databases.ts'
import type { MetadataRow } from '../paquetes/queries.ts'
import { countDiferencias, type Diferencia, listDiferencias } from './diferencias-queries.ts'
import { countFaltan, type Faltan, type Tramo } from './faltan-queries.ts'
import { fueraDe } from './por-llegar.ts'

let tenants: ScratchTenants
before(async () => {
  tenants = await scratchTenants()
})
after(() => tenants.close())

const days = (n: number) => new Date(T0.getTime() + n * 86_400_000)
const difieren = (db: TenantDb) => uuidsOf(db, 'difiere')

const amounts: [string, CfdiSpec, Partial<MetadataRow>, boolean][] = [
  ['is the same', {}, {}, false],
  ['is another by a cent', {}, { monto: '116.01' }, true],
  ['is blank', {}, { monto: null }, false],
  ['is zero, and the document is not', {}, { monto: '0.00' }, true],
  ['is cut where the document has six places', { total: '116.009999' }, { monto: '116.00' }, false],
  ['is rounded where it has six places', { total: '116.005000' }, { monto: '116.01' }, false],
  ['is in dollars, as the document is', { moneda: 'USD', tipoCambio: '17.5123' }, {}, false],
  ['is in pesos, and the document in dollars', { moneda: 'USD', tipoCambio: '17.5123' }, { monto: '2031.42' }, false],
  ['is in neither', { moneda: 'USD', tipoCambio: '17.5123' }, { monto: '2030.00' }, true],
  ['is another, of a document in pesos with a rate', { tipoCambio: '2' }, { monto: '232.00' }, true],
  [
    'is what a payment receipt paid',
    { tipo: 'P', pagos: [{ fecha: '2026-01-15T12:00:00', monto: '5000.00', documentos: [] }] },
    { monto: '5000.00', efecto: 'P' },
    false,
  ],
  ['is what is carried', { tipo: 'T', total: '0', moneda: 'XXX' }, { monto: '10.00', efecto: 'T' }, false],
  ['is what a payroll pays', { tipo: 'N' }, { efecto: 'N' }, false],
  ['is not what a payroll pays', { tipo: 'N' }, { monto: '100.00', efecto: 'N' }, true],
  ['is another, of a credit note', { tipo: 'E' }, { monto: '11.60', efecto: 'E' }, true],
]

for (const [name, spec, row, differs] of amounts)
  test(`${differs ? 'told' : 'no difference'}: the amount of the list ${name}`, async () => {
    // Whichever of the two comes first.
    const before = await tenants.create()
    const [uuid = ''] = await storeSpecs(before, spec)
    await listed(before, { rows: [rowOf(uuid, row)] })
    assert.deepEqual(await difieren(before), differs ? [uuid] : [])
    const behind = await tenants.create()
    await listed(behind, { rows: [rowOf(uuid, row)] })
    await storeSpecs(behind, { ...spec, uuid })
    assert.deepEqual(await difieren(behind), differs ? [uuid] : [])
  })

test('of a certificate of withholding no amount is held against the list', async () => {
  const db = await tenants.create()
  const retencion = parseCfdi(Buffer.from(retencionXml({ emisor: { rfc: RFC } })))
  await storeCfdis(db, RFC, [retencion], { source: 'upload', limit: { max: -1, mode: 'hard' }, now: T0 })
  await listed(db, {
    servicio: 'retenciones',
    rows: [rowOf(retencion.uuid, { servicio: 'retenciones', monto: '100.00' })],
  })
  assert.deepEqual(await difieren(db), [])
})

test('a difference is told with both amounts, and a later list that agrees takes it back', async () => {
  const db = await tenants.create()
  const [uuid = '', other = ''] = await storeSpecs(db, { total: '116.004' }, { receptor: { rfc: RFC } })
  await listed(db, { rows: [rowOf(uuid, { monto: '1160.00' })] })
  const [told] = await listDiferencias(db, { tipo: 'difiere' }, { limit: 5 })
  assert.deepEqual([told?.monto, told?.total, told?.moneda, told?.listadoEn], ['1160.00', '116.00', 'MXN', T0])
  assert.deepEqual(await countDiferencias(db), [
    { servicio: 'cfdi', direccion: 'emitido', ejercicio: 2026, mes: 1, n: 1 },
  ])
  // An older list that comes late says nothing.
  await listed(db, { rows: [rowOf(uuid)], listadaEn: days(-1), now: T0 })
  assert.deepEqual(await difieren(db), [uuid])
  await listed(db, { rows: [rowOf(uuid)], listadaEn: days(1) })
  assert.deepEqual([await difieren(db), await countDiferencias(db)], [[], []])
  // Of what it sent to itself the newer of its two lists holds.
  await listed(db, { rows: [rowOf(uuid), rowOf(other, { monto: '1.00' })], listadaEn: days(2) })
  assert.deepEqual(await difieren(db), [other])
  await listed(db, { rows: [rowOf(other, { direccion: 'recibido' })], direccion: 'recibido', listadaEn: days(3) })
  assert.deepEqual(await difieren(db), [])
})

test('differences come in pages, each once, by kind, side and month', async () => {
  const db = await tenants.create()
  const specs = Array.from({ length: 7 }, (_, i) => ({ fecha: `2026-01-${10 + Math.floor(i / 3)}T12:00:00` }))
  const stored = await storeSpecs(db, ...specs, recibida(), { fecha: '2025-12-31T23:59:58' })
  await listed(db)
  await listed(db, { direccion: 'recibido' })
  await listed(db, { desde: '2025-12-01T00:00:00', hasta: '2025-12-31T23:59:59' })
  const whole = await listDiferencias(db, { tipo: 'sobra' }, { limit: 100 })
  assert.deepEqual(new Set(whole.map(({ uuid }) => uuid)), new Set(stored))
  assert.deepEqual(
    whole.map(({ fechaEmision }) => fechaEmision),
    whole
      .map((one) => one.fechaEmision)
      .sort()
      .reverse(),
  )
  const paged: typeof whole = []
  for (let after = paged.at(-1), end = false; !end; after = paged.at(-1)) {
    const page = await listDiferencias(db, { tipo: 'sobra' }, { after, limit: 2 })
    paged.push(...page)
    end = page.length < 2
  }
  assert.deepEqual(paged, whole)
  const some = async (filtro: object) =>
    (await listDiferencias(db, { tipo: 'sobra', ...filtro }, { limit: 100 })).length
  assert.equal(await some({ direccion: 'recibido' }), 1)
  assert.equal(await some({ servicio: 'retenciones' }), 0)
  assert.equal(await some({ desde: '2025-12-01T00:00:00', hasta: '2025-12-31T23:59:59' }), 1)
})

test('of what is missing it is told when the SAT gave it and it could not be read, whatever somebody uploaded', async () => {
  const db = await tenants.create()
  const [unread = '', refused = '', never = ''] = Array.from({ length: 3 }, () => randomUUID())
  await listed(db, { rows: [unread, refused, never].map((uuid) => rowOf(uuid)) })
  const put = (fuente: string, paquete: string | null, archivos: string[]) =>
    sql`with c as (
        insert into cargas (id, huella, estado, archivos, total, fuente, paquete_id)
        values (gen_random_uuid(), sha256(${fuente}::text::bytea), 'terminada', '[]', 2, ${fuente}, ${paquete}) returning id
      ) insert into carga_resultados (carga_id, n, archivo, estado, codigo, mensaje)
      select c.id, n, archivo, 'cuarentena', 'cfdi.not_xml', 'No' from c, unnest(${archivos}::text[]) with ordinality a(archivo, n)`.execute(
      db,
    )
  await put('sat', 'P_01', [`${unread.toUpperCase()}.XML`, `${'x'.repeat(9000)}.xml`])
  await put('usuario', null, [`${refused}.xml`])
  const rows = await listDiferencias(db, { tipo: 'falta' }, { limit: 5 })
  assert.deepEqual(
    new Map(rows.map(({ uuid, enCuarentena }) => [uuid, enCuarentena])),
    new Map([
      [unread, true],
      [refused, false],
      [never, false],
    ]),
  )
})

test('how many are missing is what a recount says, however rows come, change and go', async () => {
  const db = await tenants.create()
  const uuids = Array.from({ length: 12 }, () => randomUUID())
  const fechas = ['2025-12-31T23:59:59', '2026-01-01T00:00:00', '2026-01-31T23:59:59']
  const month = (i: number) => ({ fecha_emision: fechas[i % 3] ?? '' })
  const agree = async () => {
    const { rows } = await sql<Faltan>`
      select servicio, direccion, extract(year from fecha_emision)::int as ejercicio,
        extract(month from fecha_emision)::int as mes, count(*)::int as faltan, 0 as "porLlegar"
      from sat_metadata m where falta and not exists (select from cfdis c where c.uuid_fiscal = m.uuid_fiscal)
      group by 1, 2, 3, 4 order by 3 desc, 4 desc, 1, 2`.execute(db)
    assert.deepEqual(await countFaltan(db), rows)
    return rows.reduce((sum, { faltan }) => sum + faltan, 0)
  }
  await listed(db, { rows: uuids.map((uuid, i) => rowOf(uuid, month(i))) })
  assert.equal(await agree(), 12)
  // Another month, both sides, cancelled where it can and where it cannot be had.
  await listed(db, { rows: uuids.slice(0, 3).map((uuid, i) => rowOf(uuid, month(i + 1))), listadaEn: days(1) })
  const received = { direccion: 'recibido' as const, rfc_emisor: 'URE180429TM6', rfc_receptor: RFC }
  await listed(db, { rows: uuids.slice(2, 5).map((uuid) => rowOf(uuid, received)), listadaEn: days(1) })
  assert.equal(await agree(), 15)
  const gone = { estatus: 'cancelado' as const, fecha_cancelacion: '2026-02-01T00:00:00' }
  await listed(db, { rows: uuids.slice(2, 4).map((uuid) => rowOf(uuid, { ...received, ...gone })), listadaEn: days(2) })
  await listed(db, { rows: uuids.slice(5, 7).map((uuid) => rowOf(uuid, gone)), listadaEn: days(2) })
  assert.equal(await agree(), 13)
  await storeSpecs(db, ...uuids.slice(4, 8).map((uuid) => ({ uuid })))
  assert.equal(await agree(), 8)
  await storeSpecs(db, ...uuids.slice(4, 8).map((uuid) => ({ uuid })))
  await db.deleteFrom('sat_metadata').where('uuid_fiscal', 'in', uuids.slice(0, 2)).execute()
  assert.equal(await agree(), 6)
})

const EVER = '9999-12-31T23:59:58'

test('what is still to come is counted apart, of whole months by their sums and of others by the second', async () => {
  const db = await tenants.create()
  const dates = ['2025-12-31T23:59:59', '2026-01-01T00:00:00', '2026-01-31T23:59:59', '2026-02-01T00:00:00']
  const received = { direccion: 'recibido' as const, rfc_emisor: 'URE180429TM6', rfc_receptor: RFC }
  await listed(db, { rows: dates.map((fecha_emision) => rowOf(randomUUID(), { fecha_emision })) })
  await listed(db, { rows: dates.map((fecha_emision) => rowOf(randomUUID(), { ...received, fecha_emision })) })
  const kind = { servicio: 'cfdi' as const, direccion: 'emitido' as const }
  const told = async (...tramos: Tramo[]) =>
    (await countFaltan(db, tramos))
      .filter(({ direccion }) => direccion === 'emitido')
      .map(({ ejercicio, mes, faltan, porLlegar }) => [`${ejercicio}-${mes}`, faltan, porLlegar])
  const all = [
    ['2026-2', 1, 0],
    ['2026-1', 2, 0],
    ['2025-12', 1, 0],
  ]
  assert.deepEqual(await told(), all)
  for (const other of [{ servicio: 'retenciones' as const }, { direccion: 'recibido' as const }])
    assert.deepEqual(await told({ ...kind, ...other, desde: '2025-01-01T00:00:00', hasta: EVER }), all)
  assert.deepEqual(await told({ ...kind, desde: '2026-01-01T00:00:00', hasta: '2026-01-31T23:59:59' }), [
    ['2026-2', 1, 0],
    ['2026-1', 0, 2],
    ['2025-12', 1, 0],
  ])
  // The first and the last second are in it.
  for (const [desde, hasta] of [
    ['2025-12-31T23:59:59', '2026-01-01T00:00:00'],
    ['2026-01-01T00:00:00', '2026-01-31T23:59:58'],
  ] as const) {
    const [, january] = await told({ ...kind, desde, hasta })
    assert.deepEqual(january, ['2026-1', 1, 1])
  }
  const parts = [
    { ...kind, desde: '2026-01-01T00:00:00', hasta: '2026-01-01T00:00:00' },
    { ...kind, desde: '2026-01-31T23:59:59', hasta: EVER },
  ]
  assert.deepEqual(await told(...parts), [
    ['2026-2', 0, 1],
    ['2026-1', 0, 2],
    ['2025-12', 1, 0],
  ])
})

test('what is missing and what is to come are two lists, each in pages, that have every row once', async () => {
  const db = await tenants.create()
  const dates = Array.from({ length: 9 }, (_, i) => `2026-01-1${Math.floor(i / 2)}T12:00:00`)
  const received = { direccion: 'recibido' as const, rfc_emisor: 'URE180429TM6', rfc_receptor: RFC }
  for (const kind of [{}, received])
    await listed(db, { rows: dates.map((fecha_emision) => rowOf(randomUUID(), { ...kind, fecha_emision })) })
  const tramos: Tramo[] = [
    { servicio: 'cfdi', direccion: 'emitido', desde: '2026-01-13T12:00:00', hasta: EVER },
    { servicio: 'cfdi', direccion: 'recibido', desde: '2026-01-12T00:00:00', hasta: '2026-01-12T23:59:59' },
    { servicio: 'cfdi', direccion: 'recibido', desde: '2026-01-14T00:00:00', hasta: EVER },
  ]
  const paged = async (tipo: 'falta' | 'por_llegar', which: readonly Tramo[]) => {
    const rows: Diferencia[] = []
    for (let end = false; !end; ) {
      const page = await listDiferencias(db, { tipo, tramos: which }, { after: rows.at(-1), limit: 2 })
      rows.push(...page)
      end = page.length < 2
    }
    return rows
  }
  const [missing, coming] = [await paged('falta', fueraDe(tramos)), await paged('por_llegar', tramos)]
  assert.deepEqual(coming.map(({ direccion, fechaEmision }) => `${direccion} ${fechaEmision.slice(8, 10)}`).sort(), [
    'emitido 13',
    'emitido 13',
    'emitido 14',
    'recibido 12',
    'recibido 12',
    'recibido 14',
  ])
  const key = ({ fechaEmision, uuid, direccion }: Diferencia) => `${fechaEmision} ${uuid} ${direccion}`
  const whole = await listDiferencias(db, { tipo: 'falta' }, { limit: 100 })
  assert.deepEqual([...missing, ...coming].map(key).sort(), whole.map(key).sort())
  for (const list of [missing, coming])
    assert.deepEqual(
      list.map(key),
      whole.map(key).filter((one) => list.some((row) => key(row) === one)),
    )
  assert.deepEqual([missing[0]?.tipo, coming[0]?.tipo], ['falta', 'por_llegar'])
  assert.deepEqual(await paged('por_llegar', []), [])
})
