import { AppError } from '../../errors.ts'

// Of an answer of Descargar. Whatever it was, nothing of it is kept: the package is where it was, at the SAT.

/** A page, nothing, half an answer, a fault of the service: later again. */
export const descargaNoDisponible = (cause: Error) =>
  new AppError('unavailable', 'sat.no_disponible', 'El servicio de descarga del SAT no responde. Seguimos más tarde.', {
    cause,
    retryAfterS: 60,
  })

/** Fault `InvalidSecurity`: our clock or our seal. */
export const descargaSeguridad = (cause: Error) =>
  new AppError(
    'unavailable',
    'sat.seguridad',
    'El SAT no aceptó la firma de la solicitud: la hora de nuestro servidor o la e.firma. Ya lo registramos.',
    { cause },
  )

/** A whole answer that is none. */
export const descargaIlegible = (cause: Error) =>
  new AppError('unavailable', 'sat.respuesta_ilegible', 'El SAT respondió algo que no entendemos. Intenta más tarde.', {
    cause,
    retryAfterS: 600,
  })

export const sinEspacio = (cause?: unknown) =>
  new AppError(
    'no_space',
    'sat.sin_espacio',
    'No hay espacio para recibir el paquete del SAT y no se guardó nada. Ya lo registramos; seguimos más tarde.',
    { cause },
  )
