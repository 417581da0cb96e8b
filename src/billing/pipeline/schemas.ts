import { z } from 'zod'

/** Anything: what is in it is looked at and not believed. */
export const Aviso = z.unknown()

export const AvisoQuery = z.looseObject({})

export const Recibido = z.strictObject({ resultado: z.enum(['aceptado', 'repetido', 'ignorado']) })
