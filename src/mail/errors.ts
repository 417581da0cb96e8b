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

export const mailNotFound = () => new AppError('not_found', 'mail.not_found', 'No existe ese correo.')

export const mailStillQueued = () =>
  new AppError('conflict', 'mail.queued', 'Ese correo todavía está en camino: se sigue intentando solo.')

export const templateNotFound = () =>
  new AppError('not_found', 'mail.template_not_found', 'No existe esa plantilla de correo.')

/** Its data was a secret and is gone, or is too old. Says how the same is achieved. */
export const mailNotResendable = (template: string) =>
  new AppError(
    'conflict',
    'mail.not_resendable',
    INSTEAD[template] ?? 'El contenido de ese correo ya no se conserva y no se puede reenviar.',
  )

const OLVIDE =
  'Ese correo llevaba una contraseña o un enlace que ya no se conserva. Pide a la persona que use «Olvidé mi contraseña» en la página de entrada: le llegará uno nuevo.'

const INSTEAD: Readonly<Record<string, string>> = {
  bienvenida: OLVIDE,
  invitacion: OLVIDE,
  restablecer: OLVIDE,
  enlace_pago: 'Ese correo llevaba un enlace de pago que ya no se conserva. Genera un enlace nuevo para la empresa.',
  aviso_renovacion:
    'Ese correo llevaba un enlace para cancelar que ya no se conserva. Avisa a la empresa por otro medio: puede cancelar desde su suscripción.',
}
