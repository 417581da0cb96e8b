import { fechaOf } from '../../fiscal/fecha.ts'
import { access } from '../access.ts'
import type { Policy, Subscription } from '../subscription.ts'
import type { BillingEvent, Result } from './event.ts'
import { refused, rolled, same } from './moves.ts'
import {
  cancelAtPeriodEnd,
  cancelNow,
  changePlan,
  extendTrial,
  pause,
  reactivate,
  resume,
  suspendByStaff,
  undoCancellation,
} from './on-command.ts'
import { onAuthorized, onCancelled, onPaused } from './on-mandate.ts'
import { onCoveringBalance, onPayment, onRejection, onReturned } from './on-payment.ts'
import { onTimer } from './on-timer.ts'

/**
 * What `event` makes of a subscription at `now`: the table of billing.md 3.4 and the rules of 3.5. Pure; a pair of state
 * and event that is left out does not compile. `rule` names the rule that decided, for whoever asks why.
 */
export function transition(sub: Subscription, event: BillingEvent, now: Date, policy: Policy): Result {
  const result = decide(event.kind === 'timer' ? sub : rolled(sub, fechaOf(now)), event, now, policy)
  if (result.kind === 'refused') return result
  const isBack = access(sub, now, policy) !== 'full' && access(result.sub, now, policy) === 'full'
  // Not the very first time: who pays for the first time is told of the payment.
  const isFirstPayment = event.kind === 'pago_aprobado' && !sub.everPaid
  if (!isBack || isFirstPayment) return result
  return { ...result, effects: [...result.effects, { kind: 'mail', template: 'reactivada', key: now.toISOString() }] }
}

function decide(sub: Subscription, event: BillingEvent, now: Date, policy: Policy): Result {
  switch (event.kind) {
    case 'trial_iniciado':
    case 'alta_sin_trial':
      return refused('ya_existe')
    case 'checkout_iniciado':
      return same(sub, 'checkout')
    case 'mandato_autorizado':
      return onAuthorized(sub, event.mandateId, now, policy)
    case 'mandato_pausado':
      return onPaused(sub, event.mandateId, now)
    case 'mandato_cancelado':
      return onCancelled(sub, event.mandateId, now, policy)
    case 'pago_aprobado':
      return onPayment(sub, event, now, policy)
    case 'pago_rechazado':
      return onRejection(sub, event, now, policy)
    case 'pago_en_proceso':
      return same(sub, 'en_proceso')
    case 'pago_reembolsado':
    case 'contracargo':
    case 'contracargo_ganado':
      return onReturned(sub, event, now, policy)
    case 'saldo_cubre':
      return onCoveringBalance(sub, now)
    case 'pausar':
      return pause(sub, event.until, now)
    case 'reanudar':
      return resume(sub, now, policy, 'b')
    case 'cancelar_fin_periodo':
      return cancelAtPeriodEnd(sub, now, policy)
    case 'cancelar_inmediata':
      return cancelNow(sub, 'admin', now)
    case 'deshacer_cancelacion':
      return undoCancellation(sub)
    case 'extender_trial':
      return extendTrial(sub, event.until, now)
    case 'suspender_admin':
      return suspendByStaff(sub, now)
    case 'reactivar_admin':
      return reactivate(sub, event.until, now)
    case 'cambiar_plan':
      return changePlan(sub, event, now)
    case 'timer':
      return onTimer(sub, event.timer, now, policy)
  }
}
