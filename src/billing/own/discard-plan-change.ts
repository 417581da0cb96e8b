import { writeAudit } from '../../db/audit.ts'
import type { By } from '../../tenants/register.ts'
import { subscriptionNotFound } from '../errors.ts'
import { closePlanChange, findPendingChange } from '../plan-change/queries.ts'
import { findSubscriptionIdOfTenant, lockSubscription } from '../subscription-queries.ts'
import type { CommandDeps } from './command-subscription.ts'
import { noPendingChange } from './errors.ts'

/**
 * Takes back a change of plan that waits to be paid. Its page at MercadoPago stays: who pays there nevertheless has the
 * money as balance, and a person is told.
 * @throws AppError `subscription.not_found`, `subscription.no_pending_change`
 */
export async function discardPlanChange({ central, clock }: CommandDeps, tenantId: string, by: By): Promise<void> {
  await central.transaction().execute(async (trx) => {
    const id = await findSubscriptionIdOfTenant(trx, tenantId)
    if (id === undefined) throw subscriptionNotFound()
    await lockSubscription(trx, id)
    const at = clock.now()
    const pending = await findPendingChange(trx, id)
    if (!pending) throw noPendingChange()
    await closePlanChange(trx, pending.id, 'descartado', at)
    const detail = { change: pending.id }
    await writeAudit(trx, { at, action: 'subscription.plan_change_discarded', tenantId, detail, ...by })
  })
}
