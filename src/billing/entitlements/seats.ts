import type { CentralTx } from '../../db/databases.ts'
import type { Centavos } from '../../fiscal/money.ts'
import { countMembers } from '../../tenants/seat-queries.ts'
import type { Limit } from './entitlements.ts'
import { findEntitlements } from './queries.ts'

/** People of a company and the limit they are held to, read in the transaction that changes them (billing.md 8.3). */
export async function findSeatUse(
  trx: CentralTx,
  tenantId: string,
  now: Date,
): Promise<Limit & { used: number; extraUserC: Centavos | null }> {
  const { limits, extraUserC } = await findEntitlements(trx, tenantId, now)
  return { used: await countMembers(trx, tenantId), ...limits.users, extraUserC }
}
