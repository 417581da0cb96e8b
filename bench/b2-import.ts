import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { sql } from 'kysely'
import { openAs } from '../src/db/client.ts'
import type { TenantSql } from '../src/db/databases.ts'
import { scratchTenants } from '../test/support/scratch-tenant.ts'
import { compare, median, type Result } from './harness.ts'
import { cfdiFiles, RFC, zipOf } from './support/cfdi-files.ts'
import { copyInto, readFinished } from './support/copy-rows.ts'
import { costInWords, cpuMeter, distance, postgresCpu } from './support/cpu.ts'
import { importAsPeer } from './support/peer-import.ts'
import { uploaded } from './support/zip-import.ts'

const FILES = 10_000
/** Of the peer, which is asked for its rate and would take minutes for all of them. */
const PEER_FILES = 2_000

/**
 * A ZIP of a year of CFDI into a company's database by the function that the worker calls: read, checked, stored with
 * everything they say and a result for each file, movements derived and months recomputed. Against the pipeline that one would write in an afternoon, and against COPY of the very rows that come out.
 *
 * Durability is PostgreSQL's own default, as in production: a commit waits for the disk.
 */
export async function run(): Promise<Result[]> {
  await using stack = new AsyncDisposableStack()
  const folder = mkdtempSync(path.join(tmpdir(), 'horux-bench-'))
  stack.defer(() => rmSync(folder, { recursive: true, force: true }))
  const [zip, sample] = [path.join(folder, 'todo.zip'), path.join(folder, 'parte.zip')]
  writeFileSync(zip, zipOf(cfdiFiles(FILES)))
  writeFileSync(sample, zipOf(cfdiFiles(PEER_FILES)))

  const durable = { fsync: 'on', synchronous_commit: 'on', full_page_writes: 'on', shared_buffers: '256MB' }
  const tenants = await scratchTenants({ settings: durable })
  stack.defer(() => tenants.close())
  const first = await tenants.create()
  await uploaded(first, RFC, { file: zip, filesPath: folder }).import()
  const finished = await readFinished(first.url)
  const expected = await counted(first)
  const admin = await openAs(first.url)
  stack.defer(() => admin.end())
  const meter = cpuMeter(
    await postgresCpu(admin),
    () => process.cpuUsage().user / 1e6 + process.cpuUsage().system / 1e6,
  )

  const ours = {
    name: 'the product',
    async round() {
      const db = await tenants.create()
      const load = uploaded(db, RFC, { file: zip, filesPath: folder })
      const { perSecond } = await meter.round(async () => {
        const perSecond = await timed(() => load.import(), FILES)
        return { perSecond, count: FILES }
      })
      assert.deepEqual(await counted(db), expected)
      await db.destroy()
      return perSecond
    },
  }
  const limit = (perSecond: number) => distance(perSecond, meter.cost(), 'CFDI/s')
  const common = { unit: 'CFDI/s', ratio: 'ours/peer', ours, limit } as const
  const extra = () => ({ 'CPU per CFDI, ms': costInWords(meter.cost()) })

  const pipeline = await compare({
    ...common,
    id: 'B2',
    title: `ZIP of ${FILES.toLocaleString('en')} CFDI → committed, against jszip + cfdi-to-json + one INSERT each`,
    goal: { atLeast: 10 },
    peer: {
      name: `peer pipeline (${PEER_FILES.toLocaleString('en')} CFDI, header and XML only)`,
      async round() {
        const db = await tenants.create()
        const perSecond = await timed(() => importAsPeer(db.url, sample), PEER_FILES)
        const { rows } = await sql<{ n: string }>`select count(*) as n from cfdis`.execute(db)
        assert.equal(Number(rows[0]?.n), PEER_FILES)
        await db.destroy()
        return perSecond
      },
    },
    extra,
  })
  const copied: number[] = []
  const ceiling = await compare({
    ...common,
    id: 'B2B',
    title: `the same ZIP, against COPY of its finished rows into the same tables`,
    goal: { atLeast: 0.35 },
    peer: {
      name: 'COPY',
      async round() {
        const db = await tenants.create()
        const perSecond = await timed(() => copyInto(db.url, finished), FILES)
        copied.push(perSecond)
        assert.deepEqual(await counted(db), expected)
        await db.destroy()
        return perSecond
      },
    },
    // What is left to win: no import is faster than its last step.
    extra: () => ({
      ...extra(),
      'COPY against the peer pipeline': (median(copied) / median(pipeline.peer)).toFixed(1),
    }),
  })
  return [pipeline, ceiling]
}

async function timed(work: () => Promise<unknown>, count: number): Promise<number> {
  const started = performance.now()
  await work()
  return (count * 1_000) / (performance.now() - started)
}

/** What has to come out the same, whoever writes it. */
async function counted(db: TenantSql): Promise<unknown> {
  const { rows } = await sql`
    select (select count(*) from cfdis) as cfdis, (select count(*) from cfdi_conceptos) as conceptos,
      (select count(*) from cfdi_xml) as xml, (select count(*) from movimientos) as movimientos,
      (select sum(iva16)::text from movimientos_sumas where efecto = 'cuenta') as iva,
      (select jsonb_agg(a_cargo::text order by ejercicio, mes) from iva_mensual) as a_cargo`.execute(db)
  return rows[0]
}
