import { sql } from 'kysely'
import type { CentralSql } from '../../db/databases.ts'
import { jobNames } from '../../queue/jobs.ts'

export interface Pending {
  kind: 'trabajos' | 'correos' | 'recursos' | 'comandos' | 'suscripciones'
  /** Of the queue; empty for what has none. */
  name: string
  ready: number
  waiting: number
  /** The first of those that wait for an instant of the product's clock. */
  next: Date | null
}

/**
 * Everything that is still to be done, at `now` of the product's clock; the queue and the mails go by the real one.
 *
 * One statement, and so one snapshot: what ends one thing and leaves the next in a commit is never seen between the two.
 * A mail that was tried once is its job's matter, which may wait long for a server that does not answer. Instants round
 * up to the millisecond, which is all that a clock set to one of them has: it would stand just before it.
 */
export async function findPending(db: CentralSql, now: Date): Promise<Pending[]> {
  const { rows } = await sql<Pending>`
    select 'trabajos' as kind, name,
      count(*) filter (where state = 'active' or start_after <= now())::int as ready,
      count(*) filter (where state <> 'active' and start_after > now())::int as waiting,
      null::timestamptz as next
    from pgboss.job where state <= 'active' and name = any(${jobNames}::text[]) group by name
    union all
    select 'correos', '', count(*) filter (where attempts = 0)::int, count(*) filter (where attempts > 0)::int, null
    from mail_outbox where state = 'queued'
    union all
    select 'recursos', '',
      count(*) filter (where next_try_at is null or next_try_at <= ${now})::int,
      count(*) filter (where next_try_at > ${now})::int,
      min(next_try_at) filter (where next_try_at > ${now}) + interval '999 microseconds'
    from mp_resources where clean_seq < dirty_seq and dead_reason is null
    union all
    select 'comandos', '',
      count(*) filter (where next_try_at is null or next_try_at <= ${now})::int,
      count(*) filter (where next_try_at > ${now})::int,
      min(next_try_at) filter (where next_try_at > ${now}) + interval '999 microseconds'
    from mp_commands where state = 'queued'
    union all
    select 'suscripciones', '',
      count(*) filter (where next_due_at <= ${now})::int,
      count(*) filter (where next_due_at > ${now})::int,
      min(next_due_at) filter (where next_due_at > ${now}) + interval '999 microseconds'
    from subscriptions where next_due_at is not null`.execute(db)
  return rows
}
