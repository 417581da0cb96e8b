import { daysBetween, earlierFecha, type Fecha, fechaOf } from '../../fiscal/fecha.ts'
import { isPaid } from '../access.ts'
import { type Period, periodAt, periodContaining } from '../periods.ts'
import { isAutomatic, isLive, type Policy, type Subscription } from '../subscription.ts'
import type { AlertCode, Effect, PagoAprobado, PagoDevuelto, PagoRechazado, Result } from './event.ts'
import { activate, awaitPayment, end, enterGrace, next, same } from './moves.ts'
import { resume } from './on-command.ts'
import { isOwing, periodToPay } from './period-to-pay.ts'

/** Money arrived (billing.md 3.5 e–j). The payment's own day counts, not the day on which we hear of it. */
export function onPayment(sub: Subscription, event: PagoAprobado, now: Date, policy: Policy): Result {
  const { paidOn } = event
  if (sub.suspendedByStaff) return keepAsCredit(sub, event, 'h', 'late_payment', 'pago_con_suspension')
  switch (sub.estado) {
    case 'trial':
      return onTrial(sub, event, now)
    case 'activa':
      return onRenewal(sub, event, now, policy)
    case 'pausada':
      return onPaused(sub, event, now, policy)
    case 'pendiente_pago':
    case 'grace_period':
      return onAwaited(sub, event, now)
    case 'suspendida': {
      const anchor = sub.anchor ?? sub.trialEnd
      // However this was paid: a card that is charged goes on at its own days.
      if (anchor && isLiveMandate(sub, sub.mandateId))
        return begin(sub, event, periodOfGrid(sub, anchor, paidOn), anchor, 'h', now)
      return begin(sub, event, periodAt(paidOn, sub.frecuencia, 0), paidOn, 'h', now)
    }
    case 'cancelada':
      if (event.medio === 'transferencia' || isNewMandate(sub, event.mandateId))
        return begin(sub, event, periodAt(paidOn, sub.frecuencia, 0), paidOn, 'i', now)
      return keepAsCredit(sub, event, 'i', 'late_payment', 'pago_tras_cancelacion')
    case 'vencida':
      return begin(sub, event, periodAt(paidOn, sub.frecuencia, 0), paidOn, 'j', now)
  }
}

/**
 * 3.5 e. A trial that should have ended is paid as what it would have become: the sweep's delay is not the customer's.
 * Cancelled, only what a person entered begins anything: a charge that slipped through is kept for him, as in i.
 */
function onTrial(sub: Subscription, event: PagoAprobado, now: Date): Result {
  const { paidOn, medio } = event
  if (sub.cancelAt && medio !== 'transferencia')
    return keepAsCredit(sub, event, 'e', 'late_payment', 'pago_tras_cancelacion')
  const trialEnd = sub.trialEnd ?? paidOn
  const isOver = paidOn >= trialEnd
  if (isOver && !sub.cancelAt && isAutomatic(sub))
    return begin(sub, event, unpaidPeriod(sub, trialEnd, trialEnd, paidOn), trialEnd, 'g', now)
  // MercadoPago will charge on this day of each month; a transfer has no such day and keeps the rest of the trial.
  if (isOver || medio === 'mandato') return begin(sub, event, periodAt(paidOn, sub.frecuencia, 0), paidOn, 'e', now)
  return begin(sub, event, { start: paidOn, end: periodAt(trialEnd, sub.frecuencia, 0).end }, trialEnd, 'e', now)
}

