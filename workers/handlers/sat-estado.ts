import { askDue } from '../../src/sat/estado/ask-due.ts'
import { applyKnownStates } from '../../src/sat/paquetes/apply-metadata.ts'
import { findActiveTenantIds } from '../../src/tenants/queries.ts'
import type { Handler } from '../handler.ts'
import { tenantHandler } from '../tenant-handler.ts'

export const onSatEstado = tenantHandler<'sat.estado'>(
  async (deps, db, { tenantId }, { signal, log }) => {
    await applyKnownStates(db, deps.clock.now())
    const done = await askDue(deps, db, { signal, log })
    // Behind everybody else who waits: however much one company has, the others have their turn.
    if (done.more)
      await deps.central.transaction().execute((trx) => deps.queue.enqueue(trx, 'sat.estado', { tenantId }))
    return done
  },
  { plan: { feature: 'cfdi_basic' }, swept: true },
)

/** A job per company: one that cannot be entered holds up none of the others. */
export const onSatEstadoSweep: Handler<'sat.estado.sweep'> = async ({ central, queue, estadoSat }) => {
  if (estadoSat.restMs() > 0) return { cancelled: 'sat.no_disponible' }
  const tenants = await findActiveTenantIds(central)
  await central.transaction().execute((trx) =>
    queue.enqueueAll(
      trx,
      'sat.estado',
      tenants.map((tenantId) => ({ tenantId })),
    ),
  )
  return { tenants: tenants.length }
}
