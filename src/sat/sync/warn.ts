import { raiseAlertas, resolveAlertas } from '../../alerts/raise-alert.ts'
import type { TenantDb } from '../../db/databases.ts'
import { fechaOf } from '../../fiscal/fecha.ts'
import { countHoles, findNextRetry } from './hole-queries.ts'
import { MISSING, SILENCE_MS } from './limits.ts'
import { LOST_MS } from './machine.ts'
import { inicioDe, primeroDe } from './plan.ts'
import { findFirstStart, findLastGoodEnd, findOrden } from './run-queries.ts'
import type { SyncDeps } from './sync-deps.ts'
import { countGivenUp, isAlertOpen } from './tenant-queries.ts'
import { CLAVE_SIN_DESCARGA, sinDescarga } from './words.ts'
import { findOldestOpen } from './work-queries.ts'

/**
 * Tells the company when nothing has come from the SAT for too long, or does not come at all, and takes it back when that
 * is over. That the plan is full has an alert of its own.
 */
export async function warn({ central, clock }: Pick<SyncDeps, 'central' | 'clock'>, db: TenantDb): Promise<void> {
  const orden = await findOrden(central, db.tenantId)
  if (!orden) return
  const now = clock.now()
  const since = (at: Date) => now.getTime() - at.getTime()
  // A company that could not synchronise for want of a plan has not been waiting.
  const { lastSuccessAt } = orden
  // One that is still to come was written by a clock that has been put back since.
  const good =
    lastSuccessAt && since(lastSuccessAt) < 0 ? await findLastGoodEnd(central, db.tenantId, now) : lastSuccessAt
  const silence = since(good ?? (await findFirstStart(central, db.tenantId)) ?? now)
  const oldest = await findOldestOpen(central, db.tenantId)
  const full = orden.pausedCode === 'cfdi.limite'
  const pausa =
    orden.pausedCode && !full ? { code: orden.pausedCode, message: orden.pausedMessage ?? orden.pausedCode } : null
  const inicio = inicioDe(orden.historiaDesde, now)
  const retry = await findNextRetry(central, db.tenantId, inicio, now)
  const alerta = sinDescarga({
    horasSinExito: silence > SILENCE_MS && !full ? Math.floor(silence / 3_600_000) : null,
    diasEnElSat: oldest && since(oldest) > LOST_MS ? Math.floor(since(oldest) / 86_400_000) : null,
    faltan: await countGivenUp(db, MISSING.most, primeroDe(now)),
    periodos: await countHoles(central, db.tenantId, inicio),
    // The first night from then on.
    otraVez: retry && fechaOf(laterOf(retry, orden.nextRunAt ?? retry)),
    pausa,
  })
  if (!alerta && !(await isAlertOpen(db, CLAVE_SIN_DESCARGA))) return
  await db.transaction().execute(async (trx) => {
    if (alerta) await raiseAlertas(trx, [alerta], now)
    else await resolveAlertas(trx, 'SAT_SIN_DESCARGA', now)
  })
}

const laterOf = (a: Date, b: Date): Date => (a > b ? a : b)
