import { readdir, rm } from 'node:fs/promises'
import type { Clock } from '../../clock.ts'
import type { CentralDb, TenantDb } from '../../db/databases.ts'
import { AppError } from '../../errors.ts'
import type { Queue } from '../../queue/queue.ts'
import type { Log } from '../../tenants/operations/saga.ts'
import { folderOf, leaveFolder, removeOthers, rootOf } from './files.ts'
import { expireExports, findFiles, findStuck, forgetExports, hasKept } from './queries.ts'
import { MOST_KEPT } from './run-export.ts'

export interface SweepDeps {
  central: CentralDb
  queue: Queue
  clock: Clock
  config: { filesPath: string }
  tenants: { use<T>(tenantId: string, work: (db: TenantDb) => Promise<T>): Promise<T> }
}

export interface Swept {
  expired: number
  removed: number
  begunAgain: number
}

/**
 * Takes away what has expired and what nobody will finish, company by company: one that cannot be entered holds up none
 * of the others. Only companies with a folder have anything.
 */
export async function sweepExports(deps: SweepDeps, log: Pick<Log, 'warn'>): Promise<Swept> {
  const all = { expired: 0, removed: 0, begunAgain: 0 }
  const folders = await readdir(rootOf(deps.config.filesPath)).catch(() => [])
  for (const tenantId of folders.filter((name) => UUID.test(name))) {
    try {
      const swept = await deps.tenants.use(tenantId, (db) => sweepCompany(deps, db))
      for (const [name, n] of Object.entries(swept)) all[name as keyof Swept] += n
    } catch (error) {
      if (error instanceof AppError && GONE.has(error.code)) {
        await rm(folderOf(deps.config.filesPath, tenantId), { recursive: true, force: true })
      } else log.warn({ err: error, tenantId }, 'the exports of a company could not be swept')
    }
  }
  return all
}

async function sweepCompany({ central, queue, clock, config }: SweepDeps, db: TenantDb): Promise<Swept> {
  const { tenantId } = db
  const now = clock.now()
  const expired = await expireExports(db, now, MOST_KEPT)
  await forgetExports(db, new Date(now.getTime() - REMEMBERED_MS))
  // One that is being written, or has just been named and not yet told of, is in no row.
  const removed = await removeOthers(
    folderOf(config.filesPath, tenantId),
    await findFiles(db),
    new Date(now.getTime() - UNTOUCHED_MS),
  )
  const stuck = await findStuck(db, new Date(now.getTime() - STUCK_MS))
  if (stuck.length > 0)
    await central.transaction().execute((trx) =>
      queue.enqueueAll(
        trx,
        'cfdi.export',
        stuck.map((exportId) => ({ tenantId, exportId })),
      ),
    )
  // Nearly every company exports once: without this the sweep would enter the databases of them all, for ever.
  if (!(await hasKept(db)))
    await leaveFolder(folderOf(config.filesPath, tenantId), new Date(now.getTime() - UNTOUCHED_MS))
  return { expired, removed, begunAgain: stuck.length }
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const GONE = new Set(['tenant.deleted', 'tenant.unknown'])
const REMEMBERED_MS = 90 * 86_400_000
/** One that lives is written to all the time. */
const UNTOUCHED_MS = 3_600_000
/** Longer than the queue takes to try again. */
const STUCK_MS = 600_000
