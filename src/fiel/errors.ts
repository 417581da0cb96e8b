import { AppError } from '../errors.ts'

export const certificadoIlegible = (cause?: unknown) =>
  new AppError(
    'rejected',
    'fiel.certificado_ilegible',
    'El archivo del certificado no se puede leer. Sube el .cer de tu e.firma tal como lo entregó el SAT, sin abrirlo ni convertirlo.',
    { cause },
  )

export const certificadoSinRfc = () =>
  new AppError(
    'rejected',
    'fiel.certificado_sin_rfc',
    'El certificado no dice de qué RFC es, así que no es una e.firma del SAT. Sube el .cer de tu e.firma.',
  )

export const certificadoSinSerie = () =>
  new AppError(
    'rejected',
    'fiel.certificado_sin_serie',
    'El número de serie del certificado no es de los que da el SAT. Sube el .cer de tu e.firma.',
  )
