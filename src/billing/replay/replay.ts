import type { Clock } from '../../clock.ts'
import type { CentralDb, CentralTx } from '../../db/databases.ts'
import type { Queue } from '../../queue/queue.ts'
import type { Cause } from '../apply/cause.ts'
import { findMandateByPreapproval } from '../apply/queries.ts'
import type { Gateways } from '../connectors/gateways.ts'
import { type Facts, gather, recordFacts } from '../pipeline/fetch-resource.ts'
import { markDirty, type Resource } from '../pipeline/queries.ts'
import { findTrace } from './queries.ts'

export interface ReplayDeps {
  central: CentralDb
  clock: Clock
  queue: Queue
  gateways: Pick<Gateways, 'of'>
}

export interface Replayed {
  resource: Resource
  outcomes: { mandatos: string[]; pagos: string[] }
  /** Lines that would be, or were, other than before. */
  diff: { que: string; antes: string | null; despues: string | null }[]
}

/**
 * Reads a resource again and applies it as if it were news, and tells what that changes. Without `apply` everything is
 * undone at the end: a look at what would happen. What is known already changes nothing, so it is safe to repeat.
 */
export async function replayResource(
  deps: ReplayDeps,
  resource: Resource,
  { apply, cause }: { apply: boolean; cause: Cause },
): Promise<Replayed> {
  const { central, clock, queue } = deps
  const connected = await deps.gateways.of(resource.connectorId)
  const facts = await gather(central, connected, resource, clock.now())
  const subscriptionIds = await subscriptionsOf(deps, resource.connectorId, facts)
  const replayed = async (trx: CentralTx): Promise<Replayed> => {
    const before = await findTrace(trx, subscriptionIds)
    const outcomes = await recordFacts(trx, { queue }, connected.connector, facts, cause, clock.now())
    return { resource, outcomes, diff: diffOf(before, await findTrace(trx, subscriptionIds)) }
  }
  if (!apply) return undone(central, replayed)
  const result = await central.transaction().execute(replayed)
  // What was put aside is looked after again from here on.
  await markDirty(central, resource, clock.now())
  await central.transaction().execute((trx) => queue.enqueue(trx, 'billing.fetch', resource))
  return result
}

async function subscriptionsOf({ central }: ReplayDeps, connectorId: string, facts: Facts): Promise<string[]> {
  const named = [
    ...facts.mandates.map(({ id }) => id),
    ...facts.payments.flatMap(({ preapprovalId }) => (preapprovalId ? [preapprovalId] : [])),
  ]
  const found = await Promise.all(named.map((id) => findMandateByPreapproval(central, connectorId, id)))
  return [...new Set(found.flatMap((mandate) => (mandate ? [mandate.subscriptionId] : [])))]
}

class Undone<T> extends Error {
  readonly result: T
  constructor(result: T) {
    super('undone on purpose')
    this.result = result
  }
}

async function undone<T>(central: CentralDb, work: (trx: CentralTx) => Promise<T>): Promise<T> {
  try {
    await central.transaction().execute(async (trx) => {
      throw new Undone(await work(trx))
    })
  } catch (error) {
    if (error instanceof Undone) return error.result as T
    throw error
  }
  throw new Error('a transaction that was to be undone ended well')
}

function diffOf(before: Record<string, string>, after: Record<string, string>): Replayed['diff'] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((que) => before[que] !== after[que])
    .map((que) => ({ que, antes: before[que] ?? null, despues: after[que] ?? null }))
}
