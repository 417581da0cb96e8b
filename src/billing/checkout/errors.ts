import { AppError } from '../../errors.ts'
import { type Centavos, formatCentavos } from '../../fiscal/money.ts'
import { rejectionReasonOf } from '../mercadopago/errors.ts'
import { CEILING_C } from '../prices.ts'

/** What is paid meanwhile would only become credit (architecture.md, `suspended_by_staff`). */
export const heldByStaff = () =>
  new AppError(
    'conflict',
    'checkout.held_by_staff',
    'Horux360 suspendió esta suscripción. Escríbenos antes de pagar: un pago no la reactiva por sí solo.',
  )

/** What was sold is changed where its difference is worked out. */
export const useChangePlan = () =>
  new AppError(
    'conflict',
    'checkout.use_change_plan',
    'Para cambiar de plan o de frecuencia usa «Cambiar de plan»: ahí se calcula la diferencia.',
    { enlace: '/suscripcion' },
  )

export const overCeiling = (collectC: Centavos) =>
  new AppError(
    'rejected',
    'checkout.over_ceiling',
    `Son $${formatCentavos(collectC)} y MercadoPago cobra hasta $${formatCentavos(CEILING_C)} por suscripción. Paga por transferencia.`,
  )

/** One answer for a link that never was, has expired or was replaced: which of them is nobody's business. */
export const linkInvalid = () =>
  new AppError('not_found', 'checkout.link_invalid', 'Este enlace no existe o ya no sirve. Pide uno nuevo.')

export const linkStale = () =>
  new AppError(
    'conflict',
    'checkout.link_stale',
    'El plan o el importe cambió desde que se hizo este enlace. Pide uno nuevo.',
  )

export const alreadyAuthorized = () =>
  new AppError(
    'conflict',
    'checkout.already_authorized',
    'Este cobro ya se autorizó en MercadoPago. No hace falta pagarlo otra vez.',
  )

/** Each is a page at MercadoPago that we ask about for two days. */
export const tooManyAttempts = () =>
  new AppError(
    'too_many',
    'checkout.too_many_attempts',
    'Esta suscripción se intentó pagar demasiadas veces en un día. Intenta de nuevo mañana o paga por transferencia.',
    { retryAfterS: 3600 },
  )

/** Somebody cancelled, or chose another plan, while MercadoPago was being asked. */
export const overtaken = () =>
  new AppError(
    'conflict',
    'checkout.overtaken',
    'La suscripción cambió mientras preparábamos el pago. Empieza de nuevo.',
  )

/** A refusal that the payer can remedy names the field where he does. */
export function forPayer(error: AppError): AppError {
  const reason = rejectionReasonOf(error)
  if (reason !== 'payer_email_mismatch' && reason !== 'both_real_or_test') return error
  const errors = [{ path: 'correoPagador', code: reason, message: error.mensaje }]
  return new AppError(error.kind, error.code, `${error.mensaje} Cambia el correo e intenta de nuevo.`, {
    cause: error.cause,
    errors,
  })
}
