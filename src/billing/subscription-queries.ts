import { sql } from 'kysely'
import { z } from 'zod'
import type { CentralSql, CentralTx } from '../db/databases.ts'
import { fechaOf } from '../fiscal/fecha.ts'
import type { Mandate, Notices, Subscription } from './subscription.ts'

/** A subscription with what surrounds it: whose it is and what it was sold. */
export interface StoredSubscription {
  id: string
  tenantId: string
  rfc: string
  empresa: string
  tenantDeleted: boolean
  planCode: string
  planVersion: number
  /** Of this company, where it differs from its plan. */
  taxRateBp: number | null
  payerEmail: string | null
  lastSyncedAt: Date | null
  nextDueAt: Date | null
  createdAt: Date
  sub: Subscription
}

export async function findSubscription(db: CentralSql, tenantId: string): Promise<StoredSubscription | undefined> {
  const row = await subscriptions(db).where('s.tenant_id', '=', tenantId).executeTakeFirst()
  return row && toStored(row, await findMandatesOf(db, row.id))
}

export async function findSubscriptionById(db: CentralSql, id: string): Promise<StoredSubscription | undefined> {
  const row = await subscriptions(db).where('s.id', '=', id).executeTakeFirst()
  return row && toStored(row, await findMandatesOf(db, row.id))
}

/**
 * Locked until the transaction ends: all that happens to one subscription happens one after the other. Locked first and
 * read then, because a statement that had to wait would still see what was before.
 */
export async function lockSubscription(trx: CentralTx, id: string): Promise<StoredSubscription | undefined> {
  await trx.selectFrom('subscriptions').select('id').where('id', '=', id).forUpdate().execute()
  return findSubscriptionById(trx, id)
}

export async function findSubscriptionIdOfTenant(db: CentralSql, tenantId: string): Promise<string | undefined> {
  const row = await db.selectFrom('subscriptions').select('id').where('tenant_id', '=', tenantId).executeTakeFirst()
  return row?.id
}

/** Writes what the machine made of it. The caller holds its lock. */
export async function saveSubscription(
  trx: CentralTx,
  id: string,
  sub: Subscription,
  { nextDueAt, plan }: { nextDueAt: Date | null; plan?: { code: string; version: number } | undefined },
): Promise<void> {
  await trx
    .updateTable('subscriptions')
    .set({
      estado: sub.estado,
      motivo: sub.motivo,
      frecuencia: sub.frecuencia,
      anchor: sub.anchor,
      period_start: sub.periodStart,
      period_end: sub.periodEnd,
      paid_until: sub.paidThrough,
      trial_until: sub.trialEnd,
      cancel_on: sub.cancelAt,
      ended_at: sub.endedAt,
      past_due_since: sub.pastDueSince,
      deadline_at: sub.deadlineAt,
      entered_at: sub.enteredAt,
      pause_until: sub.pauseUntil,
      suspended_by_staff: sub.suspendedByStaff,
      courtesy: sub.courtesy,
      ever_paid: sub.everPaid,
      mandate_id: sub.mandateId,
      notices: sub.notices,
      next_due_at: nextDueAt,
      row_version: sql<bigint>`row_version + 1`,
      updated_at: sql<Date>`now()`,
      ...(plan && { plan_code: plan.code, plan_version: plan.version }),
    })
    .where('id', '=', id)
    .execute()
}

const subscriptions = (db: CentralSql) =>
  db
    .selectFrom('subscriptions as s')
    .innerJoin('tenants as t', 't.id', 's.tenant_id')
    .selectAll('s')
    .select(['t.rfc', 't.nombre as empresa', 't.deleted_at as tenant_deleted_at'])

type Row = Awaited<ReturnType<ReturnType<typeof subscriptions>['executeTakeFirstOrThrow']>>

function toStored(row: Row, mandates: Mandate[]): StoredSubscription {
  return {
    id: row.id,
    tenantId: row.tenant_id,
    rfc: row.rfc,
    empresa: row.empresa,
    tenantDeleted: row.tenant_deleted_at !== null,
    planCode: row.plan_code,
    planVersion: row.plan_version,
    taxRateBp: row.tax_rate_bp,
    payerEmail: row.payer_email,
    lastSyncedAt: row.last_synced_at,
    nextDueAt: row.next_due_at,
    createdAt: row.created_at,
    sub: {
      estado: row.estado,
      motivo: row.motivo as Subscription['motivo'],
      frecuencia: row.frecuencia,
      anchor: row.anchor,
      periodStart: row.period_start,
      periodEnd: row.period_end,
      paidThrough: row.paid_until,
      trialEnd: row.trial_until,
      cancelAt: row.cancel_on,
      endedAt: row.ended_at,
      pastDueSince: row.past_due_since,
      deadlineAt: row.deadline_at,
      enteredAt: row.entered_at,
      pauseUntil: row.pause_until,
      suspendedByStaff: row.suspended_by_staff,
      courtesy: row.courtesy,
      everPaid: row.ever_paid,
      mandateId: row.mandate_id,
      mandates,
      notices: noticesOf(row.notices),
    },
  }
}

const fecha = z.string().nullable().default(null)
const NoticesRow = z.object({
  trialEnding: fecha,
  expiry: fecha,
  renewal: fecha,
  rejection: fecha,
  prepared: fecha,
})

const noticesOf = (value: unknown): Notices => NoticesRow.parse(value)

/** The newest first; the dead of long ago play no part any more. */
async function findMandatesOf(db: CentralSql, subscriptionId: string): Promise<Mandate[]> {
  const rows = await db
    .selectFrom('mp_mandates')
    .select([
      'id',
      'status',
      'attempt',
      'was_authorized as wasAuthorized',
      'cancelled_by_us as cancelledByUs',
      'created_at as createdAt',
      'next_payment_date',
    ])
    .where('subscription_id', '=', subscriptionId)
    .orderBy('attempt', 'desc')
    .limit(20)
    .execute()
  return rows.map(({ next_payment_date: next, ...mandate }) => ({ ...mandate, chargesOn: next && fechaOf(next) }))
}
