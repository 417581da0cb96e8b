import { z } from 'zod'
import { textoExacto, uuid } from '../../http/zod.ts'
import { resourceKinds } from '../pipeline/queries.ts'

/** A resource of MercadoPago as `payment:123`. */
const recurso = textoExacto(90).regex(
  new RegExp(`^(${resourceKinds.join('|')}):[\\w-]{1,64}$`),
  `Se esperaba un recurso como payment:123. Tipos: ${resourceKinds.join(', ')}.`,
)

export const Reproceso = z
  .strictObject({
    /** A delivery that was received. */
    aviso: uuid.optional(),
    recurso: recurso.optional(),
    /** False only tells what would change. */
    aplicar: z.boolean().default(false),
  })
  .refine(
    ({ aviso, recurso }) => (aviso === undefined) !== (recurso === undefined),
    'Indica un aviso o un recurso, uno de los dos.',
  )

export const Reprocesado = z
  .strictObject({
    recurso: z.string(),
    aplicado: z.boolean(),
    /** What became of the mandates and payments that were read. */
    mandatos: z.array(z.string()),
    pagos: z.array(z.string()),
    cambios: z.array(z.strictObject({ que: z.string(), antes: z.string().nullable(), despues: z.string().nullable() })),
  })
  .meta({ id: 'Reprocesado' })
