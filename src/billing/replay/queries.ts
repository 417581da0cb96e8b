import { sql } from 'kysely'
import type { CentralSql } from '../../db/databases.ts'
import type { Resource, ResourceKind } from '../pipeline/queries.ts'

/** What replaying may change of a subscription, as text that can be compared line by line. */
export async function findTrace(db: CentralSql, subscriptionIds: readonly string[]): Promise<Record<string, string>> {
  if (subscriptionIds.length === 0) return {}
  const { rows } = await sql<{ key: string; value: string }>`
    with of as (select id, tenant_id from subscriptions where id = any(${subscriptionIds}::uuid[]))
    select 'suscripción ' || s.id as key,
      concat_ws(' ', s.estado, s.motivo, 'periodo', s.period_start, s.period_end, 'pagada', s.paid_until, 'cancela', s.cancel_on) as value
      from subscriptions s join of on of.id = s.id
    union all
    select 'mandato ' || m.external_reference, concat_ws(' ', m.status, m.amount_acked_c::text)
      from mp_mandates m join of on of.id = m.subscription_id
    union all
    select 'pago ' || coalesce(p.mp_payment_id, p.reference), concat_ws(' ', p.status, p.provider_status, p.amount_c::text, 'devuelto', p.refunded_c::text, p.period_start::text)
      from payments p join of on of.id = p.subscription_id
    union all
    select 'saldo ' || l.source_key, concat_ws(' ', l.kind, l.amount_c::text) from ledger l join of on of.tenant_id = l.tenant_id
    union all
    select 'factura ' || i.number, concat_ws(' ', i.period_key, i.status, i.collect_c::text)
      from invoices i join of on of.id = i.subscription_id
    union all
    select 'correo ' || o.dedupe_key, o.template from mail_outbox o join of on of.tenant_id = o.tenant_id
    union all
    select 'orden ' || c.dedupe_key, c.kind || ' ' || c.state from mp_commands c join of on of.id = c.subscription_id`.execute(
    db,
  )
  return Object.fromEntries(rows.map(({ key, value }) => [key, value]))
}

export async function findResourceOfEvent(db: CentralSql, eventId: string): Promise<Resource | undefined> {
  const row = await db
    .selectFrom('webhook_events')
    .select(['connector_id as connectorId', 'topic', 'data_id as resourceId'])
    .where('id', '=', eventId)
    .executeTakeFirst()
  if (!row) return undefined
  const kind = TOPICS[row.topic]
  return kind && { connectorId: row.connectorId, kind, resourceId: row.resourceId }
}

/** Which connector knows a resource; undefined when none was ever told of it. */
export async function findConnectorOf(
  db: CentralSql,
  kind: ResourceKind,
  resourceId: string,
): Promise<string | undefined> {
  const row = await db
    .selectFrom('mp_resources')
    .select('connector_id')
    .where('kind', '=', kind)
    .where('resource_id', '=', resourceId)
    .executeTakeFirst()
  return row?.connector_id
}

const TOPICS: Readonly<Record<string, ResourceKind>> = {
  payment: 'payment',
  subscription_preapproval: 'preapproval',
  subscription_authorized_payment: 'authorized_payment',
  topic_chargebacks_wh: 'chargeback',
  chargebacks: 'chargeback',
}
