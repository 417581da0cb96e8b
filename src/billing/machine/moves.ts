import { addDays, type Fecha, fechaOf, instantOf } from '../../fiscal/fecha.ts'
import { isPaid } from '../access.ts'
import { type Period, periodContaining } from '../periods.ts'
import type { Estado, Mandate, Motivo, Policy, Subscription } from '../subscription.ts'
import type { Effect, RefusalCode, Result } from './event.ts'

/** The moves that several events make, so that each state is entered in one way. */

export const same = (sub: Subscription, rule: string, effects: readonly Effect[] = []): Result => ({
  kind: 'same',
  sub,
  effects,
  rule,
})

export const next = (sub: Subscription, rule: string, effects: readonly Effect[] = []): Result => ({
  kind: 'next',
  sub,
  effects,
  rule,
})

export const refused = (code: RefusalCode): Result => ({ kind: 'refused', code })

/** Begins a state: what belonged to the one before is gone. */
export function enter(sub: Subscription, estado: Estado, motivo: Motivo | null, now: Date): Subscription {
  return {
    ...sub,
    estado,
    motivo,
    enteredAt: now,
    pastDueSince: null,
    deadlineAt: null,
    pauseUntil: null,
    endedAt: null,
    cancelAt: null,
  }
}

/** Paid up to the end of `period`. */
export function activate(sub: Subscription, period: Period, anchor: Fecha, now: Date): Subscription {
  return {
    ...enter(sub, 'activa', null, now),
    anchor,
    periodStart: period.start,
    periodEnd: period.end,
    paidThrough: period.end,
    courtesy: false,
    everPaid: true,
  }
}

/**
 * Money is awaited for what begins at `since`, inside the short window. A sanction applied late never shortens what
 * follows: nobody is read-only within `minDwellHours` of having been told.
 */
export function awaitPayment(
  sub: Subscription,
  motivo: 'primer_cobro' | 'renovacion' | 'reembolso',
  since: Fecha,
  now: Date,
  policy: Policy,
): Subscription {
  const normal = instantOf(addDays(since, policy.pendingDays), policy.noticeHour)
  const deadlineAt = later(normal, hoursAfter(now, policy.minDwellHours.pendiente_pago))
  return { ...enter(sub, 'pendiente_pago', motivo, now), pastDueSince: since, deadlineAt }
}

export function enterGrace(
  sub: Subscription,
  motivo: Motivo | null,
  since: Fecha,
  now: Date,
  policy: Policy,
): Subscription {
  const normal = instantOf(addDays(since, policy.pendingDays + policy.graceDays), policy.noticeHour)
  const deadlineAt = later(normal, hoursAfter(now, policy.minDwellHours.grace_period))
  return { ...enter(sub, 'grace_period', motivo, now), pastDueSince: since, deadlineAt }
}

export function enterSuspended(sub: Subscription, now: Date, policy: Policy): Subscription {
  const { motivo, pastDueSince } = sub
  const since = pastDueSince ?? fechaOf(now)
  const days = policy.pendingDays + policy.graceDays + policy.suspensionDays
  const normal = instantOf(addDays(since, days), policy.noticeHour)
  const deadlineAt = later(normal, hoursAfter(now, policy.minDwellHours.suspendida))
  return { ...enter(sub, 'suspendida', motivo, now), pastDueSince: since, deadlineAt }
}

/**
 * The end. Every mandate from before it that could still charge is cancelled: a checkout begun since waits for its first
 * payment, however late the end is noticed (3.10-7). What nobody paid is not collected any more, and of a cancellation a
 * mail goes unless it was announced before it took effect.
 */
export function end(
  sub: Subscription,
  motivo: Motivo,
  { endedAt, now, estado = 'cancelada' }: { endedAt: Date; now: Date; estado?: 'cancelada' | 'vencida' },
): { sub: Subscription; effects: Effect[] } {
  const { sub: silent, effects } = cancelMandates(sub, 'end', ({ createdAt }) => createdAt > endedAt)
  const ended = { ...enter(silent, estado, motivo, now), endedAt }
  const isNews = estado === 'cancelada' && sub.cancelAt === null
  const mail: Effect[] = isNews ? [{ kind: 'mail', template: 'cancelada', key: endedAt.toISOString() }] : []
  return { sub: ended, effects: [...effects, { kind: 'write_off', before: null }, ...mail] }
}

/**
 * It ends with what is paid. The mail that says so names the day, so the notice before the end goes only if its moment is
 * still to come.
 */
export function endWith(sub: Subscription, until: Fecha, now: Date, policy: Policy): Subscription {
  const noticeAt = instantOf(addDays(until, -policy.expiryNoticeDays), policy.noticeHour)
  const notices = now < noticeAt ? sub.notices : { ...sub.notices, expiry: until }
  return { ...sub, cancelAt: until, notices }
}

/** Ends every mandate that could still charge, but those that are spared. */
export function cancelMandates(
  sub: Subscription,
  why: 'switch' | 'end',
  isSpared: (mandate: Mandate) => boolean = () => false,
): { sub: Subscription; effects: Effect[] } {
  const doomed = sub.mandates.filter((mandate) => !isSpared(mandate) && mayCharge(mandate))
  const ids = new Set(doomed.map(({ id }) => id))
  return {
    sub: {
      ...sub,
      mandates: sub.mandates.map((mandate) => (ids.has(mandate.id) ? { ...mandate, cancelledByUs: why } : mandate)),
    },
    effects: doomed.map(({ id }) => ({ kind: 'mandate', mandateId: id, action: 'cancel', why })),
  }
}

/** Not told to end by us and not surely dead: a status that we do not know may be one that charges. */
export const mayCharge = ({ status, cancelledByUs }: Mandate): boolean => status !== 'cancelled' && !cancelledByUs

/** The periods that were paid ahead and have begun since: a late sweep must not decide what an event meets. */
export function rolled(sub: Subscription, today: Fecha): Subscription {
  const { estado, anchor, periodEnd } = sub
  if (estado !== 'activa' || !anchor || !periodEnd || today < periodEnd || !isPaid(sub, periodEnd)) return sub
  return rolled(roll(sub, anchor, periodEnd), today)
}

/** A pause of what is still paid is over, be it by now in a period that was paid ahead. */
export const unpause = (sub: Subscription, now: Date): Subscription =>
  rolled(enter(sub, 'activa', null, now), fechaOf(now))

/** To the period that begins at the end of the running one. */
export function roll(sub: Subscription, anchor: Fecha, periodEnd: Fecha): Subscription {
  const { start, end } = periodContaining(anchor, sub.frecuencia, periodEnd)
  return { ...sub, periodStart: start, periodEnd: end, courtesy: false }
}

export const later = (a: Date, b: Date): Date => (a > b ? a : b)
export const hoursAfter = (at: Date, hours: number): Date => new Date(at.getTime() + hours * 3_600_000)
