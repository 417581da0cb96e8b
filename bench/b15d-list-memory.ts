import assert from 'node:assert/strict'
import { downloadedList } from '../test/support/downloaded-list.ts'
import { type Product, startProduct } from '../test/support/product.ts'
import { until } from '../test/support/until.ts'
import { compare, type Result } from './harness.ts'
import { RFC } from './support/cfdi-files.ts'
import { processCpu } from './support/cpu.ts'
import { writeLargeList } from './support/large-list.ts'
import { forgetPeak, resident, startMeasuredWorker } from './support/resident.ts'

const ROWS = Number(process.env['B15D_ROWS'] ?? 1_000_000)
const GOAL = 300

/**
 * What memory a worker takes to read the largest list that the SAT gives: a real process and its whole job, from the package
 * on the disk to the last row in the company's database.
 */
export async function run(): Promise<Result[]> {
  await using stack = new AsyncDisposableStack()
  const product = await startProduct({ after: (end) => stack.defer(end) })
  const tenant = await product.createTenant({ rfc: RFC })
  await product.worker.stop()
  const worker = await startMeasuredWorker(product, 38155)
  stack.defer(() => worker.stop())
  const year = { desde: '2025-01-01T00:00:00', hasta: '2025-12-31T23:59:59' }
  const { solicitudId, paqueteId } = await downloadedList(product, tenant, (zip) => writeLargeList(zip, ROWS), year)

  let [idle, peak, seconds, cpu] = [0, 0, 0, 0]
  const result = await compare({
    id: 'B15D',
    title: `resident memory of the worker reading a list of ${ROWS.toLocaleString('en')} CFDI, all of it`,
    unit: 'MiB',
    ratio: 'ours/peer',
    goal: { words: `≤ ${GOAL} MiB`, reached: () => peak <= GOAL },
    rounds: 1,
    ours: {
      name: 'peak',
      async round() {
        idle = forgetPeak(worker.pid)
        const [started, before] = [performance.now(), processCpu(worker.pid) ?? 0]
        await product.deps.central
          .transaction()
          .execute((trx) =>
            product.deps.queue.enqueue(trx, 'sat.lectura', { tenantId: tenant.id, solicitudId, paqueteId }),
          )
        const row = await until(() => findImported(product, solicitudId), 3_600_000)
        assert.deepEqual([row.leidos, row.cuarentena], [ROWS, 0])
        seconds = (performance.now() - started) / 1_000
        cpu = (processCpu(worker.pid) ?? 0) - before
        peak = resident(worker.pid, 'VmHWM')
        return peak
      },
    },
    peer: { name: 'idle', round: async () => idle },
    limit: 'a batch of 1,000 rows that is stored, one that is read, and garbage of V8; nothing grows with the list',
    extra: () => ({
      'rows/s': Math.round(ROWS / seconds),
      'CPU of Node per thousand rows, ms': ((cpu * 1e6) / ROWS).toFixed(1),
    }),
  })
  return [result]
}

async function findImported({ deps }: Product, solicitudId: string) {
  return deps.central
    .selectFrom('sat_paquetes')
    .select(['leidos', 'cuarentena'])
    .where('solicitud_id', '=', solicitudId)
    .where('estado', '=', 'importado')
    .executeTakeFirst()
}
