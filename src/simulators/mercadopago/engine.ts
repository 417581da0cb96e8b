import { type Due, nextDue, takeDeliveries, takeDue } from './agenda.ts'
import type { Application } from './application.ts'
import { deliverAll } from './courier.ts'
import { debit, schedule, settle } from './debits.ts'
import { isOut } from './fault-rules.ts'
import { refund } from './payments.ts'
import type { World } from './world.ts'

/** Makes things happen when they are due, one at a time. */
export interface Engine {
  /** Runs what is due now, deliveries included, and waits for it. */
  settled(): Promise<void>
  /** Moves to `target` through every instant at which something happens, here or in the application. */
  advance(target: Date): Promise<{ steps: number }>
  /** Jumps, and runs all that became due on the way as of then. */
  jump(to: Date): Promise<void>
  /** Runs what is due when this turn of the loop is over, and from then on as time passes. */
  stir(): void
  close(): Promise<void>
}

export function createEngine(
  world: World,
  application: Application | null,
  options: { onFailure(error: unknown): void; onRest(): void; signal: AbortSignal },
): Engine {
  const { state, clock } = world
  let tail: Promise<unknown> = Promise.resolve()
  let timer: NodeJS.Timeout | undefined
  let stirred = false
  let walking = false

  /** One walk at a time: a timer that goes off in the middle of one waits for its end. */
  const exclusive = <T>(work: () => Promise<T>): Promise<T> => {
    const result = tail.then(work)
    tail = result.catch(() => undefined)
    return result
  }

  const runDue = async () => {
    while (!options.signal.aborted) {
      const due = takeDue(state, clock.now())
      if (due) {
        happen(world, due)
        continue
      }
      const deliveries = isOut(state) ? [] : takeDeliveries(state, clock.now())
      if (deliveries.length === 0) break
      await align()
      await deliverAll(world, deliveries, options.signal)
    }
    // A walk rests at its end: what it holds is written to disk once and not at each of its thousand steps.
    if (!walking) options.onRest()
    arm()
  }

  /**
   * An application that was restarted is back in the real time, where our signatures would be from the future. One that is
   * not there hears of it with a later webhook.
   */
  const align = async () => {
    if (application && !walking && clock.isMoved()) await application.setClock(clock.now()).catch(() => undefined)
  }

  /** Both sides until neither has anything left to do at this instant. Returns the application's next instant. */
  const quiet = async (): Promise<Date | null> => {
    for (;;) {
      await runDue()
      const next = application ? await application.idle() : null
      const own = nextDue(state, isOut(state))
      if (!own || own.at > clock.now()) return next
    }
  }

  const moveTo = async (at: Date) => {
    clock.set(at)
    await application?.setClock(at)
  }

  const walk = async (target: Date) => {
    let steps = 0
    // Its own clock has gone on while nobody walked.
    await moveTo(clock.now())
    let theirs = await quiet()
    while (clock.now() < target) {
      const next = earliest(clock.now(), [nextDue(state, isOut(state))?.at ?? null, theirs, target]) ?? target
      await moveTo(next)
      theirs = await quiet()
      steps += 1
    }
    return { steps }
  }

  const held = async <T>(work: () => Promise<T>): Promise<T> => {
    clock.hold()
    walking = true
    try {
      return await work()
    } finally {
      walking = false
      clock.release()
      options.onRest()
      arm()
    }
  }

  const arm = () => {
    clearTimeout(timer)
    const next = nextDue(state, isOut(state))
    if (clock.frozen || !next || options.signal.aborted) return
    const waitMs = Math.max(0, next.at.getTime() - clock.now().getTime())
    timer = setTimeout(() => engine.stir(), Math.min(waitMs, LONGEST_TIMER_MS)).unref()
  }

  const engine: Engine = {
    settled: () => exclusive(runDue),
    advance: (target) => exclusive(() => held(() => walk(target))),
    jump: (to) =>
      exclusive(() =>
        held(async () => {
          await moveTo(to)
          await quiet()
        }),
      ),
    stir() {
      if (stirred || options.signal.aborted) return
      stirred = true
      setImmediate(() => {
        stirred = false
        exclusive(runDue).catch(options.onFailure)
      })
    },
    async close() {
      clearTimeout(timer)
      await tail
      clearTimeout(timer)
    },
  }
  return engine
}

/** Longer waits overflow what a timer can hold. */
const LONGEST_TIMER_MS = 86_400_000

/** The first of these that is still to come. */
function earliest(now: Date, candidates: readonly (Date | null)[]): Date | undefined {
  return candidates
    .filter((at): at is Date => at !== null && at > now)
    .reduce<Date | undefined>((first, at) => (first && first <= at ? first : at), undefined)
}

function happen(world: World, { kind, ref }: Due): void {
  switch (kind) {
    case 'schedule':
      schedule(world, ref)
      return
    case 'debit':
      debit(world, ref)
      return
    case 'settle':
      settle(world, ref, 'approved')
      return
    case 'give_back': {
      const payment = world.state.payments.get(ref)
      if (payment?.status === 'approved') refund(world, payment, null)
      return
    }
    case 'deliver':
      throw new Error('deliveries are taken by themselves')
  }
}
