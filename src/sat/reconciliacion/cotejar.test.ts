import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import type { CfdiSpec } from '../../../test/support/cfdi-xml.ts'
import { dice, perdido, RFC, recibida, storeSpecs } from '../../../test/support/estado-sat.ts'
import { ownFixture } from '../../../test/support/fixtures.ts'
import { retencionXml } from '../../../test/support/retencion-xml.ts'
import { type ScratchTenants, scratchTenants } from '../../../test/support/scratch-tenant.ts'
import { parseCfdi } from '../../cfdi/read/parse.ts'
import { storeCfdis } from '../../cfdi/store/store-cfdis.ts'
import type { TenantDb } from '../../db/databases.ts'
import { recordEstados } from '../estado/record-estados.ts'
import { advanceLectura, endLectura, insertLectura, lockLectura, putIlegibles } from '../paquetes/lectura-queries.ts'
import { type MetadataRow, upsertMetadata } from '../paquetes/queries.ts'
import type { ListaPedida } from './central-queries.ts'
import { cotejar, cotejarLlegados } from './cotejar.ts'
import { countDiferencias, countSobrantes, listDiferencias, type TipoDiferencia } from './diferencias-queries.ts'

let tenants: ScratchTenants
before(async () => {
  tenants = await scratchTenants()
})
after(() => tenants.close())

const T0 = new Date('2026-02-10T18:00:00Z')
const days = (n: number) => new Date(T0.getTime() + n * 86_400_000)

const rowOf = (uuid: string, change: Partial<MetadataRow> = {}): MetadataRow => ({
  uuid_fiscal: uuid,
  servicio: 'cfdi',
  direccion: 'emitido',
  rfc_emisor: RFC,
  nombre_emisor: 'ESCUELA KEMPER URGATE',
  rfc_receptor: 'URE180429TM6',
  nombre_receptor: 'UNIVERSIDAD ROBOTICA ESPAÑOLA',
  rfc_pac: 'SPR190613I52',
  fecha_emision: '2026-01-15T12:00:00',
  fecha_certificacion: '2026-01-15T12:00:00',
  monto: '116.00',
  efecto: 'I',
  estatus: 'vigente',
  fecha_cancelacion: null,
  rfc_terceros: null,
  nombre_terceros: null,
  ...change,
})

type Lista = Partial<ListaPedida> & {
  now?: Date
  rows?: readonly MetadataRow[]
  ilegibles?: readonly { motivo: 'columnas' | 'ajeno' | 'archivo'; uuid: string | null }[]
}

/** A list of January, of one package that was read to its end, and what is here held against it. */
async function listed(db: TenantDb, { rows = [], ilegibles = [], now, ...change }: Lista = {}) {
  const id = randomUUID()
  const lista: ListaPedida = {
    ...{ solicitudId: id, servicio: 'cfdi', direccion: 'emitido', numeroCfdis: null, paquetes: [`${id}_01`] },
    ...{ desde: '2026-01-01T00:00:00', hasta: '2026-01-31T23:59:59', listadaEn: T0 },
    ...change,
  }
  for (const paquete of lista.paquetes) {
    await insertLectura(db, paquete, id)
    await db.transaction().execute(async (trx) => {
      await lockLectura(trx, paquete)
      await upsertMetadata(trx, rows, { listedAt: lista.listadaEn, now: now ?? lista.listadaEn })
      const kept = ilegibles.map(({ motivo, uuid }, n) => ({ n, texto: uuid ?? 'basura', motivo, uuid }))
      await putIlegibles(trx, paquete, kept)
      const filas = rows.length
      await advanceLectura(trx, paquete, {
        ...{ filas, ilegibles: kept.length, cancelados: 0, faltantes: 0, difieren: 0 },
      })
    })
    await endLectura(db, paquete, lista.listadaEn)
  }
  await cotejar(db, lista, now ?? lista.listadaEn)
  return lista
}

