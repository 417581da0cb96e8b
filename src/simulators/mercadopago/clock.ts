import type { Clock } from '../../clock.ts'

/** The simulator's time: that of `base` moved by an offset, or standing still. */
export interface VirtualClock extends Clock {
  /** Moves to any instant, back too: a jump of the clock is one of the things to be survived. */
  set(to: Date): void
  /** While held, time does not pass by itself: a walk through a year then stamps the instants it walks through. */
  hold(): void
  release(): void
  /** Whether it shows another time than the real one. */
  isMoved(): boolean
  /** Held for good. */
  readonly frozen: boolean
}

export function createVirtualClock(base: Clock, options: { at?: Date; frozen?: boolean } = {}): VirtualClock {
  const { frozen = false } = options
  let offsetMs = options.at ? options.at.getTime() - base.now().getTime() : 0
  let heldAt = frozen ? base.now().getTime() + offsetMs : undefined
  const now = () => heldAt ?? base.now().getTime() + offsetMs
  return {
    frozen,
    now: () => new Date(now()),
    isMoved: () => Math.abs(now() - base.now().getTime()) > 1_000,
    set(to) {
      offsetMs = to.getTime() - base.now().getTime()
      if (heldAt !== undefined) heldAt = to.getTime()
    },
    hold() {
      heldAt ??= now()
    },
    release() {
      if (frozen || heldAt === undefined) return
      offsetMs = heldAt - base.now().getTime()
      heldAt = undefined
    },
  }
}
