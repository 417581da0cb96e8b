import { uuidv7 } from 'uuidv7'
import type { CentralTx } from '../../db/databases.ts'
import { type ApplyDeps, applyEvent } from '../apply/apply-event.ts'
import type { Cause } from '../apply/cause.ts'
import { insertEvent } from '../apply/queries.ts'
import type { Frecuencia } from '../subscription.ts'
import { type StoredSubscription, saveSubscription } from '../subscription-queries.ts'
import type { Sale } from './find-sale.ts'

/**
 * Makes a subscription that nobody pays yet one of the plan that its owner is about to pay. In a trial that is the
 * machine's change of plan. After an end, or while a first payment is awaited, the machine has none, because nothing is
 * running that could be changed: plan and interval are written here, with their own row in the audit chain.
 * Under the lock of the subscription.
 */
export async function sell(
  trx: CentralTx,
  deps: ApplyDeps,
  stored: StoredSubscription,
  { plan: { code, version }, frecuencia }: Sale,
  cause: Cause,
  now: Date,
): Promise<void> {
  const { sub } = stored
  const plan = { code, version }
  const isRunning = (sub.estado === 'trial' || sub.estado === 'activa') && sub.cancelAt === null
  if (isRunning && frecuencia !== sub.frecuencia) {
    const event = { kind: 'cambiar_plan', changeId: uuidv7(), frecuencia, paymentId: null } as const
    await applyEvent(trx, deps, stored.id, event, cause, now, { plan })
    return
  }
  await saveSubscription(trx, stored.id, { ...sub, frecuencia }, { nextDueAt: stored.nextDueAt, plan })
  await insertEvent(trx, {
    id: uuidv7(),
    subscriptionId: stored.id,
    tenantId: stored.tenantId,
    at: now,
    event: 'cambiar_plan',
    origin: cause.origin,
    actor: cause.actor ?? null,
    webhookId: null,
    paymentId: null,
    mandateId: null,
    rule: 'checkout',
    outcome: 'same',
    before: factsOf(stored, stored.planCode, stored.planVersion, sub.frecuencia),
    after: factsOf(stored, code, version, frecuencia),
    effects: [],
    // Nothing runs that was sold, so nothing has a monthly value.
    valueBeforeC: 0n,
    valueAfterC: 0n,
    requestId: cause.requestId ?? null,
  })
}

function factsOf({ sub }: StoredSubscription, code: string, version: number, frecuencia: Frecuencia): object {
  const { mandates, notices, ...facts } = sub
  return { ...facts, frecuencia, plan: { code, version } }
}
