/** What is known of one counter of failed tries. `blockedUntil` passes by itself: nothing is ever locked for good. */
export interface Counter {
  failures: number
  firstAt: Date
  lastAt: Date
  blockedUntil: Date | null
}

/** After how many failures a counter makes wait, for how long at most, and when it forgets. */
export interface Rule {
  /** This failure is the first that makes wait: 1 s, then 2, 4, 8, … */
  from: number
  longestS: number
  /** Quiet for so long, a counter begins anew. For `window` counters: the length of the window. */
  forgetS: number
  /** Counts per window instead of growing: at `from` it is closed until the window ends. */
  window?: true
}

/**
 * One key each. They protect different things: `origen` an account from one guesser, `cuenta` an account from many,
 * `red` all accounts from one network, `todo` the machine's hashes from everybody, `enlace` a mailbox from being filled with links.
 */
export const RULES = {
  origen: { from: 5, longestS: 900, forgetS: 3600 },
  cuenta: { from: 20, longestS: 60, forgetS: 3600 },
  red: { from: 30, longestS: 900, forgetS: 3600 },
  todo: { from: 600, longestS: 60, forgetS: 60, window: true },
  enlace: { from: 3, longestS: 3600, forgetS: 3600, window: true },
} as const satisfies Record<string, Rule>

/** Seconds until this counter lets another try through; 0 when it does now. */
export function waitS(counter: Counter | undefined, now: Date): number {
  const until = counter && !isOfTheFuture(counter, now) && counter.blockedUntil
  return until && until > now ? (until.getTime() - now.getTime()) / 1000 : 0
}

/**
 * The counter with one more failure. Tries are counted as failed before the password is looked at, and given back when
 * it was right: so a thousand at once pass no further than one after the other.
 */
export function withFailure(counter: Counter | undefined, rule: Rule, now: Date): Counter {
  const since = counter && (rule.window ? counter.firstAt : counter.lastAt)
  const isOver = since && now.getTime() - since.getTime() >= rule.forgetS * 1000
  const fresh = !counter || isOver || isOfTheFuture(counter, now)
  const failures = fresh ? 1 : counter.failures + 1
  const firstAt = fresh ? now : counter.firstAt
  return { failures, firstAt, lastAt: now, blockedUntil: blockedUntil({ failures, firstAt }, rule, now) }
}

/** The counter without a try that was no failure. The wait it had set (`own`) ends with it; a later one is kept. */
export function withoutFailure(counter: Counter, own: Date | null): Counter {
  const isOwn = counter.blockedUntil?.getTime() === own?.getTime()
  return { ...counter, failures: Math.max(0, counter.failures - 1), blockedUntil: isOwn ? null : counter.blockedUntil }
}

/** A clock that was ahead counted it and has been put back: nobody is to wait until it is there again. */
const isOfTheFuture = ({ lastAt }: Counter, now: Date): boolean => lastAt.getTime() - now.getTime() > AHEAD_MS

/** Clocks of two machines differ by less. */
const AHEAD_MS = 5 * 60_000

function blockedUntil(
  { failures, firstAt }: Pick<Counter, 'failures' | 'firstAt'>,
  rule: Rule,
  now: Date,
): Date | null {
  if (failures < rule.from) return null
  if (rule.window) return new Date(firstAt.getTime() + rule.forgetS * 1000)
  // Exponents beyond 20 mean longer than any rule, and would become Infinity one day.
  const seconds = Math.min(rule.longestS, 2 ** Math.min(20, failures - rule.from))
  return new Date(now.getTime() + seconds * 1000)
}
