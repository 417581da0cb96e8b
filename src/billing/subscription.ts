import { daysBetween, type Fecha } from '../fiscal/fecha.ts'

/** The eight states inside (billing.md 3.1). */
export const estados = [
  'trial',
  'activa',
  'pausada',
  'pendiente_pago',
  'grace_period',
  'suspendida',
  'cancelada',
  'vencida',
] as const
export type Estado = (typeof estados)[number]

/** Why it is in its state; null where the state says all. */
export const motivos = [
  'alta', // signed up without a trial, waits for the first payment
  'primer_cobro', // the trial ended with a mandate, its first charge is awaited
  'renovacion',
  'reembolso',
  'contracargo',
  'usuario',
  'mp', // MercadoPago said so
  'admin',
  'impago',
  'fin_periodo',
  'trial',
  'alta_abandonada',
] as const
export type Motivo = (typeof motivos)[number]

/** The four names outside, as the API of MercadoPago has them. */
export type Status = 'authorized' | 'pending' | 'paused' | 'cancelled'

/** What the subscription lets the company do. */
export type Access = 'full' | 'read_only' | 'blocked'

export const frecuencias = ['mensual', 'anual'] as const
export type Frecuencia = (typeof frecuencias)[number]

/**
 * A permission to charge a card, as MercadoPago last told of it. `creating` until it answered our POST; `unknown` is a
 * status that we do not know, which changes nothing.
 */
export const mandateStatuses = ['creating', 'pending', 'authorized', 'paused', 'cancelled', 'unknown'] as const
export type MandateStatus = (typeof mandateStatuses)[number]

export interface Mandate {
  /** Ours, not MercadoPago's. */
  readonly id: string
  readonly status: MandateStatus
  /** 1, 2, … in the order in which checkouts were begun. */
  readonly attempt: number
  /** It was authorised at some time: money may have moved through it. */
  readonly wasAuthorized: boolean
  /** We asked MercadoPago to end it, and why: a switch of method never changes the subscription's state. */
  readonly cancelledByUs: 'switch' | 'end' | null
  readonly createdAt: Date
  /** The day of its next charge, as MercadoPago last told; null where it did not. */
  readonly chargesOn: Fecha | null
}

/** Which notices have gone, by the boundary they were about. */
export interface Notices {
  readonly trialEnding: Fecha | null
  readonly expiry: Fecha | null
  readonly renewal: Fecha | null
  /** The start of the unpaid period for which a rejection was mailed. */
  readonly rejection: Fecha | null
  /** The start of the period whose invoice was prepared and whose amount MercadoPago was told. */
  readonly prepared: Fecha | null
}

/**
 * A subscription as the machine sees it. Days are civil days in Mexico City and boundaries are midnights: a period is
 * [periodStart, periodEnd). Everything is replaced, nothing changed in place.
 */
export interface Subscription {
  readonly estado: Estado
  readonly motivo: Motivo | null
  readonly frecuencia: Frecuencia
  /** First day of the grid of periods; null until something was paid or given. */
  readonly anchor: Fecha | null
  readonly periodStart: Fecha | null
  readonly periodEnd: Fecha | null
  /** Paid up to this midnight: `periodEnd`, later when prepaid, `periodStart` when the money was taken back. */
  readonly paidThrough: Fecha | null
  readonly trialEnd: Fecha | null
  /** Cancellation is asked for and takes effect at this midnight. */
  readonly cancelAt: Fecha | null
  /** When it became cancelada or vencida. */
  readonly endedAt: Date | null
  /** Start of what is unpaid: sanctions are counted from here. */
  readonly pastDueSince: Fecha | null
  /** When pendiente_pago, grace_period or suspendida ends by itself. */
  readonly deadlineAt: Date | null
  /** When the present state began. */
  readonly enteredAt: Date
  readonly pauseUntil: Fecha | null
  /** Survives cancellation; payments meanwhile become credit; only staff lifts it (architecture.md). */
  readonly suspendedByStaff: boolean
  /** The running period was given, not sold: it has no monthly value. */
  readonly courtesy: boolean
  readonly everPaid: boolean
  /** The mandate that pays: the newest authorised one, or the one that was paused. */
  readonly mandateId: string | null
  /** All that are not yet surely dead, and the last dead ones. */
  readonly mandates: readonly Mandate[]
  readonly notices: Notices
}

/** One row of data, so that the owner changes a rule without a release (billing.md 3.3, Q1–Q6). */
export interface Policy {
  readonly trialDays: number
  /** How long after the end of a period the charge of a live mandate may take. */
  readonly mandateWaitHours: number
  readonly pendingDays: number
  readonly graceDays: number
  readonly suspensionDays: number
  readonly altaTtlDays: number
  readonly retentionReadOnlyDays: number
  readonly earlyWindowDays: number
  readonly trialNoticeDays: number
  readonly expiryNoticeDays: number
  readonly renewalNoticeDays: number
  /** Hour in Mexico City at which people are written to and sanctioned. */
  readonly noticeHour: number
  /** Hour at which trials end. */
  readonly trialHour: number
  /** Hour of the day before a period at which its invoice is prepared. */
  readonly invoiceHour: number
  /** A sanction applied late never shortens what follows below this. */
  readonly minDwellHours: {
    readonly pendiente_pago: number
    readonly grace_period: number
    readonly suspendida: number
  }
  readonly cancelAccess: 'until_period_end' | 'immediate'
  /** An upgrade starts when its difference is paid, or at once with the difference in the next renewal. */
  readonly upgradeCollection: 'checkout' | 'next_renewal'
}

export const defaultPolicy: Policy = {
  trialDays: 14,
  mandateWaitHours: 24,
  pendingDays: 3,
  graceDays: 7,
  suspensionDays: 30,
  altaTtlDays: 7,
  retentionReadOnlyDays: 30,
  earlyWindowDays: 5,
  trialNoticeDays: 5,
  expiryNoticeDays: 5,
  renewalNoticeDays: 6,
  noticeHour: 8,
  trialHour: 7,
  invoiceHour: 6,
  minDwellHours: { pendiente_pago: 24, grace_period: 48, suspendida: 48 },
  cancelAccess: 'until_period_end',
  upgradeCollection: 'checkout',
}

/** The mandate that pays, if it still stands. */
export function currentMandate(sub: Subscription): Mandate | null {
  return sub.mandates.find(({ id }) => id === sub.mandateId) ?? null
}

/** Whether MercadoPago will charge by itself: what we told to end will not, though it has not confirmed that yet. */
export function isAutomatic(sub: Subscription): boolean {
  const mandate = currentMandate(sub)
  return mandate?.status === 'authorized' && !mandate.cancelledByUs
}

/**
 * The day on which the next period is charged: its first, or some days before where the card was authorised in the last
 * days of one that had been paid (billing.md 3.5 f). A day that lies elsewhere is one that has passed and was not read
 * again yet, or charges nothing that we ask for.
 */
export function chargeDay(sub: Subscription, { earlyWindowDays }: Policy): Fecha | null {
  const { periodStart, periodEnd } = sub
  const on = isAutomatic(sub) ? currentMandate(sub)?.chargesOn : null
  if (!on || !periodStart || !periodEnd || on <= periodStart || on >= periodEnd) return periodEnd
  return daysBetween(on, periodEnd) <= earlyWindowDays ? on : periodEnd
}

/** Whether MercadoPago may still charge through it, or somebody may still authorise it. */
export const isLive = ({ status }: Mandate): boolean =>
  status === 'creating' || status === 'pending' || status === 'authorized' || status === 'paused'
