/**
 * Requests of one company that may be open at the SAT at a time: a first synchronisation has hundreds. No more are sent
 * either while so many are being imported: what the disk holds of one company has a bound.
 */
export const MOST_OPEN = 30
/** Requests of one company a day. No number is official; nobody should be the one who finds it out (sat.md 2.5). */
export const MOST_A_DAY = 200
/** What one turn may do before it is another company's: calls of the SAT, and milliseconds after which no more is begun. */
export const TURN = { calls: 40, ms: 45_000 } as const
/** Packages that one turn looks after. */
export const MOST_TENDED = 100

export const MINUTE_MS = 60_000
/** How long what was taken is ours: longer than the SAT may take to answer, with a login before it. */
export const LEASE = {
  send: 15 * MINUTE_MS,
  verify: 5 * MINUTE_MS,
  download: 30 * MINUTE_MS,
  tend: 15 * MINUTE_MS,
} as const
/** When a pause is looked at again. */
export const PAUSE_MS = 60 * MINUTE_MS
/** How long a company rests whose turn failed for a fault of ours, at first. */
export const REST_MS = 2 * MINUTE_MS
/** When an import is looked at again, one that waits for the plan, and a reading that may have lost its job. */
export const LOOK = { soon: 10_000, waiting: 10 * MINUTE_MS, reading: 20 * MINUTE_MS } as const
/**
 * What falls due within so long has a turn of its own then: the sweep, which comes by each minute, would find it up to a
 * minute later. Whatever falls due in the same few seconds shares one.
 */
export const NEXT_TURN = { withinMs: 5 * MINUTE_MS, togetherMs: 5_000 } as const
/** Below this much free space no download is begun: half of one would be spent for nothing. */
export const FREE_BYTES = 512 * 1024 ** 2

/** An XML that is missing is asked for so often, not sooner than after so long, and one by one up to so many. */
export const MISSING = { most: 3, restMs: 24 * 60 * MINUTE_MS, singly: 20, atOnce: 5_000 } as const
/** Without a good end for so long, the company is told. */
export const SILENCE_MS = 48 * 60 * MINUTE_MS
