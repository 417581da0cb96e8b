import { z } from 'zod'
import { importe } from '../../http/zod.ts'
import { dia, diaPedido } from '../own/schemas.ts'

/** Days in Mexico City, both included. The month until today where nothing is said. */
export const Ventana = z.strictObject({ desde: diaPedido.optional(), hasta: diaPedido.optional() })

const ventana = { desde: dia, hasta: dia }

/** Monthly recurring revenue without IVA, and how it came from what it was: the parts add up to the end. */
export const Mrr = z
  .strictObject({
    ...ventana,
    inicial: importe,
    nuevo: importe,
    reactivacion: importe,
    expansion: importe,
    contraccion: importe,
    perdido: importe,
    final: importe,
    /** Twelve times the end. */
    arr: importe,
  })
  .meta({ id: 'Mrr' })

/** Percent with two decimals, half up; null where there was nothing to lose. */
const porcentaje = z
  .string()
  .regex(/^\d+\.\d\d$/)
  .nullable()

export const Churn = z
  .strictObject({
    ...ventana,
    suscriptores: z.strictObject({ inicio: z.int(), perdidos: z.int(), fin: z.int() }),
    churnDeClientes: porcentaje,
    churnBruto: porcentaje,
    retencionNeta: porcentaje,
  })
  .meta({ id: 'Churn' })

export const SuscriptoresActivos = z
  .strictObject({
    ...ventana,
    inicio: z.int(),
    fin: z.int(),
    /** At the end of each day. */
    dias: z.array(z.strictObject({ fecha: dia, suscriptores: z.int(), mrr: importe })),
  })
  .meta({ id: 'SuscriptoresActivos' })
