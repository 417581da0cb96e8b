import { sql } from 'kysely'
import type { CentralSql, CentralTx } from '../../db/databases.ts'

export const resourceKinds = ['payment', 'preapproval', 'authorized_payment', 'chargeback'] as const
export type ResourceKind = (typeof resourceKinds)[number]

export interface Resource {
  connectorId: string
  kind: ResourceKind
  resourceId: string
}

export interface Delivery {
  id: string
  resource: Resource
  topic: string
  action: string | null
  eventId: string | null
  requestId: string
  signedAt: Date
  receivedAt: Date
  headers: object
  body: object
}

/**
 * Keeps deliveries and marks what they are about as to be looked at again: one statement, so that neither is there alone.
 * A delivery that came before, by its request id or by the id of its event, is not kept again and marks nothing.
 * @returns the ids of those that were new
 */
export async function insertDeliveries(trx: CentralTx, deliveries: readonly Delivery[]): Promise<string[]> {
  const rows = deliveries.map(({ resource, ...delivery }) => ({
    id: delivery.id,
    connector_id: resource.connectorId,
    kind: resource.kind,
    topic: delivery.topic,
    action: delivery.action,
    data_id: resource.resourceId,
    event_id: delivery.eventId,
    request_id: delivery.requestId,
    signature_ts: delivery.signedAt,
    received_at: delivery.receivedAt,
    headers: delivery.headers,
    body: delivery.body,
  }))
  const { rows: kept } = await sql<{ id: string }>`
    with given as (
      select * from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) as d (
        id uuid, connector_id uuid, kind text, topic text, action text, data_id text, event_id text, request_id text,
        signature_ts timestamptz, received_at timestamptz, headers jsonb, body jsonb)
    ), news as (
      insert into webhook_events (id, connector_id, topic, action, data_id, event_id, request_id, signature_ts, received_at, headers, body)
      select id, connector_id, topic, action, data_id, event_id, request_id, signature_ts, received_at, headers, body from given
      on conflict do nothing
      returning id
    ), marked as (
      insert into mp_resources (connector_id, kind, resource_id, first_seen_at)
      select connector_id, kind, data_id, min(received_at) from given join news using (id)
      group by 1, 2, 3 order by 1, 2, 3
      on conflict (connector_id, kind, resource_id) do update
        set dirty_seq = mp_resources.dirty_seq + 1, dead_reason = null, attempts = 0, next_try_at = null
    ), touched as (
      -- Once a minute at most: a row that every delivery wrote would be what they all wait for.
      update payment_connectors c set last_webhook_at = g.at
      from (select connector_id, max(received_at) as at from given join news using (id) group by 1) g
      where c.id = g.connector_id and (c.last_webhook_at is null or c.last_webhook_at < g.at - interval '1 minute')
    )
    select id from news`.execute(trx)
  return kept.map(({ id }) => id)
}

/** Something is to be looked at again, whoever says so. */
export async function markDirty(db: CentralSql, { connectorId, kind, resourceId }: Resource, at: Date): Promise<void> {
  await db
    .insertInto('mp_resources')
    .values({ connector_id: connectorId, kind, resource_id: resourceId, first_seen_at: at })
    .onConflict((oc) =>
      oc.columns(['connector_id', 'kind', 'resource_id']).doUpdateSet({
        dirty_seq: sql<string>`mp_resources.dirty_seq + 1`,
        dead_reason: null,
        attempts: 0,
        next_try_at: null,
      }),
    )
    .execute()
}

/**
 * A refused delivery is counted; of the first twenty of an hour the headers stay, never a body. No more than those are
 * looked at to know: a flood brings thousands.
 */
export async function insertRefusal(db: CentralSql, reason: string, headers: object, at: Date): Promise<void> {
  await sql`
    insert into webhook_refusals (at, reason, headers)
    select ${at}, ${reason},
      case when (
        select count(*) from (select from webhook_refusals where at > ${new Date(at.getTime() - 3_600_000)} limit 20) r
      ) < 20
        then ${headers}::jsonb end`.execute(db)
}

export interface ClaimedResource {
  dirtySeq: string
  attempts: number
  firstSeenAt: Date
}

/** Takes a resource that has news, for `leaseSeconds` of the database's clock; undefined when it has none or is taken. */
export async function claimResource(
  db: CentralSql,
  { connectorId, kind, resourceId }: Resource,
  leaseSeconds: number,
): Promise<ClaimedResource | undefined> {
  return db
    .updateTable('mp_resources')
    .set({ claimed_until: sql<Date>`now() + make_interval(secs => ${leaseSeconds})` })
    .where('connector_id', '=', connectorId)
    .where('kind', '=', kind)
    .where('resource_id', '=', resourceId)
    .where('dead_reason', 'is', null)
    .whereRef('clean_seq', '<', 'dirty_seq')
    .where((eb) => eb.or([eb('claimed_until', 'is', null), eb('claimed_until', '<', sql<Date>`now()`)]))
    .returning(['dirty_seq as dirtySeq', 'attempts', 'first_seen_at as firstSeenAt'])
    .executeTakeFirst()
}

