import { uuidv7 } from 'uuidv7'
import type { CentralDb, TenantDb, TenantTx } from '../db/databases.ts'
import { type JobName, jobs, type Payload } from './jobs.ts'
import { deletePublished, findUnpublished, insertOutbox, markPublished } from './queries.ts'
import type { Queue } from './queue.ts'

/**
 * Decides a job in a tenant's transaction. The queue lives in another database, which no transaction reaches: the
 * intent commits here, `publishOutbox` after the commit tells the queue, and a sweep does it for whoever died between.
 */
export async function leaveInOutbox<N extends JobName>(trx: TenantTx, name: N, payload: Payload<N>): Promise<void> {
  await insertOutbox(trx, { id: uuidv7(), job: name, payload: jobs[name].payload.parse(payload) })
}

/**
 * Tells the queue what the tenant's transactions decided; call it after the commit, and without caring when it fails.
 * Twice at once is harmless: the job has the row's id, and a second job with it is none.
 * @returns how many rows were published
 */
export async function publishOutbox(deps: { central: CentralDb; queue: Queue }, db: TenantDb): Promise<number> {
  let published = 0
  for (;;) {
    const rows = await findUnpublished(db, BATCH)
    if (rows.length === 0) return published
    await deps.central.transaction().execute(async (trx) => {
      for (const { id, job, payload } of rows) {
        if (!isJobName(job)) throw new Error(`outbox ${id}: this version knows no job ${job}`)
        await deps.queue.enqueue(trx, job, jobs[job].payload.parse(payload), { id })
      }
    })
    await markPublished(
      db,
      rows.map((row) => row.id),
    )
    published += rows.length
  }
}

/** What the sweep does in each tenant: publishes the rest and forgets what was told a week ago. */
export async function tidyOutbox(deps: { central: CentralDb; queue: Queue }, db: TenantDb, now: Date): Promise<number> {
  const published = await publishOutbox(deps, db)
  await deletePublished(db, new Date(now.getTime() - KEPT_MS))
  return published
}

const BATCH = 100
const KEPT_MS = 7 * 86_400_000

const isJobName = (name: string): name is JobName => Object.hasOwn(jobs, name)
