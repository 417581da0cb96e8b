import { AppError } from '../errors.ts'
import type { RefusalCode } from './machine/event.ts'
import type { Estado } from './subscription.ts'

/** A command of a person that the state does not allow (billing.md 3.4): 409. */
export const refusal = (code: RefusalCode, estado: Estado) =>
  new AppError('conflict', `subscription.${code}`, REFUSALS[code](ESTADOS[estado]))

const ESTADOS: Record<Estado, string> = {
  trial: 'en periodo de prueba',
  activa: 'activa',
  pausada: 'en pausa',
  pendiente_pago: 'pendiente de pago',
  grace_period: 'en periodo de gracia',
  suspendida: 'suspendida',
  cancelada: 'cancelada',
  vencida: 'vencida',
}

const REFUSALS: Record<RefusalCode, (estado: string) => string> = {
  estado_no_lo_permite: (estado) => `No es posible mientras la suscripción está ${estado}.`,
  ya_existe: () => 'La empresa ya tiene una suscripción.',
  sin_cancelacion: () => 'La suscripción no tiene una cancelación programada.',
  requires_checkout: () =>
    'El permiso de cobro ya se canceló en MercadoPago y no se puede reactivar. Haz un pago nuevo para continuar.',
  cancelacion_programada: () => 'La suscripción ya tiene una cancelación programada.',
  pago_pendiente: () => 'Hay un pago pendiente. Págalo primero.',
  fecha_pasada: () => 'La fecha debe ser posterior a hoy.',
  ya_pagada: () => 'La suscripción ya se pagó alguna vez: su periodo de prueba no se extiende.',
}

export const subscriptionNotFound = () =>
  new AppError('not_found', 'subscription.not_found', 'La empresa no tiene suscripción.')
