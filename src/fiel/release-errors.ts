import { AppError } from '../errors.ts'

// What an operator reads who opens an e.firma by hand.

export const sinEfirma = (rfc: string) =>
  new AppError('not_found', 'fiel.ausente', `${rfc} no tiene una e.firma guardada.`)

export const sinLlave = (kid: string) =>
  new AppError(
    'rejected',
    'fiel.sin_llave',
    `La e.firma está envuelta con la llave ${kid}, que no está en FIEL_ENCRYPTION_KEY. Con horux keys status se ve cuáles faltan.`,
  )

export const danada = () =>
  new AppError('rejected', 'fiel.danada', 'Lo guardado no abre: no es lo que se selló. Pide que la suban de nuevo.')

export const yaAbierta = (folder: string, until: Date) =>
  new AppError(
    'conflict',
    'fiel.ya_abierta',
    `Ya está abierta en ${folder} y se borra a las ${until.toISOString()}. Para cerrarla antes: horux fiel borrar.`,
  )

export const cambioMientras = () =>
  new AppError('conflict', 'fiel.cambio', 'La e.firma se reemplazó o borró en este momento. No se abrió nada.')

export const interrumpida = () =>
  new AppError('rejected', 'fiel.interrumpida', 'Se interrumpió: lo que se había escrito ya se borró.')

export const carpetaInsegura = (folder: string, why: string, options?: ErrorOptions) =>
  new AppError('rejected', 'fiel.carpeta_insegura', `No se abre nada en ${folder} (FIEL_RUNTIME_PATH): ${why}`, options)
