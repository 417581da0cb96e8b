import { sql } from 'kysely'
import { uuidv7 } from 'uuidv7'
import type { CentralSql, CentralTx } from '../../db/databases.ts'
import type { Centavos } from '../../fiscal/money.ts'
import { type PaymentSummary, toPaymentSummary } from '../own/queries.ts'

/** What proves a deed at a bank, as it was written down. */
export interface Evidence {
  banco?: string | undefined
  nota?: string | undefined
  urlComprobante?: string | undefined
}

export interface NewTransfer {
  tenantId: string
  subscriptionId: string
  planChangeId: string | null
  amountC: Centavos
  paidAt: Date
  reference: string
  evidence: Evidence
  actorId: string | null
  at: Date
}

/** @returns its id, or undefined when the subscription has one with this reference */
export async function insertTransfer(trx: CentralTx, transfer: NewTransfer): Promise<string | undefined> {
  const row = await trx
    .insertInto('payments')
    .values({
      id: uuidv7(),
      tenant_id: transfer.tenantId,
      subscription_id: transfer.subscriptionId,
      plan_change_id: transfer.planChangeId,
      provider: 'transferencia',
      method: 'transferencia',
      status: 'approved',
      provider_status: 'approved',
      amount_c: transfer.amountC,
      paid_at: transfer.paidAt,
      reference: transfer.reference,
      evidence: transfer.evidence,
      actor_id: transfer.actorId,
      created_at: transfer.at,
      updated_at: transfer.at,
    })
    // The index is partial: its condition as a parameter would match none once the plan of the statement is generic.
    .onConflict((oc) =>
      oc.columns(['subscription_id', 'reference']).where(sql<boolean>`provider = 'transferencia'`).doNothing(),
    )
    .returning('id')
    .executeTakeFirst()
  return row?.id
}

export interface KnownTransfer {
  id: string
  amountC: Centavos
  paidAt: Date | null
  planChangeId: string | null
}

export async function findTransfer(
  db: CentralSql,
  subscriptionId: string,
  reference: string,
): Promise<KnownTransfer | undefined> {
  const row = await db
    .selectFrom('payments')
    .select(['id', 'amount_c', 'paid_at as paidAt', 'plan_change_id as planChangeId'])
    .where('provider', '=', 'transferencia')
    .where('subscription_id', '=', subscriptionId)
    .where('reference', '=', reference)
    .executeTakeFirst()
  if (!row) return undefined
  const { amount_c, ...rest } = row
  return { ...rest, amountC: BigInt(amount_c) }
}

/** Whether a payment became credit, and why: what the machine and the invoices made of it when it was applied. */
export async function findCreditKind(
  db: CentralSql,
  paymentId: string,
): Promise<'incomplete_payment' | 'duplicate_payment' | 'late_payment' | undefined> {
  const row = await db
    .selectFrom('ledger')
    .select('kind')
    .where('payment_id', '=', paymentId)
    .where('kind', 'in', ['incomplete_payment', 'duplicate_payment', 'late_payment'])
    .orderBy('id')
    .limit(1)
    .executeTakeFirst()
  return row?.kind as Awaited<ReturnType<typeof findCreditKind>>
}

export interface RefundSummary {
  id: string
  amountC: Centavos
  state: 'requested' | 'confirmed' | 'failed'
  reason: string
  lastError: string | null
  createdAt: Date
  settledAt: Date | null
}

export interface PaymentDetail extends PaymentSummary {
  mpPaymentId: string | null
  providerStatus: string
  method: string | null
  invoiceNumber: string | null
  planChangeId: string | null
  evidence: unknown
  createdAt: Date
  refunds: readonly RefundSummary[]
}

