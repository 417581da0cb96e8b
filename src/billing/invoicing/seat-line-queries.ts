import type { CentralSql, CentralTx } from '../../db/databases.ts'
import type { Period } from '../periods.ts'

/** Paid periods of a subscription that ended by `until` and whose people nobody asked for yet, oldest first. */
export async function findPeriodsWithoutSeats(
  db: CentralSql,
  subscriptionId: string,
  { until, invoiceId }: { until: string; invoiceId: string | null },
): Promise<Period[]> {
  const rows = await db
    .selectFrom('invoices as i')
    .select(['i.period_start as start', 'i.period_end as end'])
    .where('i.subscription_id', '=', subscriptionId)
    .where('i.status', '=', 'paid')
    .where('i.plan_change_id', 'is', null)
    .where('i.period_end', '<=', until)
    .where('i.seats_charged_by', 'is', null)
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('invoice_lines as l')
            .innerJoin('invoices as of', 'of.id', 'l.invoice_id')
            .select('l.id')
            .where('of.subscription_id', '=', subscriptionId)
            .where('of.status', '=', 'open')
            .where('l.kind', '=', 'seats')
            .whereRef('l.period_start', '=', 'i.period_start')
            .where((eb) => (invoiceId === null ? eb.lit(true) : eb('l.invoice_id', '<>', invoiceId))),
        ),
      ),
    )
    .orderBy('i.period_start')
    .execute()
  return rows
}

/** The people of all periods that were over when this invoice was drawn have been asked for with it. */
export async function settleSeats(trx: CentralTx, invoiceId: string, until: string): Promise<void> {
  await trx
    .updateTable('invoices')
    .set({ seats_charged_by: invoiceId })
    .where('subscription_id', '=', (eb) =>
      eb.selectFrom('invoices as by').select('by.subscription_id').where('by.id', '=', invoiceId),
    )
    .where('status', '=', 'paid')
    .where('plan_change_id', 'is', null)
    .where('period_end', '<=', until)
    .where('seats_charged_by', 'is', null)
    .where('id', '<>', invoiceId)
    .execute()
}

/** It is not paid any more: what it had asked for is asked for again. */
export async function unsettleSeats(trx: CentralTx, invoiceId: string): Promise<void> {
  await trx.updateTable('invoices').set({ seats_charged_by: null }).where('seats_charged_by', '=', invoiceId).execute()
}
