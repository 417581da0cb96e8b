import type { EntitlementCache } from '../../billing/entitlements/entitlement-cache.ts'
import type { Clock } from '../../clock.ts'
import type { TenantDb } from '../../db/databases.ts'
import { leaveInOutbox } from '../../queue/outbox.ts'
import { tellLimit } from '../limit/tell-limit.ts'
import { reopen } from './create-carga.ts'
import { cargaClosed, cargaNotFound, filesGone, nothingToRetry } from './errors.ts'
import { isOpen } from './import-carga.ts'
import { findRetryable, hasBeyondLimit, lockCarga, setEstado } from './queries.ts'

/**
 * Stops a load between two batches. What is stored stays, and the row says how far it got; trying it again goes on there.
 * @throws AppError `carga.not_found`; conflict `carga.closed`
 */
export async function cancelCarga(
  { clock, entitlements }: { clock: Clock; entitlements: Pick<EntitlementCache, 'get'> },
  db: TenantDb,
  id: string,
): Promise<void> {
  const limit = (await entitlements.get(db.tenantId)).limits.cfdis
  await db.transaction().execute(async (trx) => {
    const carga = await lockCarga(trx, id)
    if (!carga) throw cargaNotFound()
    if (carga.estado === 'cancelada') return
    if (!isOpen(carga)) throw cargaClosed()
    await setEstado(trx, id, { estado: 'cancelada', reintento: carga.reintento, terminadaEn: clock.now() })
    if (carga.pausa !== null) await tellLimit(trx, limit, clock.now())
  })
}

/**
 * Goes on with a load that was cancelled or failed, and tries again what was beyond the limit of the plan or could not be
 * read: the plan may be another, and so may our reader.
 * @throws AppError `carga.not_found`; conflict `carga.nothing_to_retry`; gone `carga.files_gone`
 */
export async function retryCarga(db: TenantDb, id: string): Promise<void> {
  await db.transaction().execute(async (trx) => {
    const carga = await lockCarga(trx, id)
    if (!carga) throw cargaNotFound()
    // Under way, or its job got lost: another does nothing where there is one.
    if (isOpen(carga)) return leaveInOutbox(trx, 'cfdi.import', { tenantId: db.tenantId, cargaId: id })
    const onDisk = carga.archivosBorradosEn === null
    const isWhole = carga.procesados === carga.total
    if (!isWhole && !onDisk) throw filesGone()
    const [again] = await findRetryable(trx, id, { from: 0, limit: 1, onDisk })
    if (isWhole && !again) throw !onDisk && (await hasBeyondLimit(trx, id)) ? filesGone() : nothingToRetry()
    await reopen(trx, db.tenantId, { ...carga, reintento: 0 })
  })
}
