import type { CentralSql } from '../../db/databases.ts'
import { fechaOf, instantOf } from '../../fiscal/fecha.ts'
import type { Centavos } from '../../fiscal/money.ts'
import type { Connector } from '../connectors/connector.ts'
import { refusal, subscriptionNotFound } from '../errors.ts'
import { computeInvoice } from '../invoicing/draw.ts'
import { periodToPay } from '../machine/period-to-pay.ts'
import { planNotForSale } from '../plan-change/errors.ts'
import type { Plan } from '../plans/plan.ts'
import { findCurrentPlan } from '../plans/queries.ts'
import { findTerms, termsOf } from '../plans/terms.ts'
import { type Frecuencia, isAutomatic, type Subscription } from '../subscription.ts'
import type { StoredSubscription } from '../subscription-queries.ts'
import { heldByStaff, overCeiling, useChangePlan } from './errors.ts'

/** What the payer asked for; what is left out is as it was. */
export interface Wish {
  plan?: string | undefined
  frecuencia?: Frecuencia | undefined
}

/** What a checkout sells. */
export interface Sale {
  plan: Plan
  frecuencia: Frecuencia
  /** The subscription has another plan, version or interval until now. */
  isChange: boolean
  /** Of the mandate: what its first charge collects, at MercadoPago's floor at least. */
  amountC: Centavos
  /** What each further period costs. */
  renewalC: Centavos
  earlyWindowDays: number
}

/**
 * Works out what a card would be charged now (billing.md 3.9, 4.7). Who was sold nothing yet, or no longer has it, takes
 * the version that is on sale; everybody else keeps what was sold. Writes nothing.
 * @throws AppError not_found; conflict `checkout.held_by_staff`, `checkout.use_change_plan`, `subscription.*`; rejected
 *   `plans.not_for_sale`, `checkout.over_ceiling`
 */
export async function findSale(db: CentralSql, stored: StoredSubscription, wish: Wish, now: Date): Promise<Sale> {
  const { sub } = stored
  if (stored.tenantDeleted) throw subscriptionNotFound()
  if (sub.suspendedByStaff) throw heldByStaff()
  const planCode = wish.plan ?? stored.planCode
  const frecuencia = wish.frecuencia ?? sub.frecuencia
  const isNew = isNewSale(sub)
  if (!isNew && (planCode !== stored.planCode || frecuencia !== sub.frecuencia)) throw changeRefused(sub)
  const sold = await findTerms(db, stored, now)
  // A version without a price was never bought.
  const keeps = !isNew && sold.priceC(frecuencia) !== null
  const plan = keeps ? sold.plan : await findCurrentPlan(db, planCode)
  if (!plan) throw planNotForSale(planCode)
  const terms = termsOf(plan, sold.overrides, sold.policy, stored.taxRateBp)
  const renewalC = terms.priceC(frecuencia)
  if (renewalC === null || renewalC === 0n) throw planNotForSale(planCode)
  const would = { ...stored, planCode: plan.code, planVersion: plan.version, sub: { ...sub, frecuencia } }
  const period = periodToPay(would.sub, fechaOf(now))
  const invoice = await computeInvoice(db, { stored: would, terms, period, collection: 'card', now })
  if (!invoice) throw planNotForSale(planCode)
  if (invoice.overCeiling) throw overCeiling(invoice.collectC)
  const isChange = plan.code !== stored.planCode || plan.version !== stored.planVersion || frecuencia !== sub.frecuencia
  const { earlyWindowDays } = sold.policy
  return { plan, frecuencia, isChange, amountC: invoice.collectC, renewalC, earlyWindowDays }
}

/** Nothing runs that was paid, and no card is about to pay it. */
export function isNewSale(sub: Subscription): boolean {
  if (isAutomatic(sub)) return false
  if (sub.estado === 'pendiente_pago') return sub.motivo === 'alta'
  return sub.estado === 'trial' || sub.estado === 'cancelada' || sub.estado === 'vencida'
}

function changeRefused({ estado }: Subscription) {
  switch (estado) {
    case 'trial':
    case 'activa':
      return useChangePlan()
    case 'pausada':
      return refusal('estado_no_lo_permite', estado)
    default:
      return refusal('pago_pendiente', estado)
  }
}

/**
 * When the first charge is to be made, where the account was measured to take a date (billing.md 2.12, 1): at midday of
 * the first day that is not paid yet, which leaves the morning for the amount. Undefined is at once.
 */
export function firstChargeAt(sub: Subscription, { startDateSupported }: Connector, now: Date): Date | undefined {
  if (!startDateSupported || (sub.estado !== 'trial' && sub.estado !== 'activa')) return undefined
  const at = instantOf(periodToPay(sub, fechaOf(now)).start, 12)
  return at.getTime() - now.getTime() > 24 * 3_600_000 ? at : undefined
}
