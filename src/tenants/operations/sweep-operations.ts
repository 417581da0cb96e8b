import { findUnheldOperations } from './queries.ts'
import type { OperationDeps } from './saga.ts'

/**
 * Queues the open operations that nobody works on: their worker died, their job was lost or used up its retries. One
 * whose job is merely waiting gets no second one.
 * @returns how many got a job
 */
export async function sweepOperations({ central, queue }: Pick<OperationDeps, 'central' | 'queue'>): Promise<number> {
  const unheld = await findUnheldOperations(central)
  const jobs = await central.transaction().execute(async (trx) => {
    const ids: (string | null)[] = []
    for (const { id, tenantId } of unheld)
      ids.push(await queue.enqueue(trx, 'tenant.operation', { operationId: id, tenantId }))
    return ids
  })
  return jobs.filter((id) => id !== null).length
}
