import { setTimeout as delay } from 'node:timers/promises'

/** Lets calls of one account through one after the other, with a pause between their beginnings. */
export interface Pace {
  /** Resolves when it is the caller's turn, in the order of asking. */
  turn(): Promise<void>
  /** How long a turn that is asked for now would be waited for; 0 when it would come at once. */
  waitMs(): number
}

export interface PaceOptions {
  intervalMs: number
  /** Milliseconds of a clock that only goes forward. */
  now?: () => number
  sleep?: (ms: number) => Promise<unknown>
}

/**
 * A turn is taken when it is asked for, so a sweep that awaits each call delays a person's click by one turn and not by
 * the whole sweep.
 */
export function createPace(options: PaceOptions): Pace {
  const { intervalMs, now = () => performance.now(), sleep = delay } = options
  let free = Number.NEGATIVE_INFINITY
  return {
    async turn() {
      const mine = Math.max(now(), free)
      free = mine + intervalMs
      const waitMs = mine - now()
      if (waitMs > 0) await sleep(waitMs)
    },
    waitMs: () => Math.max(0, free - now()),
  }
}
