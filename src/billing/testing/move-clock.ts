import { uuidv7 } from 'uuidv7'
import type { CentralDb } from '../../db/databases.ts'
import type { TestClock } from '../../db/test-clock.ts'
import type { JobName } from '../../queue/jobs.ts'
import type { Queue } from '../../queue/queue.ts'
import { DUE_WORK } from './due-work.ts'

/**
 * Moves the clock of all processes, and asks in the same transaction for the work that has come due by it.
 * @returns what time it is now; see `TestClock` for an instant in the past
 */
export async function moveClock(
  { central, queue, testClock }: { central: CentralDb; queue: Queue; testClock: TestClock },
  instant: Date,
  dueWork: readonly JobName[] = DUE_WORK,
): Promise<Date> {
  await central.transaction().execute(async (trx) => {
    await testClock.moveTo(trx, instant)
    // Under a key of its own: one that runs already looks at the time before, and would be taken for this one.
    for (const name of dueWork) await queue.enqueue(trx, name, {}, { key: `reloj:${uuidv7()}` })
  })
  await testClock.sync()
  return testClock.now()
}

/** The sweep once more, for what came due since the clock was moved; one that waits already is enough. */
export const nudge = ({ central, queue }: { central: CentralDb; queue: Queue }): Promise<unknown> =>
  central.transaction().execute((trx) => queue.enqueue(trx, 'billing.sweep', {}, { key: 'reloj' }))
