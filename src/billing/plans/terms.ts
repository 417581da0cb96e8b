import type { CentralSql } from '../../db/databases.ts'
import type { Centavos } from '../../fiscal/money.ts'
import type { Frecuencia, Policy } from '../subscription.ts'
import type { Override } from './override.ts'
import { findOverrides } from './override-queries.ts'
import type { Plan } from './plan.ts'
import { findPolicy } from './policy-queries.ts'
import { extraUserPriceOf, priceOf } from './price-of.ts'
import { findPlan } from './queries.ts'

/** What a company was sold and at what price, with the rules in force. */
export interface Terms {
  plan: Plan
  overrides: readonly Override[]
  policy: Policy
  /** Of its IVA, in basis points. */
  taxRateBp: number
  /** One period as charged, IVA inside; null while staff has set no price. */
  priceC(frecuencia: Frecuencia): Centavos | null
  extraUserC: Centavos | null
}

/** @throws Error when the plan's version does not exist, which the schema excludes */
export async function findTerms(
  db: CentralSql,
  sold: { tenantId: string; planCode: string; planVersion: number; taxRateBp: number | null },
  now: Date,
): Promise<Terms> {
  const plan = await findPlan(db, sold.planCode, sold.planVersion)
  if (!plan) throw new Error(`plan ${sold.planCode} ${sold.planVersion} was sold and does not exist`)
  return termsOf(plan, await findOverrides(db, sold.tenantId, now), await findPolicy(db), sold.taxRateBp)
}

export function termsOf(plan: Plan, overrides: readonly Override[], policy: Policy, taxRateBp: number | null): Terms {
  return {
    plan,
    overrides,
    policy,
    taxRateBp: taxRateBp ?? plan.taxRateBp,
    priceC: (frecuencia) => priceOf(plan, overrides, frecuencia, taxRateBp),
    extraUserC: extraUserPriceOf(plan, overrides, taxRateBp),
  }
}
