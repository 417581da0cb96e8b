import { crashpoint } from '../../crashpoint.ts'
import type { Fecha } from '../../fiscal/fecha.ts'
import { desdeFueraDeRango, sinEfirma } from './errors.ts'
import { hoyDe, primeroDe } from './plan.ts'
import { lockOrden, orderRun, resume, saveOrden } from './run-queries.ts'
import type { SyncDeps } from './sync-deps.ts'

/**
 * Somebody wants a synchronisation now: the open run has more to ask then, or there is a new one. A pause is looked at at
 * once. `desde` makes history longer, never shorter. @returns the id of the run
 * @throws AppError conflict `sat.sin_efirma`; rejected `sat.desde_fuera_de_rango`
 */
export async function requestRun(
  { central, clock, queue }: Pick<SyncDeps, 'central' | 'clock' | 'queue'>,
  tenantId: string,
  { desde, by }: { desde?: Fecha | undefined; by: { userId: string; email: string } | null },
): Promise<string> {
  const now = clock.now()
  return central.transaction().execute(async (trx) => {
    const orden = await lockOrden(trx, tenantId)
    if (!orden) throw sinEfirma()
    const primero = primeroDe(now).slice(0, 10)
    if (desde !== undefined && (desde < primero || desde > hoyDe(now))) throw desdeFueraDeRango(primero)
    const longer = desde !== undefined && desde < orden.historiaDesde
    if (longer) await saveOrden(trx, tenantId, { historiaDesde: desde, coveredUntil: {}, weeklyAt: null }, now)
    await resume(trx, tenantId, now)
    const { id } = await orderRun(trx, { tenantId, kind: longer ? 'inicial' : 'manual', by, now })
    await queue.enqueue(trx, 'sat.sync', { tenantId })
    crashpoint('sat.run.requested')
    return id
  })
}
