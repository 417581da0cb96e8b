import { byMercadoPago } from '../apply/cause.ts'
import type { Gateways } from '../connectors/gateways.ts'
import { isAway } from './away.ts'
import { closeRun, deleteOldRuns, findSubscriptionsToRead, insertRun } from './queries.ts'
import { type SyncDeps, syncSubscription } from './sync-subscription.ts'

export interface Reconciled {
  read: number
  /** Facts that no webhook had brought: many of them while no webhook arrives mean a misconfigured panel. */
  news: number
  truncated: boolean
}

/**
 * Reads at MercadoPago what is near its date, unpaid or long unread, every five minutes and within a budget of calls
 * (billing.md 5.7). Who cannot be read is first in line again the next time, so he must hold up nobody: only an account that
 * cannot be spoken to at all is left alone until then.
 */
export async function reconcile(
  deps: Omit<SyncDeps, 'gateways'> & { gateways: Gateways },
  signal?: AbortSignal,
  budget = CALLS,
): Promise<Reconciled> {
  const { central, clock, gateways, log } = deps
  const toRead = await findSubscriptionsToRead(central, clock.now(), budget)
  const found: Reconciled = { read: 0, news: 0, truncated: false }
  if (toRead.length === 0) return found
  const runId = await insertRun(central, 'frecuente', clock.now())
  const before = callsOf(gateways)
  let failure: string | null = null
  const away = new Set<string>()
  for (const { id, connectors } of toRead) {
    if (signal?.aborted || callsOf(gateways) - before >= budget) {
      found.truncated = true
      break
    }
    if (connectors.every((connector) => away.has(connector))) continue
    try {
      const synced = await syncSubscription(deps, id, byMercadoPago)
      found.read += 1
      found.news += newsOf(synced)
    } catch (err) {
      failure = err instanceof Error ? err.message.slice(0, 300) : String(err)
      log.warn({ err, subscription_id: id }, 'billing: a subscription could not be read at MercadoPago')
      // With MercadoPago away the others would fail the same way; one that is odd in itself holds up nobody.
      if (isAway(err)) {
        found.truncated = true
        break
      }
    }
  }
  const calls = callsOf(gateways) - before
  const { truncated, ...counts } = found
  await closeRun(central, runId, { calls, truncated, found: counts, error: failure, at: clock.now() })
  await deleteOldRuns(central, new Date(clock.now().getTime() - 31 * 86_400_000))
  return found
}

/** Of one run: at 350 ms a call they take less than half the time until the next. */
const CALLS = 400

export const callsOf = (gateways: Pick<Gateways, 'stats'>): number =>
  gateways.stats().reduce((sum, { calls }) => sum + calls, 0)

const newsOf = ({ mandatos, pagos }: { mandatos: string[]; pagos: string[] }) =>
  mandatos.filter((outcome) => outcome === 'changed').length + pagos.filter((outcome) => outcome === 'applied').length
