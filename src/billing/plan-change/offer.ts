import type { CentralSql } from '../../db/databases.ts'
import { type Fecha, fechaOf } from '../../fiscal/fecha.ts'
import type { Centavos } from '../../fiscal/money.ts'
import { isPaid } from '../access.ts'
import { refusal } from '../errors.ts'
import { changeLines, type Invoice, invoiceOf } from '../invoice.ts'
import { findBalance } from '../invoicing/ledger-queries.ts'
import { type Period, periodAt } from '../periods.ts'
import type { Plan } from '../plans/plan.ts'
import { findCurrentPlan } from '../plans/queries.ts'
import { findTerms, type Terms, termsOf } from '../plans/terms.ts'
import { intervalChange, type Proration, prorate } from '../proration.ts'
import type { Frecuencia } from '../subscription.ts'
import type { StoredSubscription } from '../subscription-queries.ts'
import { planNotForSale, planUnchanged, prepaid } from './errors.ts'
import { findPriceBought } from './queries.ts'

/** What a change of plan would cost now. */
export interface Offer {
  plan: Plan
  frecuencia: Frecuencia
  terms: Terms
  from: Terms
  on: Fecha
  /** Null in a trial: nothing was paid, nothing is prorated. */
  proration: Proration | null
  /** The part of the running period that is not used. */
  unused: Period | null
  charged: Period | null
  /** What the customer's balance leaves to pay of the two lines; with `null` in a trial. */
  invoice: Invoice | null
  /** What each further period costs. */
  renewalC: Centavos
}

/**
 * Works out a change to a plan as it is sold now (billing.md 4.6, 4.7). Writes nothing; `changeId` names its two lines.
 * @throws AppError conflict where the state does not allow it; rejected `plans.not_for_sale`
 */
export async function offerChange(
  db: CentralSql,
  stored: StoredSubscription,
  { planCode, frecuencia, changeId }: { planCode: string; frecuencia: Frecuencia; changeId: string },
  now: Date,
): Promise<Offer> {
  const { sub } = stored
  const from = await findTerms(db, stored, now)
  const plan = await findCurrentPlan(db, planCode)
  if (!plan) throw planNotForSale(planCode)
  const terms = termsOf(plan, from.overrides, from.policy, stored.taxRateBp)
  const renewalC = terms.priceC(frecuencia)
  if (renewalC === null || renewalC === 0n) throw planNotForSale(planCode)
  const isSame = plan.code === stored.planCode && plan.version === stored.planVersion && frecuencia === sub.frecuencia
  if (isSame) throw planUnchanged()
  const on = fechaOf(now)
  if (sub.cancelAt) throw refusal('cancelacion_programada', sub.estado)
  const nothing = { proration: null, unused: null, charged: null, invoice: null }
  if (sub.estado === 'trial') return { plan, frecuencia, terms, from, on, renewalC, ...nothing }
  if (sub.estado !== 'activa' || !sub.periodStart || !sub.periodEnd) throw refusal('estado_no_lo_permite', sub.estado)
  if (!isPaid(sub, on)) throw refusal('pago_pendiente', sub.estado)
  if (isPaid(sub, sub.periodEnd)) throw prepaid()

  const running = { start: sub.periodStart, end: sub.periodEnd }
  const oldC = await priceToGiveBack(db, stored, from, running)
  const isNewInterval = frecuencia !== sub.frecuencia
  const proration = (isNewInterval ? intervalChange : prorate)({ oldC, newC: renewalC, period: running, on })
  const unused = { start: on, end: running.end }
  const charged = isNewInterval ? periodAt(on, frecuencia, 0) : unused
  const lines = changeLines({ changeId, from: from.plan.nombre, to: plan.nombre, proration, unused, charged })
  const balanceC = await findBalance(db, stored.tenantId)
  const invoice =
    proration.netC > 0n ? invoiceOf({ lines, balanceC, rateBp: terms.taxRateBp, collection: 'transfer' }) : null
  return { plan, frecuencia, terms, from, on, renewalC, proration, unused, charged, invoice }
}

/**
 * What the running period was sold for: a price that has ended or begun since changes nothing of what was paid. What was
 * given for nothing is not given back.
 */
async function priceToGiveBack(
  db: CentralSql,
  stored: StoredSubscription,
  terms: Terms,
  running: Period,
): Promise<Centavos> {
  const { courtesy, frecuencia } = stored.sub
  if (courtesy) return 0n
  const { priceC, changedAt } = await findPriceBought(db, stored.id, running)
  if (changedAt) return (await findTerms(db, stored, changedAt)).priceC(frecuencia) ?? 0n
  return priceC ?? terms.priceC(frecuencia) ?? 0n
}
