import { AppError } from '../../errors.ts'

export const tooManyPages = () =>
  new AppError(
    'rejected',
    'cfdi.pdf_too_large',
    'El CFDI tiene demasiados conceptos para imprimirse. Descarga su XML, que los trae todos.',
  )

export const pdfTooSlow = () =>
  new AppError(
    'rejected',
    'cfdi.pdf_too_slow',
    'El CFDI es demasiado grande para imprimirse al momento. Pídelo como exportación ZIP de PDF: se prepara en segundo plano.',
  )

export const pdfBusy = () =>
  new AppError('unavailable', 'cfdi.pdf_busy', 'Hay muchos PDF en preparación. Intenta de nuevo en unos segundos.', {
    retryAfterS: 5,
  })
