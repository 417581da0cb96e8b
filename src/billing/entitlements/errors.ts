import { AppError } from '../../errors.ts'
import type { Feature } from '../plans/features.ts'
import type { Estado } from '../subscription.ts'

/** Where a person puts it right. */
const enlace = '/suscripcion'

export const subscriptionReadOnly = (estado: Estado | null) =>
  new AppError(
    'payment_required',
    'subscription_read_only',
    `${why(estado)} Puedes consultar y exportar, pero no cambiar nada. Regularízala en Suscripción.`,
    { enlace },
  )

export const subscriptionBlocked = (estado: Estado | null) =>
  new AppError(
    'payment_required',
    'subscription_blocked',
    `${why(estado)} Regularízala en Suscripción; ahí también puedes exportar tus datos.`,
    { enlace },
  )

/** `plan` is the cheapest on sale that has it. */
export const featureNotInPlan = (feature: Feature, plan: { nombre: string } | undefined) => {
  const mensaje = `Tu plan no incluye ${NAMES[feature]} (${feature}).${plan ? ` Está en el plan ${plan.nombre}.` : ''}`
  return new AppError('payment_required', 'feature_not_in_plan', mensaje, {
    enlace,
    errors: [{ path: feature, code: 'feature_not_in_plan', message: mensaje }],
  })
}

function why(estado: Estado | null): string {
  switch (estado) {
    case 'grace_period':
      return 'No pudimos cobrar tu suscripción.'
    case 'suspendida':
      return 'Tu suscripción está suspendida.'
    case 'pausada':
      return 'Tu suscripción está en pausa.'
    case 'vencida':
      return 'Tu periodo de prueba terminó sin un pago.'
    case 'cancelada':
      return 'Tu suscripción está cancelada.'
    case 'trial':
    case 'activa':
    case 'pendiente_pago':
    case null:
      return 'Tu suscripción no está en orden.'
  }
}

const NAMES: Record<Feature, string> = {
  dashboard: 'el tablero',
  cfdi_basic: 'los CFDI',
  iva_isr: 'el cálculo de IVA e ISR',
  reportes: 'los reportes',
  alertas: 'las alertas',
  calendario: 'el calendario fiscal',
  xml_sat: 'la descarga de XML del SAT',
  conciliacion: 'la conciliación bancaria',
  forecasting: 'el pronóstico de flujo',
  multi_empresa: 'varias empresas',
  api_externa: 'la API para otros sistemas',
}
