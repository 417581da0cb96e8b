import { writeAudit } from '../../db/audit.ts'
import type { By } from '../../tenants/register.ts'
import { subscriptionNotFound } from '../errors.ts'
import type { CommandDeps } from '../own/command-subscription.ts'
import { findSubscriptionIdOfTenant } from '../subscription-queries.ts'

/** Has the worker read the subscription's mandate anew, and then do what is due. @throws AppError `subscription.not_found` */
export async function requestSync({ central, clock, queue }: CommandDeps, tenantId: string, by: By): Promise<void> {
  await central.transaction().execute(async (trx) => {
    const subscriptionId = await findSubscriptionIdOfTenant(trx, tenantId)
    if (subscriptionId === undefined) throw subscriptionNotFound()
    await queue.enqueue(trx, 'billing.sync', { subscriptionId })
    await writeAudit(trx, { at: clock.now(), action: 'subscription.sync', tenantId, ...by })
  })
}
