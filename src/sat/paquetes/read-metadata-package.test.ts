import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { RFC, recibida, storeSpecs } from '../../../test/support/estado-sat.ts'
import { ownFixture } from '../../../test/support/fixtures.ts'
import { metadataList, metadataRow } from '../../../test/support/sat-metadata.ts'
import { type ScratchTenants, scratchTenants } from '../../../test/support/scratch-tenant.ts'
import { zipArchive } from '../../../test/support/zip-archive.ts'
import type { TenantDb } from '../../db/databases.ts'
import { countFaltan } from '../reconciliacion/faltan-queries.ts'
import { applyKnownStates } from './apply-metadata.ts'
import { findFaltantes, markPedidos } from './faltantes-queries.ts'
import { type MetadataPackage, readMetadataPackage } from './read-metadata-package.ts'

let tenants: ScratchTenants
let folder: string
before(async () => {
  tenants = await scratchTenants()
  folder = mkdtempSync(path.join(tmpdir(), 'horux-metadata-'))
})
after(async () => {
  await tenants.close()
  rmSync(folder, { recursive: true, force: true })
})

const T0 = new Date('2026-09-15T18:00:00Z')
const days = (n: number) => new Date(T0.getTime() + n * 86_400_000)

let count = 0

const packed = (...lists: (string | Buffer)[]): string => {
  const zip = path.join(folder, `${++count}.zip`)
  writeFileSync(zip, zipArchive(lists.map((data, i) => ({ name: `LISTA_0${i + 1}.txt`, data }))))
  return zip
}

const read = (db: TenantDb, zip: string, change: Partial<MetadataPackage> = {}, now = T0) =>
  readMetadataPackage({ clock: { now: () => now } }, db, {
    rfc: RFC,
    paqueteId: `P_${path.basename(zip)}`,
    solicitudId: randomUUID(),
    servicio: 'cfdi',
    direccion: 'emitido',
    listedAt: now,
    zip,
    signal: new AbortController().signal,
    log: { warn: () => undefined },
    ...change,
  })

const rowsOf = (db: TenantDb) =>
  db
    .selectFrom('sat_metadata')
    .select(['uuid_fiscal', 'direccion', 'estatus', 'fecha_cancelacion', 'monto', 'nombre_receptor', 'falta'])
    .orderBy('uuid_fiscal')
    .execute()

const ilegiblesOf = (db: TenantDb) =>
  db.selectFrom('sat_filas_ilegibles').select(['n', 'texto', 'motivo']).orderBy('n').execute()

test('every row of a list is kept as what it says, or as what could not be read of it', async () => {
  for (const [name, filas, ilegibles] of [
    ['own-normal-crlf.txt', 5, 0],
    ['own-bom.txt', 5, 0],
    ['own-latin1.txt', 5, 0],
    ['own-lf.txt', 5, 0],
    ['own-lf-dentro-de-nombre.txt', 5, 0],
    ['own-columnas-extra.txt', 5, 0],
    ['own-comillas.txt', 3, 0],
    ['own-tilde-en-nombre.txt', 2, 0],
    ['own-solo-encabezado.txt', 0, 0],
  ] as const) {
    const db = await tenants.create()
    const done = await read(db, packed(ownFixture(`metadata/${name}`)))
    assert.deepEqual([name, done.filas, done.ilegibles], [name, filas, ilegibles])
    assert.equal((await rowsOf(db)).length, filas, name)
  }
})

test('of two rows of one CFDI in a list the cancelled one holds, in whatever order and however far apart', async () => {
  const uuid = randomUUID()
  const vigente = metadataRow({ uuid })
  const cancelado = metadataRow({ uuid, estatus: '0', fechaCancelacion: '2026-09-01 12:00:00' })
  const others = Array.from({ length: 1_500 }, () => metadataRow({ uuid: randomUUID() }))
  for (const rows of [
    [vigente, cancelado],
    [cancelado, vigente],
    [vigente, ...others, cancelado],
    [cancelado, ...others, vigente],
  ]) {
    const db = await tenants.create()
    await read(db, packed(metadataList(rows)))
    const [row] = (await rowsOf(db)).filter(({ uuid_fiscal }) => uuid_fiscal === uuid)
    assert.deepEqual([row?.estatus, row?.fecha_cancelacion], ['cancelado', '2026-09-01 12:00:00'])
  }
  const db = await tenants.create()
  await read(db, packed(ownFixture('metadata/own-duplicados-vigente-y-cancelado.txt')))
  const rows = await rowsOf(db)
  assert.equal(new Set(rows.map(({ uuid_fiscal }) => uuid_fiscal)).size, rows.length)
  assert.ok(rows.some(({ estatus }) => estatus === 'cancelado'))
})

