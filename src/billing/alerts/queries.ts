import { sql } from 'kysely'
import { uuidv7 } from 'uuidv7'
import type { CentralSql, CentralTx } from '../../db/databases.ts'
import type { KnownAlert } from './words.ts'

export type Severity = 'aviso' | 'advertencia' | 'critica'

export interface Alert {
  code: KnownAlert
  severity: Severity
  /** What it is about: the same thing is one alert, however often it is seen. */
  key: string
  at: Date
  tenantId?: string | null
  subscriptionId?: string | null
  paymentId?: string | null
  mandateId?: string | null
  detail?: object
}

/** Puts something before the people of the platform. Seen again it counts on; one that was resolved stays so. */
export async function raiseAlert(db: CentralSql, alert: Alert): Promise<void> {
  await db
    .insertInto('billing_alerts')
    .values({
      id: uuidv7(),
      code: alert.code,
      severity: alert.severity,
      dedupe_key: `${alert.code}:${alert.key}`,
      tenant_id: alert.tenantId ?? null,
      subscription_id: alert.subscriptionId ?? null,
      payment_id: alert.paymentId ?? null,
      mandate_id: alert.mandateId ?? null,
      detail: alert.detail ?? {},
      created_at: alert.at,
      last_seen_at: alert.at,
    })
    .onConflict((oc) =>
      oc.column('dedupe_key').doUpdateSet({
        severity: alert.severity,
        last_seen_at: alert.at,
        times: sql<number>`billing_alerts.times + 1`,
        detail: alert.detail ?? {},
        // What settled by itself and is wrong again is open again; what a person closed stays closed.
        resolved_at: sql<Date | null>`case when billing_alerts.resolved_by is not null then billing_alerts.resolved_at end`,
        resolution: sql<
          string | null
        >`case when billing_alerts.resolved_by is not null then billing_alerts.resolution end`,
      }),
    )
    .execute()
}

/** What the monitor raised and no longer sees. @returns whether there was one */
export async function settleAlert(db: CentralSql, dedupeKey: string, at: Date, resolution: string): Promise<boolean> {
  const row = await db
    .updateTable('billing_alerts')
    .set({ resolved_at: at, resolution })
    .where('dedupe_key', '=', dedupeKey)
    .where('resolved_at', 'is', null)
    .returning('id')
    .executeTakeFirst()
  return row !== undefined
}

export interface ListedAlert {
  id: string
  code: string
  severity: Severity
  times: number
  detail: unknown
  createdAt: Date
  lastSeenAt: Date
  tenant: { id: string; rfc: string; nombre: string } | null
  payment: { id: string; mpPaymentId: string | null; amountC: bigint; status: string; isTaken: boolean } | null
  mandate: { id: string; preapprovalId: string | null } | null
  resolved: { at: Date; by: string | null; note: string } | null
}

export interface AlertFilter {
  resolved: boolean
  code?: string | undefined
  tenantId?: string | undefined
}

/** The newest first, those older than `before` where it is given. */
export async function listAlerts(
  db: CentralSql,
  { resolved, code, tenantId }: AlertFilter,
  { before, limit }: { before?: string | undefined; limit: number },
): Promise<ListedAlert[]> {
  let query = alerts(db).where('a.resolved_at', resolved ? 'is not' : 'is', null)
  if (code !== undefined) query = query.where('a.code', '=', code)
  if (tenantId !== undefined) query = query.where('a.tenant_id', '=', tenantId)
  if (before !== undefined) query = query.where('a.id', '<', before)
  const rows = await query.orderBy('a.id', 'desc').limit(limit).execute()
  return rows.map(toListed)
}

export async function findAlert(db: CentralSql, id: string): Promise<ListedAlert | undefined> {
  const row = await alerts(db).where('a.id', '=', id).executeTakeFirst()
  return row && toListed(row)
}

export interface LockedAlert {
  code: string
  paymentId: string | null
  tenantId: string | null
  isResolved: boolean
}

