import { AppError } from '../../errors.ts'

// Of a request. What becomes of a single file is told by its result: zip-errors.ts and ../errors.ts.

export const uploadTooLarge = (max: number) =>
  new AppError(
    'too_large',
    'carga.too_large',
    `La carga pasa de ${max / 1_048_576} MB, el máximo de una vez. Divídela en varias.`,
  )

export const tooManyFiles = (max: number) =>
  new AppError(
    'too_large',
    'carga.too_many_files',
    `La carga trae más de ${max.toLocaleString('es-MX')} archivos, el máximo de una vez. Divídela en varias.`,
  )

export const nothingSent = () =>
  invalid('carga.empty', 'No llegó ningún archivo. Manda XML o ZIP en el campo «archivos».')

export const unknownField = (name: string) =>
  new AppError('invalid', 'request.invalid', `El formulario trae un campo que no se conoce. Usa sólo «archivos».`, {
    errors: [{ path: name, code: 'unrecognized_keys', message: 'Campo desconocido.' }],
  })

export const noBoundary = () =>
  invalid('request.multipart', 'Al formulario le falta su separador (boundary) en Content-Type.')

export const uploadCut = (cause?: unknown) =>
  new AppError('invalid', 'carga.cut', 'La carga se cortó antes de terminar y no se guardó nada.', { cause })

/** Answered as what it is, a 408, which no kind of AppError has. */
export const uploadTooSlow = () => Object.assign(new Error('the body stopped coming'), { statusCode: 408 })

export const noSpace = (cause?: unknown) =>
  new AppError(
    'no_space',
    'carga.no_space',
    'No hay espacio para recibir la carga y no se guardó nada. Ya lo registramos; intenta más tarde.',
    { cause },
  )

export const companyUploading = () =>
  new AppError(
    'too_many',
    'limite_inquilino',
    'Tu empresa ya está subiendo una carga. Espera a que termine de subir.',
    {
      retryAfterS: 5,
    },
  )

export const processUploading = () =>
  new AppError(
    'unavailable',
    'sobrecarga',
    'Hay demasiadas cargas subiendo en este momento. Intenta en unos segundos.',
    {
      retryAfterS: 5,
    },
  )

export const cargaNotFound = () => new AppError('not_found', 'carga.not_found', 'No existe esa carga en esta empresa.')

export const archivoNotFound = () =>
  new AppError(
    'not_found',
    'carga.archivo_not_found',
    'Esa carga no guarda ese archivo: sólo los que están en cuarentena.',
  )

export const nothingToRetry = () =>
  new AppError(
    'conflict',
    'carga.nothing_to_retry',
    'La carga no tiene nada que reintentar: no hay archivos en cuarentena ni fuera del límite de tu plan.',
  )

export const filesGone = () =>
  new AppError(
    'gone',
    'carga.files_gone',
    'Los archivos de la carga ya se borraron. Sube otra vez los mismos archivos y seguirá donde se quedó.',
  )

export const cargaClosed = () =>
  new AppError('conflict', 'carga.closed', 'La carga ya terminó: no hay nada que cancelar.')

/** Of the import: what was uploaded is not on the disk any more, or is something else. */
export const filesLost = (cause?: unknown) =>
  new AppError(
    'unavailable',
    'carga.files_lost',
    'Los archivos de la carga se perdieron antes de terminar. Sube otra vez los mismos archivos y seguirá donde se quedó.',
    { cause },
  )

export const importPaused = () => new AppError('unavailable', 'carga.paused', 'La importación sigue en otro momento.')

const invalid = (code: string, mensaje: string) => new AppError('invalid', code, mensaje)
