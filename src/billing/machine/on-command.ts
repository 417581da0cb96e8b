import { type Fecha, fechaOf } from '../../fiscal/fecha.ts'
import { isPaid } from '../access.ts'
import { periodAt } from '../periods.ts'
import { currentMandate, isLive, type Policy, type Subscription } from '../subscription.ts'
import type { CambiarPlan, Effect, Result } from './event.ts'
import { activate, awaitPayment, cancelMandates, end, endWith, enter, next, refused, same, unpause } from './moves.ts'

/** Collection stops; what is paid stays usable. */
export function pause(sub: Subscription, until: Fecha | null, now: Date): Result {
  if (sub.estado !== 'activa') return refused('estado_no_lo_permite')
  if (sub.cancelAt) return refused('cancelacion_programada')
  if (until !== null && until <= fechaOf(now)) return refused('fecha_pasada')
  const mandate = currentMandate(sub)
  const effects: Effect[] = [
    ...(mandate && isLive(mandate)
      ? [{ kind: 'mandate', mandateId: mandate.id, action: 'pause', why: 'end' } as const]
      : []),
    { kind: 'mail', template: 'pausada', key: now.toISOString() },
  ]
  return next({ ...enter(sub, 'pausada', 'usuario', now), pauseUntil: until }, 'pausar', effects)
}

/**
 * 3.5 b: the same period if it is still paid, else a new one that waits for its money. It begins on the day `on`, which is
 * today unless the pause had a day to end on and the sweep came later.
 */
export function resume(sub: Subscription, now: Date, policy: Policy, rule: string, on: Fecha = fechaOf(now)): Result {
  if (sub.estado !== 'pausada') return refused('estado_no_lo_permite')
  const mandate = currentMandate(sub)
  // Also while it still is authorised: the order to pause it may be on its way.
  const told: Effect[] =
    mandate && (mandate.status === 'paused' || mandate.status === 'authorized') && !mandate.cancelledByUs
      ? [{ kind: 'mandate', mandateId: mandate.id, action: 'resume', why: 'end' }]
      : []
  if (isPaid(sub, on)) return next(unpause(sub, now), rule, told)
  const fresh = { ...sub, anchor: on, courtesy: false }
  return next(awaitPayment(fresh, 'renovacion', on, now, policy), rule, [
    ...told,
    { kind: 'write_off', before: on },
    { kind: 'prepare_invoice', period: periodAt(on, sub.frecuencia, 0) },
    { kind: 'mail', template: 'pago_pendiente', key: on },
  ])
}

/** What is paid stays usable until its end (Q2), and MercadoPago is told at once: a new law says without delay (3.8). */
export function cancelAtPeriodEnd(sub: Subscription, now: Date, policy: Policy): Result {
  if (sub.estado === 'cancelada' || sub.estado === 'vencida') return refused('estado_no_lo_permite')
  if (sub.cancelAt) return refused('cancelacion_programada')
  if (policy.cancelAccess === 'immediate') return cancelNow(sub, 'usuario', now)
  const until = sub.estado === 'trial' ? sub.trialEnd : paidUntil(sub, now)
  if (!until) return cancelNow(sub, 'usuario', now)
  const { sub: silent, effects } = cancelMandates(sub, 'end')
  const mail: Effect = { kind: 'mail', template: 'cancelada', key: `${until}:${now.toISOString()}` }
  const usable = sub.estado === 'pausada' ? unpause(silent, now) : silent
  const scheduled = endWith(usable, until, now, policy)
  return sub.estado === 'pausada'
    ? next(scheduled, 'cancelar', [...effects, mail])
    : same(scheduled, 'cancelar', [...effects, mail])
}

export function cancelNow(sub: Subscription, motivo: 'usuario' | 'admin', now: Date): Result {
  if (sub.estado === 'cancelada' || sub.estado === 'vencida') return refused('estado_no_lo_permite')
  const { sub: over, effects } = end(sub, motivo, { endedAt: now, now })
  return next(over, 'cancelar', effects)
}

