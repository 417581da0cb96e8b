import type { FastifyBaseLogger } from 'fastify'
import type { EntitlementCache } from '../../billing/entitlements/entitlement-cache.ts'
import type { Clock } from '../../clock.ts'
import type { CentralDb, TenantDb } from '../../db/databases.ts'
import type { TenantDatabases } from '../../db/tenant-databases.ts'
import { AppError } from '../../errors.ts'
import { publishOutbox } from '../../queue/outbox.ts'
import type { Queue } from '../../queue/queue.ts'
import { createCarga } from './create-carga.ts'
import { cargaNotFound } from './errors.ts'
import { importCarga, isOpen } from './import-carga.ts'
import { type CargaRow, findCarga, listResultados, type Resultado } from './queries.ts'
import type { BatchBounds } from './read-files.ts'
import type { ReceivedFile } from './receive.ts'
import { dropFiles } from './tidy-cargas.ts'

export interface UploadDeps {
  config: { filesPath: string }
  clock: Clock
  central: CentralDb
  queue: Queue
  tenants: TenantDatabases
  entitlements: Pick<EntitlementCache, 'get'>
  log: FastifyBaseLogger
  /** Then the worker goes on: whoever waits has waited enough. */
  patienceMs: number
}

export interface Uploaded {
  /** The folder that the files were received in. */
  id: string
  files: readonly ReceivedFile[]
  rfc: string
  by: { userId: string; email: string }
}

/**
 * What becomes of files that arrived: a small load is imported at once, by the code that the worker imports with; any
 * other is the worker's. The job is in the outbox either way, so that a process which dies here leaves nothing undone.
 */
export async function uploadCarga(
  deps: UploadDeps,
  tenantId: string,
  { id, files, rfc, by }: Uploaded,
): Promise<{ carga: CargaRow; resultados?: Resultado[] }> {
  return deps.tenants.use(tenantId, async (db) => {
    const created = await createCarga(deps, db, { id, files, by })
    if (created.open && created.small) await importNow(deps, db, created.id, rfc)
    const carga = await findCarga(db, created.id)
    if (!carga) throw cargaNotFound()
    if (created.open) await publishSoon(deps, db)
    if (isOpen(carga) || !created.small) return { carga }
    return { carga, resultados: await listResultados(db, carga.id, { from: 0, limit: MOST_AT_ONCE }) }
  })
}

/** Tells the queue what was decided. When it cannot be told now, a sweep tells it. */
export async function publishSoon(deps: Pick<UploadDeps, 'central' | 'queue' | 'log'>, db: TenantDb): Promise<void> {
  await publishOutbox(deps, db).catch((err: unknown) => deps.log.warn({ err }, 'the outbox waits for its sweep'))
}

const MOST_AT_ONCE = 100
/** Small enough that other requests hardly notice. */
const REQUEST_BOUNDS: BatchBounds = { files: 25, bytes: 2 * 1024 ** 2 }

async function importNow(deps: UploadDeps, db: TenantDb, id: string, rfc: string): Promise<void> {
  try {
    const options = { rfc, signal: AbortSignal.timeout(deps.patienceMs), bounds: REQUEST_BOUNDS }
    const carga = await importCarga(deps, db, id, options)
    if (carga && !isOpen(carga)) await dropFiles(deps, db, id)
  } catch (error) {
    // What was done is done, and the job does the rest: this answer only says how far it got.
    const waits = error instanceof AppError && error.kind === 'unavailable'
    deps.log[waits ? 'info' : 'error']({ err: error, cargaId: id }, 'a small load goes on in the worker')
  }
}
