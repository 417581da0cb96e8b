import type { FastifyRateLimitStore, FastifyRateLimitStoreCtor } from '@fastify/rate-limit'
import { within } from './within.ts'

/** Where the hits of all processes come together (src/db/rate-counters.ts). */
interface Counters {
  add(key: string, hits: number, windowMs: number): Promise<{ hits: number; leftMs: number }>
}

interface Options {
  counters: Counters
  /** Told when the counters do not answer, at most every five seconds. */
  onFailure: (error: unknown) => void
  /** How many keys are remembered here. What is forgotten is asked for again: PostgreSQL remembers all. */
  remembered?: number
  /** How long the counters may take. */
  patienceMs?: number
}

/**
 * The store of @fastify/rate-limit: one window per key for all processes, with few trips to the database.
 *
 * A process takes hits in small shares (2 % of the limit) and spends them without asking again. Shares are counted when
 * they are taken, so all processes together never let through more than the limit; what a process has left over at the
 * end of a window is lost to it. A key beyond its limit is refused from memory until its window ends.
 *
 * When the database does not answer within a second, each process counts for itself: limits never take the product
 * down, and what comes after them has the rest of the 8 s in which a silent database must be told.
 */
export function rateLimitStore(options: Options): FastifyRateLimitStoreCtor {
  const shares = createShares(options)
  return class Store implements FastifyRateLimitStore {
    incr(key: string, callback: Callback, timeWindow: number, max: number) {
      shares.take(key, timeWindow, max).then(
        (result) => callback(null, result),
        (error: unknown) => callback(error instanceof Error ? error : new Error(String(error))),
      )
    }
    child() {
      return this // keys carry the name of their limit
    }
  }
}

const PATIENCE_MS = 1000

type Callback = (error: Error | null, result?: { current: number; ttl: number }) => void

interface Share {
  /** Hits of the window before the ones we hold. */
  before: number
  held: number
  spent: number
  endsAt: number
  waiting: number
  refill: Promise<void> | undefined
}

function createShares({ counters, onFailure, remembered = 20_000, patienceMs = PATIENCE_MS }: Options) {
  const shares = new Map<string, Share>()
  let aloneUntil = 0

  const refill = async (key: string, share: Share, windowMs: number, max: number) => {
    // At least one for each request that waits, so that a crowd needs one trip.
    const wanted = Math.max(Math.ceil(max / 50), share.waiting)
    const now = performance.now()
    let answer = { hits: max, leftMs: windowMs }
    let held = max
    if (now >= aloneUntil) {
      try {
        answer = await within(patienceMs, counters.add(key, wanted, windowMs))
        held = wanted
      } catch (error) {
        aloneUntil = now + 5000
        onFailure(error)
      }
    }
    Object.assign(share, { before: answer.hits - held, held, spent: 0, endsAt: performance.now() + answer.leftMs })
  }

  const shareOf = (key: string): Share => {
    const known = shares.get(key)
    if (known) return known
    if (shares.size >= remembered) forgetOldest(shares)
    const share = { before: 0, held: 0, spent: 0, endsAt: 0, waiting: 0, refill: undefined }
    shares.set(key, share)
    return share
  }

  return {
    async take(key: string, windowMs: number, max: number): Promise<{ current: number; ttl: number }> {
      const share = shareOf(key)
      for (;;) {
        const ttl = share.endsAt - performance.now()
        const current = share.before + share.spent + 1
        if (ttl > 0 && current > max) return { current, ttl }
        if (ttl > 0 && share.spent < share.held) {
          share.spent += 1
          return { current, ttl }
        }
        share.waiting += 1
        share.refill ??= refill(key, share, windowMs, max).finally(() => {
          share.refill = undefined
        })
        await share.refill
        share.waiting -= 1
      }
    },
  }
}

/** A tenth at a time, those whose window began first. */
function forgetOldest(shares: Map<string, Share>): void {
  let left = Math.ceil(shares.size / 10)
  for (const [key, share] of shares) {
    if (share.refill === undefined) shares.delete(key)
    left -= 1
    if (left === 0) return
  }
}
