import { fechaOf } from '../../fiscal/fecha.ts'
import type { Mandate, Policy, Subscription } from '../subscription.ts'
import type { Effect, Result } from './event.ts'
import { cancelMandates, end, endWith, enter, mayCharge, next, same, unpause } from './moves.ts'
import { resume } from './on-command.ts'

/**
 * MercadoPago says that a card may be charged (billing.md 3.5 a). That gives neither access nor a period: money does.
 * The newest authorised mandate wins, and no other is left able to charge.
 */
export function onAuthorized(sub: Subscription, mandateId: string, now: Date, policy: Policy): Result {
  const mandate = sub.mandates.find(({ id }) => id === mandateId)
  if (!mandate) return same(sub, 'a')
  const isFromBeforeTheEnd = sub.endedAt !== null && mandate.createdAt <= sub.endedAt
  if (mandate.cancelledByUs || isFromBeforeTheEnd) {
    // It was told to end and stands again: somebody would be charged for nothing.
    const silent = { ...sub, mandates: replace(sub, { ...mandate, cancelledByUs: mandate.cancelledByUs ?? 'end' }) }
    return same(silent, 'a', [
      { kind: 'mandate', mandateId, action: 'cancel', why: mandate.cancelledByUs ?? 'end' },
      { kind: 'alert', code: 'mandato_reaparecido', key: mandateId, mandateId },
    ])
  }
  const authorized = sub.mandates.filter((m) => m.status === 'authorized' && !m.cancelledByUs)
  const winner = authorized.reduce((newest, m) => (m.attempt > newest.attempt ? m : newest), mandate)
  const others = sub.mandates.filter((m) => m.id !== winner.id && mayCharge(m))
  const { sub: alone, effects } = cancelMandates(sub, 'switch', ({ id }) => id === winner.id)
  const alerts: Effect[] = others
    .filter((m) => m.wasAuthorized)
    .map((m) => ({ kind: 'alert', code: 'mandato_duplicado', key: m.id, mandateId: m.id }))
  const isNew = sub.mandateId !== winner.id
  // Where the end has come already and the sweep has not, a card alone gives no more than after it: money does.
  const isUndone = isNew && sub.cancelAt !== null && fechaOf(now) < sub.cancelAt
  const held = { ...alone, mandateId: winner.id, cancelAt: isUndone ? null : sub.cancelAt }
  if (sub.estado === 'pausada') {
    const resumed = resume(held, now, policy, 'b')
    if (resumed.kind === 'refused') return resumed
    // MercadoPago need not be told what it told us.
    const news = resumed.effects.filter(({ kind }) => kind !== 'mandate')
    return { ...resumed, effects: [...effects, ...alerts, ...news] }
  }
  return same(held, 'a', [...effects, ...alerts])
}

/** Paused at MercadoPago by the payer. Only the mandate that pays counts, and no longer once we told it to end. */
export function onPaused(sub: Subscription, mandateId: string, now: Date): Result {
  const mandate = sub.mandates.find(({ id }) => id === mandateId)
  if (mandateId !== sub.mandateId || mandate?.cancelledByUs) return same(sub, 'mandato')
  if (sub.estado !== 'activa' || sub.cancelAt) return same(sub, 'mandato')
  return next(enter(sub, 'pausada', 'mp', now), 'mandato', [
    { kind: 'mail', template: 'pausada', key: `${mandateId}:${now.toISOString()}` },
  ])
}

/**
 * Cancelled at MercadoPago, by the payer or after three failed instalments (3.5 c, d). What we told to end changed the state
 * when we did, and MercadoPago's word of it may come when another life has begun.
 */
export function onCancelled(sub: Subscription, mandateId: string, now: Date, policy: Policy): Result {
  const mandate = sub.mandates.find(({ id }) => id === mandateId)
  if (!mandate || mandateId !== sub.mandateId || mandate.cancelledByUs) return same(sub, 'mandato')
  switch (sub.estado) {
    case 'trial':
      return same(sub, 'c')
    case 'activa':
    case 'pausada': {
      if (sub.cancelAt) return same(sub, 'd')
      const until = sub.paidThrough
      if (!until || until <= fechaOf(now)) return ended(sub, 'd', now)
      const mail: Effect = { kind: 'mail', template: 'cancelada', key: `${mandateId}:${until}` }
      if (sub.estado === 'activa') return same(endWith(sub, until, now, policy), 'd', [mail])
      return next(endWith(unpause(sub, now), until, now, policy), 'd', [mail])
    }
    case 'pendiente_pago':
      return sub.motivo === 'alta' ? same(sub, 'd') : ended(sub, 'd', now)
    case 'grace_period':
    case 'suspendida':
      return ended(sub, 'd', now)
    case 'cancelada':
    case 'vencida':
      return same(sub, 'mandato')
  }
}

function ended(sub: Subscription, rule: string, now: Date): Result {
  const { sub: over, effects } = end(sub, 'mp', { endedAt: now, now })
  return next(over, rule, effects)
}

const replace = (sub: Subscription, mandate: Mandate) => sub.mandates.map((m) => (m.id === mandate.id ? mandate : m))
