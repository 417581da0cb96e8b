import type { TenantTx } from '../../db/databases.ts'
import { findConfiguracion } from '../../taxes/queries.ts'
import { recomputeIva } from '../../taxes/recompute.ts'
import { movimientosOf } from '../flow/movimientos.ts'
import { lockLine } from './insert-queries.ts'
import { findExpediente, findSemillas, replaceMovimientos, type Semillas } from './store-queries.ts'

/**
 * Derives anew all movements and months that depend on these stored CFDI, after a change of their state or of what a
 * person noted of them. It takes the company's line; a transaction that has other locks by then (it changed rows of
 * `cfdis`) should have called `lockLine` before it took them.
 */
export async function rederive(trx: TenantTx, uuids: readonly string[]): Promise<void> {
  if (uuids.length === 0) return
  await lockLine(trx)
  await derive(trx, await findSemillas(trx, uuids))
}

/** Derives the movements of documents anew and the months they change. The caller holds the company's line. */
export async function derive(trx: TenantTx, semillas: Semillas): Promise<void> {
  if (semillas.documentos.length === 0 && semillas.egresos.length === 0) return
  const { apertura, politicaEgresos } = await findConfiguracion(trx)
  const alcance = await findExpediente(trx, semillas)
  const periodos = await replaceMovimientos(trx, alcance, movimientosOf(alcance, politicaEgresos))
  await recomputeIva(trx, periodos, apertura)
}
