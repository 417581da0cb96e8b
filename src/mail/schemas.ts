import { z } from 'zod'
import { cursor, instante, limite, pagina, uuid } from '../http/zod.ts'
import type { MailState } from './operator-queries.ts'

/** What a mail's state is called outside. */
export const estados = {
  queued: 'en_cola',
  sent: 'enviado',
  failed: 'rechazado',
  expired: 'caducado',
} as const satisfies Record<MailState, string>

/** What a list may ask for; `sin_entregar` are those that nobody tries any more. */
export const states = {
  en_cola: ['queued'],
  enviado: ['sent'],
  rechazado: ['failed'],
  caducado: ['expired'],
  sin_entregar: ['failed', 'expired'],
} as const satisfies Record<string, readonly MailState[]>

// In.

const plantilla = z.string().regex(/^[a-z0-9_]{1,60}$/, 'Se esperaba el nombre de una plantilla, como pago_confirmado.')

export const Busqueda = z.strictObject({
  estado: z.enum(Object.keys(states) as (keyof typeof states)[]).optional(),
  plantilla: plantilla.optional(),
  tenant: uuid.optional(),
  limite,
  cursor: cursor.optional(),
})

export const CorreoId = z.strictObject({ id: uuid })

/** Any text: one that is no template is not found. */
export const PlantillaNombre = z.strictObject({ nombre: z.string().max(60) })

// Out. Nothing of what a mail says.

export const Correo = z.strictObject({
  id: uuid,
  plantilla: z.string(),
  para: z.string(),
  empresa: uuid.nullable(),
  estado: z.enum(Object.values(estados)),
  intentos: z.int(),
  reenvios: z.int(),
  ultimoError: z.string().nullable(),
  respuesta: z.string().nullable(),
  creadoEn: instante,
  enviadoEn: instante.nullable(),
  reenviable: z.boolean(),
})

export const Correos = pagina(Correo)

export const Reenvio = z.strictObject({ id: uuid, estado: z.literal('en_cola') })

export const Plantillas = z.strictObject({ datos: z.array(z.strictObject({ nombre: z.string(), asunto: z.string() })) })

export const Plantilla = z.strictObject({ asunto: z.string(), html: z.string(), texto: z.string() })
