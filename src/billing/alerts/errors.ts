import { AppError } from '../../errors.ts'

export const alertNotFound = () => new AppError('not_found', 'alerts.not_found', 'No existe ese pendiente de cobranza.')

export const alertResolved = () => new AppError('conflict', 'alerts.resolved', 'Ese pendiente ya estaba resuelto.')

export const notAssignable = () =>
  new AppError('rejected', 'alerts.not_assignable', 'Sólo se asigna a una empresa un pago que no es de nadie.')

export const paymentTaken = () => new AppError('conflict', 'alerts.payment_taken', 'Ese pago ya es de una empresa.')

const WHY = {
  status: 'no está aprobado',
  collector: 'no se cobró en nuestra cuenta de MercadoPago',
  currency: 'no es en pesos',
  returned: 'ya se devolvió en parte',
} as const

/** Money that is not there, is not ours or is not pesos pays nothing. */
export const paymentUnusable = (why: keyof typeof WHY) =>
  new AppError('rejected', `alerts.payment_${why}`, `El pago no se puede asignar: ${WHY[why]}.`)
