import { z } from 'zod'
import { cursor, importe, instante, limite, pagina, texto, textoLargo, uuid } from '../../http/zod.ts'
import { accesses, dia, Pago, statuses } from '../own/schemas.ts'
import { estados } from '../subscription.ts'

export const DeEmpresa = z.strictObject({ tenantId: uuid })
export const UnPago = z.strictObject({ tenantId: uuid, id: uuid })
export const PaginaDePagos = z.strictObject({ limite, cursor: cursor.optional() })

/** Pesos that move: above zero, below ten millions. */
const cantidad = z
  .string()
  .regex(/^\d{1,7}\.\d{2}$/, 'Se esperaba un importe con dos decimales, como 650.00.')
  .refine((text) => /[1-9]/.test(text), 'El importe debe ser mayor que cero.')

/** With what staff proves what happened at a bank. */
const evidencia = z.strictObject({
  banco: texto(80).optional(),
  nota: textoLargo(500).optional(),
  urlComprobante: z
    .url({ protocol: /^https$/ })
    .max(500)
    .optional(),
})

export const PagoRecibido = z.strictObject({
  importe: cantidad,
  /** The day in Mexico City on which the money was there. */
  fecha: dia,
  /** The bank's, which makes it one payment however often it is sent. */
  referencia: texto(80),
  evidencia: evidencia.default({}),
  /** The change of plan that it pays, where it is not the next period. */
  cambio: uuid.optional(),
})

export const estadosDeReembolso = ['solicitado', 'confirmado', 'fallido'] as const

export const Reembolso = z.strictObject({
  id: uuid,
  importe,
  estado: z.enum(estadosDeReembolso),
  motivo: z.string(),
  error: z.string().nullable(),
  solicitadoEn: instante,
  terminadoEn: instante.nullable(),
})

/** A payment as staff sees it. */
export const PagoCompleto = z.strictObject({
  ...Pago.shape,
  /** MercadoPago's number, and what it calls its state. */
  pagoMercadoPago: z.string().nullable(),
  estadoMercadoPago: z.string().nullable(),
  metodo: z.string().nullable(),
  factura: z.int().nullable(),
  cambio: uuid.nullable(),
  evidencia: evidencia.nullable(),
  registradoEn: instante,
  reembolsos: z.array(Reembolso),
})

export const Pagos = pagina(PagoCompleto)

export const aplicaciones = ['periodo', 'cambio', 'credito', 'incompleto'] as const

export const PagoAplicado = z.strictObject({
  pago: PagoCompleto,
  /** What it bought: a period, a change of plan, nothing (credit), or not enough for what is owed (credit too). */
  aplicado: z.enum(aplicaciones),
  suscripcion: z.strictObject({
    status: z.enum(statuses),
    estado: z.enum(estados),
    access: z.enum(accesses),
    paid_through: dia.nullable(),
    credit: importe,
  }),
})

export const NuevoReembolso = z.strictObject({
  /** Null is all that is left. */
  importe: cantidad.nullable(),
  motivo: texto(300),
  /** Of a transfer, which was given back at the bank. */
  evidencia: evidencia.refine((given) => Object.keys(given).length > 0, 'Indica al menos un dato.').optional(),
})
