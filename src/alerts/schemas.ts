import { z } from 'zod'
import { booleano, cursor, importe, instante, limite, pagina, texto, uuid } from '../http/zod.ts'
import { codigosAlerta, severidades } from './raise-alert.ts'

export const AlertasConsultadas = z.strictObject({
  estado: z.enum(['abiertas', 'resueltas', 'todas']).default('abiertas'),
  codigo: z.enum(codigosAlerta).optional(),
  severidad: z.enum(severidades).optional(),
  /** With those that somebody put off until later. */
  pospuestas: booleano.default(false),
  limite,
  cursor: cursor.optional(),
})

export const Alerta = z
  .strictObject({
    id: uuid,
    codigo: z.string(),
    severidad: z.enum(severidades),
    titulo: z.string(),
    mensaje: z.string(),
    /** What to do about it; null in alerts of an earlier version. */
    accion: z.string().nullable(),
    /** Folio fiscal of the CFDI it is about. */
    uuid: z.guid().nullable(),
    periodo: z.strictObject({ ejercicio: z.int(), mes: z.int() }).nullable(),
    montoEnRiesgo: importe.nullable(),
    /** What the rule knows besides, by code. */
    detalle: z.record(
      z.string(),
      z.unknown().meta({ description: 'Texto, número o lista; qué es depende del código.' }),
    ),
    creadaEn: instante,
    actualizadaEn: instante,
    leidaEn: instante.nullable(),
    /** Until the beginning of that day (Mexico City) it is not shown. */
    pospuesta: z.strictObject({ hasta: z.iso.date(), motivo: z.string() }).nullable(),
    resueltaEn: instante.nullable(),
    /** Version of the rule that told it. */
    regla: z.int(),
  })
  .meta({ id: 'Alerta' })

const cuantas = z.int().min(0)

export const Alertas = pagina(Alerta)
  .extend({
    /** Of all that match but for `severidad`, not only of this page. */
    conteos: z.strictObject({ critica: cuantas, alta: cuantas, aviso: cuantas, info: cuantas, sinLeer: cuantas }),
  })
  .meta({ id: 'Alertas' })

/** What is left out stays as it is. */
export const CambioDeAlerta = z
  .strictObject({
    leida: z.boolean().optional(),
    /** Null takes it back. */
    pospuesta: z
      .strictObject({
        hasta: z.iso.date('Se esperaba una fecha como 2026-03-31.').meta({ examples: ['2026-03-31'] }),
        motivo: texto(500),
      })
      .nullable()
      .optional(),
  })
  .refine(({ leida, pospuesta }) => leida !== undefined || pospuesta !== undefined, 'Indica qué cambiar.')

export const AlertaId = z.strictObject({ id: uuid })
