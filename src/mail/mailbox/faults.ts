import { z } from 'zod'

/** What the mailbox pretends to suffer from. In memory: a restarted mailbox is a healthy one. */
export const Fallas = z.strictObject({
  /** Every recipient is refused for good (550). */
  rechazar: z.boolean(),
  /** Seconds of silence before each answer about a recipient. */
  demorarSegundos: z.number().int().min(0).max(120),
  /** How many more recipients are told to come back later (451). Counts down. */
  fallar4xxVeces: z.number().int().min(0).max(1_000),
})
export type Fallas = z.output<typeof Fallas>

/** A change of some switches. */
export const CambioFallas = Fallas.partial()

export const SIN_FALLAS: Fallas = { rechazar: false, demorarSegundos: 0, fallar4xxVeces: 0 }

export interface FaultSwitches {
  current(): Fallas
  /** Changes what is given and leaves the rest. */
  set(change: z.output<typeof CambioFallas>): Fallas
  /** What becomes of the next recipient. Uses up one 4xx. */
  next(): { delayMs: number; answer: 'ok' | 'later' | 'refused' }
}

export function faultSwitches(): FaultSwitches {
  let fallas = SIN_FALLAS
  const set = (change: z.output<typeof CambioFallas>) => {
    fallas = Fallas.parse({ ...fallas, ...change })
    return fallas
  }
  return {
    current: () => fallas,
    set,
    next() {
      const { rechazar, demorarSegundos, fallar4xxVeces } = fallas
      const delayMs = demorarSegundos * 1000
      if (fallar4xxVeces > 0) {
        set({ fallar4xxVeces: fallar4xxVeces - 1 })
        return { delayMs, answer: 'later' }
      }
      return { delayMs, answer: rechazar ? 'refused' : 'ok' }
    },
  }
}
