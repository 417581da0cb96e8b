import { z } from 'zod'
import { cursor, importe, instante, limite, pagina, texto, textoLargo, uuid } from '../../http/zod.ts'

export const BusquedaDePendientes = z.strictObject({
  estado: z.enum(['abiertas', 'resueltas']).default('abiertas'),
  codigo: texto(60).optional(),
  limite,
  cursor: cursor.optional(),
})

export const PendienteId = z.strictObject({ id: uuid })
export const Resolucion = z.strictObject({ nota: textoLargo(1000) })
export const Asignacion = z.strictObject({ tenantId: uuid })

export const Pendiente = z.strictObject({
  id: uuid,
  codigo: z.string(),
  gravedad: z.enum(['aviso', 'advertencia', 'critica']),
  /** What it means and what to do about it. */
  explicacion: z.string(),
  detalle: z.record(z.string(), z.string()),
  /** How often it was seen. */
  veces: z.int(),
  desde: instante,
  ultimaVez: instante,
  empresa: z.strictObject({ id: uuid, rfc: z.string(), nombre: z.string() }).nullable(),
  pago: z.strictObject({ id: uuid, idMercadoPago: z.string().nullable(), importe, estado: z.string() }).nullable(),
  permisoDeCobro: z.strictObject({ id: uuid, preapproval: z.string().nullable() }).nullable(),
  /** Whether `asignar` is what settles it. */
  asignable: z.boolean(),
  resuelta: z.strictObject({ en: instante, por: z.string().nullable(), nota: z.string() }).nullable(),
})

export const Pendientes = pagina(Pendiente)

export const PagoAsignado = z.strictObject({
  aplicado: z.enum(['periodo', 'credito', 'incompleto']),
  pendiente: Pendiente,
})
