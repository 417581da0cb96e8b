import type { CentralSql, CentralTx } from '../../db/databases.ts'
import { addDays, earlierFecha, fechaOf, instantOf } from '../../fiscal/fecha.ts'
import { findSeats } from '../entitlements/seat-queries.ts'
import { buildInvoice, type Collection, type Invoice, type SeatsOwed } from '../invoice.ts'
import type { Period } from '../periods.ts'
import type { Terms } from '../plans/terms.ts'
import { overage } from '../seats.ts'
import type { StoredSubscription } from '../subscription-queries.ts'
import { findBalance } from './ledger-queries.ts'
import { findInvoice, type InvoiceHead, type InvoiceRow, insertInvoice, redrawInvoice } from './queries.ts'
import { findPeriodsWithoutSeats } from './seat-line-queries.ts'

export interface Drawing {
  stored: StoredSubscription
  terms: Terms
  period: Period
  collection: Collection
  now: Date
  /** A payment of it is here. */
  beingPaid?: boolean | undefined
}

/**
 * A period is billed once. Somebody who ends and begins again, or changes between months and years, on the day on which a
 * period began pays another one with the same first day: `life` tells them apart, from 1.
 */
export const periodKeyOf = ({ start }: Period, life = 1): string =>
  life === 1 ? `periodo:${start}` : `periodo:${start}#${life}`

/**
 * What a period costs as things are now: the plan in advance, the people of closed periods in arrears, the balance.
 * Undefined while the plan has no price. Writes nothing.
 */
export async function computeInvoice(db: CentralSql, drawing: Drawing): Promise<Invoice | undefined> {
  const { existing } = await findUnpaid(db, drawing.stored.id, drawing.period)
  return compute(db, drawing, existing?.id ?? null)
}

/** `invoiceId` is the open invoice of the period, whose own lines are no reason not to ask for something. */
async function compute(
  db: CentralSql,
  { stored, terms, period, collection, now, beingPaid }: Drawing,
  invoiceId: string | null,
): Promise<Invoice | undefined> {
  const { frecuencia } = stored.sub
  const priceC = terms.priceC(frecuencia)
  if (priceC === null) return undefined
  return buildInvoice({
    period,
    priceC,
    frecuencia,
    planNombre: terms.plan.nombre,
    seats: await seatsOwed(db, { stored, terms, period, now, beingPaid, invoiceId }),
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
  const { life, existing } = await findUnpaid(trx, stored.id, period)
  const invoice = await compute(trx, drawing, existing?.id ?? null)
  if (!invoice) return undefined
  const head: InvoiceHead = {
    subscriptionId: stored.id,
    tenantId: stored.tenantId,
    periodKey: periodKeyOf(period, life),
    life,
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
 * The invoice of a period that nobody has paid yet, and which of that first day it is or would be. Only the machine says
 * that a period is to be paid, and it never says so twice of one.
 */
async function findUnpaid(db: CentralSql, subscriptionId: string, period: Period) {
  let life = 1
  let existing = await findInvoice(db, subscriptionId, periodKeyOf(period))
  while (existing?.status === 'paid') existing = await findInvoice(db, subscriptionId, periodKeyOf(period, ++life))
  return { life, existing }
}

/**
 * Periods that are over are charged for the most people of any of their nights, with the plan in force. One that ends
 * tomorrow is counted already where the next one is only prepared; what its last night adds is an undercharge then. Who
 * pays early is charged for it with the period after.
 */
async function seatsOwed(
  db: CentralSql,
  { stored, terms, period, now, beingPaid, invoiceId }: Omit<Drawing, 'collection'> & { invoiceId: string | null },
): Promise<SeatsOwed[]> {
  const { plan, extraUserC } = terms
  if (plan.userLimitMode !== 'soft' || extraUserC === null) return []
  const today = fechaOf(now)
  const until = earlierFecha(period.start, beingPaid ? today : addDays(today, 1))
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
