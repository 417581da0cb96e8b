import type { CentralDb } from '../../db/databases.ts'
import type { Demora } from './answers.ts'
import { LOST_MS } from './machine.ts'
import { findOldestOpen, isUnanswered } from './work-queries.ts'

/** How the SAT keeps a company waiting: the same for whoever of it looks, and for the operator. */
export async function findDemora(central: CentralDb, tenantId: string, now: Date): Promise<Demora> {
  const oldest = await findOldestOpen(central, tenantId)
  const waitedMs = oldest === null ? 0 : now.getTime() - oldest.getTime()
  return {
    diasEnElSat: waitedMs > LOST_MS ? Math.floor(waitedMs / 86_400_000) : null,
    noContesta: await isUnanswered(central, tenantId),
  }
}
