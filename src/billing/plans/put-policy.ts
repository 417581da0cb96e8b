import type { Clock } from '../../clock.ts'
import { writeAudit } from '../../db/audit.ts'
import type { CentralDb } from '../../db/databases.ts'
import type { By } from '../../tenants/register.ts'
import type { Policy } from '../subscription.ts'
import { changedRules } from './policy.ts'
import { type BillingRules, lockBillingRules, reconsiderSubscriptions, saveBillingRules } from './policy-queries.ts'

/** Changes the rules of billing for everybody, from now on: what was decided under the old ones stands. */
export async function putPolicy(
  { central, clock }: { central: CentralDb; clock: Clock },
  next: { policy: Policy; transferInstructions: string | null },
  by: By,
): Promise<BillingRules> {
  return central.transaction().execute(async (trx) => {
    const before = await lockBillingRules(trx)
    const changed = changedRules(before.policy, next.policy)
    const instructionsChanged = before.transferInstructions !== next.transferInstructions
    if (changed.length === 0 && !instructionsChanged) return before
    const at = clock.now()
    await saveBillingRules(trx, next, { at, by: by.actor?.userId ?? null })
    if (changed.length > 0) await reconsiderSubscriptions(trx, at)
    const rules = changed.map((rule) => ({ rule, before: before.policy[rule], after: next.policy[rule] }))
    const detail = { rules, transferInstructions: instructionsChanged ? next.transferInstructions : undefined }
    await writeAudit(trx, { at, action: 'billing.policy', tenantId: null, detail, ...by })
    return { ...next, updatedAt: at }
  })
}
