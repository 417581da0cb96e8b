import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import test, { after, before, type TestContext } from 'node:test'
import { cfdiXml } from '../../../test/support/cfdi-xml.ts'
import { readCsv, readXlsx, readZip } from '../../../test/support/exported.ts'
import { fillManyCfdis, MANY } from '../../../test/support/many-cfdis.ts'
import { type Product, startProduct, type Tenant } from '../../../test/support/product.ts'
import { until } from '../../../test/support/until.ts'
import { openAs } from '../../db/client.ts'
import { COLUMNAS } from './columns.ts'
import { csvFile } from './csv-file.ts'
import { beginAttempt, folderOf, isDiskFull } from './files.ts'
import type { Material } from './material.ts'
import { createOutput } from './output.ts'
import { type Exportacion, type Formato, findExport, insertExport } from './queries.ts'
import { onSnapshot } from './rows-queries.ts'
import { type Outcome, runExport } from './run-export.ts'
import { sweepExports } from './sweep-exports.ts'
import { writeWorkbook } from './xlsx-file.ts'

const CFDIS = 10_000

let product: Product
let tenant: Tenant
const endings: (() => Promise<void>)[] = []

before(async () => {
  product = await startProduct({ after: (end) => void endings.push(end) })
  tenant = await product.createTenant({ rfc: MANY.propio })
  // From here on every job is run by hand.
  await product.worker.stop()
  const { rows } = await tenant.db(async (db) => ({ rows: await db.selectFrom('_tenant').selectAll().execute() }))
  assert.equal(rows[0]?.rfc, MANY.propio)
  const name = await databaseOf(tenant.id)
  const url = new URL(product.adminUrl)
  url.pathname = name
  const owner = await openAs(url.href)
  try {
    await fillManyCfdis(owner, CFDIS)
  } finally {
    await owner.end()
  }
})
after(async () => {
  for (const end of endings) await end()
})

async function databaseOf(id: string): Promise<string> {
  const row = await product.deps.central
    .selectFrom('tenant_databases')
    .select('database_name')
    .where('tenant_id', '=', id)
    .executeTakeFirstOrThrow()
  return row.database_name
}

const log = { error: () => undefined, warn: () => undefined }
const folder = () => folderOf(product.deps.config.filesPath, tenant.id)
const files = (id: string) => readdirSync(folder()).filter((name) => name.startsWith(id))
const forever = new AbortController().signal

let made = 0
async function pending(formato: Formato, filtro = ''): Promise<string> {
  made++
  const id = `01a00000-0000-7000-8000-${String(made).padStart(12, '0')}`
  const autor = { userId: '01a00000-0000-7000-8000-00000000aaaa', email: 'ana@ejemplo.mx' }
  await tenant.db((db) =>
    db.transaction().execute((trx) => insertExport(trx, { id, formato, filtro, autor }, new Date())),
  )
  return id
}

const run = (id: string, signal: AbortSignal = forever): Promise<Outcome> =>
  tenant.db((db) => runExport(product.deps, db, id, { signal, log }))

const rowOf = async (id: string) => (await tenant.db((db) => findExport(db, id))) as Exportacion

async function fileOf(id: string): Promise<Buffer> {
  const { archivo } = await rowOf(id)
  assert.deepEqual(files(id), [archivo])
  return readFileSync(path.join(folder(), archivo ?? ''))
}

