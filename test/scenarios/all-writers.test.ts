import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import test, { type TestContext } from 'node:test'
import { sql } from 'kysely'
import { uuidv7 } from 'uuidv7'
import { annotate } from '../../src/cfdi/annotations/annotate.ts'
import { createCarga } from '../../src/cfdi/bulk/create-carga.ts'
import { importCarga } from '../../src/cfdi/bulk/import-carga.ts'
import { parseCfdi } from '../../src/cfdi/read/parse.ts'
import { completeCfdis } from '../../src/cfdi/store/complete-cfdis.ts'
import { rederive } from '../../src/cfdi/store/rederive.ts'
import { storeCfdis } from '../../src/cfdi/store/store-cfdis.ts'
import type { TenantDb } from '../../src/db/databases.ts'
import { askDue } from '../../src/sat/estado/ask-due.ts'
import type { EstadoSat } from '../../src/sat/estado/client.ts'
import { type CfdiSpec, cfdiXml } from '../support/cfdi-xml.ts'
import { cancelado, dice, RFC, recibida } from '../support/estado-sat.ts'
import { scratchTenants } from '../support/scratch-tenant.ts'

const AUTOR = { userId: '019adb4e-0000-7000-8000-000000000001', email: 'ana@despacho.mx', esPlataforma: false }
const START = new Date('2026-09-15T18:00:00Z')

test('loads, uploads, annotations, answers of the SAT and what completes old rows, all at once, end without a deadlock and agree', async (t) => {
  const tenants = await scratchTenants()
  t.after(() => tenants.close())
  const db = Object.assign(await tenants.create(), { tenantId: uuidv7() }) // jobs carry ids
  const importer = importing(t, db)
  const { ask, pass } = asking(db)
  const xmls = documents()
  const uuids = xmls.map((xml) => parseCfdi(Buffer.from(xml)).uuid)
  const note = (i: number, excluir: boolean) =>
    annotate(db, uuids[i % uuids.length]!, { excluir, motivo: 'prueba' }, { autor: AUTOR, now: START })

  await importer(xmls.slice(0, 24))
  for (let round = 1; round <= 6; round++) {
    pass()
    // As the release before left them: what completes them updates rows that everybody else is at.
    await sql`delete from cfdi_busqueda where uuid_fiscal = any(${uuids.slice(0, 20)}::uuid[])`.execute(db)
    for (const table of ['cfdi_conceptos', 'cfdi_impuestos', 'cfdi_avisos'])
      await sql`delete from ${sql.table(table)} where uuid_fiscal = any(${uuids.slice(0, 20)}::uuid[])`.execute(db)
    const writers = Promise.all([
      importer(xmls.slice(round * 16, 24 + round * 16).toReversed()),
      // Other bytes of the same documents: proof and a warning on rows that others hold.
      importer(xmls.slice(0, 24).map((xml) => `${xml}${'\n'.repeat(round)}`)),
      storeCfdis(
        db,
        RFC,
        xmls
          .slice(round * 16 - 4, round * 16 + 12)
          .map((xml) => parseCfdi(Buffer.from(`${xml} ${'\n'.repeat(round)}`))),
        { source: 'upload', limit: { max: -1, mode: 'hard' }, now: new Date() },
      ),
      completeCfdis(db, { batch: 7 }),
      ask(),
      ask(),
    ])
    // For as long as anybody writes: of what is here, whose payments and notes are arriving.
    let writing = true
    const ended = writers.finally(() => {
      writing = false
    })
    const annotator = async (first: number) => {
      for (let i = first; writing; i += 7) await note(i % (24 + round * 16), i % 2 === 0).catch(notAnnotable)
    }
    await Promise.all([ended, annotator(round), annotator(round + 31), annotator(round + 62)])
  }

  const { rows } = await sql<{ n: number; cfdis: number; unsummed: number }>`
    select (select n::int from usage where kind = 'cfdi') as n, (select count(*)::int from cfdis) as cfdis,
      (select count(*)::int from (
        (select ejercicio, mes, direccion, efecto, motivo, count(*)::bigint as n, sum(iva16) as iva16 from movimientos
          where efecto <> 'sin_efecto' group by 1, 2, 3, 4, 5)
        except select ejercicio, mes, direccion, efecto, motivo, n, iva16 from movimientos_sumas) as d) as unsummed`.execute(
    db,
  )
  assert.deepEqual(rows, [{ n: uuids.length, cfdis: uuids.length, unsummed: 0 }])
  const { rows: asked } = await sql<{ n: number }>`select count(*)::int as n from cfdi_estados`.execute(db)
  assert.ok((asked[0]?.n ?? 0) > 20, 'states did change meanwhile')
  const left = await derived(db)
  await db.transaction().execute((trx) => rederive(trx, uuids))
  assert.deepEqual(await derived(db), left, 'derived from all that is there now, nothing changes')
})

