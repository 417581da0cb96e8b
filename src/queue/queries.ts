import { sql } from 'kysely'
import type { CentralSql, TenantSql, TenantTx } from '../db/databases.ts'

export async function insertOutbox(trx: TenantTx, row: { id: string; job: string; payload: object }): Promise<void> {
  await trx.insertInto('outbox').values(row).execute()
}

/** The oldest first: what was decided earlier is told earlier. */
export async function findUnpublished(db: TenantSql, limit: number) {
  return db
    .selectFrom('outbox')
    .select(['id', 'job', 'payload'])
    .where('published_at', 'is', null)
    .orderBy('created_at')
    .orderBy('id')
    .limit(limit)
    .execute()
}

export async function markPublished(db: TenantSql, ids: readonly string[]): Promise<void> {
  await db
    .updateTable('outbox')
    .set({ published_at: sql`now()` })
    .where(sql<boolean>`id = any(${ids}::uuid[])`)
    .execute()
}

export async function deletePublished(db: TenantSql, before: Date): Promise<void> {
  await db.deleteFrom('outbox').where('published_at', '<', before).execute()
}

export interface JobCount {
  queue: string
  state: 'waiting' | 'deferred' | 'active' | 'failed'
  jobs: number
}

/** Jobs per queue and state as the worker's upkeep counted them last, some seconds ago: asking costs nothing. */
export async function countJobs(central: CentralSql): Promise<JobCount[]> {
  const { rows } = await sql<JobCount>`
    select q.name as queue, c.state, c.jobs from pgboss.queue q
     cross join lateral (values ('waiting', q.ready_count), ('deferred', q.deferred_count),
                                ('active', q.active_count), ('failed', q.failed_count)) as c (state, jobs)`.execute(
    central,
  )
  return rows
}
