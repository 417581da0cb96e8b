import { NEXT_TURN } from './limits.ts'
import type { SyncDeps } from './sync-deps.ts'
import type { Turno } from './take-turn.ts'

/**
 * Leaves the turn after this one: behind everybody else who waits when more is due, or for when something falls due within
 * minutes. What lies farther ahead is the sweep's. The queue counts real time and the rows ours, so it is told how long.
 */
export async function leaveNextTurn(
  { central, clock, queue }: Pick<SyncDeps, 'central' | 'clock' | 'queue'>,
  tenantId: string,
  { more, siguiente }: Pick<Exclude<Turno, { cancelled: string }>, 'more' | 'siguiente'>,
): Promise<void> {
  const enqueue = (options: { key?: string; afterMs?: number }) =>
    central.transaction().execute((trx) => queue.enqueue(trx, 'sat.sync', { tenantId }, options))
  if (more) await enqueue({})
  if (siguiente === null) return
  const at = Math.ceil(siguiente.getTime() / NEXT_TURN.togetherMs) * NEXT_TURN.togetherMs
  const afterMs = at - clock.now().getTime()
  // One that waits would swallow whatever comes before its time: under a name of its own it swallows only its like.
  if (afterMs <= NEXT_TURN.withinMs) await enqueue({ key: `${tenantId} ${at}`, afterMs })
}
