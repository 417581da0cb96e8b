import { type Clock, systemClock } from '../../clock.ts'

/** The time of the product whose SAT this is, as far as it can be moved there (`GET /__test/clock`). */
export interface FollowingClock extends Clock {
  /** Asks again when the last answer is older than a quarter of a second. Never fails: who is not there says nothing new. */
  sync(): Promise<void>
}

/** Runs like the real clock, as far from it as the product's was when it last answered; with it until then. */
export function createFollowingClock(appUrl: string, signal: AbortSignal): FollowingClock {
  let offsetMs = 0
  let askedAt = Number.NEGATIVE_INFINITY
  let asking: Promise<void> | undefined
  const ask = async () => {
    askedAt = performance.now()
    const patience = AbortSignal.any([signal, AbortSignal.timeout(1_000)])
    const before = systemClock.now().getTime()
    const response = await fetch(new URL('/__test/clock', appUrl), { signal: patience })
    // A product whose clock cannot be moved has none to ask for.
    if (response.status === 404) offsetMs = 0
    if (!response.ok) return
    const { ahora } = (await response.json()) as { ahora: string }
    const at = Date.parse(ahora)
    if (!Number.isNaN(at)) offsetMs = at - (before + systemClock.now().getTime()) / 2
  }
  return {
    now: () => new Date(systemClock.now().getTime() + offsetMs),
    async sync() {
      if (performance.now() - askedAt < FRESH_MS) return asking
      asking ??= ask()
        .catch(() => undefined)
        .finally(() => {
          asking = undefined
        })
      await asking
    },
  }
}

const FRESH_MS = 250
