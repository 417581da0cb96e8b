import type { CentralSql, CentralTx } from '../../db/databases.ts'
import { addDays, fechaOf, instantOf } from '../../fiscal/fecha.ts'
import { findSeats } from '../entitlements/seat-queries.ts'
import { buildInvoice, type Collection, type Invoice, type SeatsOwed } from '../invoice.ts'
import type { Period } from '../periods.ts'
import type { Terms } from '../plans/terms.ts'
import { overage } from '../seats.ts'
import type { StoredSubscription } from '../subscription-queries.ts'
import {
  findBalance,
  findInvoice,
  findPeriodsWithoutSeats,
  type InvoiceHead,
  type InvoiceRow,
  insertInvoice,
  redrawInvoice,
} from './queries.ts'

export interface Drawing {
  stored: StoredSubscription
  terms: Terms
  period: Period
  collection: Collection
  now: Date
}

export const periodKeyOf = ({ start }: Period): string => `periodo:${start}`

/**
 * What a period costs as things are now: the plan in advance, the people of closed periods in arrears, the balance.
 * Undefined while the plan has no price. Writes nothing.
 */
export async function computeInvoice(
  db: CentralSql,
  { stored, terms, period, collection, now }: Drawing,
  invoiceId: string | null = null,
): Promise<Invoice | undefined> {
  const { frecuencia } = stored.sub
  const priceC = terms.priceC(frecuencia)
  if (priceC === null) return undefined
  return buildInvoice({
    period,
    priceC,
    frecuencia,
    planNombre: terms.plan.nombre,
    seats: await seatsOwed(db, { stored, terms, period, now, invoiceId }),
    adjustments: [],
    balanceC: await findBalance(db, stored.tenantId),
    rateBp: terms.taxRateBp,
    collection,
  })
}

/**
 * The invoice of a period, made or drawn again: until it is paid it follows prices, people and balance. Under the lock of
 * the subscription.
 */
export async function drawInvoice(trx: CentralTx, drawing: Drawing): Promise<InvoiceRow | undefined> {
  const { stored, terms, period, now } = drawing
  const periodKey = periodKeyOf(period)
  const existing = await findInvoice(trx, stored.id, periodKey)
  if (existing?.status === 'paid') return existing
  const invoice = await computeInvoice(trx, drawing, existing?.id ?? null)
  if (!invoice) return undefined
  const head: InvoiceHead = {
    subscriptionId: stored.id,
    tenantId: stored.tenantId,
    periodKey,
    period,
    plan: terms.plan,
    taxRateBp: terms.taxRateBp,
    dueAt: instantOf(period.start),
    planChangeId: null,
    at: now,
  }
  return existing ? redrawInvoice(trx, { ...head, id: existing.id }, invoice) : insertInvoice(trx, head, invoice)
}

/**
 * Periods that are over, or end tomorrow when the next one is prepared, are charged for the most people of any of their
 * nights, with the plan in force. What a last night adds after the invoice was collected counts as an undercharge.
 */
async function seatsOwed(
  db: CentralSql,
  { stored, terms, period, now, invoiceId }: Omit<Drawing, 'collection'> & { invoiceId: string | null },
): Promise<SeatsOwed[]> {
  const { plan, extraUserC } = terms
  if (plan.userLimitMode !== 'soft' || extraUserC === null) return []
  const tomorrow = addDays(fechaOf(now), 1)
  const until = period.start < tomorrow ? period.start : tomorrow
  const owed: SeatsOwed[] = []
  for (const closed of await findPeriodsWithoutSeats(db, stored.id, { until, invoiceId })) {
    const { snapshots } = await findSeats(db, stored.tenantId, closed, now)
    const { seats } = overage({ snapshots, included: includedUsers(terms), extraUserC })
    if (seats > 0) owed.push({ period: closed, seats, extraUserC })
  }
  return owed
}

/** People in the price: those of the plan, or of an exception in force. */
function includedUsers({ plan, overrides }: Terms): number {
  const own = overrides.findLast((override) => override.kind === 'limit' && override.key === 'users')
  return own?.kind === 'limit' ? own.limit : plan.userLimit
}
