import { folioAgotado, solicitudDesconocida, solicitudSinFalla } from './errors.ts'
import { alargada } from './machine.ts'
import { findChild, insertSolicitudes, lockSolicitud, resendFolio, saveSolicitud } from './request-queries.ts'
import { orderRun } from './run-queries.ts'
import type { SyncDeps } from './sync-deps.ts'

/**
 * A person wants a request that came to nothing tried again. Its parameters may be spent, so another takes its place, with
 * its end a second later; a folio has no other words, and is sent once more if the SAT may still take it. Asked for twice it
 * is the same, and so it is when a night has asked again meanwhile. @returns the id of the request that stands for it now
 * @throws AppError not_found `sat.solicitud_desconocida`; conflict `sat.solicitud_sin_falla`, `sat.folio_agotado`
 */
export async function retryRequest(
  { central, clock, queue }: Pick<SyncDeps, 'central' | 'clock' | 'queue'>,
  tenantId: string,
  id: string,
  by: { userId: string; email: string },
): Promise<string> {
  const now = clock.now()
  return central.transaction().execute(async (trx) => {
    const row = await lockSolicitud(trx, tenantId, id)
    if (!row) throw solicitudDesconocida()
    if (row.estado === 'sustituida') {
      const child = await findChild(trx, id)
      if (child) return child
    }
    const { consulta } = row
    const resent = consulta.direccion === 'folio' && row.siguienteEn !== null
    if (resent) return id
    if (row.estado !== 'fallida' && row.estado !== 'rechazada') throw solicitudSinFalla()
    if (consulta.direccion === 'folio' && row.intentos >= 2) throw folioAgotado()
    const run = await orderRun(trx, { tenantId, kind: 'manual', by, now })
    await queue.enqueue(trx, 'sat.sync', { tenantId })
    if (consulta.direccion === 'folio') {
      await resendFolio(trx, id, run.id, now)
      return id
    }
    await saveSolicitud(trx, row, { estado: 'sustituida', siguienteEn: null }, now)
    const nueva = { consulta: alargada(consulta), prioridad: FIRST, padreId: id, reintentos: row.reintentos + 1 }
    await insertSolicitudes(trx, { tenantId, jobId: run.id, rfc: row.rfc }, [nueva], now)
    return (await findChild(trx, id)) ?? id
  })
}

/** Somebody waits for it. */
const FIRST = 2_000_000