test('a row of somebody else is kept apart and told, and one by order of the company is its own', async () => {
  const db = await tenants.create()
  const ajeno = metadataRow({ rfcEmisor: 'IVD920810GU2', uuid: randomUUID() })
  const recibido = metadataRow({ rfcEmisor: 'URE180429TM6', rfcReceptor: RFC, uuid: randomUUID() })
  const propio = metadataRow({ rfcReceptor: RFC, uuid: randomUUID() })
  const zip = packed(metadataList([ajeno, recibido, propio]))
  assert.deepEqual(await read(db, zip, { direccion: 'recibido' }), {
    ...{ filas: 2, ilegibles: 1, cancelados: 0, faltantes: 2, difieren: 0 },
  })
  const [kept] = await ilegiblesOf(db)
  assert.deepEqual([kept?.n, kept?.motivo], [0, 'ajeno'])
  assert.match(kept?.texto ?? '', /IVD920810GU2/)
  assert.deepEqual(new Set((await rowsOf(db)).map(({ direccion }) => direccion)), new Set(['recibido']))
  // To itself: it is in both lists, and each says its own side.
  await read(db, packed(metadataList([propio])))
  assert.equal((await rowsOf(db)).length, 3)
})

test('a row of somebody else that is cut in the middle of a character stops no list', async () => {
  const db = await tenants.create()
  const rows = ['', 'x'].map((pad) =>
    metadataRow({ rfcEmisor: 'IVD920810GU2', nombreEmisor: pad + '😀'.repeat(3_000) }),
  )
  assert.equal((await read(db, packed(metadataList(rows)))).ilegibles, 2)
  for (const { motivo, texto } of await ilegiblesOf(db))
    assert.deepEqual([motivo, texto.length, texto.isWellFormed()], ['ajeno', 4_096, true])
})

test('amounts that no column holds and names with everything in them stop no list', async () => {
  const db = await tenants.create()
  const rows = [
    metadataRow({ uuid: randomUUID(), monto: '9999999999999999.99' }),
    metadataRow({ uuid: randomUUID(), monto: '' }),
    metadataRow({ uuid: randomUUID(), nombreReceptor: `"O'Ñandú \\ {} \u{1f4a5}", S.A.` }),
    'basura',
    metadataRow({ uuid: randomUUID(), estatus: '7' }),
  ]
  const done = await read(db, packed(metadataList(rows)))
  assert.deepEqual([done.filas, done.ilegibles], [3, 2])
  const kept = await rowsOf(db)
  assert.deepEqual(kept.map(({ monto }) => monto).sort(), ['1124.11', null, null].sort())
  assert.ok(kept.some(({ nombre_receptor }) => nombre_receptor === `"O'Ñandú \\ {} \u{1f4a5}", S.A.`))
})

test('reading stops when it is asked to and goes on there; two at once, or again, do the work of one', async () => {
  const rows = Array.from({ length: 3_200 }, (_, i) =>
    i % 800 === 5 ? `basura ${i}` : metadataRow({ uuid: randomUUID(), estatus: i % 7 === 0 ? '0' : '1' }),
  )
  const zip = packed(metadataList(rows))
  const calm = await tenants.create()
  const expected = await read(calm, zip)
  assert.equal(expected.filas + expected.ilegibles, 3_200)

  const db = await tenants.create()
  const stop = new AbortController()
  let commits = 0
  const clock = {
    now: () => {
      if (++commits === 2) stop.abort()
      return T0
    },
  }
  const paquete = { paqueteId: `P_${path.basename(zip)}`, zip }
  const some = readMetadataPackage({ clock }, db, {
    ...{ ...paquete, rfc: RFC, solicitudId: randomUUID(), servicio: 'cfdi', direccion: 'emitido', listedAt: T0 },
    ...{ signal: stop.signal, log: { warn: () => undefined } },
  })
  await assert.rejects(some, { code: 'sat.lectura_pausada' })
  const half = await db.selectFrom('sat_lecturas').select('leida_hasta').executeTakeFirstOrThrow()
  assert.equal(half.leida_hasta, 2_000)
  const both = await Promise.all([read(db, zip), read(db, zip)])
  assert.deepEqual(both, [expected, expected])
  assert.deepEqual(await rowsOf(db), await rowsOf(calm))
  assert.deepEqual(await ilegiblesOf(db), await ilegiblesOf(calm))
  assert.deepEqual(await read(db, zip), expected, 'read already: nothing is counted again')
})

