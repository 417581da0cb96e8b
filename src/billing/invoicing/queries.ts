import { sql } from 'kysely'
import { uuidv7 } from 'uuidv7'
import type { CentralSql, CentralTx } from '../../db/databases.ts'
import type { Centavos } from '../../fiscal/money.ts'
import type { Invoice } from '../invoice.ts'
import type { Period } from '../periods.ts'
export interface InvoiceRow {
  id: string
  number: string
  status: 'open' | 'paid' | 'void' | 'uncollectible'
  periodKey: string
  period: Period
  totalC: Centavos
  balanceAppliedC: Centavos
  collectC: Centavos
}

export async function findInvoice(
  db: CentralSql,
  subscriptionId: string,
  periodKey: string,
): Promise<InvoiceRow | undefined> {
  const row = await invoices(db)
    .where('subscription_id', '=', subscriptionId)
    .where('period_key', '=', periodKey)
    .executeTakeFirst()
  return row && toInvoice(row)
}

export async function findInvoiceById(db: CentralSql, id: string): Promise<InvoiceRow | undefined> {
  const row = await invoices(db).where('id', '=', id).executeTakeFirst()
  return row && toInvoice(row)
}

export interface InvoiceHead {
  subscriptionId: string
  tenantId: string
  periodKey: string
  /** 1, or more for a period that begins on the first day of one that was paid before. */
  life?: number
  period: Period
  plan: { code: string; version: number }
  taxRateBp: number
  dueAt: Date
  planChangeId: string | null
  at: Date
}

/** A new open invoice. Numbers are given out one after the other, under a lock, so that none is missing. */
export async function insertInvoice(trx: CentralTx, head: InvoiceHead, invoice: Invoice): Promise<InvoiceRow> {
  const { last } = await trx
    .updateTable('invoice_numbers')
    .set({ last: sql<string>`last + 1` })
    .returning('last')
    .executeTakeFirstOrThrow()
  const row = await trx
    .insertInto('invoices')
    .values({
      id: uuidv7(),
      subscription_id: head.subscriptionId,
      tenant_id: head.tenantId,
      period_key: head.periodKey,
      number: last,
      status: 'open',
      period_start: head.period.start,
      period_end: head.period.end,
      plan_code: head.plan.code,
      plan_version: head.plan.version,
      tax_rate_bp: head.taxRateBp,
      due_at: head.dueAt,
      plan_change_id: head.planChangeId,
      created_at: head.at,
      ...amountsOf(invoice),
    })
    .returningAll()
    .executeTakeFirstOrThrow()
  await insertLines(trx, row.id, head, invoice)
  return toInvoice(row)
}

/** An open invoice drawn again: it was collected by nobody yet. A closed one is left as it is. */
export async function redrawInvoice(
  trx: CentralTx,
  { id, ...head }: InvoiceHead & { id: string },
  invoice: Invoice,
): Promise<InvoiceRow> {
  const { plan, taxRateBp, period } = head
  const row = await trx
    .updateTable('invoices')
    .set({
      ...amountsOf(invoice),
      plan_code: plan.code,
      plan_version: plan.version,
      tax_rate_bp: taxRateBp,
      period_start: period.start,
      period_end: period.end,
      status: 'open',
      closed_at: null,
    })
    .where('id', '=', id)
    .where('status', '<>', 'paid')
    .returningAll()
    .executeTakeFirstOrThrow()
  await trx.deleteFrom('invoice_lines').where('invoice_id', '=', id).execute()
  await insertLines(trx, id, head, invoice)
  return toInvoice(row)
}

async function insertLines(
  trx: CentralTx,
  invoiceId: string,
  { subscriptionId, life = 1 }: InvoiceHead,
  { lines }: Invoice,
) {
  const again = life === 1 ? '' : `#${life}`
  const rows = lines.map((line) => ({
    id: uuidv7(),
    invoice_id: invoiceId,
    kind: line.kind,
    description: line.description,
    quantity: line.quantity,
    unit_c: line.unitC,
    amount_c: line.amountC,
    period_start: line.periodStart,
    period_end: line.periodEnd,
    // People of a closed period are charged once, in whatever life.
    source_key: `sub:${subscriptionId}:${line.sourceKey}${line.kind === 'plan' ? again : ''}`,
  }))
  if (rows.length > 0) await trx.insertInto('invoice_lines').values(rows).execute()
}

export async function setInvoiceStatus(
  trx: CentralTx,
  id: string,
  status: InvoiceRow['status'],
  at: Date,
): Promise<void> {
  await trx
    .updateTable('invoices')
    .set({ status, paid_at: status === 'paid' ? at : null, closed_at: status === 'open' ? null : at })
    .where('id', '=', id)
    .execute()
}

/**
 * Periods that nobody paid, before a day or all of them, are not collected any more. The people of paid periods that they
 * were to collect too are owed still: their lines give up the name that only one may have, for the invoice that comes next.
 */
export async function writeOffInvoices(
  trx: CentralTx,
  subscriptionId: string,
  before: string | null,
  at: Date,
): Promise<string[]> {
  let query = trx
    .updateTable('invoices')
    .set({ status: 'uncollectible', closed_at: at })
    .where('subscription_id', '=', subscriptionId)
    .where('status', '=', 'open')
    .where('plan_change_id', 'is', null)
  if (before !== null) query = query.where('period_start', '<', before)
  const ids = (await query.returning('id').execute()).map(({ id }) => id)
  if (ids.length === 0) return ids
  await trx
    .updateTable('invoice_lines')
    .set({ source_key: sql<string>`source_key || ':' || invoice_id` })
    .where('invoice_id', 'in', ids)
    .where('kind', '=', 'seats')
    .execute()
  return ids
}

const amountsOf = (invoice: Invoice) => ({
  total_c: invoice.totalC,
  balance_applied_c: invoice.balanceAppliedC,
  collect_c: invoice.collectC,
  tax_base_c: invoice.baseC,
  tax_c: invoice.ivaC,
})

const invoices = (db: CentralSql) =>
  db
    .selectFrom('invoices')
    .select([
      'id',
      'number',
      'status',
      'period_key',
      'period_start',
      'period_end',
      'total_c',
      'balance_applied_c',
      'collect_c',
    ])

type Row = Awaited<ReturnType<ReturnType<typeof invoices>['executeTakeFirstOrThrow']>>

const toInvoice = (row: Row): InvoiceRow => ({
  id: row.id,
  number: row.number,
  status: row.status,
  periodKey: row.period_key,
  period: { start: row.period_start, end: row.period_end },
  totalC: BigInt(row.total_c),
  balanceAppliedC: BigInt(row.balance_applied_c),
  collectC: BigInt(row.collect_c),
})