test('ten thousand CFDI come out as the list shows them, page by page', async () => {
  const listed: string[] = []
  let cursor = ''
  do {
    const page = (await tenant.get(`/api/cfdi?limite=200${cursor}`)).json()
    for (const { uuid, total } of page.datos) listed.push(`${uuid} ${total}`)
    cursor = page.siguiente ? `&cursor=${page.siguiente}` : ''
  } while (cursor)
  assert.equal(listed.length, CFDIS)

  const id = await pending('csv')
  assert.equal(await run(id), 'lista')
  const rows = readCsv(await fileOf(id))
  assert.deepEqual(
    rows.map((row) => `${row['UUID']} ${row['Total']}`),
    listed,
  )
  const { total, procesados, sha256, bytes } = await rowOf(id)
  assert.deepEqual([total, procesados, Number(bytes)], [CFDIS, CFDIS, (await fileOf(id)).length])
  assert.equal(sha256?.length, 32)

  // The sums of the list are those of the column.
  const totals = (await tenant.get('/api/cfdi/totales?estado=vigente')).json()
  const centavos = (text = '0') => BigInt(text.replace('.', ''))
  const sum = (some: { total: string }[]) => some.reduce((all, { total: one }) => all + centavos(one), 0n)
  const column = rows
    .filter((row) => row['Estado'] === 'Vigente')
    .reduce((all, row) => all + centavos(row['Total MXN']), 0n)
  assert.equal(column, sum(totals.vigentes))
})

test('every filter of the list narrows an export alike', async () => {
  const queries = [
    'periodo=2024-02',
    'rfc=CLI010101AAA',
    'q=kaplan',
    'nombre=xochipilli',
    'sinRep=true&metodo=PPD',
    'aviso=cfdi.rfc_digito',
    `carga=${MANY.carga}&orden=total,-fechaEmision`,
    'tipo=I,P&estado=cancelado',
    'montoMin=9000',
  ]
  for (const query of queries) {
    const { cfdis } = (await tenant.get(`/api/cfdi/totales?${query.replace(/&orden=[^&]*/, '')}`)).json()
    const first = (await tenant.get(`/api/cfdi?limite=200&${query}`)).json().datos as { uuid: string }[]
    const id = await pending('csv', query)
    assert.equal(await run(id), 'lista', query)
    const rows = readCsv(await fileOf(id))
    assert.equal(rows.length, cfdis, query)
    assert.ok(cfdis > 0, query)
    assert.deepEqual(
      rows.slice(0, 200).map((row) => row['UUID']),
      first.map(({ uuid }) => uuid),
      query,
    )
  }
})

test('what comes in while an export is written is not in it', async () => {
  const seen: string[] = []
  await tenant.db((db) =>
    onSnapshot(db, 'consistencia', async (trx) => {
      const dir = mkdtempSync(path.join(tmpdir(), 'horux-export-'))
      const output = await createOutput(path.join(dir, 'a.csv'))
      const material: Material = {
        trx,
        consulta: { filtro: { periodo: { ejercicio: 2025, mes: 1 } }, orden: undefined },
        rfc: MANY.propio,
        corte: '2026-01-01T00:00:00',
        grupos: [],
        log,
        scratch: () => Promise.reject(new Error('a CSV needs none')),
        async advance() {
          if (seen.length > 0) return
          const late = cfdiXml({ fecha: '2025-01-01T00:00:00', emisor: { rfc: MANY.propio } })
          const stored = await tenant.post('/api/cfdi', late)
          assert.equal(stored.statusCode, 200, stored.body)
          seen.push(stored.json().stored[0])
        },
      }
      await csvFile.write(output, material)
      await output.sync()
      await output.close()
      const rows = readCsv(readFileSync(path.join(dir, 'a.csv')))
      rmSync(dir, { recursive: true })
      assert.ok(rows.length > 250, 'more than a page')
      assert.ok(!rows.some((row) => row['UUID'] === seen[0]))
    }),
  )
  const now = (await tenant.get('/api/cfdi?periodo=2025-01&orden=fechaEmision&limite=1')).json()
  assert.equal(now.datos[0].uuid, seen[0])
})

test('two workers at once make one file', async () => {
  const id = await pending('xlsx')
  const outcomes = await Promise.allSettled([run(id), run(id)])
  const [busy] = outcomes.filter(({ status }) => status === 'rejected') as PromiseRejectedResult[]
  const done = outcomes.filter((one) => one.status === 'fulfilled')
  assert.deepEqual(
    done.map(({ value }) => value),
    ['lista'],
  )
  assert.equal(busy?.reason.code, 'exportacion.en_curso')
  assert.equal((await rowOf(id)).intentos, 1, 'who found it taken has not tried')
  assert.equal(await run(id), 'nada', 'and what is done is not done again')
  const { sheets } = await readXlsx(await fileOf(id))
  assert.equal(sheets[0]?.filter?.split(':')[1]?.replace(/\D/g, ''), String((await rowOf(id)).total! + 1))
})