/** Invoices of both directions, some paid by receipts, some lowered by notes: months that hang together. */
function documents(): string[] {
  const id = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`
  return Array.from({ length: 120 }, (_, n): string => {
    const spec: CfdiSpec = { uuid: id(n), fecha: `2026-0${1 + (n % 6)}-10T10:00:00` }
    if (n % 4 === 1) return cfdiXml(recibida(spec))
    if (n % 4 === 2)
      return cfdiXml({ ...spec, tipo: 'E', relacionados: [{ tipoRelacion: '01', uuids: [id((n * 5) % 120)] }] })
    if (n % 4 === 3)
      return cfdiXml({
        ...spec,
        tipo: 'P',
        pagos: [{ fecha: '2026-05-05T12:00:00', monto: '50.00', documentos: [{ id: id(n - 3), pagado: '50.00' }] }],
      })
    return cfdiXml({ ...spec, metodoPago: n % 8 ? 'PPD' : 'PUE', formaPago: n % 8 ? '99' : '03' })
  })
}

/** Loads, as the worker imports them: small batches, so that many commits meet. */
function importing(t: TestContext, db: TenantDb) {
  const filesPath = mkdtempSync(path.join(tmpdir(), 'horux-escritores-'))
  t.after(() => rmSync(filesPath, { recursive: true, force: true }))
  const log = { error: (bindings: object, message: string) => assert.fail(`${message} ${JSON.stringify(bindings)}`) }
  const entitlements = { get: async () => ({ limits: { cfdis: { max: -1, mode: 'hard' as const } } }) }
  const deps = { config: { filesPath }, clock: { now: () => START }, entitlements: entitlements as never, log }
  return async (xmls: readonly string[]): Promise<void> => {
    const id = uuidv7()
    const folder = path.join(filesPath, 'cargas', db.tenantId, id)
    mkdirSync(folder, { recursive: true })
    const files = xmls.map((xml, i) => {
      const sha256 = createHash('sha256').update(xml).digest('hex')
      writeFileSync(path.join(folder, sha256), xml)
      return { nombre: `${i}.xml`, bytes: Buffer.byteLength(xml), sha256 }
    })
    const carga = await createCarga(deps, db, { id, files, by: AUTOR })
    const options = { rfc: RFC, signal: new AbortController().signal, bounds: { files: 3, bytes: 8 * 1024 ** 2 } }
    const done = await importCarga(deps, db, carga.id, options)
    assert.deepEqual([done?.estado, done?.rechazados, done?.cuarentena], ['terminada', 0, 0])
  }
}

/** A service that changes its mind about everything, and turns that come due each round. */
function asking(db: TenantDb) {
  let now = START
  let asked = 0
  const estadoSat: EstadoSat = {
    restMs: () => 0,
    ask: async () => ({
      respuesta: [cancelado, dice(), dice({ efos: 'listado' }), dice()][asked++ % 4] ?? dice(),
      preguntadoEn: now,
    }),
  }
  const log = { error: (bindings: object, message: string) => assert.fail(`${message} ${JSON.stringify(bindings)}`) }
  return {
    ask: () => askDue({ clock: { now: () => now }, estadoSat }, db, { signal: new AbortController().signal, log }),
    pass: () => {
      now = new Date(now.getTime() + 8 * 86_400_000)
    },
  }
}

/** Of a document that this round has not brought yet. */
function notAnnotable(error: { code?: string }): void {
  if (error.code !== 'cfdi.not_found') throw error
}

async function derived(db: TenantDb) {
  const { rows } = await sql<{ all: unknown }>`
    select json_build_object(
      'movimientos', (select json_agg(to_jsonb(m) order by uuid_fiscal, n) from movimientos m),
      'meses', (select json_agg(to_jsonb(i) - 'calculado_en' order by ejercicio, mes) from iva_mensual i)) as all`.execute(
    db,
  )
  return rows[0]?.all
}
