import type { CentralSql, CentralTx } from '../../db/databases.ts'
import { fechaOf } from '../../fiscal/fecha.ts'
import { isOwing, periodToPay } from '../machine/period-to-pay.ts'
import type { Terms } from '../plans/terms.ts'
import type { StoredSubscription } from '../subscription-queries.ts'
import { computeInvoice, type Drawing, drawInvoice } from './draw.ts'
import { settlePeriod } from './settle-period.ts'

/** Whether the balance pays the period after the running one, or the one that is owed, so that nothing is left to collect. */
export async function isCoveredByBalance(
  db: CentralSql,
  { stored, terms, now }: { stored: StoredSubscription; terms: Terms; now: Date },
): Promise<boolean> {
  const { sub } = stored
  const isRunning = sub.estado === 'activa' && sub.anchor !== null && sub.periodEnd !== null && !sub.cancelAt
  if (!isRunning && !isOwing(sub)) return false
  const period = periodToPay(sub, fechaOf(now))
  const drawing = { stored, terms, period, collection: 'transfer', beingPaid: true, now } as const
  const invoice = await computeInvoice(db, drawing)
  return invoice?.collectC === 0n
}

/**
 * Settles a period with the customer's balance alone; what it does not hold is owed from then on. Under the lock of the
 * subscription.
 */
export async function payFromBalance(
  trx: CentralTx,
  drawing: Omit<Drawing, 'collection' | 'beingPaid'>,
  deed: string,
): Promise<void> {
  const invoice = await drawInvoice(trx, { ...drawing, collection: 'balance', beingPaid: true })
  if (!invoice) throw new Error('a period without a price was to be paid')
  const settlement = { covered: true, unexpected: false, entry: null }
  const money = { paymentId: '', paidC: 0n, paidAt: drawing.now, now: drawing.now, ackedC: undefined, deed }
  await settlePeriod(trx, drawing.stored.tenantId, { invoice, settlement }, money)
}
