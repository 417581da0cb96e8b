import { z } from 'zod'
import { cursor, entero, importe, instante, limite, pagina, uuid } from '../../http/zod.ts'
import { estados as mailStates } from '../../mail/schemas.ts'
import { accesses, dia, periodo } from '../own/schemas.ts'
import { estados } from '../subscription.ts'

export const DeEmpresa = z.strictObject({ tenantId: uuid })
export const PaginaDeHechos = z.strictObject({ limite, cursor: cursor.optional() })

/** One thing that happened, as anybody of the company may read it. */
const hecho = {
  id: uuid,
  en: instante,
  evento: z.string(),
  que: z.string(),
  quien: z.string(),
  regla: z.strictObject({ clave: z.string(), texto: z.string() }),
  /** What it changed, under the names of the subscription. */
  cambios: z.array(z.strictObject({ dato: z.string(), antes: z.string().nullable(), despues: z.string().nullable() })),
  pago: z.strictObject({ id: uuid, importe, estado: z.string() }).nullable(),
  correos: z.array(
    z.strictObject({
      plantilla: z.string(),
      para: z.string(),
      estado: z.enum(Object.values(mailStates)),
      enviadoEn: instante.nullable(),
    }),
  ),
}

export const Hecho = z.strictObject(hecho)

/** And what support needs beside it. */
export const HechoDetallado = z.strictObject({
  ...hecho,
  origen: z.enum(['mercadopago', 'timer', 'owner', 'staff', 'system']),
  movioEstado: z.boolean(),
  /** The delivery of MercadoPago after which it was seen. */
  entrega: z.strictObject({ id: uuid, requestId: z.string(), recibidaEn: instante }).nullable(),
  requestId: z.string().nullable(),
  /** Monthly value without IVA. */
  valor: z.strictObject({ antes: importe, despues: importe }),
})

const explicacion = {
  respuesta: z.string(),
  estado: z.enum(estados),
  access: z.enum(accesses),
  desde: dia,
}

export const Explicacion = z.strictObject({ ...explicacion, hechos: z.array(Hecho) }).meta({ id: 'Explicacion' })
export const ExplicacionDetallada = z
  .strictObject({ ...explicacion, hechos: z.array(HechoDetallado) })
  .meta({ id: 'ExplicacionDetallada' })
export const Historial = pagina(HechoDetallado)

export const supuestos = ['se_paga', 'no_se_paga'] as const

export const ConsultaDePronostico = z.strictObject({
  dias: entero(1, 400).default(60),
  supuesto: z.enum(supuestos).default('se_paga'),
})

export const Pronostico = z
  .strictObject({
    supuesto: z.enum(supuestos),
    dias: z.int(),
    pasos: z.array(
      z.strictObject({
        en: instante,
        que: z.string(),
        texto: z.string(),
        /** After the step. */
        estado: z.enum(estados),
        access: z.enum(accesses),
        importe: importe.nullable(),
        correo: z.string().nullable(),
        periodo: periodo.nullable(),
      }),
    ),
  })
  .meta({ id: 'Pronostico' })
