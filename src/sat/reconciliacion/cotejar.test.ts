import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import type { CfdiSpec } from '../../../test/support/cfdi-xml.ts'
import { dice, perdido, RFC, recibida, storeSpecs } from '../../../test/support/estado-sat.ts'
import { ownFixture } from '../../../test/support/fixtures.ts'
import { retencionXml } from '../../../test/support/retencion-xml.ts'
import { type Lista, listed, rowOf, LISTED_AT as T0, uuidsOf } from '../../../test/support/sat-lists.ts'
import { type ScratchTenants, scratchTenants } from '../../../test/support/scratch-tenant.ts'
import { parseCfdi } from '../../cfdi/read/parse.ts'
import { storeCfdis } from '../../cfdi/store/store-cfdis.ts'
import type { TenantDb } from '../../db/databases.ts'
import { recordEstados } from '../estado/record-estados.ts'
import { cotejar, cotejarLlegados } from './cotejar.ts'
import { countSobrantes, listDiferencias } from './diferencias-queries.ts'

let tenants: ScratchTenants
before(async () => {
  tenants = await scratchTenants()
})
after(() => tenants.close())

const days = (n: number) => new Date(T0.getTime() + n * 86_400_000)
const sobran = (db: TenantDb) => uuidsOf(db, 'sobra')

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
  assert.deepEqual([lost?.firme, lost?.dijo, lost?.ausencias], ['vigente', 'no_encontrado', 1])
  const confirmados = async () => (await countSobrantes(db))[0]?.confirmados
  assert.equal(await confirmados(), 1, 'one answer that does not find what was known is no news')
  for (const day of [3, 4])
    await recordEstados(db, [{ uuid: unnamed, preguntadoEn: days(day), respuesta: perdido }], days(day))
  assert.equal(await confirmados(), 0)
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
  [
    'was issued in its last second, of which nobody knows whether the SAT takes it in',
    { fecha: '2026-01-31T23:59:59' },
    {},
  ],
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

test('a list that leaves out what another one named in its last second is no worse for it', async () => {
  const db = await tenants.create()
  const [unnamed = ''] = await storeSpecs(db, {})
  const last = rowOf(randomUUID(), { fecha_emision: '2026-01-31T23:59:59' })
  await listed(db, {
    rows: [last],
    hasta: '2026-02-01T00:00:00',
    listadaEn: days(-1),
    ilegibles: [{ motivo: 'columnas', uuid: null }],
  })
  await listed(db)
  assert.deepEqual(await sobran(db), [unnamed])
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

for (const [name, pocos] of [
  ['few', 20_000],
  ['many', 1],
] as const)
  test(`${name} that come after the lists are held against them, once`, async () => {
    const db = await tenants.create()
    await listed(db)
    await listed(db, { direccion: 'recibido', listadaEn: days(1) })
    await cotejarLlegados(db, days(1), { pocos })
    const innocent = [{ fecha: '2026-02-01T00:00:00' }, recibida({ fecha: '2026-02-09T00:00:00' })]
    const [issued = '', received = ''] = await storeSpecs(db, {}, recibida(), ...innocent)
    assert.deepEqual(await sobran(db), [])
    await cotejarLlegados(db, days(2), { pocos })
    assert.deepEqual(new Set(await sobran(db)), new Set([issued, received]))
    const asked = (await agendaOf(db)).map(({ uuid_fiscal }) => uuid_fiscal)
    assert.deepEqual(new Set(asked), new Set([issued, received]))
    // What was compared long ago is not compared again.
    await db.deleteFrom('sat_sobrantes').execute()
    await db
      .updateTable('cfdis')
      .set({ creado_en: days(-300) })
      .execute()
    await cotejarLlegados(db, days(3), { pocos })
    assert.deepEqual(await sobran(db), [])
  })

test('after a clock of the database that went wrong all is held against the lists again', async () => {
  const db = await tenants.create()
  await listed(db)
  await db
    .insertInto('sat_cotejo')
    .values({ llegados_hasta: new Date('2199-01-01') })
    .execute()
  const stored = await storeSpecs(db, {})
  await cotejarLlegados(db, days(1))
  assert.deepEqual(await sobran(db), stored)
  const { llegados_hasta } = await db.selectFrom('sat_cotejo').selectAll().executeTakeFirstOrThrow()
  assert.ok(llegados_hasta.getFullYear() < 2199)
})

for (const pocos of [0, 100])
  test(`a list that a clock made which was weeks ahead accuses nobody, and gives way (${pocos})`, async () => {
    const db = await tenants.create()
    await listed(db, { listadaEn: days(40) })
    const now = new Date('2026-02-02T18:00:00Z')
    // Stamped less than three days before the list was made in truth.
    const [uuid = ''] = await storeSpecs(db, { fecha: '2026-01-30T12:00:01' })
    await cotejarLlegados(db, now, { pocos })
    assert.deepEqual(await sobran(db), [])
    await listed(db, { listadaEn: days(1) })
    assert.deepEqual(await sobran(db), [uuid])
    const listas = await db.selectFrom('sat_listas').select('listada_en').execute()
    assert.deepEqual(listas, [{ listada_en: days(1) }])
  })

test('of lists over one range the newest is kept, and a wider one makes them needless', async () => {
  const db = await tenants.create()
  const listas = () => db.selectFrom('sat_listas').select(['desde', 'hasta', 'listada_en']).orderBy('desde').execute()
  await listed(db, { hasta: '2026-01-10T00:00:00' })
  await listed(db, { hasta: '2026-01-11T00:00:00', listadaEn: days(1) })
  await listed(db, { desde: '2026-01-05T00:00:00', hasta: '2026-01-06T00:00:00', listadaEn: days(0.5), now: days(1) })
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