/** Nobody else resolves it until the transaction ends. */
export async function lockAlert(trx: CentralTx, id: string): Promise<LockedAlert | undefined> {
  const row = await trx
    .selectFrom('billing_alerts')
    .select(['code', 'payment_id as paymentId', 'tenant_id as tenantId', 'resolved_at'])
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst()
  if (!row) return undefined
  const { resolved_at, ...rest } = row
  return { ...rest, isResolved: resolved_at !== null }
}

export async function setResolved(
  trx: CentralTx,
  id: string,
  { at, by, note }: { at: Date; by: string | null; note: string },
): Promise<void> {
  await trx
    .updateTable('billing_alerts')
    .set({ resolved_at: at, resolved_by: by, resolution: note })
    .where('id', '=', id)
    .execute()
}

export interface UnclaimedPayment {
  subscriptionId: string | null
  status: 'approved' | 'pending' | 'rejected' | 'refunded'
  currency: string
  unmatched: string | null
  refundedC: bigint
  paidAt: Date | null
}

/** A payment, nobody else's to change until the transaction ends. */
export async function lockPayment(trx: CentralTx, id: string): Promise<UnclaimedPayment | undefined> {
  const row = await trx
    .selectFrom('payments')
    .select(['subscription_id as subscriptionId', 'status', 'currency', 'unmatched', 'refunded_c', 'paid_at as paidAt'])
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst()
  if (!row) return undefined
  const { refunded_c, ...rest } = row
  return { ...rest, refundedC: BigInt(refunded_c) }
}

/** It is this subscription's from here on. */
export async function givePayment(
  trx: CentralTx,
  id: string,
  { tenantId, subscriptionId, at }: { tenantId: string; subscriptionId: string; at: Date },
): Promise<void> {
  await trx
    .updateTable('payments')
    .set({ tenant_id: tenantId, subscription_id: subscriptionId, unmatched: null, updated_at: at })
    .where('id', '=', id)
    .execute()
}

const alerts = (db: CentralSql) =>
  db
    .selectFrom('billing_alerts as a')
    .leftJoin('tenants as t', 't.id', 'a.tenant_id')
    .leftJoin('payments as p', 'p.id', 'a.payment_id')
    .leftJoin('mp_mandates as m', 'm.id', 'a.mandate_id')
    .leftJoin('users as u', 'u.id', 'a.resolved_by')
    .select(['a.id', 'a.code', 'a.severity', 'a.times', 'a.detail', 'a.created_at', 'a.last_seen_at'])
    .select(['a.tenant_id', 't.rfc', 't.nombre'])
    .select([
      'a.payment_id',
      'p.mp_payment_id',
      'p.amount_c',
      'p.status as payment_status',
      'p.subscription_id as payer',
    ])
    .select(['a.mandate_id', 'm.preapproval_id', 'a.resolved_at', 'a.resolution', 'u.email as resolver'])

type Row = Awaited<ReturnType<ReturnType<typeof alerts>['executeTakeFirstOrThrow']>>

const toListed = (row: Row): ListedAlert => ({
  id: row.id,
  code: row.code,
  severity: row.severity,
  times: row.times,
  detail: row.detail,
  createdAt: row.created_at,
  lastSeenAt: row.last_seen_at,
  tenant:
    row.tenant_id !== null && row.rfc !== null && row.nombre !== null
      ? { id: row.tenant_id, rfc: row.rfc, nombre: row.nombre }
      : null,
  payment:
    row.payment_id !== null && row.amount_c !== null && row.payment_status !== null
      ? {
          id: row.payment_id,
          mpPaymentId: row.mp_payment_id,
          amountC: BigInt(row.amount_c),
          status: row.payment_status,
          isTaken: row.payer !== null,
        }
      : null,
  mandate: row.mandate_id === null ? null : { id: row.mandate_id, preapprovalId: row.preapproval_id },
  resolved: row.resolved_at === null ? null : { at: row.resolved_at, by: row.resolver, note: row.resolution ?? '' },
})