/** 3.5 f. */
function onRenewal(sub: Subscription, event: PagoAprobado, now: Date, policy: Policy): Result {
  const { paidOn } = event
  if (sub.cancelAt) {
    const isOver = paidOn >= sub.cancelAt
    if (isOver && event.medio === 'transferencia')
      return begin(sub, event, periodAt(paidOn, sub.frecuencia, 0), paidOn, 'i', now)
    return keepAsCredit(sub, event, 'f', 'late_payment', 'pago_tras_cancelacion')
  }
  const { anchor, periodEnd } = bounds(sub)
  if (isPaid(sub, periodEnd)) return keepAsCredit(sub, event, 'f', 'duplicate_payment', 'pago_duplicado')
  if (paidOn >= periodEnd) return begin(sub, event, unpaidPeriod(sub, anchor, periodEnd, paidOn), anchor, 'f', now)
  const isEarly = daysBetween(paidOn, periodEnd) > policy.earlyWindowDays
  if (isEarly && event.medio === 'mandato') return keepAsCredit(sub, event, 'f', 'duplicate_payment', 'pago_duplicado')
  const period = periodContaining(anchor, sub.frecuencia, periodEnd)
  return same({ ...sub, paidThrough: period.end, everPaid: true }, 'f', paid(event, period))
}

/**
 * The customer's own money pays what comes next, as a transfer ahead of time would (4.7): nobody is asked for nothing, and
 * nobody whose money we hold is sanctioned. A card comes first, because MercadoPago cannot charge nothing: only where it
 * did not charge in time is this asked. What is owed already is paid by a balance that has become enough since.
 */
export function onCoveringBalance(sub: Subscription, now: Date): Result {
  const { anchor, periodEnd } = sub
  if (isOwing(sub)) {
    const period = periodToPay(sub, fechaOf(now))
    return next(activate(sub, period, anchor ?? sub.pastDueSince ?? period.start, now), 'saldo', [
      { kind: 'pay_from_balance', period },
      { kind: 'write_off', before: period.start },
    ])
  }
  if (sub.estado !== 'activa' || sub.cancelAt || !anchor || !periodEnd || isPaid(sub, periodEnd))
    return same(sub, 'saldo')
  const period = periodContaining(anchor, sub.frecuencia, periodEnd)
  return same({ ...sub, paidThrough: period.end, everPaid: true }, 'saldo', [{ kind: 'pay_from_balance', period }])
}

/** Kept, unless the pause had a day to end on: who pays after it pays what it would have become without the sweep's delay. */
function onPaused(sub: Subscription, event: PagoAprobado, now: Date, policy: Policy): Result {
  const { pauseUntil } = sub
  if (!pauseUntil || event.paidOn < pauseUntil)
    return keepAsCredit(sub, event, 'pausa', 'late_payment', 'pago_en_pausa')
  const resumed = resume(sub, now, policy, 'b', pauseUntil)
  if (resumed.kind === 'refused') return resumed
  const result = onPayment(resumed.sub, event, now, policy)
  if (result.kind === 'refused') return result
  const silently = resumed.effects.filter(({ kind }) => kind !== 'mail')
  return next(result.sub, result.rule, [...silently, ...result.effects])
}

/** 3.5 g: no free days, and the gap of a long outage is written off. */
function onAwaited(sub: Subscription, event: PagoAprobado, now: Date): Result {
  const { paidOn } = event
  if (sub.motivo === 'alta') return begin(sub, event, periodAt(paidOn, sub.frecuencia, 0), paidOn, 'g', now)
  const since = sub.pastDueSince ?? paidOn
  if (sub.motivo === 'primer_cobro') {
    return begin(sub, event, unpaidPeriod(sub, since, since, paidOn), since, 'g', now)
  }
  const anchor = sub.anchor ?? since
  if (sub.motivo !== 'renovacion' && sub.periodStart && sub.periodEnd && paidOn < sub.periodEnd) {
    return begin(sub, event, { start: sub.periodStart, end: sub.periodEnd }, anchor, 'g', now)
  }
  const from = sub.motivo === 'renovacion' ? since : (sub.periodEnd ?? since)
  return begin(sub, event, unpaidPeriod(sub, anchor, from, paidOn), anchor, 'g', now)
}

/** The period that began at `from`; when it is over already, the one of the grid in which the payment was made. */
function unpaidPeriod(sub: Subscription, anchor: Fecha, from: Fecha, paidOn: Fecha): Period {
  const period = periodContaining(anchor, sub.frecuencia, from)
  return paidOn < period.end ? period : periodContaining(anchor, sub.frecuencia, paidOn)
}

