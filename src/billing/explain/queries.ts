import { sql } from 'kysely'
import type { CentralSql } from '../../db/databases.ts'
import type { MailState } from '../../mail/operator-queries.ts'

export type EventRecord = Awaited<ReturnType<typeof findEvents>>[number]

/** What happened to a subscription, the newest first, older than `before` where it is given. */
export async function findEvents(
  db: CentralSql,
  subscriptionId: string,
  { before, limit }: { before?: string | undefined; limit: number },
) {
  let query = db
    .selectFrom('subscription_events as e')
    .leftJoin('payments as p', 'p.id', 'e.payment_id')
    .leftJoin('webhook_events as w', 'w.id', 'e.webhook_id')
    .select(['e.id', 'e.at', 'e.event', 'e.origin', 'e.actor_email', 'e.rule', 'e.outcome', 'e.before', 'e.after'])
    .select(['e.effects', 'e.value_before_c', 'e.value_after_c', 'e.request_id', 'e.payment_id'])
    .select(['p.amount_c as payment_amount_c', 'p.status as payment_status'])
    .select(['w.id as delivery_id', 'w.request_id as delivery_request_id', 'w.received_at as delivery_received_at'])
    .where('e.subscription_id', '=', subscriptionId)
  if (before !== undefined) query = query.where('e.id', '<', before)
  return query.orderBy('e.id', 'desc').limit(limit).execute()
}

export interface SentMail {
  dedupeKey: string
  template: string
  to: string
  state: MailState
  sentAt: Date | null
}

/** The mails of a company whose key begins with one of these. */
export async function findMailsByKey(
  db: CentralSql,
  tenantId: string,
  prefixes: readonly string[],
): Promise<SentMail[]> {
  if (prefixes.length === 0) return []
  return db
    .selectFrom('mail_outbox')
    .select(['dedupe_key as dedupeKey', 'template', 'to_email as to', 'state', 'sent_at as sentAt'])
    .where('tenant_id', '=', tenantId)
    .where(
      sql<boolean>`exists (select from unnest(${[...prefixes]}::text[]) as p (prefix) where starts_with(dedupe_key, p.prefix))`,
    )
    .orderBy('id')
    .execute()
}
