import { sql } from 'kysely'
import type { CentralSql } from '../../db/databases.ts'

/** What the monitor judges by, all of one moment. */
export interface Vitals {
  /** Deliveries that wait for longer than a quarter of an hour. */
  unprocessed: number
  dead: number
  refusals: number
  refusalsOfHour: number
  deliveriesOfHour: number
  /** The oldest mail, command and resource that waits, and is not waiting for a later time. */
  oldestMail: Date | null
  oldestCommand: Date | null
  oldestResource: Date | null
  /** The authorised mandate that was read longest ago. */
  oldestReading: Date | null
  /** Facts that reading found in a day, and the last good delivery of any active connector. */
  newsOfDay: number
  lastDelivery: Date | null
  lastNight: Date | null
}

export async function findVitals(db: CentralSql, now: Date): Promise<Vitals> {
  const before = (ms: number) => new Date(now.getTime() - ms)
  const { rows } = await sql<Vitals>`
    select
      (select count(*)::int from webhook_events where state = 'received' and received_at < ${before(15 * MINUTE)}) as unprocessed,
      (select count(*)::int from mp_resources where dead_reason = 'poison') as dead,
      (select count(*)::int from webhook_refusals where at > ${before(10 * MINUTE)}) as refusals,
      (select count(*)::int from webhook_refusals where at > ${before(60 * MINUTE)}) as "refusalsOfHour",
      (select count(*)::int from webhook_events where received_at > ${before(60 * MINUTE)}) as "deliveriesOfHour",
      -- Mails go by the database's clock, which a moved one is far from; one sent again waits since then.
      (select ${now}::timestamptz - (now() - min(queued_at)) from mail_outbox where state = 'queued') as "oldestMail",
      (select min(created_at) from mp_commands where state = 'queued') as "oldestCommand",
      (select min(first_seen_at) from mp_resources
        where clean_seq = 0 and clean_seq < dirty_seq and dead_reason is null) as "oldestResource",
      (select min(coalesce(last_synced_at, created_at)) from mp_mandates where status = 'authorized') as "oldestReading",
      (select coalesce(sum((found->>'news')::int), 0)::int from reconcile_runs where started_at > ${before(24 * 60 * MINUTE)}) as "newsOfDay",
      (select max(last_webhook_at) from payment_connectors where active) as "lastDelivery",
      (select max(started_at) from reconcile_runs where kind = 'nocturna' and finished_at is not null) as "lastNight"`.execute(
    db,
  )
  return rows[0] as Vitals
}

/** Open alerts of the monitor, so that those that no longer hold can be settled. */
export async function findOpenMonitorAlerts(
  db: CentralSql,
  codes: readonly string[],
): Promise<{ code: string; dedupeKey: string }[]> {
  return db
    .selectFrom('billing_alerts')
    .select(['code', 'dedupe_key as dedupeKey'])
    .where('code', 'in', codes)
    .where('resolved_at', 'is', null)
    .execute()
}

const MINUTE = 60_000
