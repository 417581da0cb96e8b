import type { CentralDb } from '../../db/databases.ts'
import type { Centavos } from '../../fiscal/money.ts'
import { countMembers } from '../../tenants/seat-queries.ts'
import { compute } from '../entitlements/entitlements.ts'
import { findGrounds } from '../entitlements/queries.ts'
import { subscriptionNotFound } from '../errors.ts'
import { findBalance } from '../invoicing/ledger-queries.ts'
import { type ForecastInput, type ForecastStep, forecast } from '../machine/forecast.ts'
import { UNLIMITED } from '../plans/plan.ts'
import { findTerms } from '../plans/terms.ts'
import { findSubscription } from '../subscription-queries.ts'

/**
 * What will happen to a company's subscription by itself, with the people it has today.
 * @throws AppError `subscription.not_found`
 */
export async function foresee(
  central: CentralDb,
  tenantId: string,
  { days, assume }: { days: number; assume: ForecastInput['assume'] },
  now: Date,
): Promise<ForecastStep[]> {
  const stored = await findSubscription(central, tenantId)
  if (!stored) throw subscriptionNotFound()
  const { sub } = stored
  const terms = await findTerms(central, stored, now)
  const priceC = terms.priceC(sub.frecuencia)
  const balanceC = await findBalance(central, tenantId)
  const seatsC = await extraPeople(central, tenantId, now)
  return forecast({ sub, policy: terms.policy, now, days, assume, priceC, seatsC, balanceC })
}

async function extraPeople(central: CentralDb, tenantId: string, now: Date): Promise<Centavos> {
  const { limits, extraUserC } = compute(await findGrounds(central, tenantId, now), now)
  if (extraUserC === null || limits.users.max === UNLIMITED) return 0n
  const beyond = (await countMembers(central, tenantId)) - limits.users.max
  return beyond > 0 ? BigInt(beyond) * extraUserC : 0n
}
