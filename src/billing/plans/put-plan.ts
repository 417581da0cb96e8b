import type { Clock } from '../../clock.ts'
import { writeAudit } from '../../db/audit.ts'
import type { CentralDb } from '../../db/databases.ts'
import type { Centavos } from '../../fiscal/money.ts'
import type { By } from '../../tenants/register.ts'
import { chargedPrice, FLOOR_C } from '../prices.ts'
import { belowFloor } from './errors.ts'
import { differences, type PlanTerms } from './plan.ts'
import { findCurrentVersion, insertPlanVersion, lockPlans, type PlanVersion } from './queries.ts'

/**
 * Puts a plan on sale with these terms. Terms that differ from the current ones make the next version, which new sales
 * take; what was sold keeps its own. The same terms change nothing.
 * @throws AppError `plans.below_floor`
 */
export async function putPlan(
  { central, clock }: { central: CentralDb; clock: Clock },
  terms: PlanTerms,
  by: By,
): Promise<PlanVersion & { isNew: boolean }> {
  requireFloor(terms)
  return central.transaction().execute(async (trx) => {
    await lockPlans(trx)
    const before = await findCurrentVersion(trx, terms.code)
    const changed = before && differences(before.plan, terms)
    if (before && changed?.length === 0) return { ...before, isNew: false }
    const at = clock.now()
    const after = await insertPlanVersion(trx, terms, { at, by: by.actor?.userId ?? null })
    const detail = { plan: terms.code, version: after.plan.version, before: before?.plan.version ?? null, changed }
    await writeAudit(trx, { at, action: 'plan.version', tenantId: null, detail, ...by })
    return { ...after, isNew: true }
  })
}

/**
 * A price that is charged must be one that MercadoPago takes from every company, so it is worked out with the lowest
 * rate of IVA that a company may have. Nothing (0.00) is charged of nobody, and extra users are added to a price that
 * has passed.
 */
function requireFloor({ priceMonthC, priceYearC, taxMode, taxRateBp }: PlanTerms): void {
  const rateBp = Math.min(taxRateBp, BORDER_RATE_BP)
  const prices: [string, Centavos | null][] = [
    ['precioMensual', priceMonthC],
    ['precioAnual', priceYearC],
  ]
  for (const [campo, priceC] of prices) {
    if (priceC === null || priceC === 0n) continue
    const chargedC = chargedPrice(priceC, { mode: taxMode, rateBp })
    if (chargedC < FLOOR_C) throw belowFloor(campo, chargedC)
  }
}

const BORDER_RATE_BP = 800
