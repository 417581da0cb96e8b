import { AppError } from '../errors.ts'

export const addressInvalid = () =>
  new AppError(
    'invalid',
    'mail.address_invalid',
    'La dirección de correo no es válida: escribe una sola, como nombre@dominio.mx.',
  )

/** The worker that had the mail died or is still at it; either way the next attempt finds out. */
export const mailInProgress = () =>
  new AppError('unavailable', 'mail.in_progress', 'El correo se está enviando en otro proceso.', { retryAfterS: 60 })

/** A newer release may have queued it; an older worker leaves it to a newer one. */
export const mailUnknown = (template: string, cause?: unknown) =>
  new AppError('unavailable', 'mail.unknown_template', `Este proceso no sabe escribir el correo «${template}».`, {
    cause,
  })