/** The running period where it was taken back and is not over: the first one may hold a trial and begin before the grid. */
function periodOfGrid(sub: Subscription, anchor: Fecha, day: Fecha): Period {
  const { motivo, periodStart, periodEnd } = sub
  const wasTakenBack = motivo === 'reembolso' || motivo === 'contracargo'
  if (wasTakenBack && periodStart && periodEnd && day < periodEnd) return { start: periodStart, end: periodEnd }
  return periodContaining(anchor, sub.frecuencia, day)
}

function begin(sub: Subscription, event: PagoAprobado, period: Period, anchor: Fecha, rule: string, now: Date): Result {
  return next(activate(sub, period, anchor, now), rule, [
    ...paid(event, period),
    { kind: 'write_off', before: period.start },
  ])
}

const paid = ({ paymentId }: PagoAprobado, period: Period): Effect[] => [
  { kind: 'pay_period', period, paymentId },
  { kind: 'mail', template: 'pago_confirmado', key: paymentId, paymentId },
]

function keepAsCredit(
  sub: Subscription,
  { paymentId }: PagoAprobado,
  rule: string,
  reason: 'duplicate_payment' | 'late_payment',
  code: AlertCode,
): Result {
  return same(sub, rule, [
    { kind: 'credit', reason, paymentId },
    { kind: 'alert', code, key: paymentId, paymentId },
  ])
}

const isLiveMandate = (sub: Subscription, id: string | null) =>
  sub.mandates.some((mandate) => mandate.id === id && isLive(mandate) && !mandate.cancelledByUs)

/** 3.5 i: authorised by a checkout made after the end. */
const isNewMandate = (sub: Subscription, id: string | null) =>
  id !== null &&
  id === sub.mandateId &&
  sub.mandates.some(
    (m) =>
      m.id === id && m.status === 'authorized' && !m.cancelledByUs && sub.endedAt !== null && m.createdAt > sub.endedAt,
  )

/** 3.5 k. MercadoPago tries again by itself; we say so, and only after the period's end it changes anything. */
export function onRejection(sub: Subscription, event: PagoRechazado, now: Date, policy: Policy): Result {
  const { paymentId } = event
  if (event.instalmentPaid || event.mandateId === null || event.mandateId !== sub.mandateId) return same(sub, 'k')
  if (sub.cancelAt || !isLiveMandate(sub, event.mandateId)) return same(sub, 'k')
  const mail: Effect = { kind: 'mail', template: 'pago_fallido', key: paymentId, paymentId }
  if (sub.estado !== 'activa') return same(sub, 'k', [mail])
  const { anchor, periodEnd } = bounds(sub)
  const today = fechaOf(now)
  // Long before the end it is about something else, and whoever does not pay then must still hear of it.
  const isOfNext = daysBetween(today, periodEnd) <= policy.earlyWindowDays
  const told = isOfNext ? { ...sub, notices: { ...sub.notices, rejection: periodEnd } } : sub
  if (isPaid(sub, periodEnd) || today < periodEnd) return same(told, 'k', [mail])
  const period = periodContaining(anchor, sub.frecuencia, periodEnd)
  return next(awaitPayment(told, 'renovacion', periodEnd, now, policy), 'k', [
    mail,
    { kind: 'prepare_invoice', period },
  ])
}

/** 3.5 l, m, n. Only money of the running period has consequences: chargebacks come weeks later. */
export function onReturned(sub: Subscription, event: PagoDevuelto, now: Date, policy: Policy): Result {
  switch (event.kind) {
    case 'pago_reembolsado':
      return onTakenBack(
        sub,
        event,
        'l',
        [{ kind: 'mail', template: 'pago_reembolsado', key: event.paymentId, paymentId: event.paymentId }],
        now,
        policy,
      )
    case 'contracargo':
      return onTakenBack(
        sub,
        event,
        'm',
        [{ kind: 'alert', code: 'contracargo', key: event.paymentId, paymentId: event.paymentId }],
        now,
        policy,
      )
    case 'contracargo_ganado':
      return onWon(sub, event, now, policy)
  }
}