const listedUuids = async (db: TenantDb, tipo: TipoDiferencia) =>
  (await listDiferencias(db, { tipo }, { limit: 100 })).map(({ uuid }) => uuid)
const sobran = (db: TenantDb) => listedUuids(db, 'sobra')
const difieren = (db: TenantDb) => listedUuids(db, 'difiere')

const agendaOf = (db: TenantDb) =>
  db
    .selectFrom('cfdi_consultas')
    .select(['uuid_fiscal', 'siguiente_en', 'prioridad'])
    .orderBy('siguiente_en')
    .orderBy('uuid_fiscal')
    .execute()

test('what a whole list covers and does not name is one too many, and is asked for before whatever else is due', async () => {
  const db = await tenants.create()
  const [named = '', unnamed = '', waiting = ''] = await storeSpecs(db, {}, {}, { fecha: '2026-02-01T12:00:00' })
  await db
    .insertInto('cfdi_consultas')
    .values({ uuid_fiscal: waiting, siguiente_en: days(-3), prioridad: 0 })
    .execute()
  await listed(db, { rows: [rowOf(named)] })
  assert.deepEqual(await sobran(db), [unnamed])
  assert.deepEqual(await countSobrantes(db), [
    { servicio: 'cfdi', direccion: 'emitido', ejercicio: 2026, mes: 1, n: 1, confirmados: 0 },
  ])
  const agenda = await agendaOf(db)
  assert.deepEqual(
    new Map(agenda.map(({ uuid_fiscal, ...turn }) => [uuid_fiscal, turn])),
    new Map([waiting, unnamed].map((uuid) => [uuid, { siguiente_en: days(-3), prioridad: 0 }])),
  )
  const cfdi = await db
    .selectFrom('cfdis')
    .select(['estado', 'estado_por_consultar', 'avisos'])
    .where('uuid_fiscal', '=', unnamed)
    .executeTakeFirst()
  assert.deepEqual(cfdi, { estado: 'vigente', estado_por_consultar: false, avisos: [] }, 'no list changes a state')

  // Only once: the answer says when it is asked for again.
  await recordEstados(db, [{ uuid: unnamed, preguntadoEn: T0, respuesta: dice() }], T0)
  const [told] = await listDiferencias(db, { tipo: 'sobra' }, { limit: 5 })
  assert.deepEqual([told?.firme, told?.dijo, told?.total], ['vigente', 'vigente', '116.00'])
  assert.equal((await countSobrantes(db))[0]?.confirmados, 1)
  const turn = async () => (await agendaOf(db)).find(({ uuid_fiscal }) => uuid_fiscal === unnamed)?.siguiente_en
  const next = await turn()
  await listed(db, { rows: [rowOf(named)], listadaEn: days(1) })
  assert.deepEqual(await turn(), next)

  await recordEstados(db, [{ uuid: unnamed, preguntadoEn: days(2), respuesta: perdido }], days(2))
  const [lost] = await listDiferencias(db, { tipo: 'sobra' }, { limit: 5 })
  assert.deepEqual([lost?.firme, lost?.dijo], ['vigente', 'no_encontrado'])
})

test('one that somebody has taken keeps its turn, and one that is due in a week comes forward', async () => {
  const db = await tenants.create()
  const [taken = '', later = '', never = ''] = await storeSpecs(db, {}, {}, {})
  const lease = new Date(T0.getTime() + 20 * 60_000)
  const values = [
    { uuid_fiscal: taken, siguiente_en: lease, prioridad: 0 as const },
    { uuid_fiscal: later, siguiente_en: days(7), prioridad: 1 as const },
    { uuid_fiscal: never, siguiente_en: null, prioridad: 1 as const },
  ]
  await db.insertInto('cfdi_consultas').values(values).execute()
  await listed(db)
  assert.deepEqual(
    new Map((await agendaOf(db)).map(({ uuid_fiscal, ...turn }) => [uuid_fiscal, turn])),
    new Map([
      [taken, { siguiente_en: lease, prioridad: 0 }],
      [later, { siguiente_en: T0, prioridad: 0 }],
      [never, { siguiente_en: T0, prioridad: 0 }],
    ]),
  )
})