/** 3.5 o: a mandate that was cancelled stays so for ever. */
export function undoCancellation(sub: Subscription): Result {
  if (sub.estado !== 'trial' && sub.estado !== 'activa') return refused('estado_no_lo_permite')
  if (!sub.cancelAt) return refused('sin_cancelacion')
  const mandate = currentMandate(sub)
  if (mandate && (mandate.cancelledByUs || mandate.status === 'cancelled')) return refused('requires_checkout')
  return same({ ...sub, cancelAt: null }, 'o')
}

export function extendTrial(sub: Subscription, until: Fecha, now: Date): Result {
  if (sub.estado !== 'trial' && sub.estado !== 'vencida') return refused('estado_no_lo_permite')
  if (sub.everPaid) return refused('ya_pagada')
  if (until <= fechaOf(now)) return refused('fecha_pasada')
  if (sub.estado === 'trial')
    return same({ ...sub, trialEnd: until, cancelAt: sub.cancelAt && until }, 'extender_trial')
  return next({ ...enter(sub, 'trial', null, now), trialEnd: until }, 'extender_trial')
}

export function suspendByStaff(sub: Subscription, now: Date): Result {
  if (sub.estado === 'suspendida' || sub.estado === 'cancelada' || sub.estado === 'vencida')
    return refused('estado_no_lo_permite')
  const { pastDueSince } = sub
  const held = { ...enter(sub, 'suspendida', 'admin', now), pastDueSince, suspendedByStaff: true }
  return next(held, 'suspender_admin', [{ kind: 'mail', template: 'suspendida', key: now.toISOString() }])
}

/** Access is given, not sold, until a day; what comes after begins there. */
export function reactivate(sub: Subscription, until: Fecha, now: Date): Result {
  const today = fechaOf(now)
  const possible = ['pendiente_pago', 'grace_period', 'suspendida', 'cancelada', 'vencida']
  if (!possible.includes(sub.estado)) return refused('estado_no_lo_permite')
  if (until <= today) return refused('fecha_pasada')
  const given = activate(sub, { start: today, end: until }, until, now)
  return next({ ...given, courtesy: true, everPaid: sub.everPaid, suspendedByStaff: false }, 'reactivar_admin', [
    { kind: 'write_off', before: today },
  ])
}

/**
 * 3.5 p. The plan itself and the lines of the proration are the caller's; here is what a change of interval does: the
 * running period is closed and the grid begins anew today. Who owes something pays first.
 */
export function changePlan(sub: Subscription, event: CambiarPlan, now: Date): Result {
  if (sub.estado !== 'trial' && sub.estado !== 'activa') return refused('estado_no_lo_permite')
  if (sub.cancelAt) return refused('cancelacion_programada')
  const today = fechaOf(now)
  if (sub.estado === 'activa' && !isPaid(sub, today)) return refused('pago_pendiente')
  if (event.frecuencia === sub.frecuencia) return same(sub, 'p')
  // A mandate charges at its own interval for ever: the new one needs a new checkout.
  const { sub: silent, effects } = cancelMandates(sub, 'switch')
  const changed = { ...silent, frecuencia: event.frecuencia, mandateId: null }
  if (sub.estado === 'trial') return same(changed, 'p', effects)
  const period = periodAt(today, event.frecuencia, 0)
  const pays: Effect[] = event.paymentId ? [{ kind: 'pay_period', period, paymentId: event.paymentId }] : []
  // What was prepared for the day on which the old period would have ended is not asked for any more.
  return next(activate(changed, period, today, now), 'p', [...effects, ...pays, { kind: 'write_off', before: null }])
}

function paidUntil(sub: Subscription, now: Date): Fecha | null {
  if (sub.estado !== 'activa' && sub.estado !== 'pausada') return null
  return isPaid(sub, fechaOf(now)) ? sub.paidThrough : null
}
