import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import path from 'node:path'
import { sql } from 'kysely'
import { startProduct, type Tenant } from '../test/support/product.ts'
import { until } from '../test/support/until.ts'
import { zipArchive } from '../test/support/zip-archive.ts'
import { compare, median, type Result } from './harness.ts'
import { cfdiFiles, RFC, zipOf } from './support/cfdi-files.ts'
import { type ServerChild, startServer } from './support/child.ts'
import { forgetPeak, resident, startMeasuredWorker } from './support/resident.ts'

const MIB = 1024 ** 2
const FILES = 50_000
const API_GOAL = 100
const WORKER_GOAL = 300

/**
 * What memory a load takes, of real processes: the kernel's own mark of the largest resident set (VmHWM), which is reset
 * (clear_refs) when the process stands idle, minus what was resident then: after a small load, and before the first large
 * one.
 */
export async function run(): Promise<Result[]> {
  await using stack = new AsyncDisposableStack()
  const product = await startProduct({ after: (end) => stack.defer(end) })
  const tenant = await product.createTenant({ rfc: RFC })
  await product.worker.stop()
  const api = await startServer({
    file: 'src/server.ts',
    env: { ...product.env, API_PORT: '38110', METRICS_PORT: '38111', LOG_LEVEL: 'info' },
    port: 38110,
    probe: '/api/live',
    logFile: path.join(path.dirname(product.deps.config.filesPath), 'api.log'),
  })
  stack.defer(() => api.stop())
  const worker = await startMeasuredWorker(product, 38113)
  stack.defer(() => worker.stop())

  const grown: Record<'api' | 'worker', number[]> = { api: [], worker: [] }
  const sides = (name: 'api' | 'worker', child: ServerChild, work: () => Promise<void>) => {
    // Once, before the first: a process keeps what it has grown by, and later rounds would call that idle.
    let idle: number | undefined
    return {
      ours: {
        name: 'peak',
        async round() {
          const now = forgetPeak(child.pid)
          idle ??= now
          await work()
          const peak = resident(child.pid, 'VmHWM')
          grown[name].push(peak - idle)
          return peak
        },
      },
      peer: { name: 'idle', round: async () => idle ?? resident(child.pid, 'VmRSS') },
    }
  }

  // Warm: what the first load of a process compiles is no memory of the next. The API imports ten, the worker does 150.
  await upload(api, tenant, zipOf(cfdiFiles(10, 'small')))
  await imported(tenant, 150, () => upload(api, tenant, zipOf(cfdiFiles(150, 'warm'))))
  const common = { unit: 'MiB', ratio: 'ours/peer' } as const
  const ofApi = await compare({
    ...common,
    id: 'B10',
    title: 'resident memory of the API during an upload of 200 MB, as a form and as a ZIP, above idle',
    goal: { words: `≤ ${API_GOAL} MiB`, reached: () => median(grown.api) <= API_GOAL },
    rounds: 2,
    ...sides('api', api, async () => {
      await upload(api, tenant, formOf(largeZip()))
      await upload(api, tenant, largeZip())
    }),
    limit:
      'one chunk of the socket, given back when it is written, and one buffer of the form; the rest is the heap of V8',
    extra: () => ({ 'above idle, MiB': Math.round(median(grown.api)) }),
  })
  const ofWorker = await compare({
    ...common,
    id: 'B10B',
    title: `resident memory of the worker during an import of ${FILES.toLocaleString('en')} XML, above idle`,
    goal: { words: `≤ ${WORKER_GOAL} MiB`, reached: () => median(grown.worker) <= WORKER_GOAL },
    rounds: 1,
    ...sides('worker', worker, () => imported(tenant, FILES, () => upload(api, tenant, zipOf(cfdiFiles(FILES))))),
    limit: 'two batches of 500 files at once, as XML, as documents and as rows',
    extra: () => ({ 'above idle, MiB': Math.round(median(grown.worker)) }),
  })
  return [ofApi, ofWorker]
}

/** As large as a body may be: members that are no CFDI, so that what is measured is the upload. */
function largeZip(): Buffer {
  const data = randomBytes(2 * MIB)
  return zipArchive(
    Array.from({ length: 98 }, (_, i) => ({
      name: `${i}.pdf`,
      data: Buffer.concat([data, randomBytes(16)]),
      stored: true,
    })),
  )
}

function formOf(zip: Buffer): FormData {
  const form = new FormData()
  form.append('archivos', new Blob([new Uint8Array(zip)]), 'carga.zip')
  return form
}

async function upload(api: ServerChild, { token }: Tenant, load: Buffer | FormData): Promise<void> {
  const headers = { authorization: `Bearer ${token}` }
  const init = Buffer.isBuffer(load)
    ? { headers: { ...headers, 'content-type': 'application/zip' }, body: new Uint8Array(load) }
    : { headers, body: load }
  const answer = await fetch(`${api.url}/api/cfdi/bulk`, { method: 'POST', ...init })
  const text = await answer.text()
  assert.ok(answer.ok, `${answer.status} ${text}`)
}

/** Does `work`, and waits until that many files more have their results. */
async function imported(tenant: Tenant, files: number, work: () => Promise<void>): Promise<void> {
  const before = await countOf(tenant)
  await work()
  await until(async () => (await countOf(tenant)) >= before + files, 200_000)
}

async function countOf(tenant: Tenant): Promise<number> {
  const { rows } = await tenant.db((db) =>
    sql<{ n: string }>`select coalesce(sum(procesados), 0) as n from cargas`.execute(db),
  )
  return Number(rows[0]?.n)
}
