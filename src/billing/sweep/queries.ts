import { sql } from 'kysely'
import type { CentralSql, CentralTx } from '../../db/databases.ts'

/** Subscriptions of which something is due, the longest first. */
export async function findDueSubscriptions(db: CentralSql, now: Date, limit: number): Promise<string[]> {
  const rows = await db
    .selectFrom('subscriptions')
    .select('id')
    .where('next_due_at', '<=', now)
    .orderBy('next_due_at')
    .limit(limit)
    .execute()
  return rows.map(({ id }) => id)
}

/** When the sweep is to look at it again. */
export async function setNextDue(trx: CentralTx, id: string, at: Date | null): Promise<void> {
  await trx.updateTable('subscriptions').set({ next_due_at: at }).where('id', '=', id).execute()
}

/** Living subscriptions of companies that were deleted: nobody there is to be charged any more. */
export async function findOfDeletedTenants(db: CentralSql): Promise<string[]> {
  const rows = await db
    .selectFrom('subscriptions as s')
    .innerJoin('tenants as t', 't.id', 's.tenant_id')
    .select('s.id')
    .where('t.deleted_at', 'is not', null)
    .where('s.estado', 'not in', ['cancelada', 'vencida'])
    .limit(200)
    .execute()
  return rows.map(({ id }) => id)
}

export interface StrayMandate {
  id: string
  connectorId: string
  subscriptionId: string
}

/**
 * Mandates that could still charge although their subscription ended before they were made, or that were told to end long
 * ago and have no command on its way (billing.md 3.10, 7).
 */
export async function findStrayMandates(db: CentralSql, before: Date): Promise<StrayMandate[]> {
  const { rows } = await sql<StrayMandate>`
    select m.id, m.connector_id as "connectorId", m.subscription_id as "subscriptionId"
    from mp_mandates m
    join subscriptions s on s.id = m.subscription_id
    where m.status in ('pending', 'authorized', 'paused') and m.preapproval_id is not null
      and (m.cancelled_by_us is not null or (s.ended_at is not null and m.created_at <= s.ended_at))
      and not exists (select from mp_commands c where c.mandate_id = m.id and c.kind = 'cancel'
        and (c.state = 'queued' or c.created_at > ${before}))
    limit 200`.execute(db)
  return rows
}

/** When the last comparison before `now` began. One of the future began under a clock that went wrong, and is none. */
export async function findLastRun(db: CentralSql, kind: 'frecuente' | 'nocturna', now: Date): Promise<Date | null> {
  const row = await db
    .selectFrom('reconcile_runs')
    .select(sql<Date | null>`max(started_at)`.as('at'))
    .where('kind', '=', kind)
    .where('started_at', '<=', now)
    .executeTakeFirst()
  return row?.at ?? null
}
