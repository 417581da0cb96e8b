import type { Clock } from '../../clock.ts'
import type { CentralDb } from '../../db/databases.ts'
import type { Queue } from '../../queue/queue.ts'
import { applyEvent } from '../apply/apply-event.ts'
import { byTimer } from '../apply/cause.ts'
import { dueTimer } from '../machine/due-timer.ts'
import { findPolicy } from '../plans/policy-queries.ts'
import { lockSubscription } from '../subscription-queries.ts'
import { setNextDue } from './queries.ts'

export interface DueDeps {
  central: CentralDb
  clock: Clock
  queue: Queue
}

/**
 * Lets everything happen to a subscription that time alone brings about, one step a transaction, in the order of time. A
 * sanction that needs a fresh look at MercadoPago waits for it: it is asked for here, and `billing.sync` comes back.
 * @returns how many steps were taken
 */
export async function runDue({ central, clock, queue }: DueDeps, subscriptionId: string): Promise<number> {
  for (let steps = 0; ; steps++) {
    // More would be a machine that runs in a circle: better one subscription stands still than all.
    if (steps === MOST_STEPS) throw new Error(`subscription ${subscriptionId} has no end of timers`)
    const isDone = await central.transaction().execute(async (trx) => {
      const stored = await lockSubscription(trx, subscriptionId)
      if (!stored) return true
      const now = clock.now()
      const due = dueTimer(stored.sub, await findPolicy(trx))
      if (!due || due.at > now) {
        if (due?.at.getTime() !== stored.nextDueAt?.getTime()) await setNextDue(trx, subscriptionId, due?.at ?? null)
        return true
      }
      const isFresh = stored.lastSyncedAt !== null && stored.lastSyncedAt > due.at
      if (due.needsFresh && !isFresh) {
        await queue.enqueue(trx, 'billing.sync', { subscriptionId })
        await setNextDue(trx, subscriptionId, new Date(now.getTime() + RETRY_MS))
        return true
      }
      await applyEvent(trx, { queue }, subscriptionId, { kind: 'timer', timer: due.timer }, byTimer, now)
      return false
    })
    if (isDone) return steps
  }
}

const MOST_STEPS = 100
const RETRY_MS = 15 * 60_000
