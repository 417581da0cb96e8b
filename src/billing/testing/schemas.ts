import { z } from 'zod'
import { instante } from '../../http/zod.ts'

export const Move = z.strictObject({ ahora: z.iso.datetime({ offset: true }).transform((text) => new Date(text)) })
export const Reloj = z.strictObject({ ahora: instante })

const cuenta = z.int().min(0)
/** `listos` can go now; `enEspera` wait for a later instant. */
const Pendientes = z.strictObject({ listos: cuenta, enEspera: cuenta })

export const Idle = z.strictObject({
  ocioso: z.boolean(),
  /** When there will be something to do again, on the clock that can be moved. */
  siguiente: instante.nullable(),
  pendientes: z.strictObject({
    /** By queue. What waits for a retry waits on the real clock. */
    trabajos: z.record(z.string(), Pendientes),
    correos: Pendientes,
    recursos: Pendientes,
    comandos: Pendientes,
    suscripciones: Pendientes,
  }),
})
