import { AppError } from '../../errors.ts'

export const exportNotFound = () =>
  new AppError('not_found', 'exportacion.not_found', 'No existe esa exportación en esta empresa.')

export const tooManyOpen = (max: number) =>
  new AppError(
    'too_many',
    'exportacion.demasiadas',
    `Tu empresa ya tiene ${max} exportaciones en curso. Espera a que termine una o cancélala.`,
    { retryAfterS: 15 },
  )

export const exportEnded = () =>
  new AppError('conflict', 'exportacion.terminada', 'Esa exportación ya terminó: no hay nada que cancelar.')

export const exportNotReady = () =>
  new AppError('conflict', 'exportacion.no_lista', 'Esa exportación no tiene un archivo que descargar.')

export const exportExpired = () =>
  new AppError('gone', 'exportacion.vencida', 'El enlace venció y el archivo se borró. Vuelve a exportar.')

/** The same for one that never was, one of another company and one that was replaced: a stranger learns nothing. */
export const linkUnknown = () => new AppError('not_found', 'descarga.desconocida', 'Ese enlace de descarga no existe.')

export const tooManyDownloads = () =>
  new AppError('too_many', 'descarga.demasiadas', 'Hay demasiadas descargas a la vez. Intenta de nuevo en un minuto.', {
    retryAfterS: 60,
  })

export const noSpace = (cause?: unknown) =>
  new AppError(
    'no_space',
    'exportacion.sin_espacio',
    'No hay espacio para preparar la exportación. Ya avisamos al equipo de operación; intenta más tarde o con menos CFDI.',
    { cause },
  )

/** A worker is at it, or was when it died: asked again until that is settled. */
export const exportBusy = () =>
  new AppError('unavailable', 'exportacion.en_curso', 'Otro proceso está preparando esa exportación.')

/** The worker leaves; the next one begins anew. */
export const exportInterrupted = () =>
  new AppError('unavailable', 'exportacion.interrumpida', 'La exportación se interrumpió y comenzará de nuevo.')

export const exportFailed = () =>
  new AppError('unavailable', 'exportacion.fallida', 'No pudimos preparar la exportación. Intenta de nuevo.')

export const filterOutdated = () =>
  new AppError('rejected', 'exportacion.filtro', 'Ese filtro ya no se puede leer. Vuelve a exportar desde la lista.')
