import type { CentralSql, CentralTx } from '../../db/databases.ts'
import type { Centavos } from '../../fiscal/money.ts'
import type { Period } from '../periods.ts'
import type { MandateStatus } from '../subscription.ts'

export interface EventRow {
  id: string
  subscriptionId: string
  tenantId: string
  at: Date
  event: string
  origin: 'mercadopago' | 'timer' | 'owner' | 'staff' | 'system'
  actor: { userId: string; email: string } | null
  webhookId: string | null
  paymentId: string | null
  mandateId: string | null
  rule: string
  outcome: 'next' | 'same'
  before: object
  after: object
  effects: readonly object[]
  valueBeforeC: Centavos
  valueAfterC: Centavos
  requestId: string | null
}

export async function insertEvent(trx: CentralTx, row: EventRow): Promise<void> {
  await trx
    .insertInto('subscription_events')
    .values({
      id: row.id,
      subscription_id: row.subscriptionId,
      tenant_id: row.tenantId,
      at: row.at,
      event: row.event,
      origin: row.origin,
      actor_id: row.actor?.userId ?? null,
      actor_email: row.actor?.email ?? null,
      webhook_id: row.webhookId,
      payment_id: row.paymentId,
      mandate_id: row.mandateId,
      rule: row.rule,
      outcome: row.outcome,
      before: row.before,
      after: row.after,
      effects: row.effects,
      value_before_c: row.valueBeforeC,
      value_after_c: row.valueAfterC,
      request_id: row.requestId,
    })
    .execute()
}

export interface MandateRow {
  id: string
  subscriptionId: string
  connectorId: string
  attempt: number
  externalReference: string
  preapprovalId: string | null
  status: MandateStatus
  wasAuthorized: boolean
  cancelledByUs: 'switch' | 'end' | null
  payerEmail: string
  amountC: Centavos
  amountAckedC: Centavos | null
  initPoint: string | null
  version: string | null
  lastModified: Date | null
  nextPaymentDate: Date | null
  createdAt: Date
  authorizedAt: Date | null
}

export async function findMandate(db: CentralSql, id: string): Promise<MandateRow | undefined> {
  const row = await mandates(db).where('id', '=', id).executeTakeFirst()
  return row && toMandate(row)
}

export async function findMandateByPreapproval(
  db: CentralSql,
  connectorId: string,
  preapprovalId: string,
): Promise<MandateRow | undefined> {
  const row = await mandates(db)
    .where('connector_id', '=', connectorId)
    .where('preapproval_id', '=', preapprovalId)
    .executeTakeFirst()
  return row && toMandate(row)
}

export async function findMandateByReference(
  db: CentralSql,
  connectorId: string,
  externalReference: string,
): Promise<MandateRow | undefined> {
  const row = await mandates(db)
    .where('connector_id', '=', connectorId)
    .where('external_reference', '=', externalReference)
    .executeTakeFirst()
  return row && toMandate(row)
}

export async function setCancelledByUs(trx: CentralTx, id: string, why: 'switch' | 'end'): Promise<void> {
  await trx
    .updateTable('mp_mandates')
    .set({ cancelled_by_us: why })
    .where('id', '=', id)
    .where('cancelled_by_us', 'is', null)
    .execute()
}

export interface PaymentRow {
  id: string
  tenantId: string | null
  subscriptionId: string | null
  invoiceId: string | null
  mandateId: string | null
  planChangeId: string | null
  provider: 'mercadopago' | 'transferencia'
  status: 'approved' | 'pending' | 'rejected' | 'refunded'
  statusDetail: string | null
  amountC: Centavos
  refundedC: Centavos
  period: Period | null
  paidAt: Date | null
}

export async function findPayment(db: CentralSql, id: string): Promise<PaymentRow | undefined> {
  const row = await db
    .selectFrom('payments')
    .select([
      'id',
      'tenant_id as tenantId',
      'subscription_id as subscriptionId',
      'invoice_id as invoiceId',
      'mandate_id as mandateId',
      'plan_change_id as planChangeId',
      'provider',
      'status',
      'status_detail as statusDetail',
      'amount_c',
      'refunded_c',
      'period_start',
      'period_end',
      'paid_at as paidAt',
    ])
    .where('id', '=', id)
    .executeTakeFirst()
  if (!row) return undefined
  const { amount_c, refunded_c, period_start, period_end, ...rest } = row
  const period = period_start && period_end ? { start: period_start, end: period_end } : null
  return { ...rest, amountC: BigInt(amount_c), refundedC: BigInt(refunded_c), period }
}

/**
 * The period that a payment paid: what a refund or a chargeback of it would take back. One payment pays an invoice: whatever
 * paid it before and was taken back has no part in it any more, whoever wins or loses what about it later.
 */
export async function setPaymentPeriod(
  trx: CentralTx,
  id: string,
  { invoiceId, period }: { invoiceId: string; period: Period },
): Promise<void> {
  await trx
    .updateTable('payments')
    .set({ invoice_id: null, period_start: null, period_end: null })
    .where('invoice_id', '=', invoiceId)
    .where('id', '<>', id)
    .execute()
  await trx
    .updateTable('payments')
    .set({ invoice_id: invoiceId, period_start: period.start, period_end: period.end })
    .where('id', '=', id)
    .execute()
}

/**
 * Of a subscription paid ahead, the payment of the running period was taken back: the one of the next period pays what runs
 * from here on, so that all of it is taken back when that one goes too.
 */
export async function handOverPeriod(
  trx: CentralTx,
  { subscriptionId, paymentId, period }: { subscriptionId: string; paymentId: string; period: Period },
): Promise<void> {
  await trx
    .updateTable('payments')
    .set({ period_start: period.start, period_end: period.end })
    .where('subscription_id', '=', subscriptionId)
    .where('status', '=', 'approved')
    .where('period_start', '=', period.end)
    .execute()
  await trx
    .updateTable('payments')
    .set({ invoice_id: null, period_start: null, period_end: null })
    .where('id', '=', paymentId)
    .execute()
}

/** It paid an invoice and no period: the difference of an upgrade. */
export async function setPaymentInvoice(trx: CentralTx, id: string, invoiceId: string): Promise<void> {
  await trx.updateTable('payments').set({ invoice_id: invoiceId }).where('id', '=', id).execute()
}

const mandates = (db: CentralSql) => db.selectFrom('mp_mandates').selectAll()

type Row = Awaited<ReturnType<ReturnType<typeof mandates>['executeTakeFirstOrThrow']>>

const toMandate = (row: Row): MandateRow => ({
  id: row.id,
  subscriptionId: row.subscription_id,
  connectorId: row.connector_id,
  attempt: row.attempt,
  externalReference: row.external_reference,
  preapprovalId: row.preapproval_id,
  status: row.status,
  wasAuthorized: row.was_authorized,
  cancelledByUs: row.cancelled_by_us,
  payerEmail: row.payer_email,
  amountC: BigInt(row.amount_c),
  amountAckedC: row.amount_acked_c === null ? null : BigInt(row.amount_acked_c),
  initPoint: row.init_point,
  version: row.version,
  lastModified: row.last_modified,
  nextPaymentDate: row.next_payment_date,
  createdAt: row.created_at,
  authorizedAt: row.authorized_at,
})
