import { z } from 'zod'
import { instante, pagina, texto, uuid } from '../../http/zod.ts'
import { correo } from '../../tenants/schemas.ts'

export const tipos = ['simulador', 'sandbox', 'produccion'] as const

/** It goes into a header: visible ASCII, no blank, no line break. Written here and never read again. */
const accessToken = z
  .string()
  .regex(/^[\x21-\x7e]{16,300}$/, 'Se esperaba el access token de una aplicación de MercadoPago, sin espacios.')

const webhookSecret = z
  .string()
  .regex(/^[\x21-\x7e]{16,200}$/, 'Se esperaba el secreto de los webhooks: 16 caracteres o más, sin espacios.')
  .refine((secret) => new Set(secret).size >= 8, 'El secreto de los webhooks es demasiado fácil de adivinar.')

const nombre = texto(60)

export const NuevoConector = z.strictObject({
  nombre,
  tipo: z.enum(tipos),
  accessToken,
  webhookSecret: webhookSecret.nullable().default(null),
  correoPagadorPrueba: correo.nullable().default(null),
  permiteFechaInicio: z.boolean().default(false),
})

export const CambioDeConector = z
  .strictObject({
    nombre: nombre.optional(),
    accessToken: accessToken.optional(),
    /** The one until now goes on being accepted as the previous, until the next change. */
    webhookSecret: webhookSecret.optional(),
    /** Null stops accepting it now. */
    secretoAnterior: z.null().optional(),
    correoPagadorPrueba: correo.nullable().optional(),
    permiteFechaInicio: z.boolean().optional(),
    activo: z.boolean().optional(),
  })
  .refine((change) => Object.keys(change).length > 0, 'Indica qué cambiar.')

export const ConectorId = z.strictObject({ id: uuid })

export const Conector = z.strictObject({
  id: uuid,
  nombre: z.string(),
  tipo: z.enum(tipos),
  activo: z.boolean(),
  principal: z.boolean(),
  /** The last four characters, to tell which one it is; null when it cannot be read. */
  tokenTermina: z.string().max(4).nullable(),
  tieneSecreto: z.boolean(),
  tieneSecretoAnterior: z.boolean(),
  correoPagadorPrueba: z.string().nullable(),
  permiteFechaInicio: z.boolean(),
  /** As MercadoPago says whose the token is; null until it was asked. */
  cuenta: z.strictObject({ id: z.string(), apodo: z.string() }).nullable(),
  verificadoEn: instante.nullable(),
  ultimoError: z.string().nullable(),
  ultimoWebhookEn: instante.nullable(),
  creadoEn: instante,
})

export const Conectores = pagina(Conector)