/** Payments of a company with what was given back of each, the last one that came to be known first. */
export async function listPayments(
  db: CentralSql,
  tenantId: string,
  { id, before, limit }: { id?: string; before?: string | undefined; limit: number },
): Promise<PaymentDetail[]> {
  let query = db
    .selectFrom('payments as p')
    .leftJoin('invoices as i', 'i.id', 'p.invoice_id')
    .selectAll('p')
    .select('i.number as invoice_number')
    .where('p.tenant_id', '=', tenantId)
  if (id !== undefined) query = query.where('p.id', '=', id)
  if (before !== undefined) query = query.where('p.id', '<', before)
  const rows = await query.orderBy('p.id', 'desc').limit(limit).execute()
  const refunds = await findRefunds(
    db,
    rows.map((row) => row.id),
  )
  return rows.map((row) => ({
    ...toPaymentSummary(row),
    mpPaymentId: row.mp_payment_id,
    providerStatus: row.provider_status,
    method: row.method,
    invoiceNumber: row.invoice_number,
    planChangeId: row.plan_change_id,
    evidence: row.evidence,
    createdAt: row.created_at,
    refunds: refunds.filter((refund) => refund.paymentId === row.id),
  }))
}

async function findRefunds(db: CentralSql, paymentIds: readonly string[]) {
  if (paymentIds.length === 0) return []
  const rows = await db
    .selectFrom('refunds')
    .select(['id', 'payment_id as paymentId', 'amount_c', 'state', 'reason', 'last_error as lastError'])
    .select(['created_at as createdAt', 'settled_at as settledAt'])
    .where('payment_id', 'in', paymentIds)
    .orderBy('id')
    .execute()
  return rows.map(({ amount_c, ...rest }) => ({ ...rest, amountC: BigInt(amount_c) }))
}

export interface RefundablePayment {
  id: string
  subscriptionId: string | null
  connectorId: string | null
  provider: 'mercadopago' | 'transferencia'
  status: 'approved' | 'pending' | 'rejected' | 'refunded'
  disputed: boolean
  amountC: Centavos
  refundedC: Centavos
  /** Asked for and not told of by MercadoPago yet. */
  requestedC: Centavos
}

/** Locked: what is left of a payment is promised to one request after the other. */
export async function lockPayment(
  trx: CentralTx,
  { tenantId, id }: { tenantId: string; id: string },
): Promise<RefundablePayment | undefined> {
  const row = await trx
    .selectFrom('payments')
    .select([
      'id',
      'subscription_id as subscriptionId',
      'connector_id as connectorId',
      'provider',
      'status',
      'disputed',
    ])
    .select(['amount_c', 'refunded_c'])
    .where('id', '=', id)
    .where('tenant_id', '=', tenantId)
    .forUpdate()
    .executeTakeFirst()
  if (!row) return undefined
  const { amount_c, refunded_c, ...rest } = row
  const { requested } = await trx
    .selectFrom('refunds')
    .select(sql<string>`coalesce(sum(amount_c), 0)::text`.as('requested'))
    .where('payment_id', '=', id)
    .where('state', '=', 'requested')
    .executeTakeFirstOrThrow()
  return { ...rest, amountC: BigInt(amount_c), refundedC: BigInt(refunded_c), requestedC: BigInt(requested) }
}

/** @returns its id, which is also the key that MercadoPago is sent */
export async function insertRefund(
  trx: CentralTx,
  refund: {
    paymentId: string
    amountC: Centavos
    state: 'requested' | 'confirmed'
    reason: string
    requestedBy: string | null
    at: Date
  },
): Promise<string> {
  const id = uuidv7()
  await trx
    .insertInto('refunds')
    .values({
      id,
      payment_id: refund.paymentId,
      amount_c: refund.amountC,
      state: refund.state,
      reason: refund.reason,
      requested_by: refund.requestedBy,
      created_at: refund.at,
      settled_at: refund.state === 'confirmed' ? refund.at : null,
    })
    .execute()
  return id
}

/** What was given back of a transfer until now. */
export async function setTransferRefunded(
  trx: CentralTx,
  id: string,
  { refundedC, isTotal, at }: { refundedC: Centavos; isTotal: boolean; at: Date },
): Promise<void> {
  await trx
    .updateTable('payments')
    .set({
      refunded_c: refundedC,
      updated_at: at,
      ...(isTotal && { status: 'refunded' as const, provider_status: 'refunded' }),
    })
    .where('id', '=', id)
    .where('provider', '=', 'transferencia')
    .execute()
}
