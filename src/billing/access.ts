import { addDays, type Fecha, fechaOf, instantOf } from '../fiscal/fecha.ts'
import { type Access, isAutomatic, type Policy, type Status, type Subscription } from './subscription.ts'

/**
 * What the company may do now (billing.md 3.1). Worked out on reading, so that no job has to run for the thirty days
 * after an end to pass.
 */
export function access(sub: Subscription, now: Date, policy: Policy): Access {
  switch (sub.estado) {
    case 'trial':
    case 'activa':
    case 'pendiente_pago':
      return 'full'
    case 'pausada':
      return isPaid(sub, fechaOf(now)) ? 'full' : 'read_only'
    case 'grace_period':
      return 'read_only'
    case 'suspendida':
      return 'blocked'
    case 'cancelada':
    case 'vencida':
      return !sub.suspendedByStaff && sub.endedAt && now < retentionEnd(sub.endedAt, policy) ? 'read_only' : 'blocked'
  }
}

/** When the answer of `access` next changes by itself, without any event; null when it does not. */
export function accessChangesAt(sub: Subscription, now: Date, policy: Policy): Date | null {
  if (sub.estado === 'pausada' && sub.paidThrough && isPaid(sub, fechaOf(now))) return instantOf(sub.paidThrough)
  if ((sub.estado === 'cancelada' || sub.estado === 'vencida') && sub.endedAt && !sub.suspendedByStaff) {
    const end = retentionEnd(sub.endedAt, policy)
    return now < end ? end : null
  }
  return null
}

/** The midnight from which an ended subscription is closed to reading too: whole days, counted from that of its end. */
export function retentionEnd(endedAt: Date, policy: Policy): Date {
  const day = fechaOf(endedAt)
  // The rest of the day on which it ended is no whole day; an end at midnight leaves none.
  const first = instantOf(day) < endedAt ? addDays(day, 1) : day
  return instantOf(addDays(first, policy.retentionReadOnlyDays))
}

/** The name of the state that the outside knows. */
export function statusOf(sub: Subscription): Status {
  switch (sub.estado) {
    case 'trial':
      if (sub.cancelAt) return 'cancelled'
      return isAutomatic(sub) ? 'authorized' : 'pending'
    case 'activa':
      return sub.cancelAt ? 'cancelled' : 'authorized'
    case 'pendiente_pago':
      return 'pending'
    case 'cancelada':
      return 'cancelled'
    case 'pausada':
    case 'grace_period':
    case 'suspendida':
    case 'vencida':
      return 'paused'
  }
}

export function isPaid(sub: Subscription, on: Fecha): boolean {
  return sub.paidThrough !== null && on < sub.paidThrough
}
