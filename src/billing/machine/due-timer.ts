import { addDays, fechaOf, instantOf } from '../../fiscal/fecha.ts'
import { isPaid } from '../access.ts'
import { chargeDay, isAutomatic, type Policy, type Subscription } from '../subscription.ts'
import { type Timer, timers } from './event.ts'
import { hoursAfter, mayCharge } from './moves.ts'

export interface Due {
  readonly at: Date
  readonly timer: Timer
  /**
   * A sanction of somebody with a live mandate needs a successful reading from MercadoPago made after `at`: an outage of
   * theirs or of ours never suspends anybody (billing.md 0.4).
   */
  readonly needsFresh: boolean
}

/** What happens next by itself, and when; null when nothing does. Of several at one instant the notice comes first. */
export function dueTimer(sub: Subscription, policy: Policy): Due | null {
  let first: Due | null = null
  for (const due of dues(sub, policy)) {
    if (!first || due.at < first.at || (due.at.getTime() === first.at.getTime() && isBefore(due.timer, first.timer)))
      first = due
  }
  return first
}

const isBefore = (a: Timer, b: Timer) => timers.indexOf(a) < timers.indexOf(b)

function dues(sub: Subscription, policy: Policy): Due[] {
  switch (sub.estado) {
    case 'trial':
      return trialDues(sub, policy)
    case 'activa':
      return activeDues(sub, policy)
    case 'pausada':
      return sub.pauseUntil ? [neutral('fin_pausa', instantOf(sub.pauseUntil, policy.noticeHour))] : []
    case 'pendiente_pago':
      if (sub.motivo === 'alta') {
        const at = sub.deadlineAt ?? hoursAfter(sub.enteredAt, 24 * policy.altaTtlDays)
        return [{ at, timer: 'fin_pendiente', needsFresh: hasLiveMandate(sub) }]
      }
      return sanction(sub, 'fin_pendiente')
    case 'grace_period':
      return sanction(sub, 'fin_gracia')
    case 'suspendida':
      return sub.suspendedByStaff ? [] : sanction(sub, 'fin_suspension')
    case 'cancelada':
    case 'vencida':
      return []
  }
}

function trialDues(sub: Subscription, policy: Policy): Due[] {
  const { trialEnd, cancelAt, notices } = sub
  if (!trialEnd) return []
  const end = neutral('fin_trial', instantOf(trialEnd, policy.trialHour))
  if (cancelAt || notices.trialEnding === trialEnd) return [end]
  return [neutral('aviso_trial', instantOf(addDays(trialEnd, -policy.trialNoticeDays), policy.noticeHour)), end]
}

function activeDues(sub: Subscription, policy: Policy): Due[] {
  const { periodEnd, cancelAt, notices } = sub
  if (!periodEnd) return []
  // Paid ahead: nothing to say or to collect before the period has rolled. A cancellation comes after what is paid.
  if (isPaid(sub, periodEnd) && !(cancelAt && cancelAt <= periodEnd)) return [neutral('rodar', instantOf(periodEnd))]
  const daysBefore = (days: number, hour: number) => instantOf(addDays(periodEnd, -days), hour)
  const expiry =
    notices.expiry === periodEnd
      ? []
      : [neutral('aviso_vencimiento', daysBefore(policy.expiryNoticeDays, policy.noticeHour))]
  if (cancelAt) return [...expiry, neutral('cancelacion', instantOf(cancelAt))]
  const charged = chargeDay(sub, policy) ?? periodEnd
  const beforeCharge = (days: number, hour: number) => instantOf(addDays(charged, -days), hour)
  const prepare = notices.prepared === periodEnd ? [] : [neutral('preparar_cobro', beforeCharge(1, policy.invoiceHour))]
  if (!isAutomatic(sub)) {
    const lapse = {
      at: daysBefore(0, policy.noticeHour),
      timer: 'vence_periodo',
      needsFresh: hasLiveMandate(sub),
    } as const
    return [...expiry, ...prepare, lapse]
  }
  const renewal =
    notices.renewal === periodEnd
      ? []
      : [neutral('aviso_renovacion', beforeCharge(policy.renewalNoticeDays, policy.noticeHour))]
  const waited = hoursAfter(instantOf(periodEnd), policy.mandateWaitHours)
  return [...renewal, ...prepare, { at: atHour(waited, policy.noticeHour), timer: 'vence_periodo', needsFresh: true }]
}

const neutral = (timer: Timer, at: Date): Due => ({ at, timer, needsFresh: false })

const sanction = (sub: Subscription, timer: Timer): Due[] =>
  sub.deadlineAt ? [{ at: sub.deadlineAt, timer, needsFresh: hasLiveMandate(sub) }] : []

/** A checkout that was begun may have been paid without our hearing of it: any mandate counts, not only the current one. */
const hasLiveMandate = (sub: Subscription): boolean => sub.mandates.some(mayCharge)

/** The first time at or after `at` that a clock in Mexico City shows this hour. */
function atHour(at: Date, hour: number): Date {
  const today = instantOf(fechaOf(at), hour)
  return today >= at ? today : instantOf(addDays(fechaOf(at), 1), hour)
}
