import type { Clock } from '../../clock.ts'
import type { CentralDb, CentralTx } from '../../db/databases.ts'
import type { Queue } from '../../queue/queue.ts'
import { applyEvent } from '../apply/apply-event.ts'
import { byTimer } from '../apply/cause.ts'
import { CLOCKS_APART_MS } from '../facts/queries.ts'
import { dueTimer } from '../machine/due-timer.ts'
import { findTerms } from '../plans/terms.ts'
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
export async function runDue(deps: DueDeps, subscriptionId: string): Promise<number> {
  for (let steps = 0; ; steps++) {
    // More would be a machine that runs in a circle: better one subscription stands still than all.
    if (steps === MOST_STEPS) throw new Error(`subscription ${subscriptionId} has no end of timers`)
    const step = await deps.central.transaction().execute((trx) => takeStep(trx, deps, subscriptionId))
    if (step === 'last') return steps + 1
    if (step === 'none') return steps
  }
}

/** One timer, if one is due: `last` when nothing more is due after it. */
async function takeStep(trx: CentralTx, { clock, queue }: DueDeps, id: string): Promise<'more' | 'last' | 'none'> {
  const stored = await lockSubscription(trx, id)
  if (!stored) return 'none'
  const now = clock.now()
  const terms = await findTerms(trx, stored, now)
  const due = dueTimer(stored.sub, terms.policy)
  if (!due || due.at > now) {
    if (due?.at.getTime() !== stored.nextDueAt?.getTime()) await setNextDue(trx, id, due?.at ?? null)
    return 'none'
  }
  if (due.needsFresh && !isFresh(stored.lastSyncedAt, due.at, now)) {
    await queue.enqueue(trx, 'billing.sync', { subscriptionId: id })
    await setNextDue(trx, id, new Date(now.getTime() + RETRY_MS))
    return 'none'
  }
  const event = { kind: 'timer', timer: due.timer } as const
  const applied = await applyEvent(trx, { queue }, id, event, byTimer, now, { locked: { stored, terms } })
  return applied.due && applied.due.at <= now ? 'more' : 'last'
}

/** Read after the deadline; a reading of the future was written under a clock that went wrong, and says nothing. */
const isFresh = (readAt: Date | null, deadline: Date, now: Date): boolean =>
  readAt !== null && readAt > deadline && readAt.getTime() <= now.getTime() + CLOCKS_APART_MS

const MOST_STEPS = 100
const RETRY_MS = 15 * 60_000
