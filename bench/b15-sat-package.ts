import assert from 'node:assert/strict'
import { createReadStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { sql } from 'kysely'
import { uuidv7 } from 'uuidv7'
import { importCarga } from '../src/cfdi/bulk/import-carga.ts'
import { openAs } from '../src/db/client.ts'
import type { TenantSql } from '../src/db/databases.ts'
import { receivePackage } from '../src/sat/descarga/receive-package.ts'
import { packagePath } from '../src/sat/paquetes/package-path.ts'
import { receiveCfdiPackage } from '../src/sat/paquetes/receive-cfdi-package.ts'
import { scratchTenants } from '../test/support/scratch-tenant.ts'
import { compare, type Result } from './harness.ts'
import { cfdiFiles, RFC, zipOf } from './support/cfdi-files.ts'
import { costInWords, cpuMeter, distance, postgresCpu } from './support/cpu.ts'
import { writeAnswer } from './support/sat-answer.ts'
import { importDeps, uploaded } from './support/zip-import.ts'

const FILES = Number(process.env['B15_FILES'] ?? 10_000)

/**
 * A package of the SAT, from the first byte of its SOAP answer to the last commit: taken out of its base64 to the disk, made
 * a load, imported. Against the import of the same ZIP as somebody uploads it (B2's side of ours), in the same minutes.
 */
export async function run(): Promise<Result[]> {
  await using stack = new AsyncDisposableStack()
  const folder = mkdtempSync(path.join(tmpdir(), 'horux-bench-'))
  stack.defer(() => rmSync(folder, { recursive: true, force: true }))
  const [zip, answer] = [path.join(folder, 'todo.zip'), path.join(folder, 'respuesta.xml')]
  writeFileSync(zip, zipOf(cfdiFiles(FILES)))
  await writeAnswer(zip, answer)

  const durable = { fsync: 'on', synchronous_commit: 'on', full_page_writes: 'on', shared_buffers: '256MB' }
  const tenants = await scratchTenants({ settings: durable })
  stack.defer(() => tenants.close())
  const first = await tenants.create()
  await uploaded(first, RFC, { file: zip, filesPath: folder }).import()
  const expected = await counted(first)
  const admin = await openAs(first.url)
  stack.defer(() => admin.end())
  const meter = cpuMeter(
    await postgresCpu(admin),
    () => process.cpuUsage().user / 1e6 + process.cpuUsage().system / 1e6,
  )

  const round = async (work: (db: Scratch) => Promise<void>) => {
    const db = await tenants.create()
    const started = performance.now()
    await work(db)
    const perSecond = (FILES * 1_000) / (performance.now() - started)
    assert.deepEqual(await counted(db), expected)
    await db.destroy()
    return perSecond
  }
  const receiving: number[] = []
  return [
    await compare({
      id: 'B15',
      title: `SOAP answer with ${FILES.toLocaleString('en')} CFDI → committed, against the import of the same ZIP`,
      unit: 'CFDI/s',
      ratio: 'ours/peer',
      goal: { atLeast: 0.8 },
      rounds: 3,
      ours: {
        name: 'from the answer',
        round: () =>
          round(async (db) => {
            await meter.round(async () => {
              receiving.push(await fromAnswer(db, { folder, answer }))
              return { count: FILES }
            })
          }),
      },
      peer: {
        name: 'from the ZIP',
        round: () => round((db) => uploaded(db, RFC, { file: zip, filesPath: folder }).import()),
      },
      limit: (perSecond) => distance(perSecond, meter.cost(), 'CFDI/s'),
      extra: () => ({
        'CPU per CFDI, ms': costInWords(meter.cost()),
        'of it to the disk, ms in all': Math.round(Math.min(...receiving)),
      }),
    }),
  ]
}

type Scratch = Awaited<ReturnType<Awaited<ReturnType<typeof scratchTenants>>['create']>>

/** @returns the milliseconds until it lay on the disk */
async function fromAnswer(db: Scratch, { folder, answer }: { folder: string; answer: string }): Promise<number> {
  const { signal } = new AbortController()
  const deps = importDeps(folder)
  Object.assign(db, { tenantId: uuidv7() }) // a scratch database has a name only
  const paqueteId = `${db.tenantId}_01`
  const zip = packagePath(folder, db.tenantId, paqueteId)
  const started = performance.now()
  const { codigo, paquete } = await receivePackage(createReadStream(answer), zip, { signal })
  const received = performance.now() - started
  assert.ok(codigo === '5000' && paquete)
  const { cargaId } = await receiveCfdiPackage(deps, db, { paqueteId, zip })
  const carga = await importCarga(deps, db, cargaId, { rfc: RFC, signal })
  assert.equal(carga?.nuevos, FILES)
  return received
}

/** What has to come out the same, however it came. */
async function counted(db: TenantSql): Promise<unknown> {
  const { rows } = await sql`
    select (select count(*) from cfdis) as cfdis, (select count(*) from cfdi_conceptos) as conceptos,
      (select count(*) from cfdi_xml) as xml, (select count(*) from movimientos) as movimientos,
      (select jsonb_agg(a_cargo::text order by ejercicio, mes) from iva_mensual) as a_cargo`.execute(db)
  return rows[0]
}
