/**
 * How many tenant pools may live on one server at once, and who goes when another one is needed. Those in use are never
 * touched; of the rest the one used longest ago goes first; whoever finds nothing free waits in line.
 */
export interface PoolBudget<P extends Evictable> {
  /** A place for one more pool. Rejects with what `onTimeout` makes when the wait is too long. */
  reserve(): Promise<void>
  /** The pool that now fills the place, most recently used. */
  add(pool: P): void
  /** Marks it as used just now. */
  touch(pool: P): void
  /** Its lease ended: somebody may be waiting for that. */
  idle(): void
  /** Out of the line of candidates; its place is still taken until `release`. */
  remove(pool: P): void
  release(): void
  pools(): Iterable<P>
  stats(): { live: number; waiting: number }
}

export interface Evictable {
  readonly leases: number
}

export interface PoolBudgetOptions<P> {
  limit: number
  waitMs: number
  onTimeout: () => Error
  /** Closes the pool; the place is free when it resolves. */
  evict: (pool: P) => Promise<void>
}

export function createPoolBudget<P extends Evictable>(options: PoolBudgetOptions<P>): PoolBudget<P> {
  // A Set keeps the order of insertion, so its first is the one used longest ago.
  const candidates = new Set<P>()
  const line: Waiter[] = []
  let live = 0

  return {
    reserve() {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      const waiter: Waiter = { resolve, timer: undefined }
      line.push(waiter)
      serve()
      if (line.at(-1) === waiter)
        waiter.timer = setTimeout(() => {
          line.splice(line.indexOf(waiter), 1)
          reject(options.onTimeout())
        }, options.waitMs)
      return promise
    },
    add: (pool) => void candidates.add(pool),
    touch(pool) {
      if (candidates.delete(pool)) candidates.add(pool)
    },
    idle: serve,
    remove: (pool) => void candidates.delete(pool),
    release() {
      live--
      serve()
    },
    pools: () => candidates,
    stats: () => ({ live, waiting: line.length }),
  }

  function serve(): void {
    while (line.length > 0) {
      const victim = live < options.limit ? undefined : oldestIdle()
      if (live >= options.limit && !victim) return
      const waiter = line.shift() as Waiter
      clearTimeout(waiter.timer)
      if (victim) {
        // The place goes straight to the waiter, once the server has seen the sessions go.
        candidates.delete(victim)
        void options.evict(victim).then(waiter.resolve)
      } else {
        live++
        waiter.resolve()
      }
    }
  }

  function oldestIdle(): P | undefined {
    for (const pool of candidates) if (pool.leases === 0) return pool
    return undefined
  }
}

interface Waiter {
  resolve: () => void
  timer: NodeJS.Timeout | undefined
}
