import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { uuidv7 } from 'uuidv7'
import { packagePath } from '../src/sat/paquetes/package-path.ts'
import { type Product, startProduct, type Tenant } from '../test/support/product.ts'
import { until } from '../test/support/until.ts'
import { compare, type Result } from './harness.ts'
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
  const tenant = await product.createTenant()
  await product.worker.stop()
  const worker = await startMeasuredWorker(product, 38155)
  stack.defer(() => worker.stop())
  const job = await downloaded(product, tenant)

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
          .execute((trx) => product.deps.queue.enqueue(trx, 'sat.lectura', { tenantId: tenant.id, ...job }))
        const row = await until(() => findImported(product, job.solicitudId), 3_600_000)
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

/** A request that the SAT has answered with one package, which lies here. */
async function downloaded(product: Product, tenant: Tenant) {
  const { central, config } = product.deps
  const [jobId, solicitudId, paqueteId] = [uuidv7(), uuidv7(), `${uuidv7().toUpperCase()}_01`]
  const now = new Date()
  await central
    .insertInto('sat_sync_jobs')
    .values({ id: jobId, tenant_id: tenant.id, kind: 'manual', estado: 'terminada', created_at: now })
    .execute()
  await central
    .insertInto('sat_solicitudes')
    .values({
      ...{ id: solicitudId, tenant_id: tenant.id, job_id: jobId, rfc: 'EKU9003173C9' },
      ...{ servicio: 'cfdi', direccion: 'emitidos', tipo: 'Metadata', parametros: {}, huella: Buffer.alloc(32) },
      ...{ desde: '2025-01-01T00:00:00', hasta: '2025-12-31T23:59:59', estado: 'terminada' },
      ...{ creada_en: now, aceptada_en: now, actualizada_en: now },
    })
    .execute()
  await central
    .insertInto('sat_paquetes')
    .values({
      ...{ id: paqueteId, solicitud_id: solicitudId, tenant_id: tenant.id, n: 1, estado: 'importando', intentos: 1 },
      ...{ vence_en: new Date(now.getTime() + 259_200_000), actualizado_en: now },
    })
    .execute()
  const zip = packagePath(config.filesPath, tenant.id, paqueteId)
  mkdirSync(path.dirname(zip), { recursive: true })
  await writeLargeList(zip, ROWS)
  return { solicitudId, paqueteId }
}

async function findImported({ deps }: Product, solicitudId: string) {
  return deps.central
    .selectFrom('sat_paquetes')
    .select(['leidos', 'cuarentena'])
    .where('solicitud_id', '=', solicitudId)
    .where('estado', '=', 'importado')
    .executeTakeFirst()
}
