import { AppError } from '../../errors.ts'

/** It did not answer, or not with an answer. `cause` says how. */
export const satNoDisponible = (cause: Error, retryAfterS = 60) =>
  new AppError(
    'unavailable',
    'sat.no_disponible',
    'El servicio del SAT que dice el estado de un CFDI no responde. Intenta de nuevo en unos minutos.',
    { cause, retryAfterS },
  )

/** Not asked: it has been failing, or too many of us are waiting for their turn. */
export const satEnPausa = (why: string, retryAfterS: number) => satNoDisponible(new NotAsked(why), retryAfterS)

/** Whether the SAT was not even asked: what was to be asked is as it was. */
export const wasNotAsked = (error: unknown): boolean => error instanceof AppError && error.cause instanceof NotAsked

class NotAsked extends Error {}

/** A whole answer with words that we do not know. */
export const satIlegible = (cause: Error) =>
  new AppError('unavailable', 'sat.respuesta_ilegible', 'El SAT respondió algo que no entendemos. Intenta más tarde.', {
    cause,
    retryAfterS: 600,
  })

export const satSinConsulta = () =>
  new AppError(
    'rejected',
    'sat.sin_consulta',
    'El SAT no tiene consulta de estado para comprobantes de retenciones. Revísalo en su portal.',
  )
