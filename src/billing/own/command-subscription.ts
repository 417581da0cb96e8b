import type { Clock } from '../../clock.ts'
import { writeAudit } from '../../db/audit.ts'
import type { CentralDb } from '../../db/databases.ts'
import type { Queue } from '../../queue/queue.ts'
import type { By } from '../../tenants/register.ts'
import { type Applied, applyEvent } from '../apply/apply-event.ts'
import type { Cause } from '../apply/cause.ts'
import { subscriptionNotFound } from '../errors.ts'
import type { BillingEvent } from '../machine/event.ts'
import { findSubscriptionIdOfTenant } from '../subscription-queries.ts'

export interface CommandDeps {
  central: CentralDb
  queue: Pick<Queue, 'enqueue'>
  clock: Clock
}

export interface Command {
  event: BillingEvent
  cause: Cause
  by: By
  /** Of the platform's log: `subscription.paused`. */
  action: string
  /** In the words of whoever asked. */
  detail?: object
}

/**
 * Does what a person asks of a subscription, and notes in the platform's log who asked and why.
 * @throws AppError `subscription.not_found`; conflict `subscription.*` when its state does not allow it
 */
export async function commandSubscription(
  deps: CommandDeps,
  tenantId: string,
  { event, cause, by, action, detail = {} }: Command,
): Promise<Applied> {
  return deps.central.transaction().execute(async (trx) => {
    const id = await findSubscriptionIdOfTenant(trx, tenantId)
    if (id === undefined) throw subscriptionNotFound()
    const at = deps.clock.now()
    const applied = await applyEvent(trx, deps, id, event, cause, at)
    await writeAudit(trx, { at, action, tenantId, detail: { ...detail, event: applied.eventId }, ...by })
    return applied
  })
}
