import type { z } from 'zod'
import type { Progress } from '../../http/sse.ts'
import type { Exportacion as Row } from './queries.ts'
import { Exportacion } from './schemas.ts'

/** An export as it goes out. Its time is up when it is up, not when the sweep comes by. */
export function toExportacion(row: Row, now: Date): z.input<typeof Exportacion> {
  const { error_codigo: code, error_mensaje: mensaje } = row
  return {
    id: row.id,
    formato: row.formato,
    filtro: row.filtro,
    estado: isExpired(row, now) ? 'vencida' : row.estado,
    total: row.total,
    procesados: row.procesados,
    bytes: row.bytes === null ? null : Number(row.bytes),
    sha256: row.sha256?.toString('hex') ?? null,
    error: code === null || mensaje === null ? null : { code, mensaje },
    creadaPor: row.creada_por_email,
    creadaEn: row.creada_en,
    corteEn: row.corte_en,
    terminadaEn: row.terminada_en,
    venceEn: row.vence_en,
  }
}

export const isExpired = ({ estado, vence_en }: Pick<Row, 'estado' | 'vence_en'>, now: Date): boolean =>
  estado === 'vencida' || (estado === 'lista' && vence_en !== null && vence_en <= now)

export function toProgress(row: Row, now: Date): Progress<z.output<typeof Exportacion>> {
  return {
    secuencia: BigInt(row.secuencia),
    final: row.estado !== 'pendiente' && row.estado !== 'procesando',
    datos: Exportacion.parse(toExportacion(row, now)),
  }
}
