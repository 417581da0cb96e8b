import { z } from 'zod'
import { isRfc } from '../fiscal/rfc.ts'
import { booleano, cursor, instante, limite, pagina, texto, uuid } from '../http/zod.ts'
import { parseAddress } from '../mail/address.ts'
import { estados } from './estados.ts'

const rfc = texto(20).toUpperCase().refine(isRfc, 'No es un RFC: se esperaban 12 o 13 caracteres, como ABC850101AB1.')

/** An e-mail as accounts are found by: lower case, and nothing that a mail cannot be sent to. */
export const correo = texto(254)
  .toLowerCase()
  .refine((text) => parseAddress(text) !== null, 'Se esperaba un correo, como ana@empresa.mx.')
  .meta({ format: 'email' })

const estado = z.enum([...Object.values(estados), 'en_espera'])

// In.

export const Registro = z.strictObject({
  rfc,
  nombre: texto(254),
  admin: z.strictObject({ email: correo, nombre: texto(120) }),
  plan: z
    .string()
    .regex(/^[a-z_]{1,40}$/, 'Se esperaba la clave de un plan, como starter.')
    .default('starter'),
  regimen: z
    .string()
    .regex(/^6\d\d$/, 'Se esperaba la clave de un régimen fiscal, como 601.')
    .optional(),
  /** False: without a trial, the first payment is awaited at once. */
  prueba: z.boolean().default(true),
})

export const Cambio = z
  .strictObject({ nombre: texto(254).optional(), suspendida: z.boolean().optional(), motivo: texto(300).optional() })
  .refine(
    ({ nombre, suspendida }) => nombre !== undefined || suspendida !== undefined,
    'Indica qué cambiar: nombre o suspendida.',
  )

export const TenantId = z.strictObject({ id: uuid })

export const Busqueda = z.strictObject({
  limite,
  cursor: cursor.optional(),
  rfc: rfc.optional(),
  nombre: texto(100).optional(),
  estado: estado.optional(),
  /** Also those that were deleted or purged. */
  eliminadas: booleano.default(false),
})

// Out.

export const Empresa = z.strictObject({
  id: uuid,
  rfc: z.string(),
  nombre: z.string(),
  estado,
  suspendida: z.boolean(),
  motivoSuspension: z.string().nullable(),
  plan: z.string().nullable(),
  servidor: z.string().nullable(),
  baseDeDatos: z.string().nullable(),
  versionEsquema: z.int().nullable(),
  creadaEn: instante,
  eliminadaEn: instante.nullable(),
  purgarDesdeEn: instante.nullable(),
})

export const Empresas = pagina(Empresa)

const Paso = z.strictObject({
  paso: z.string(),
  descripcion: z.string(),
  estado: z.enum(['hecho', 'en_curso', 'pendiente', 'fallido', 'deshecho']),
})

export const Aprovisionamiento = z.strictObject({
  tenantId: uuid,
  operacionId: uuid,
  tipo: z.enum(['aprovisionar', 'suspender', 'reactivar', 'eliminar', 'restaurar', 'purgar']),
  estado: z.enum(['en_cola', 'en_curso', 'terminada', 'fallida', 'deshaciendo', 'deshecha']),
  intentos: z.int(),
  pasos: z.array(Paso),
  error: z.strictObject({ paso: z.string(), code: z.string(), mensaje: z.string() }).nullable(),
  creadaEn: instante,
  terminadaEn: instante.nullable(),
})
