import type { Clock } from '../../clock.ts'
import type { CentralDb, CentralTx } from '../../db/databases.ts'
import { addDays, fechaOf, instantOf } from '../../fiscal/fecha.ts'
import type { Queue } from '../../queue/queue.ts'
import type { Log } from '../../tenants/operations/saga.ts'
import { applyEvent } from '../apply/apply-event.ts'
import { bySystem } from '../apply/cause.ts'
import { findDueCommands, insertCommand } from '../commands/queries.ts'
import { deleteOldDeliveries, findDueResources } from '../pipeline/queries.ts'
import { closePlanChange, findExpiredChanges } from '../plan-change/queries.ts'
import { lockSubscription } from '../subscription-queries.ts'
import { findDueSubscriptions, findLastRun, findOfDeletedTenants, findStrayMandates } from './queries.ts'
import { runDue } from './run-due.ts'

export interface SweepDeps {
  central: CentralDb
  clock: Clock
  queue: Queue
  log: Log
}

export interface Swept {
  subscriptions: number
  steps: number
  failed: number
}

/**
 * Everything that is due, every five minutes (billing.md 3.6). It finds by itself what a dead worker or a missed turn of
 * the queue's clock left, so nothing depends on any one run of it. One subscription that fails holds up no other.
 */
export async function sweepBilling(deps: SweepDeps, signal?: AbortSignal): Promise<Swept> {
  const { central, clock, queue, log } = deps
  const now = clock.now()
  const swept: Swept = { subscriptions: 0, steps: 0, failed: 0 }
  const apart: Apart = async (what, work) => {
    try {
      return await work()
    } catch (err) {
      swept.failed += 1
      log.error({ err, ...what, alarm: 'billing.sweep_failed' }, 'billing: something of the sweep could not be done')
      return undefined
    }
  }
  for (const chore of [requeue, endDeletedTenants, cancelStrays, discardOffers, askForNight])
    await apart({ chore: chore.name }, () => chore(deps, now, apart))

  const failed = new Set<string>()
  for (;;) {
    const due = (await findDueSubscriptions(central, clock.now(), BATCH + failed.size)).filter((id) => !failed.has(id))
    if (due.length === 0) return swept
    const left = due.values()
    const lane = async () => {
      for (const id of left) {
        if (signal?.aborted) return
        swept.subscriptions += 1
        const steps = await apart({ subscription_id: id }, () => runDue({ central, clock, queue }, id))
        if (steps === undefined) failed.add(id)
        else swept.steps += steps
      }
    }
    await Promise.all(Array.from({ length: LANES }, lane))
    if (signal?.aborted) return swept
  }
}

/** Subscriptions at a time: one waits for the disk while another is decided. Fewer than the pool has sessions. */
const LANES = 4

const BATCH = 500

/** Does one thing of many: that it fails is told in the log, with `what` it was, and is nobody else's trouble. */
type Apart = <T>(what: object, work: () => Promise<T>) => Promise<T | undefined>

/** Nudges for what waits to be read or told and whose job was lost or has given up. */
async function requeue({ central, queue }: SweepDeps, now: Date): Promise<void> {
  const resources = await findDueResources(central, now, BATCH)
  const commands = await findDueCommands(central, now, BATCH)
  if (resources.length + commands.length === 0) return
  await central.transaction().execute(async (trx) => {
    for (const resource of resources) await queue.enqueue(trx, 'billing.fetch', resource)
    for (const commandId of commands) await queue.enqueue(trx, 'billing.command', { commandId })
  })
}

/** A company that was deleted is charged nothing more. */
async function endDeletedTenants({ central, queue }: SweepDeps, now: Date, apart: Apart): Promise<void> {
  const end = async (trx: CentralTx, id: string) => {
    const stored = await lockSubscription(trx, id)
    // It may have ended since it was found.
    if (!stored || stored.sub.endedAt !== null) return
    await applyEvent(trx, { queue }, id, { kind: 'cancelar_inmediata' }, bySystem, now)
  }
  for (const id of await findOfDeletedTenants(central))
    await apart({ subscription_id: id }, () => central.transaction().execute((trx) => end(trx, id)))
}

/** Told to end, or of a subscription that ended, and still able to charge: told again, once a day. */
async function cancelStrays({ central, queue }: SweepDeps, now: Date, apart: Apart): Promise<void> {
  for (const { id, connectorId, subscriptionId } of await findStrayMandates(central, dayBefore(now))) {
    const tell = async (trx: CentralTx) => {
      const dedupeKey = `cancel:${id}:${fechaOf(now)}`
      const command = { kind: 'cancel', dedupeKey, subscriptionId, connectorId, mandateId: id, at: now } as const
      const commandId = await insertCommand(trx, command)
      if (commandId) await queue.enqueue(trx, 'billing.command', { commandId })
    }
    await apart({ mandate_id: id }, () => central.transaction().execute(tell))
  }
}

/** Offers of a change of plan that nobody paid in time. */
async function discardOffers({ central }: SweepDeps, now: Date, apart: Apart): Promise<void> {
  for (const { id, subscriptionId } of await findExpiredChanges(central, now)) {
    const discard = async (trx: CentralTx) => {
      await lockSubscription(trx, subscriptionId)
      await closePlanChange(trx, id, 'descartado', now)
    }
    await apart({ plan_change_id: id }, () => central.transaction().execute(discard))
  }
}

/** The nightly comparison, at 02:30 or as soon after as anybody is there: the queue does not repeat a missed turn. */
async function askForNight({ central, queue }: SweepDeps, now: Date): Promise<void> {
  const today = new Date(instantOf(fechaOf(now), 2).getTime() + 30 * 60_000)
  const slot = now >= today ? today : new Date(instantOf(addDays(fechaOf(now), -1), 2).getTime() + 30 * 60_000)
  const last = await findLastRun(central, 'nocturna', now)
  if (last !== null && last >= slot) return
  await central.transaction().execute((trx) => queue.enqueue(trx, 'billing.nightly', {}))
  await deleteOldDeliveries(central, now)
}

const dayBefore = (at: Date) => new Date(at.getTime() - 86_400_000)
