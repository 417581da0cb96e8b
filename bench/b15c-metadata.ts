import assert from 'node:assert/strict'
import { createReadStream, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { sql } from 'kysely'
import { uuidv7 } from 'uuidv7'
import { openAs } from '../src/db/client.ts'
import { receivePackage } from '../src/sat/descarga/receive-package.ts'
import { readMetadataPackage } from '../src/sat/paquetes/read-metadata-package.ts'
import { scratchTenants } from '../test/support/scratch-tenant.ts'
import { compare, type Result } from './harness.ts'
import { RFC } from './support/cfdi-files.ts'
import { copyTableInto, readTable } from './support/copy-rows.ts'
import { costInWords, cpuMeter, distance, postgresCpu } from './support/cpu.ts'
import { writeLargeList } from './support/large-list.ts'
import { writeAnswer } from './support/sat-answer.ts'

const ROWS = Number(process.env['B15C_ROWS'] ?? 200_000)
const TABLE = 'sat_metadata'

/**
 * A list of the SAT, from the first byte of its SOAP answer to its last row in the company's database: out of its base64,
 * read through once to see that it is whole, read, and held against what is here. Against COPY of the very rows that come
 * out into the same table with the same indexes.
 */
export async function run(): Promise<Result[]> {
  await using stack = new AsyncDisposableStack()
  const folder = mkdtempSync(path.join(tmpdir(), 'horux-bench-'))
  stack.defer(() => rmSync(folder, { recursive: true, force: true }))
  const [zip, answer] = [path.join(folder, 'lista.zip'), path.join(folder, 'respuesta.xml')]
  await writeLargeList(zip, ROWS)
  await writeAnswer(zip, answer)

  const durable = { fsync: 'on', synchronous_commit: 'on', full_page_writes: 'on', shared_buffers: '256MB' }
  const tenants = await scratchTenants({ settings: durable })
  stack.defer(() => tenants.close())
  const received = path.join(folder, 'paquete')
  const fromAnswer = async (db: Scratch) => {
    const { signal } = new AbortController()
    await receivePackage(createReadStream(answer), received, { signal })
    const read = await readMetadataPackage({ clock: { now: () => new Date() } }, db, {
      ...{ rfc: RFC, paqueteId: 'LISTA_01', solicitudId: uuidv7(), servicio: 'cfdi', direccion: 'emitido' },
      ...{ listedAt: new Date(), zip: received, signal, log: console },
    })
    assert.deepEqual([read.filas, read.ilegibles], [ROWS, 0])
    return { count: ROWS }
  }
  const first = await tenants.create()
  await fromAnswer(first)
  const expected = await counted(first)
  const finished = await readTable(first.url, TABLE)
  const admin = await openAs(first.url)
  stack.defer(() => admin.end())
  const meter = cpuMeter(
    await postgresCpu(admin),
    () => process.cpuUsage().user / 1e6 + process.cpuUsage().system / 1e6,
  )

  const round = async (work: (db: Scratch) => Promise<unknown>) => {
    const db = await tenants.create()
    const started = performance.now()
    await work(db)
    const perSecond = (ROWS * 1_000) / (performance.now() - started)
    assert.deepEqual(await counted(db), expected)
    await db.destroy()
    return perSecond
  }
  return [
    await compare({
      id: 'B15C',
      title: `SOAP answer with a list of ${ROWS.toLocaleString('en')} CFDI → kept, against COPY of the finished rows`,
      unit: 'rows/s',
      ratio: 'ours/peer',
      goal: { atLeast: 0.3 },
      ours: { name: 'from the answer', round: () => round((db) => meter.round(() => fromAnswer(db))) },
      peer: { name: 'COPY', round: () => round((db) => copyTableInto(db.url, TABLE, finished)) },
      limit: (perSecond) => distance(perSecond, meter.cost(), 'rows/s'),
      extra: () => ({ 'CPU per thousand rows, ms': costInWords(perThousand(meter.cost())) }),
    }),
  ]
}

type Scratch = Awaited<ReturnType<Awaited<ReturnType<typeof scratchTenants>>['create']>>

const perThousand = ({ node, postgres }: { node: number; postgres: number }) => ({
  node: node * 1_000,
  postgres: postgres * 1_000,
})

/** What has to come out the same, whoever writes it. */
async function counted(db: Scratch): Promise<unknown> {
  const { rows } = await sql`
    select count(*) as n, count(*) filter (where falta) as faltan, count(*) filter (where estatus = 'cancelado') as cancelados,
      sum(monto)::text as monto, min(fecha_emision)::text as desde from sat_metadata`.execute(db)
  return rows[0]
}