test('a damaged package says so before the first row', async () => {
  const db = await tenants.create()
  const list = metadataList([metadataRow()])
  const zip = path.join(folder, 'mal.zip')
  writeFileSync(
    zip,
    zipArchive([
      { name: 'a_01.txt', data: list },
      { name: 'b_02.txt', data: list, says: { crc: 1 } },
    ]),
  )
  await assert.rejects(read(db, zip), { code: 'zip.bad_crc' })
  assert.deepEqual(await rowsOf(db), [])
})

test('missing is what was listed, can be had and is not here; what comes is missing no more', async () => {
  const db = await tenants.create()
  const uuid = () => randomUUID()
  const [here, issued, gone, received, lost] = [uuid(), uuid(), uuid(), uuid(), uuid()]
  await storeSpecs(db, { uuid: here })
  const mine = (change: object) => metadataRow({ monto: '116.00', fechaEmision: '2026-01-15 12:00:00', ...change })
  const theirs = (change: object) => mine({ rfcEmisor: 'IIA040805DZ4', rfcReceptor: RFC, ...change })
  const cancelado = { estatus: '0', fechaCancelacion: '2026-02-01 10:00:00' }
  const emitidos = [mine({ uuid: here, monto: '117.00' }), mine({ uuid: issued }), mine({ uuid: gone, ...cancelado })]
  assert.deepEqual(await read(db, packed(metadataList(emitidos))), {
    ...{ filas: 3, ilegibles: 0, cancelados: 1, faltantes: 2, difieren: 1 },
  })
  const recibidos = [
    theirs({ uuid: received, fechaEmision: '2026-03-01 09:00:00' }),
    theirs({ uuid: lost, ...cancelado }),
  ]
  await read(db, packed(metadataList(recibidos)), { direccion: 'recibido' })
  assert.deepEqual(await countFaltan(db), [
    { servicio: 'cfdi', direccion: 'recibido', ejercicio: 2026, mes: 3, faltan: 1, porLlegar: 0 },
    { servicio: 'cfdi', direccion: 'emitido', ejercicio: 2026, mes: 1, faltan: 2, porLlegar: 0 },
  ])
  const faltantes = await findFaltantes(db, { limit: 10 })
  assert.deepEqual(new Set(faltantes.map((one) => one.uuid)), new Set([received, issued, gone]))
  assert.equal(faltantes[0]?.fechaEmision, '2026-03-01T09:00:00')

  await db.transaction().execute((trx) => markPedidos(trx, [received, issued], T0))
  assert.deepEqual(
    (await findFaltantes(db, { limit: 10, askedBefore: T0 })).map((one) => one.uuid),
    [gone],
  )
  assert.equal((await findFaltantes(db, { limit: 10, askedBefore: days(1), mostAsked: 1 })).length, 1)
  // Asked for by a clock that was weeks ahead and has been put back.
  assert.equal((await findFaltantes(db, { limit: 10, askedBefore: days(-41), now: days(-40) })).length, 3)

  // What came is missing no more in the same commit, and with the next turn what was cancelled long ago is.
  await storeSpecs(db, { uuid: issued }, { uuid: gone }, recibida({ uuid: received }))
  assert.deepEqual([await countFaltan(db), await findFaltantes(db, { limit: 10 })], [[], []])
  assert.deepEqual([await applyKnownStates(db, days(1)), await applyKnownStates(db, days(1))], [1, 0])
  const row = await db
    .selectFrom('cfdis')
    .select(['estado', 'fecha_cancelacion'])
    .where('uuid_fiscal', '=', gone)
    .executeTakeFirst()
  assert.deepEqual(row, { estado: 'cancelado', fecha_cancelacion: '2026-02-01 10:00:00' })
})
