import type { z } from 'zod'
import { fechaOf } from '../fiscal/fecha.ts'
import type { AlertaRow } from './queries.ts'
import type { Severidad } from './raise-alert.ts'
import type { Alerta } from './schemas.ts'

/** An alert as the wire shows it. Put off until a day that has come is not put off any more. */
export const toAlerta = (row: AlertaRow, now: Date): z.input<typeof Alerta> => ({
  id: row.id,
  codigo: row.tipo,
  severidad: row.severidad as Severidad,
  titulo: row.titulo,
  mensaje: row.mensaje,
  accion: row.accion,
  uuid: row.uuid_fiscal,
  periodo: row.ejercicio === null || row.mes === null ? null : { ejercicio: row.ejercicio, mes: row.mes },
  montoEnRiesgo: row.monto_en_riesgo,
  detalle: row.detalle as Record<string, unknown>,
  creadaEn: row.creada_en,
  actualizadaEn: row.actualizada_en,
  leidaEn: row.leida_en,
  pospuesta:
    row.pospuesta_hasta && row.pospuesta_hasta > now
      ? { hasta: fechaOf(row.pospuesta_hasta), motivo: row.pospuesta_motivo ?? '' }
      : null,
  resueltaEn: row.resuelta_en,
  regla: row.regla,
})