test('a worker that leaves hands it back, with nothing left behind, and the next one makes it', async () => {
  const id = await pending('csv')
  const leaving = new AbortController()
  leaving.abort()
  await assert.rejects(run(id, leaving.signal), { code: 'exportacion.interrumpida' })
  const { estado, intentos, procesados } = await rowOf(id)
  assert.deepEqual([estado, intentos, procesados], ['pendiente', 0, 0])
  assert.deepEqual(files(id), [])
  assert.equal(await run(id), 'lista')
})

test('a cancelled export stops, and its file is nobody’s', async () => {
  const id = await pending('zip_xml')
  const running = run(id)
  // As soon as it has begun.
  while ((await rowOf(id)).estado === 'pendiente') await new Promise(setImmediate)
  const cancelled = await tenant.post(`/api/cfdi/exportaciones/${id}/cancelar`)
  assert.equal(cancelled.json().estado, 'cancelada')
  assert.equal(await running, 'cancelada')
  assert.deepEqual(files(id), [])
  assert.deepEqual([(await rowOf(id)).estado, (await rowOf(id)).archivo], ['cancelada', null])
})

test('one that kills every worker is given up', async () => {
  const id = await pending('csv')
  await tenant.db((db) => db.updateTable('exportaciones').set({ intentos: 8 }).where('id', '=', id).execute())
  assert.equal(await run(id), 'fallida')
  assert.equal((await rowOf(id)).error_codigo, 'exportacion.fallida')
})

test('a filter that is not read any more is a failure that says so', async () => {
  const id = await pending('csv', 'color=azul')
  assert.equal(await run(id), 'fallida')
  const shown = (await tenant.get(`/api/cfdi/exportaciones/${id}`)).json()
  assert.deepEqual([shown.estado, shown.error.code], ['fallida', 'exportacion.filtro'])
})

test('a full disk is a failure that says so; nothing half written stays', async (t) => {
  const small = smallDisk(t, 1024 ** 2)
  if (!small) return
  const filesPath = path.join(small, 'files')
  const id = await pending('csv')
  const deps = { ...product.deps, config: { filesPath } }
  assert.equal(await tenant.db((db) => runExport(deps, db, id, { signal: forever, log })), 'fallida')
  assert.equal((await rowOf(id)).error_codigo, 'exportacion.sin_espacio')
  assert.deepEqual(readdirSync(folderOf(filesPath, tenant.id)), [])

  // And where it fills up between two looks at it.
  await using attempt = await beginAttempt(path.join(small, 'x'), id, 'csv')
  await assert.rejects(
    async () => {
      for (let n = 0; n < 4; n++) await attempt.output.write(Buffer.alloc(1024 ** 2))
    },
    (error) => isDiskFull(error),
  )
})

/** A disk that really fills up, where there is a right to make one. */
function smallDisk(t: TestContext, bytes: number): string | undefined {
  const mount = mkdtempSync(path.join(tmpdir(), 'horux-small-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', mount], { stdio: 'pipe' })
  } catch {
    rmSync(mount, { recursive: true })
    t.skip('no right to mount a small disk')
    return undefined
  }
  t.after(() => {
    execFileSync('umount', ['-l', mount])
    rmSync(mount, { recursive: true, force: true })
  })
  return mount
}

