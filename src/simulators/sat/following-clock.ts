import { type Clock, systemClock } from '../../clock.ts'

/** The time of the product whose SAT this is, as far as it can be moved there (`GET /__test/clock`). */
export interface FollowingClock extends Clock {
  /**
   * Asks again when the last answer is older than a quarter of a second; `anew`: in any case, after the call. Never fails:
   * who is not there says nothing new.
   */
  sync(options?: { anew?: boolean }): Promise<void>
  /**
   * What time it would be, had it not been moved in the last minute: a process that reads the product's clock at the
   * beginning of its work goes on with the time before, and nobody's clock is wrong for it.
   */
  before(): Date[]
}

/**
 * Runs like the real clock, as far from it as the product's was when it last answered; with it until then.
 * @param ticks milliseconds of a clock that nobody moves
 */
export function createFollowingClock(
  appUrl: string,
  signal: AbortSignal,
  ticks: () => number = () => performance.now(),
): FollowingClock {
  let offsetMs = 0
  let known = false
  let askedAt = Number.NEGATIVE_INFINITY
  let asking: Promise<void> | undefined
  let left: { offsetMs: number; at: number }[] = []

  const move = (to: number) => {
    // The first answer moves nothing: until then nobody knew. What is less than a second is how long the answer took.
    if (known && Math.abs(to - offsetMs) > 1_000) left = [...recent(), { offsetMs, at: ticks() }]
    known = true
    offsetMs = to
  }
  const recent = () => left.filter(({ at }) => ticks() - at < TURN_MS)

  const ask = async () => {
    askedAt = ticks()
    const patience = AbortSignal.any([signal, AbortSignal.timeout(1_000)])
    const before = systemClock.now().getTime()
    const response = await fetch(new URL('/__test/clock', appUrl), { signal: patience })
    // A product whose clock cannot be moved has none to ask for.
    if (response.status === 404) move(0)
    if (!response.ok) return
    const { ahora } = (await response.json()) as { ahora: string }
    const at = Date.parse(ahora)
    if (!Number.isNaN(at)) move(at - (before + systemClock.now().getTime()) / 2)
  }
  return {
    now: () => new Date(systemClock.now().getTime() + offsetMs),
    before: () => recent().map((one) => new Date(systemClock.now().getTime() + one.offsetMs)),
    async sync({ anew = false } = {}) {
      // The one under way may have been answered already.
      if (anew) await asking
      else if (ticks() - askedAt < FRESH_MS) return asking
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
/** A turn of the synchronisation begins nothing after 45 s. */
const TURN_MS = 60_000
