import { tidyOutbox } from '../../src/queue/outbox.ts'
import { findActiveTenantIds } from '../../src/tenants/queries.ts'
import type { Handler } from '../handler.ts'
import { tenantHandler } from '../tenant-handler.ts'

export const onOutboxPublish = tenantHandler<'outbox.publish'>(async (deps, db) => ({
  published: await tidyOutbox(deps, db, deps.clock.now()),
}))

/** A job per company: one that cannot be entered holds up none of the others. */
export const onOutboxSweep: Handler<'outbox.sweep'> = async ({ central, queue }) => {
  const tenants = await findActiveTenantIds(central)
  await central.transaction().execute(async (trx) => {
    for (const tenantId of tenants) await queue.enqueue(trx, 'outbox.publish', { tenantId })
  })
  return { tenants: tenants.length }
}
