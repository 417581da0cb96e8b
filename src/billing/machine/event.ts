import type { Fecha } from '../../fiscal/fecha.ts'
import type { Period } from '../periods.ts'
import type { Frecuencia, Subscription } from '../subscription.ts'

/**
 * What can happen to a subscription. Facts of MercadoPago come from resources that were fetched, never from a webhook's
 * body; what a mandate's status is stands in `Subscription.mandates` already when its event is given to `transition`.
 */
export type BillingEvent =
  | { readonly kind: 'checkout_iniciado'; readonly mandateId: string }
  | { readonly kind: 'mandato_autorizado'; readonly mandateId: string }
  | { readonly kind: 'mandato_pausado'; readonly mandateId: string }
  | { readonly kind: 'mandato_cancelado'; readonly mandateId: string }
  | PagoAprobado
  | PagoRechazado
  | { readonly kind: 'pago_en_proceso'; readonly paymentId: string }
  | PagoDevuelto
  /** What the customer has with us pays the next period whole, and no card will be charged for it. */
  | { readonly kind: 'saldo_cubre' }
  | { readonly kind: 'pausar'; readonly until: Fecha | null }
  | { readonly kind: 'reanudar' }
  | { readonly kind: 'cancelar_fin_periodo' }
  | { readonly kind: 'cancelar_inmediata' }
  | { readonly kind: 'deshacer_cancelacion' }
  | { readonly kind: 'extender_trial'; readonly until: Fecha }
  | { readonly kind: 'suspender_admin' }
  | { readonly kind: 'reactivar_admin'; readonly until: Fecha }
  | CambiarPlan
  | { readonly kind: 'trial_iniciado' }
  | { readonly kind: 'alta_sin_trial' }
  | { readonly kind: 'timer'; readonly timer: Timer }

/** Approved, ours, of the amount that was expected: the guards of billing.md 5.4 are behind it. */
export interface PagoAprobado {
  readonly kind: 'pago_aprobado'
  readonly paymentId: string
  /** The civil day in Mexico City on which it was approved. */
  readonly paidOn: Fecha
  readonly medio: 'mandato' | 'transferencia' | 'pago_unico'
  readonly mandateId: string | null
}

export interface PagoRechazado {
  readonly kind: 'pago_rechazado'
  readonly paymentId: string
  readonly mandateId: string | null
  /** Another attempt at the same instalment went through. */
  readonly instalmentPaid: boolean
}

/** All of it was given back, or taken back by the card's holder, or that was decided in our favour after all. */
export interface PagoDevuelto {
  readonly kind: 'pago_reembolsado' | 'contracargo' | 'contracargo_ganado'
  readonly paymentId: string
  /** What it had paid; null when it had become credit. */
  readonly period: Period | null
}

export interface CambiarPlan {
  readonly kind: 'cambiar_plan'
  readonly changeId: string
  readonly frecuencia: Frecuencia
  /** What pays a new period where the interval changes; null where the balance does. */
  readonly paymentId: string | null
}

/** What time alone brings about. */
export const timers = [
  'aviso_trial',
  'aviso_renovacion',
  'aviso_vencimiento',
  'preparar_cobro',
  'fin_trial',
  'cancelacion',
  'rodar',
  'vence_periodo',
  'fin_pendiente',
  'fin_gracia',
  'fin_suspension',
  'fin_pausa',
] as const
export type Timer = (typeof timers)[number]

export type MailTemplate =
  | 'pago_confirmado'
  | 'pago_fallido'
  | 'por_vencer_5d'
  | 'aviso_renovacion'
  | 'cancelada'
  | 'trial_por_vencer'
  | 'trial_vencido'
  | 'pago_pendiente'
  | 'gracia'
  | 'suspendida'
  | 'reactivada'
  | 'pausada'
  | 'pago_reembolsado'

export type AlertCode =
  | 'mandato_duplicado'
  | 'mandato_reaparecido'
  | 'pago_duplicado'
  | 'pago_tras_cancelacion'
  | 'pago_en_pausa'
  | 'pago_con_suspension'
  | 'contracargo'
  | 'reembolso_con_prepago'

/**
 * What must happen besides the new state. Data: the caller writes state and effects in one commit, and each has a key of
 * its own in the database, so that none happens twice.
 */
export type Effect =
  | {
      readonly kind: 'mail'
      readonly template: MailTemplate
      /** The natural key of billing.md 3.7: a payment, a boundary. */
      readonly key: string
      readonly paymentId?: string
    }
  /** Tell MercadoPago. `switch`: another mandate takes over; `end`: nothing does. */
  | {
      readonly kind: 'mandate'
      readonly mandateId: string
      readonly action: 'cancel' | 'pause' | 'resume'
      readonly why: 'switch' | 'end'
    }
  /** This payment pays this period: its invoice is prepared if it is not, and settled. */
  | { readonly kind: 'pay_period'; readonly period: Period; readonly paymentId: string }
  /** The balance pays this period, all of it. */
  | { readonly kind: 'pay_from_balance'; readonly period: Period }
  /** Money that bought nothing: it stays the customer's. */
  | { readonly kind: 'credit'; readonly reason: 'duplicate_payment' | 'late_payment'; readonly paymentId: string }
  | { readonly kind: 'prepare_invoice'; readonly period: Period }
  /** What the payment had settled is open again. */
  | { readonly kind: 'reopen_invoice'; readonly paymentId: string }
  /** Periods before this day that nobody paid will not be collected any more. */
  | { readonly kind: 'write_off'; readonly before: Fecha | null }
  | {
      readonly kind: 'alert'
      readonly code: AlertCode
      readonly key: string
      readonly paymentId?: string
      readonly mandateId?: string
    }

export type Result =
  /** The state moved. */
  | { readonly kind: 'next'; readonly sub: Subscription; readonly effects: readonly Effect[]; readonly rule: string }
  /** Facts may have been recorded, the state stays. */
  | { readonly kind: 'same'; readonly sub: Subscription; readonly effects: readonly Effect[]; readonly rule: string }
  /** Only commands of people: it does not apply in this state. */
  | { readonly kind: 'refused'; readonly code: RefusalCode }

export type RefusalCode =
  | 'estado_no_lo_permite'
  | 'ya_existe'
  | 'sin_cancelacion'
  | 'requires_checkout'
  | 'cancelacion_programada'
  | 'pago_pendiente'
  | 'fecha_pasada'
  | 'ya_pagada'
