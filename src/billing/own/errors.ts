import { AppError } from '../../errors.ts'

export const noPendingChange = () =>
  new AppError('not_found', 'subscription.no_pending_change', 'No hay un cambio de plan en espera de pago.')

/** Another one took its place, or it was discarded, while MercadoPago was asked for its page. */
export const changeReplaced = () =>
  new AppError(
    'conflict',
    'subscription.change_replaced',
    'El cambio de plan que pediste ya no es el que está en espera. Revisa tu suscripción e intenta de nuevo.',
  )
