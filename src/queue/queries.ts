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

/**
 * What a clock of the database wrote that was ahead and has been put back since: pg-boss would look for dead workers and run
 * periodic jobs again only when that time has come, and a job that waits until then keeps every other like it from being
 * left. Brought back to now. Jobs are those of a week and have no index for this: without `jobs` they are read only where a
 * time of the queues was ahead, which workers write all the time. @returns what was, with how many of each
 */
export async function bringBackTimes(
  central: CentralSql,
  { jobs }: { jobs: boolean },
): Promise<Record<string, number>> {
  const { rows } = await sql<{ what: string; n: number }>`
    with clocks as (
      update pgboss.version set cron_on = least(cron_on, now()), bam_on = least(bam_on, now()), flow_on = least(flow_on, now()),
        reindex_on = least(reindex_on, now()), monitor_backoff_on = least(monitor_backoff_on, now())
      where greatest(cron_on, bam_on, flow_on, reindex_on) > ${LATER} or monitor_backoff_on > ${MUCH_LATER}
      returning 1
    ), queues as (
      update pgboss.queue set monitor_claim_on = least(monitor_claim_on, now()), monitor_on = least(monitor_on, now()),
        maintain_on = least(maintain_on, now())
      where greatest(monitor_claim_on, monitor_on, maintain_on) > ${LATER}
      returning 1
    ), ahead as (
      select ${jobs}::boolean or exists (select from clocks) or exists (select from queues) as was
    ), waiting as (
      update pgboss.job set start_after = now(), created_on = least(created_on, now())
      where (select was from ahead) and state in ('created', 'retry') and start_after > now()
        and (created_on > ${LATER} or start_after > ${MUCH_LATER})
      returning 1
    ), working as (
      update pgboss.job set heartbeat_on = now()
      where (select was from ahead) and state = 'active' and heartbeat_on > ${LATER}
      returning 1
    )
    select what, n::int as n from (
      select 'clocks' as what, count(*) as n from clocks union all select 'queues', count(*) from queues
      union all select 'waiting', count(*) from waiting union all select 'working', count(*) from working) t
    where n > 0`.execute(central)
  return Object.fromEntries(rows.map(({ what, n }) => [what, n]))
}

/** Clocks of two machines differ by less. */
const LATER = sql`now() + interval '5 minutes'`
/** No job is put off for longer than an hour. */
const MUCH_LATER = sql`now() + interval '2 hours'`
