import type { Centavos } from '../../fiscal/money.ts'
import { chargedPrice } from '../prices.ts'
import type { Frecuencia } from '../subscription.ts'
import { type Override, priceOverride } from './override.ts'
import type { Plan } from './plan.ts'

/**
 * What one period of a plan costs a company: centavos as charged, IVA inside. Null when staff has set no price.
 *
 * `overrides` are those in force, as `findOverrides` gives them. `taxRateBp` is the company's own rate (800 in the border
 * region), null for that of the plan; with prices that have IVA inside it changes the IVA and not what is charged.
 */
export function priceOf(
  plan: Plan,
  overrides: readonly Override[],
  frecuencia: Frecuencia,
  taxRateBp: number | null,
): Centavos | null {
  const [key, own] =
    frecuencia === 'anual' ? (['year', plan.priceYearC] as const) : (['month', plan.priceMonthC] as const)
  return charged(plan, priceOverride(overrides, key) ?? own, taxRateBp)
}

/** What each user beyond the included ones costs per period, as charged; null when it is not configured. */
export function extraUserPriceOf(
  plan: Plan,
  overrides: readonly Override[],
  taxRateBp: number | null,
): Centavos | null {
  return charged(plan, priceOverride(overrides, 'extra_user') ?? plan.extraUserC, taxRateBp)
}

function charged(plan: Plan, priceC: Centavos | null, taxRateBp: number | null): Centavos | null {
  return priceC === null ? null : chargedPrice(priceC, { mode: plan.taxMode, rateBp: taxRateBp ?? plan.taxRateBp })
}
