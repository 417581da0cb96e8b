import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { publishOutbox } from '../src/queue/outbox.ts'
import { packagePath } from '../src/sat/paquetes/package-path.ts'
import { findCfdiPackage, receiveCfdiPackage } from '../src/sat/paquetes/receive-cfdi-package.ts'
import { startProduct } from '../test/support/product.ts'
import { until } from '../test/support/until.ts'
import { compare, type Result } from './harness.ts'
import { RFC } from './support/cfdi-files.ts'
import { writeLargePackage } from './support/large-package.ts'
import { forgetPeak, resident, startMeasuredWorker } from './support/resident.ts'

const FILES = Number(process.env['B15B_FILES'] ?? 200_000)
const GOAL = 300

/**
 * What memory a worker takes to import the largest package that the SAT gives: a real process, the kernel's own mark of its
 * largest resident set (VmHWM), all of it and not only what it grew by.
 */
export async function run(): Promise<Result[]> {
  await using stack = new AsyncDisposableStack()
  const product = await startProduct({ after: (end) => stack.defer(end) })
  const tenant = await product.createTenant({ rfc: RFC })
  await product.worker.stop()
  const { filesPath } = product.deps.config
  const worker = await startMeasuredWorker(product, 38152)
  stack.defer(() => worker.stop())

  /** A package as a download leaves it, handed over; and waits until the worker has imported it. */
  const imported = async (paqueteId: string, files: number) => {
    const zip = packagePath(filesPath, tenant.id, paqueteId)
    mkdirSync(path.dirname(zip), { recursive: true })
    await writeLargePackage(zip, files)
    await tenant.db(async (db) => {
      await receiveCfdiPackage(product.deps, db, { paqueteId, zip })
      await publishOutbox(product.deps, db)
    })
    const ended = await until(async () => {
      const found = await tenant.db((db) => findCfdiPackage(db, paqueteId))
      return found && found.estado !== 'recibida' && found.estado !== 'procesando' ? found : undefined
    }, 3_600_000)
    assert.deepEqual([ended.estado, ended.nuevos + ended.repetidos], ['terminada', files])
  }

  const seconds: number[] = []
  let idle = 0
  let peak = 0
  const result = await compare({
    id: 'B15B',
    title: `resident memory of the worker importing a package of ${FILES.toLocaleString('en')} CFDI, all of it`,
    unit: 'MiB',
    ratio: 'ours/peer',
    goal: { words: `≤ ${GOAL} MiB`, reached: () => peak <= GOAL },
    rounds: 1,
    ours: {
      name: 'peak',
      async round() {
        idle = forgetPeak(worker.pid)
        const started = performance.now()
        await imported('grande_01', FILES)
        seconds.push((performance.now() - started) / 1_000)
        peak = resident(worker.pid, 'VmHWM')
        return peak
      },
    },
    peer: { name: 'idle', round: async () => idle },
    limit: 'the index of the archive, two batches of 500 files, and garbage of V8',
    extra: () => ({ 'seconds, with writing the package': Math.round(seconds[0] ?? 0) }),
  })
  return [result]
}
