import { sql } from 'kysely'
import { uuidv7 } from 'uuidv7'
import type { CentralSql, CentralTx } from '../../db/databases.ts'
import { CLOCKS_APART_MS } from '../facts/queries.ts'
import type { MandateStatus } from '../subscription.ts'

export interface LiveMandate {
  id: string
  subscriptionId: string
  connectorId: string
  preapprovalId: string | null
  externalReference: string
  payerEmail: string
  status: MandateStatus
  createdAt: Date
  lastSyncedAt: Date | null
  /** Centavos, as text. */
  amountAckedC: string | null
}

/** Those of a subscription that could still charge, or wait for MercadoPago's first word. */
export async function findLiveMandates(db: CentralSql, subscriptionId: string): Promise<LiveMandate[]> {
  return live(db).where('subscription_id', '=', subscriptionId).orderBy('attempt', 'desc').execute()
}

/** Every one that could still charge, of a connector. */
export async function findLiveMandatesOf(db: CentralSql, connectorId: string): Promise<LiveMandate[]> {
  return live(db).where('connector_id', '=', connectorId).execute()
}

const live = (db: CentralSql) =>
  db
    .selectFrom('mp_mandates')
    .select([
      'id',
      'subscription_id as subscriptionId',
      'connector_id as connectorId',
      'preapproval_id as preapprovalId',
      'external_reference as externalReference',
      'payer_email as payerEmail',
      'status',
      'created_at as createdAt',
      'last_synced_at as lastSyncedAt',
      'amount_acked_c as amountAckedC',
    ])
    .where('status', 'in', ['creating', 'pending', 'authorized', 'paused', 'unknown'])

export interface ToRead {
  id: string
  /** Through which its mandates are read. */
  connectors: string[]
}

/**
 * Subscriptions to read at MercadoPago now, the most urgent first (billing.md 5.7): checkouts of the last two days,
 * mandates within 36 hours of their date, what is unpaid, and of the rest whoever was not read for a day.
 */
export async function findSubscriptionsToRead(db: CentralSql, now: Date, limit: number): Promise<ToRead[]> {
  const hours = (n: number) => new Date(now.getTime() + n * 3_600_000)
  const tooLate = new Date(now.getTime() + CLOCKS_APART_MS)
  const { rows } = await sql<ToRead>`
    select s.id, urgency.connectors
    from subscriptions s
    join lateral (
      select array_agg(distinct m.connector_id) as connectors, min(case
          when m.status in ('creating', 'pending') and m.created_at > ${hours(-48)} then 1
          when m.status = 'authorized' and m.next_payment_date between ${hours(-36)} and ${hours(36)} then 2
          when s.estado in ('pendiente_pago', 'grace_period') then 3
          -- A reading of the future was written under a clock that went wrong.
          when s.last_synced_at is null or s.last_synced_at < ${hours(-24)} or s.last_synced_at > ${tooLate} then 4
        end) as rank
      from mp_mandates m
      where m.subscription_id = s.id and m.status in ('creating', 'pending', 'authorized', 'paused', 'unknown')
    ) urgency on urgency.rank is not null
    order by s.last_synced_at nulls first, urgency.rank
    limit ${limit}`.execute(db)
  return rows
}

export interface KnownPayment {
  status: string
  refundedC: string
}

/** What we have of these payments, by MercadoPago's id: what did not change needs no second look. */
export async function findKnownPayments(db: CentralSql, ids: readonly string[]): Promise<Map<string, KnownPayment>> {
  if (ids.length === 0) return new Map()
  const rows = await db
    .selectFrom('payments')
    .select(['mp_payment_id', 'provider_status', 'refunded_c'])
    .where('provider', '=', 'mercadopago')
    .where('mp_payment_id', 'in', ids)
    .execute()
  return new Map(
    rows.map((row) => [row.mp_payment_id ?? '', { status: row.provider_status, refundedC: row.refunded_c }]),
  )
}

/** A checkout that MercadoPago never knew: nobody can authorise it any more. */
export async function abandonMandate(trx: CentralTx, id: string, failure: string): Promise<void> {
  await trx
    .updateTable('mp_mandates')
    .set({ status: 'cancelled', failure })
    .where('id', '=', id)
    .where('status', '=', 'creating')
    .execute()
}

/** Subscriptions with more than one mandate able to charge. */
export async function findDoubleMandates(
  db: CentralSql,
): Promise<{ subscriptionId: string; tenantId: string; n: number }[]> {
  const { rows } = await sql<{ subscriptionId: string; tenantId: string; n: number }>`
    select m.subscription_id as "subscriptionId", s.tenant_id as "tenantId", count(*)::int as n
    from mp_mandates m join subscriptions s on s.id = m.subscription_id
    where m.status = 'authorized' and m.cancelled_by_us is null
    group by 1, 2 having count(*) > 1`.execute(db)
  return rows
}

export type RunKind = 'frecuente' | 'nocturna' | 'reproceso'

export async function insertRun(db: CentralSql, kind: RunKind, at: Date): Promise<string> {
  const id = uuidv7()
  await db.insertInto('reconcile_runs').values({ id, kind, started_at: at }).execute()
  return id
}

export async function closeRun(
  db: CentralSql,
  id: string,
  run: { calls: number; truncated: boolean; found: object; error: string | null; at: Date },
): Promise<void> {
  await db
    .updateTable('reconcile_runs')
    .set({ finished_at: run.at, calls: run.calls, truncated: run.truncated, found: run.found, error: run.error })
    .where('id', '=', id)
    .execute()
}

/** Frequent runs are kept for a month, the others for ever: they are few and tell what was found. */
export async function deleteOldRuns(db: CentralSql, before: Date): Promise<void> {
  await db.deleteFrom('reconcile_runs').where('kind', '=', 'frecuente').where('started_at', '<', before).execute()
}
