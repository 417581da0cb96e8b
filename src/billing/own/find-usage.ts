import type { CentralDb, TenantDb } from '../../db/databases.ts'
import { AppError } from '../../errors.ts'
import { countMembers } from '../../tenants/seat-queries.ts'
import { compute, type Limit } from '../entitlements/entitlements.ts'
import { findCfdiCount } from '../entitlements/queries.ts'
import type { Terms } from '../plans/terms.ts'
import type { StoredSubscription } from '../subscription-queries.ts'

export interface UsageDeps {
  central: CentralDb
  tenants: { use<T>(tenantId: string, work: (db: TenantDb) => Promise<T>): Promise<T> }
}

export interface Use {
  limit: Limit
  /** Null while the company's database cannot be asked. */
  used: number | null
}

export interface Usage {
  users: Use
  cfdis: Use
}

/**
 * What a company uses of what `terms` give it. The page on which somebody pays does not depend on the company's database:
 * while that one is away, only its count is missing.
 */
export async function findUsage(
  { central, tenants }: UsageDeps,
  { tenantId, taxRateBp, sub }: StoredSubscription,
  { plan, overrides, policy }: Terms,
  now: Date,
): Promise<Usage> {
  const sold = { sub, plan, taxRateBp, overrides, overridesChangeAt: null }
  const { limits } = compute({ tenantId, version: '', sold, policy }, now)
  return {
    users: { limit: limits.users, used: await countMembers(central, tenantId) },
    cfdis: { limit: limits.cfdis, used: await tenants.use(tenantId, findCfdiCount).catch(unknownWhileAway) },
  }
}

function unknownWhileAway(error: unknown): null {
  if (error instanceof AppError) return null
  throw error
}