test('a list that comes later and names it takes it back, at once for who reads', async () => {
  const db = await tenants.create()
  const [uuid = ''] = await storeSpecs(db, {})
  await listed(db)
  assert.deepEqual(await sobran(db), [uuid])
  await listed(db, { rows: [rowOf(uuid)], listadaEn: days(1) })
  assert.deepEqual([await sobran(db), await countSobrantes(db)], [[], []])
  await cotejarLlegados(db, days(1))
  assert.deepEqual(await db.selectFrom('sat_sobrantes').select('uuid_fiscal').execute(), [])
})

const innocent: [string, CfdiSpec, Lista][] = [
  [
    'was stamped less than three days before the list',
    { fecha: '2026-01-30T12:00:01' },
    { listadaEn: new Date('2026-02-02T18:00:00Z') },
  ],
  ['was issued after the list ends', { fecha: '2026-01-20T00:00:00' }, { hasta: '2026-01-19T23:59:59' }],
  ['was issued before it begins', { fecha: '2026-01-09T23:59:59' }, { desde: '2026-01-10T00:00:00' }],
  ['was received, and the list is of what was issued', recibida(), {}],
  ['is no certificate of withholding, of which the list is', {}, { servicio: 'retenciones' }],
  ['is less than the SAT says are in it', {}, { numeroCfdis: 1 }],
  ['may be the row that could not be read', {}, { ilegibles: [{ motivo: 'columnas', uuid: null }] }],
  ['may be in the file that could not be read', {}, { ilegibles: [{ motivo: 'archivo', uuid: null }] }],
]

for (const [name, spec, lista] of innocent)
  test(`nobody is one too many who ${name}`, async () => {
    const db = await tenants.create()
    await storeSpecs(db, spec)
    await listed(db, lista)
    await cotejarLlegados(db, days(30))
    assert.deepEqual(await sobran(db), [])
  })

test('three days after its stamp, and in a list with a row of somebody else, it is one too many', async () => {
  const db = await tenants.create()
  const [uuid = ''] = await storeSpecs(db, { fecha: '2026-01-30T12:00:00' })
  const ajeno = { motivo: 'ajeno' as const, uuid: randomUUID() }
  await listed(db, { listadaEn: new Date('2026-02-02T18:00:00Z'), ilegibles: [ajeno], numeroCfdis: 1 })
  assert.deepEqual(await sobran(db), [uuid])
})

test('a row that could not be read accuses all but whose it is', async () => {
  const db = await tenants.create()
  const [unread = '', unnamed = ''] = await storeSpecs(db, {}, {})
  await listed(db, { ilegibles: [{ motivo: 'columnas', uuid: unread }] })
  assert.deepEqual(await sobran(db), [unnamed])
})

test('a list some of which is still to be read, and one that left out what an earlier one named, accuse nobody', async () => {
  const db = await tenants.create()
  const [named = ''] = await storeSpecs(db, {}, {})
  const paquetes = ['P_01', 'P_02']
  const half = await listed(db, { rows: [rowOf(named)], paquetes: paquetes.slice(0, 1) })
  await db.deleteFrom('sat_sobrantes').execute()
  await cotejar(db, { ...half, solicitudId: randomUUID(), paquetes }, T0)
  assert.deepEqual(await sobran(db), [])
  // The SAT says that the month is empty, of which it named one before.
  await listed(db, { listadaEn: days(5), paquetes: [] })
  assert.deepEqual(await sobran(db), [])
})

test('a month of which the SAT says that it is empty, and ever was, has all of its documents too many', async () => {
  const db = await tenants.create()
  const stored = await storeSpecs(db, {}, {})
  await listed(db, { paquetes: [], numeroCfdis: 0 })
  assert.deepEqual(new Set(await sobran(db)), new Set(stored))
})

