import { z } from 'zod'
import { cursor, instante, limite, pagina, texto } from '../../http/zod.ts'
import { DESTINOS } from '../../taxes/movimiento.ts'

const dia = z.iso
  .date('Se esperaba una fecha como 2026-03-31.')
  .refine((text) => text.startsWith('20'), 'Se esperaba una fecha de este siglo.')

const porcentaje = z
  .string()
  .regex(
    /^(?:100(?:\.0{1,2})?|\d{1,2}(?:\.\d{1,2})?)$/,
    'Se esperaba un porcentaje de 0 a 100 con hasta dos decimales.',
  )
  .meta({ examples: ['8.50'] })

/** Null takes an annotation back; what is left out stays as it is. */
export const AnotacionesPedidas = z
  .strictObject({
    fechaPago: dia.nullable().optional(),
    porcentajeDeducible: porcentaje.nullable().optional(),
    destinoIva: z.enum(DESTINOS).nullable().optional(),
    excluir: z.boolean().nullable().optional(),
    motivo: texto(500),
  })
  .refine(
    ({ motivo: _, ...campos }) => Object.values(campos).some((value) => value !== undefined),
    'Indica qué anotar.',
  )

const vigente = <T extends z.ZodType>(valor: T) =>
  z.strictObject({ valor, motivo: z.string(), autor: z.string(), creadaEn: instante }).nullable()

/** What holds of a document; null where nothing was noted or it was taken back. */
export const AnotacionesVigentes = z
  .strictObject({
    fechaPago: vigente(z.string()),
    porcentajeDeducible: vigente(z.string()),
    destinoIva: vigente(z.enum(DESTINOS)),
    excluir: vigente(z.literal(true)),
  })
  .meta({ id: 'AnotacionesVigentes' })

export const Anotado = z.strictObject({ uuid: z.guid(), vigentes: AnotacionesVigentes }).meta({ id: 'CfdiAnotado' })

export const HistorialConsultado = z.strictObject({ limite, cursor: cursor.optional() })

export const Anotacion = z
  .strictObject({
    campo: z.enum(['fechaPago', 'porcentajeDeducible', 'destinoIva', 'excluir']),
    /** As text; null when it was taken back. */
    valor: z.string().nullable(),
    motivo: z.string(),
    autor: z.string(),
    /** Somebody of Horux360 in the name of the company. */
    esPlataforma: z.boolean(),
    creadaEn: instante,
  })
  .meta({ id: 'Anotacion' })

export const Anotaciones = pagina(Anotacion)
