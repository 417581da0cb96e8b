import { type Clock, systemClock } from '../clock.ts'
import type { Config } from '../config.ts'
import type { CentralDb, CentralTx } from './databases.ts'

/**
 * The clock of a development system: the real one and how far the row `test_clock` is from it, the same for all
 * processes. Whoever is about to act reads the row first (`sync`), so that nothing acts on the time before a move;
 * between two readings `now` asks nobody. Production has none (config.ts). Rule: billing.md 6.6.
 */
export interface TestClock extends Clock {
  /** Resolves after a reading that began after the call. @throws what the database throws: then nobody knows the time. */
  sync(): Promise<void>
  /**
   * Moves it for every process, with the commit of `trx`; this one follows with its next `sync`. Where the past is not
   * allowed, an instant before the real one means the real one.
   */
  moveTo(trx: CentralTx, instant: Date): Promise<void>
}

/** The clock of a command typed by hand: where time can be moved, as far as it is when the command begins. */
export async function readClock(config: Pick<Config, 'testClock'>, central: CentralDb): Promise<Clock> {
  if (!config.testClock) return systemClock
  const clock = createTestClock(central, { real: systemClock, past: true })
  await clock.sync()
  return clock
}

/** @param real what runs underneath; `past` lets it be moved behind that. */
export function createTestClock(central: CentralDb, { real, past }: { real: Clock; past: boolean }): TestClock {
  let offsetMs = 0
  let reading: Promise<void> | undefined
  let next: Promise<void> | undefined

  const read = async () => {
    const row = await central.selectFrom('test_clock').select('offset_ms').executeTakeFirst()
    offsetMs = Number(row?.offset_ms ?? 0)
  }

  // One reading at a time: of two, the one that was asked first could arrive last and set the clock back.
  const sync = (): Promise<void> => {
    if (!reading) {
      reading = read().finally(() => {
        reading = undefined
      })
      return reading
    }
    // The one under way may have looked already. All who come meanwhile share the one that follows it.
    next ??= reading
      .catch(() => undefined)
      .then(() => {
        next = undefined
        return sync()
      })
    return next
  }

  return {
    now: () => new Date(real.now().getTime() + offsetMs),
    sync,
    async moveTo(trx, instant) {
      const wanted = instant.getTime() - real.now().getTime()
      const offset_ms = BigInt(past ? wanted : Math.max(0, wanted))
      await trx
        .insertInto('test_clock')
        .values({ offset_ms })
        .onConflict((oc) => oc.column('only_one').doUpdateSet({ offset_ms }))
        .execute()
    },
  }
}
