import type { CentralDb } from '../../src/db/databases.ts'
import { findFailures, findLastRun, tallyRun } from '../../src/tenants/fleet/report-queries.ts'
import { STALE_SECONDS } from '../../src/tenants/fleet/run-queries.ts'
import { EXIT } from '../exit-codes.ts'
import { statusLines } from './text.ts'
import { conclude, type Voice } from './voice.ts'

/** How the last run stands. Exit code 3 when it did not bring everybody to the end and nobody is at it. */
export async function status(central: CentralDb, voice: Voice): Promise<number> {
  const run = await findLastRun(central)
  if (!run) {
    voice.say({ event: 'status', run: null }, 'no run yet')
    return conclude(voice, EXIT.ok)
  }
  const [tally, failures] = [await tallyRun(central, run.id), await findFailures(central, run.id)]
  voice.say({ event: 'status', run, tally, failures }, ...statusLines(run, tally, failures))
  const alive = run.state === 'running' && run.heartbeatSeconds < STALE_SECONDS
  return conclude(voice, alive || run.state === 'succeeded' ? EXIT.ok : EXIT.partial)
}
