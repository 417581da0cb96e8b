import { AppError } from '../../errors.ts'

/** What the SAT sent as a package is no archive that can be read: asked for again, nothing of it is kept. */
export const paqueteIlegible = ({ code, mensaje }: AppError) =>
  new AppError(
    'rejected',
    'sat.paquete_ilegible',
    `El paquete que entregó el SAT no se puede abrir (${code}). ${mensaje}`,
  )

/** Of a package that was downloaded and is not on the disk any more. */
export const paquetePerdido = (cause?: unknown) =>
  new AppError(
    'unavailable',
    'sat.paquete_perdido',
    'El paquete que se había descargado del SAT ya no está en el disco. Se pide otra vez.',
    { cause },
  )

export const lecturaPausada = () =>
  new AppError('unavailable', 'sat.lectura_pausada', 'La lectura del paquete sigue en otro momento.')