test('what others issue by order of the company is in their lists, not in its own', async () => {
  const db = await tenants.create()
  const cfdi = parseCfdi(ownFixture('cfdi/40/own-i-terceros.xml'))
  await storeCfdis(db, 'JUFA7608212V6', [cfdi], { source: 'upload', limit: { max: -1, mode: 'hard' }, now: T0 })
  const mes = cfdi.fecha.slice(0, 7)
  await listed(db, { desde: `${mes}-01T00:00:00`, hasta: `${mes}-28T23:59:59`, listadaEn: new Date('2027-01-01') })
  await listed(db, { desde: '2020-01-01T00:00:00', hasta: '2026-12-31T23:59:59', listadaEn: new Date('2027-01-02') })
  assert.deepEqual(await sobran(db), [])
})

test('a certificate of withholding has lists of its own, and nobody is asked for it', async () => {
  const db = await tenants.create()
  const retencion = parseCfdi(Buffer.from(retencionXml({ emisor: { rfc: RFC } })))
  await storeCfdis(db, RFC, [retencion], { source: 'upload', limit: { max: -1, mode: 'hard' }, now: T0 })
  await listed(db)
  assert.deepEqual(await sobran(db), [])
  await listed(db, {
    servicio: 'retenciones',
    desde: '2026-01-01T00:00:00',
    hasta: '2026-02-05T00:00:00',
    listadaEn: days(9),
  })
  assert.deepEqual(await sobran(db), [retencion.uuid])
  assert.deepEqual(await agendaOf(db), [])
})

test('what comes after the lists is held against them, once, and against the newest that covers it', async () => {
  const db = await tenants.create()
  await listed(db)
  await listed(db, { direccion: 'recibido', listadaEn: days(1) })
  await cotejarLlegados(db, days(1))
  const [issued = '', received = ''] = await storeSpecs(db, {}, recibida())
  assert.deepEqual(await sobran(db), [])
  await cotejarLlegados(db, days(2))
  assert.deepEqual(new Set(await sobran(db)), new Set([issued, received]))
  // Back from a copy of the database that had none: what was compared long ago is not compared again.
  await db.deleteFrom('sat_sobrantes').execute()
  await db
    .updateTable('cfdis')
    .set({ creado_en: days(-300) })
    .execute()
  await cotejarLlegados(db, days(3))
  assert.deepEqual(await sobran(db), [])
})

test('of lists over one range the newest is kept, and a wider one makes them needless', async () => {
  const db = await tenants.create()
  const listas = () => db.selectFrom('sat_listas').select(['desde', 'hasta', 'listada_en']).orderBy('desde').execute()
  await listed(db, { hasta: '2026-01-10T00:00:00' })
  await listed(db, { hasta: '2026-01-11T00:00:00', listadaEn: days(1) })
  await listed(db, { desde: '2026-01-05T00:00:00', hasta: '2026-01-06T00:00:00', listadaEn: days(0.5) })
  assert.deepEqual(await listas(), [
    { desde: '2026-01-01 00:00:00', hasta: '2026-01-11 00:00:00', listada_en: days(1) },
  ])
  await listed(db, { desde: '2026-01-05T00:00:00', hasta: '2026-01-06T00:00:00', listadaEn: days(2) })
  assert.equal((await listas()).length, 2)
  await listed(db, { listadaEn: days(3) })
  assert.deepEqual(await listas(), [
    { desde: '2026-01-01 00:00:00', hasta: '2026-01-31 23:59:59', listada_en: days(3) },
  ])
  // A clock that went wrong made it.
  const future = await listed(db, { listadaEn: days(3) })
  await cotejar(db, { ...future, listadaEn: days(90) }, days(4))
  assert.equal((await listas())[0]?.listada_en.getTime(), days(3).getTime())
})

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
  await cotejarLlegados(db, days(1))
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
  const stored = await storeSpecs(db, ...specs, recibida(), { fecha: '2025-12-31T23:59:59' })
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