function onTakenBack(
  sub: Subscription,
  { kind, paymentId, period }: PagoDevuelto,
  rule: string,
  always: readonly Effect[],
  now: Date,
  policy: Policy,
): Result {
  const covers = coverage(sub, period)
  if (covers === 'old' || (sub.estado !== 'activa' && sub.estado !== 'pausada')) return same(sub, rule, always)
  const { periodEnd } = bounds(sub)
  const today = fechaOf(now)
  const reopened: readonly Effect[] = [...always, { kind: 'reopen_invoice', paymentId }]
  const withoutNext = {
    ...sub,
    paidThrough: periodEnd,
    cancelAt: sub.cancelAt && earlierFecha(sub.cancelAt, periodEnd),
  }
  if (covers === 'prepaid') return same(withoutNext, rule, reopened)
  if (today >= periodEnd) return same(sub, rule, always)
  if (isPaid(sub, periodEnd)) {
    // The one that was paid ahead pays what runs now; a person looks at it, and nobody is punished meanwhile.
    const alert: Effect = { kind: 'alert', code: 'reembolso_con_prepago', key: paymentId, paymentId }
    return same(withoutNext, rule, [...reopened, alert])
  }
  if (sub.estado === 'pausada') return same({ ...sub, paidThrough: sub.periodStart }, rule, reopened)
  const unpaid = { ...sub, paidThrough: sub.periodStart }
  if (kind === 'contracargo') {
    const mail: Effect = { kind: 'mail', template: 'gracia', key: `${paymentId}:${today}` }
    return next({ ...enterGrace(unpaid, 'contracargo', today, now, policy), cancelAt: null }, rule, [...reopened, mail])
  }
  if (sub.cancelAt) {
    const ended = end(unpaid, 'reembolso', { endedAt: now, now })
    return next(ended.sub, rule, [...reopened, ...ended.effects])
  }
  return next(awaitPayment(unpaid, 'reembolso', today, now, policy), rule, reopened)
}

function onWon(sub: Subscription, { paymentId, period }: PagoDevuelto, now: Date, policy: Policy): Result {
  if (coverage(sub, period) !== 'running') return same(sub, 'n')
  const { anchor, periodStart, periodEnd } = bounds(sub)
  const running = { start: periodStart, end: periodEnd }
  const restored: Effect = { kind: 'pay_period', period: running, paymentId }
  if (sub.estado === 'pausada' && sub.paidThrough === periodStart)
    return same({ ...sub, paidThrough: periodEnd }, 'n', [restored])
  const isSanctioned = sub.estado === 'grace_period' || sub.estado === 'suspendida'
  if (!isSanctioned || sub.motivo !== 'contracargo') return same(sub, 'n')
  if (fechaOf(now) < periodEnd) return next(activate(sub, running, anchor, now), 'n', [restored])
  const unpaid = { ...sub, paidThrough: periodEnd }
  const prepare: Effect = { kind: 'prepare_invoice', period: periodContaining(anchor, sub.frecuencia, periodEnd) }
  const mail: Effect = { kind: 'mail', template: 'pago_pendiente', key: periodEnd }
  return next(awaitPayment(unpaid, 'renovacion', periodEnd, now, policy), 'n', [restored, prepare, mail])
}

function coverage(sub: Subscription, period: Period | null): 'running' | 'prepaid' | 'old' {
  if (!period) return 'old'
  // Both ends: on the day of a change of interval the new period begins where the old one did.
  if (period.start === sub.periodStart && period.end === sub.periodEnd) return 'running'
  return period.start === sub.periodEnd ? 'prepaid' : 'old'
}

/** An active subscription has all three: whoever made it so set them together. */
function bounds({ anchor, periodStart, periodEnd }: Subscription) {
  if (!anchor || !periodStart || !periodEnd) throw new Error('a subscription without a period')
  return { anchor, periodStart, periodEnd }
}
