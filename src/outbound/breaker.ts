import { type Clock, systemClock } from '../clock.ts'

/** Keeps us from asking a service that is down. One per account and process, shared by all who call it. */
export interface Breaker {
  /** The right to make one call, which must be settled; null while none may be made. */
  enter(): Ticket | null
  /** Milliseconds until `enter` may succeed; 0 when it may now. */
  waitMs(): number
  /** Milliseconds since it answered again after it had been failing; null while it fails, or when it never did. */
  recoveredMs(): number | null
  state(): { breaker: 'closed' | 'open' | 'half_open'; consecutiveFailures: number; unreachableSince: Date | null }
}

export interface Ticket {
  /** It answered, be it with a refusal. */
  succeeded(): void
  failed(): void
  /** We gave it up ourselves: that tells nothing of the service. */
  dropped(): void
}

export interface BreakerOptions {
  failures?: number
  openMs?: number
  /** Milliseconds of a clock that only goes forward. */
  now?: () => number
  /** What time it is, for `unreachableSince`. */
  clock?: Clock
}

/**
 * `failures` in a row open it, for `openMs`; then one probe goes through and decides (billing.md 5.6). Calls that began
 * before it last changed do not count: what they tell is older than what is known.
 */
export function createBreaker(options: BreakerOptions = {}): Breaker {
  const { failures: limit = 5, openMs = 60_000, now = () => performance.now(), clock = systemClock } = options
  let failures = 0
  let openedAt: number | null = null
  let closedAt: number | null = null
  let probing = false
  let era = 0
  let unreachableSince: Date | null = null

  const ticket = (): Ticket => {
    const mine = era
    return {
      succeeded() {
        if (mine !== era) return
        if (openedAt !== null) {
          era++
          closedAt = now()
        }
        failures = 0
        openedAt = null
        probing = false
        unreachableSince = null
      },
      failed() {
        if (mine !== era) return
        failures++
        if (!probing && failures < limit) return
        era++
        openedAt = now()
        probing = false
        unreachableSince ??= clock.now()
      },
      dropped() {
        if (mine === era) probing = false
      },
    }
  }

  const restMs = () => {
    const since = openedAt === null ? openMs : now() - openedAt
    // A clock that was set back, as one for tests may be, has nobody wait until it is there again.
    return since < 0 ? 0 : Math.max(0, openMs - since)
  }
  return {
    enter() {
      if (openedAt === null) return ticket()
      if (probing || restMs() > 0) return null
      probing = true
      return ticket()
    },
    // How long a probe takes nobody knows: a second is soon enough to ask again.
    waitMs: () => (probing ? 1_000 : restMs()),
    recoveredMs: () => (openedAt !== null || closedAt === null ? null : now() - closedAt),
    state: () => ({
      breaker: openedAt === null ? 'closed' : probing || restMs() === 0 ? 'half_open' : 'open',
      consecutiveFailures: failures,
      unreachableSince,
    }),
  }
}
