import type { Clock } from '../../clock.ts'
import type { CentralDb } from '../../db/databases.ts'
import { fechaOf } from '../../fiscal/fecha.ts'
import { snapshotInstant } from '../seats.ts'
import { insertSnapshots } from './seat-queries.ts'

/**
 * The nightly count of people (billing.md 4.8). One that comes after midnight counts nothing: who came meanwhile was not
 * there, and the night is rebuilt from the log when it is billed.
 */
export async function snapshotSeats({ central, clock }: { central: CentralDb; clock: Clock }): Promise<object> {
  const now = clock.now()
  const day = fechaOf(now)
  if (now < snapshotInstant(day)) return { skipped: 'it is not the time of the count' }
  return { day, companies: await insertSnapshots(central, day) }
}