test('a workbook with more rows than a sheet holds goes on in the next one', async (t) => {
  const dir = mkdtempSync(path.join(tmpdir(), 'horux-export-'))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  const file = path.join(dir, 'a.xlsx')
  await tenant.db((db) =>
    onSnapshot(db, 'hojas', async (trx) => {
      const output = await createOutput(file)
      const index = await createOutput(path.join(dir, 'index'))
      const material: Material = {
        trx,
        consulta: { filtro: { tipo: ['E'] }, orden: undefined },
        rfc: MANY.propio,
        corte: '2026-01-01T00:00:00',
        grupos: [],
        log,
        scratch: async () => index,
        advance: async () => undefined,
      }
      await writeWorkbook(output, material, 300)
      await output.sync()
      await output.close()
      await index.close()
    }),
  )
  const { sheets } = await readXlsx(readFileSync(file))
  assert.deepEqual(
    sheets.map(({ name }) => name),
    ['CFDI', 'CFDI 2', 'CFDI 3', 'CFDI 4', 'Resumen'],
  )
  const uuids = sheets.slice(0, 4).flatMap(({ rows }) => {
    assert.equal(rows.get(1)?.get('A')?.value, COLUMNAS[0]?.titulo)
    return [...rows].filter(([n]) => n > 1).map(([, row]) => row.get('A')?.value)
  })
  assert.equal(new Set(uuids).size, CFDIS / 10 - 1, 'all credit notes, each once')
})

test('the sweep takes orphans and leaves what lives; what got stuck begins anew; a company that is gone leaves nothing', async () => {
  const live = await pending('csv')
  assert.equal(await run(live), 'lista')
  const part = (name: string, hours: number) => {
    const file = path.join(folder(), name)
    writeFileSync(file, 'x', { mode: 0o600 })
    const then = new Date(Date.now() - hours * 3_600_000)
    utimesSync(file, then, then)
    return file
  }
  const [dead, fresh] = [part('muerta.part', 2), part('viva.part', 0.5)]
  const gone = folderOf(product.deps.config.filesPath, '01a00000-0000-7000-8000-0000000000ff')
  mkdirSync(gone)
  const stuck = await pending('csv')
  const long = new Date(Date.now() - 1_200_000)
  await tenant.db((db) =>
    db
      .updateTable('exportaciones')
      .set({ estado: 'procesando', actualizada_en: long })
      .where('id', '=', stuck)
      .execute(),
  )

  const swept = await sweepExports(product.deps, log)
  assert.deepEqual([swept.removed, swept.begunAgain], [1, 1])
  assert.throws(() => statSync(dead))
  assert.throws(() => statSync(gone))
  statSync(fresh)
  rmSync(fresh)
  assert.equal(files(live).length, 1)
  await product.worker.start()
  try {
    await until(async () => (await rowOf(stuck)).estado !== 'procesando')
    assert.equal((await rowOf(stuck)).estado, 'lista')
  } finally {
    await product.worker.stop()
  }
})

test('of many only the newest twenty are kept', async () => {
  for (let n = 0; n < 22; n++) assert.equal(await run(await pending('csv', 'q=nadie')), 'lista')
  const { datos } = (await tenant.get('/api/cfdi/exportaciones?limite=200')).json()
  assert.equal(datos.filter(({ estado }: { estado: string }) => estado === 'lista').length, 20)
  assert.equal(datos[0].estado, 'lista')
})

test('a ZIP of CFDI without a stored XML says so for each of them', async () => {
  const id = await pending('zip_xml', 'q=kaplan')
  assert.equal(await run(id), 'lista')
  const members = await readZip(await fileOf(id))
  const manifest = readCsv(members.get('manifest.csv') as Buffer)
  assert.equal(manifest.length, 1)
  assert.deepEqual([manifest[0]?.['Archivo'], manifest[0]?.['Nota']], ['', 'No se guardó su XML'])
})

test('a company that has no export left is not swept any more, until it exports again', async () => {
  const later = { now: () => new Date(Date.now() + 2 * 86_400_000) }
  await sweepExports({ ...product.deps, clock: later }, log)
  assert.throws(() => statSync(folder()))
  const id = await pending('csv')
  assert.equal(await run(id), 'lista')
  assert.equal(files(id).length, 1)
  await sweepExports(product.deps, log)
  assert.equal(files(id).length, 1)
})