export async function isResourceDirty(db: CentralSql, { connectorId, kind, resourceId }: Resource): Promise<boolean> {
  const row = await db
    .selectFrom('mp_resources')
    .select('kind')
    .where('connector_id', '=', connectorId)
    .where('kind', '=', kind)
    .where('resource_id', '=', resourceId)
    .where('dead_reason', 'is', null)
    .whereRef('clean_seq', '<', 'dirty_seq')
    .executeTakeFirst()
  return row !== undefined
}

/**
 * It was read and applied up to `dirtySeq`, in the transaction that applied it; later news leave it dirty.
 * @returns whether there were none, and so every delivery that is there has been answered
 */
export async function settleResource(
  trx: CentralTx,
  { connectorId, kind, resourceId }: Resource,
  { dirtySeq, snapshot, at }: { dirtySeq: string; snapshot: object; at: Date },
): Promise<boolean> {
  const row = await trx
    .updateTable('mp_resources')
    .set({
      clean_seq: dirtySeq,
      claimed_until: null,
      attempts: 0,
      next_try_at: null,
      last_error: null,
      last_fetched_at: at,
      snapshot,
    })
    .where('connector_id', '=', connectorId)
    .where('kind', '=', kind)
    .where('resource_id', '=', resourceId)
    .returning(sql<boolean>`clean_seq = dirty_seq`.as('isClean'))
    .executeTakeFirst()
  return row?.isClean ?? false
}

/** Not now: later, or never when `deadReason` says so. */
export async function postponeResource(
  db: CentralSql,
  { connectorId, kind, resourceId }: Resource,
  {
    attempts,
    nextTryAt,
    deadReason,
    error,
  }: { attempts: number; nextTryAt: Date | null; deadReason: string | null; error: string },
): Promise<void> {
  await db
    .updateTable('mp_resources')
    .set({ claimed_until: null, attempts, next_try_at: nextTryAt, dead_reason: deadReason, last_error: error })
    .where('connector_id', '=', connectorId)
    .where('kind', '=', kind)
    .where('resource_id', '=', resourceId)
    .execute()
}

/** What became of the deliveries about a resource that came until then; all that are there where `until` is null. */
export async function closeDeliveries(
  db: CentralSql,
  { connectorId, resourceId }: Resource,
  {
    state,
    result,
    error,
    at,
    until,
  }: { state: 'processed' | 'ignored' | 'dead'; result: object; error: string | null; at: Date; until: Date | null },
): Promise<void> {
  await db
    .updateTable('webhook_events')
    .set({ state, result, last_error: error, processed_at: at })
    .where('connector_id', '=', connectorId)
    .where('data_id', '=', resourceId)
    .where('state', '=', 'received')
    .$if(until !== null, (query) => query.where('received_at', '<=', until))
    .execute()
}

/** The last delivery about a resource: what the audit chain names as the cause. */
export async function findLastDelivery(db: CentralSql, { connectorId, resourceId }: Resource): Promise<string | null> {
  const row = await db
    .selectFrom('webhook_events')
    .select('id')
    .where('connector_id', '=', connectorId)
    .where('data_id', '=', resourceId)
    .orderBy('id', 'desc')
    .executeTakeFirst()
  return row?.id ?? null
}

/** Resources that have news and may be tried now. */
export async function findDueResources(db: CentralSql, now: Date, limit: number): Promise<Resource[]> {
  const rows = await db
    .selectFrom('mp_resources')
    .select(['connector_id as connectorId', 'kind', 'resource_id as resourceId'])
    .where('dead_reason', 'is', null)
    .whereRef('clean_seq', '<', 'dirty_seq')
    .where((eb) => eb.or([eb('next_try_at', 'is', null), eb('next_try_at', '<=', now)]))
    .where((eb) => eb.or([eb('claimed_until', 'is', null), eb('claimed_until', '<', sql<Date>`now()`)]))
    .orderBy(sql`next_try_at nulls first`)
    .limit(limit)
    .execute()
  return rows
}

/** The raw deliveries are kept 180 days, and so is what was last read of a resource. Refusals a week: anybody can make them, and only the last hours tell anything. */
export async function deleteOldDeliveries(db: CentralSql, now: Date): Promise<void> {
  const before = (days: number) => new Date(now.getTime() - days * 86_400_000)
  await db.deleteFrom('webhook_events').where('received_at', '<', before(180)).execute()
  await db.deleteFrom('webhook_refusals').where('at', '<', before(7)).execute()
  // News of one that was forgotten begin anew.
  await db
    .deleteFrom('mp_resources')
    .whereRef('clean_seq', '>=', 'dirty_seq')
    .where('last_fetched_at', '<', before(180))
    .execute()
}
