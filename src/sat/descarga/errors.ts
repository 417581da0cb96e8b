import { AppError } from '../../errors.ts'

/** It did not answer, or not with an answer. `cause` says how. */
export const satNoDisponible = (cause: Error, retryAfterS: number) =>
  new AppError(
    'unavailable',
    'sat.no_disponible',
    'El servicio de descarga masiva del SAT no responde. Lo intentaremos de nuevo más tarde.',
    { cause, retryAfterS },
  )

/** Not sent: it has been failing. */
export const satEnPausa = (host: string, retryAfterS: number) =>
  new AppError(
    'unavailable',
    'sat.en_pausa',
    'El servicio de descarga masiva del SAT ha estado fallando. Lo intentaremos de nuevo en unos minutos.',
    { cause: new NotSent(`the breaker of ${host} is open`), retryAfterS },
  )

/** A whole answer that says nothing we know: whether anything came of what was asked is not known either. */
export const satIlegible = (cause: Error) =>
  new AppError('unavailable', 'sat.respuesta_ilegible', 'El SAT respondió algo que no entendemos. Ya lo revisamos.', {
    cause,
    retryAfterS: 600,
  })

export const satSeguridad = (cause: Error) =>
  new AppError(
    'unavailable',
    'sat.seguridad',
    'El SAT no aceptó la firma o la hora con que entramos a su servicio de descarga. Lo intentaremos de nuevo más tarde.',
    { cause, retryAfterS: 600 },
  )

/** Refused here, before a request was spent. */
export const satParametros = (problemas: readonly string[]) =>
  new AppError('rejected', 'sat.parametros', problemas.join(' '), {
    cause: new NotSent('the SAT would refuse it'),
    errors: problemas.map((message) => ({ path: '$', code: 'sat.parametros', message })),
  })

/** Whoever asked gave up. Whether the SAT got it is not known, unless `wasNotSent` says so. */
export const satInterrumpida = (cause: Error) =>
  new AppError('unavailable', 'sat.interrumpida', 'Se interrumpió la comunicación con el SAT.', {
    cause,
    retryAfterS: 60,
  })

/** Of a package, of which nothing is left. */
export const satSinEspacio = (cause: unknown) =>
  new AppError(
    'no_space',
    'sat.sin_espacio',
    'No hay espacio para recibir el paquete del SAT y no se guardó nada. Ya lo registramos; seguimos más tarde.',
    { cause },
  )

/** Whether surely nothing came to the SAT: what was to be asked, or fetched, is as it was and was not spent. */
export const wasNotSent = (error: unknown): boolean => error instanceof AppError && error.cause instanceof NotSent

/** The same failure, known to have happened before anything was sent. */
export function notSent(error: unknown): unknown {
  if (!(error instanceof AppError) || wasNotSent(error)) return error
  const { kind, code, mensaje, retryAfterS, errors } = error
  const cause = new NotSent(error.cause instanceof Error ? error.cause.message : 'not sent', { cause: error.cause })
  return new AppError(kind, code, mensaje, { cause, ...(retryAfterS && { retryAfterS }), ...(errors && { errors }) })
}

class NotSent extends Error {}
