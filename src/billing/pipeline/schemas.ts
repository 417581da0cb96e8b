import { z } from 'zod'

/** Anything: what is in it is looked at and not believed. */
export const Aviso = z
  .unknown()
  .meta({ description: 'Como lo manda MercadoPago: {id, type, action, user_id, data: {id}}.' })

export const AvisoQuery = z.looseObject({})

export const Recibido = z.strictObject({ resultado: z.enum(['aceptado', 'repetido', 'ignorado']) })
