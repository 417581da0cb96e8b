import { type Fecha, fechaOf, instantOf } from '../../fiscal/fecha.ts'
import { periodContaining } from '../periods.ts'
import { isAutomatic, type Policy, type Subscription } from '../subscription.ts'
import type { Effect, MailTemplate, Result, Timer } from './event.ts'
import { awaitPayment, end, enterGrace, enterSuspended, next, roll, same } from './moves.ts'
import { resume } from './on-command.ts'

/** What time alone does (billing.md 3.6). The caller gives only timers that `dueTimer` named as due. */
export function onTimer(sub: Subscription, timer: Timer, now: Date, policy: Policy): Result {
  switch (timer) {
    case 'aviso_trial':
      return notice(sub, 'trialEnding', sub.trialEnd, 'trial_por_vencer')
    case 'aviso_renovacion':
      return notice(sub, 'renewal', sub.periodEnd, 'aviso_renovacion')
    case 'aviso_vencimiento':
      return notice(sub, 'expiry', sub.periodEnd, 'por_vencer_5d')
    case 'preparar_cobro': {
      const { anchor, periodEnd } = sub
      if (!anchor || !periodEnd) return same(sub, timer)
      const period = periodContaining(anchor, sub.frecuencia, periodEnd)
      return same({ ...sub, notices: { ...sub.notices, prepared: periodEnd } }, timer, [
        { kind: 'prepare_invoice', period },
      ])
    }
    case 'fin_trial':
      return endTrial(sub, now, policy)
    case 'cancelacion': {
      const endedAt = sub.cancelAt ? instantOf(sub.cancelAt) : now
      const { sub: over, effects } = end(sub, 'fin_periodo', { endedAt, now })
      return next(over, timer, effects)
    }
    case 'rodar':
      return rollOver(sub)
    case 'vence_periodo':
      return lapse(sub, now, policy)
    case 'fin_pendiente':
      return sub.motivo === 'alta' ? expire(sub, 'alta_abandonada', now, now) : toGrace(sub, now, policy)
    case 'fin_gracia': {
      const suspended = enterSuspended(sub, now, policy)
      return next(suspended, timer, [{ kind: 'mail', template: 'suspendida', key: suspended.pastDueSince ?? '' }])
    }
    case 'fin_suspension': {
      const { sub: over, effects } = end(sub, 'impago', { endedAt: now, now })
      return next(over, timer, effects)
    }
    case 'fin_pausa':
      return resume(sub, now, policy, timer, sub.pauseUntil ?? fechaOf(now))
  }
}

function notice(
  sub: Subscription,
  which: 'trialEnding' | 'renewal' | 'expiry',
  boundary: Fecha | null,
  template: MailTemplate,
): Result {
  const told = { ...sub, notices: { ...sub.notices, [which]: boundary } }
  return same(told, template, boundary ? [{ kind: 'mail', template, key: boundary }] : [])
}

function endTrial(sub: Subscription, now: Date, policy: Policy): Result {
  const boundary = sub.trialEnd ?? fechaOf(now)
  if (sub.cancelAt) {
    const { sub: over, effects } = end(sub, 'fin_periodo', { endedAt: instantOf(boundary), now })
    return next(over, 'fin_trial', effects)
  }
  if (isAutomatic(sub)) return next(awaitPayment(sub, 'primer_cobro', boundary, now, policy), 'fin_trial')
  return expire(sub, 'trial', instantOf(boundary), now)
}

function expire(sub: Subscription, motivo: 'trial' | 'alta_abandonada', endedAt: Date, now: Date): Result {
  const { sub: over, effects } = end(sub, motivo, { endedAt, now, estado: 'vencida' })
  const mail: Effect[] = motivo === 'trial' ? [{ kind: 'mail', template: 'trial_vencido', key: fechaOf(endedAt) }] : []
  return next(over, motivo === 'trial' ? 'fin_trial' : 'fin_pendiente', [...effects, ...mail])
}

/** The next period was paid ahead. */
function rollOver(sub: Subscription): Result {
  const { anchor, periodEnd } = sub
  return anchor && periodEnd ? next(roll(sub, anchor, periodEnd), 'rodar') : same(sub, 'rodar')
}

function lapse(sub: Subscription, now: Date, policy: Policy): Result {
  const { anchor, periodEnd } = sub
  if (!anchor || !periodEnd) return same(sub, 'vence_periodo')
  const period = periodContaining(anchor, sub.frecuencia, periodEnd)
  const wasTold = sub.notices.rejection === periodEnd
  const mail: Effect[] = wasTold ? [] : [{ kind: 'mail', template: 'pago_pendiente', key: periodEnd }]
  return next(awaitPayment(sub, 'renovacion', periodEnd, now, policy), 'vence_periodo', [
    { kind: 'prepare_invoice', period },
    ...mail,
  ])
}

function toGrace(sub: Subscription, now: Date, policy: Policy): Result {
  const since = sub.pastDueSince ?? fechaOf(now)
  return next(enterGrace(sub, sub.motivo, since, now, policy), 'fin_pendiente', [
    { kind: 'mail', template: 'gracia', key: since },
  ])
}
