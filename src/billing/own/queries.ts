import type { Selectable } from 'kysely'
import type { CentralSql } from '../../db/databases.ts'
import type { CentralPayments } from '../../db/tables.ts'
import type { Centavos } from '../../fiscal/money.ts'
import type { Period } from '../periods.ts'

export interface PaymentSummary {
  id: string
  provider: 'mercadopago' | 'transferencia'
  /** Charged by itself, through a mandate. */
  isAutomatic: boolean
  status: 'approved' | 'pending' | 'rejected' | 'refunded'
  statusDetail: string | null
  disputed: boolean
  amountC: Centavos
  refundedC: Centavos
  /** What it paid, if it paid a period. */
  period: Period | null
  reference: string | null
  at: Date
}

/** The last payments of a subscription, the newest first. */
export async function findLastPayments(
  db: CentralSql,
  subscriptionId: string,
  limit: number,
): Promise<PaymentSummary[]> {
  const rows = await db
    .selectFrom('payments')
    .select(['id', 'provider', 'mandate_id', 'status', 'status_detail', 'disputed', 'amount_c', 'refunded_c'])
    .select(['period_start', 'period_end', 'reference', 'paid_at', 'created_at'])
    .where('subscription_id', '=', subscriptionId)
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
    .execute()
  return rows.map(toPaymentSummary)
}

/** The columns of `payments` that a list shows, as it shows them. */
export const toPaymentSummary = (
  row: Pick<
    Selectable<CentralPayments>,
    | 'id'
    | 'provider'
    | 'mandate_id'
    | 'status'
    | 'status_detail'
    | 'disputed'
    | 'amount_c'
    | 'refunded_c'
    | 'period_start'
    | 'period_end'
    | 'reference'
    | 'paid_at'
    | 'created_at'
  >,
): PaymentSummary => ({
  id: row.id,
  provider: row.provider,
  isAutomatic: row.mandate_id !== null,
  status: row.status,
  statusDetail: row.status_detail,
  disputed: row.disputed,
  amountC: BigInt(row.amount_c),
  refundedC: BigInt(row.refunded_c),
  period: row.period_start && row.period_end ? { start: row.period_start, end: row.period_end } : null,
  reference: row.reference,
  at: row.paid_at ?? row.created_at,
})

export interface InvoiceSummary {
  id: string
  number: string
  status: 'open' | 'paid' | 'void' | 'uncollectible'
  period: Period
  totalC: Centavos
  balanceAppliedC: Centavos
  collectC: Centavos
  baseC: Centavos
  ivaC: Centavos
  dueAt: Date
  paidAt: Date | null
  lines: { description: string; quantity: number; unitC: Centavos; amountC: Centavos }[]
}

/** The last invoices of a subscription with their lines, the newest first. */
export async function findLastInvoices(
  db: CentralSql,
  subscriptionId: string,
  limit: number,
): Promise<InvoiceSummary[]> {
  const rows = await db
    .selectFrom('invoices')
    .selectAll()
    .where('subscription_id', '=', subscriptionId)
    .orderBy('number', 'desc')
    .limit(limit)
    .execute()
  const lines = await findLines(
    db,
    rows.map(({ id }) => id),
  )
  return rows.map((row) => ({
    id: row.id,
    number: row.number,
    status: row.status,
    period: { start: row.period_start, end: row.period_end },
    totalC: BigInt(row.total_c),
    balanceAppliedC: BigInt(row.balance_applied_c),
    collectC: BigInt(row.collect_c),
    baseC: BigInt(row.tax_base_c),
    ivaC: BigInt(row.tax_c),
    dueAt: row.due_at,
    paidAt: row.paid_at,
    lines: lines
      .filter((line) => line.invoice_id === row.id)
      .map(({ description, quantity, unit_c, amount_c }) => ({
        description,
        quantity,
        unitC: BigInt(unit_c),
        amountC: BigInt(amount_c),
      })),
  }))
}

async function findLines(db: CentralSql, invoiceIds: readonly string[]) {
  if (invoiceIds.length === 0) return []
  return db
    .selectFrom('invoice_lines')
    .select(['invoice_id', 'description', 'quantity', 'unit_c', 'amount_c'])
    .where('invoice_id', 'in', invoiceIds)
    .orderBy('id')
    .execute()
}
