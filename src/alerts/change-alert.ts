import { writeAuditoria } from '../db/audit.ts'
import type { TenantDb } from '../db/databases.ts'
import { addDays, addMonths, type Fecha, fechaOf, instantOf } from '../fiscal/fecha.ts'
import { alertaNotFound, alertaResuelta, pospuestaFueraDePlazo } from './errors.ts'
import { type AlertaRow, lockAlerta, updateAlerta } from './queries.ts'

export interface Cambio {
  leida?: boolean | undefined
  pospuesta?: { hasta: Fecha; motivo: string } | null | undefined
}

export interface Autor {
  userId: string
  email: string
  esPlataforma: boolean
  requestId: string
}

/**
 * Marks an alert as read, or puts it off until the beginning of a day, with a reason that stays in the audit log. What it
 * tells of is neither changed nor resolved: an open one comes back on its day.
 * @throws AppError `alerta.no_encontrada`; rejected `alerta.resuelta`, `alerta.plazo`
 */
export function changeAlerta(
  db: TenantDb,
  id: string,
  { leida, pospuesta }: Cambio,
  { autor, now }: { autor: Autor; now: Date },
): Promise<AlertaRow> {
  return db.transaction().execute(async (trx) => {
    const alerta = await lockAlerta(trx, id)
    if (!alerta) throw alertaNotFound()
    if (pospuesta) {
      if (alerta.resuelta_en) throw alertaResuelta()
      const [desde, hasta] = [addDays(fechaOf(now), 1), addMonths(fechaOf(now), 12)]
      if (pospuesta.hasta < desde || pospuesta.hasta > hasta) throw pospuestaFueraDePlazo(desde, hasta)
    }
    if (pospuesta !== undefined)
      await writeAuditoria(trx, {
        ocurrioEn: now,
        usuario: { userId: autor.userId, email: autor.email },
        esPlataforma: autor.esPlataforma,
        accion: pospuesta ? 'alerta.pospuesta' : 'alerta.retomada',
        motivo: pospuesta?.motivo ?? null,
        detalle: { alertaId: id, clave: alerta.clave, ...(pospuesta && { hasta: pospuesta.hasta }) },
        requestId: autor.requestId,
      })
    return updateAlerta(trx, id, {
      ...(leida === true && { leida_en: alerta.leida_en ?? now, leida_por: alerta.leida_por ?? autor.userId }),
      ...(leida === false && { leida_en: null, leida_por: null }),
      ...(pospuesta !== undefined && {
        pospuesta_hasta: pospuesta ? instantOf(pospuesta.hasta) : null,
        pospuesta_motivo: pospuesta?.motivo ?? null,
      }),
      actualizada_en: now,
    })
  })
}
