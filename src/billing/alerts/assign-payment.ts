import { writeAudit } from '../../db/audit.ts'
import { fechaOf } from '../../fiscal/fecha.ts'
import type { By } from '../../tenants/register.ts'
import { applyEvent } from '../apply/apply-event.ts'
import type { Cause } from '../apply/cause.ts'
import { findPayment } from '../apply/queries.ts'
import { subscriptionNotFound } from '../errors.ts'
import type { CommandDeps } from '../own/command-subscription.ts'
import { findSubscriptionIdOfTenant, lockSubscription } from '../subscription-queries.ts'
import { alertNotFound, alertResolved, notAssignable, paymentTaken, paymentUnusable } from './errors.ts'
import { givePayment, lockAlert, lockPayment, setResolved, type UnclaimedPayment } from './queries.ts'

/** What the money did: it paid a period, or it is the company's balance because it bought nothing or was not enough. */
export type Assigned = 'periodo' | 'credito' | 'incompleto'

/**
 * Gives a payment of nobody to the company whose it is, and applies it as what it is, a payment that was made once. A
 * person found out whose: nothing here guesses (billing.md 2.4, 5.4).
 * @throws AppError `alerts.*`; `subscription.not_found`
 */
export async function assignPayment(
  deps: CommandDeps,
  { alertId, tenantId }: { alertId: string; tenantId: string },
  { cause, by }: { cause: Cause; by: By },
): Promise<Assigned> {
  return deps.central.transaction().execute(async (trx) => {
    const subscriptionId = await findSubscriptionIdOfTenant(trx, tenantId)
    // The subscription first, as everywhere: two that lock in different orders wait for each other.
    const stored = subscriptionId === undefined ? undefined : await lockSubscription(trx, subscriptionId)
    const alert = await lockAlert(trx, alertId)
    if (!alert) throw alertNotFound()
    if (alert.isResolved) throw alertResolved()
    if (alert.code !== 'pago_sin_relacion' || alert.paymentId === null) throw notAssignable()
    if (!stored) throw subscriptionNotFound()
    const { paymentId } = alert
    const payment = await lockPayment(trx, paymentId)
    if (!payment) throw notAssignable()
    requireUsable(payment)

    const at = deps.clock.now()
    await givePayment(trx, paymentId, { tenantId, subscriptionId: stored.id, at })
    const paidOn = fechaOf(payment.paidAt ?? at)
    const event = { kind: 'pago_aprobado', paymentId, paidOn, medio: 'pago_unico', mandateId: null } as const
    const applied = await applyEvent(trx, deps, stored.id, event, cause, at)
    await setResolved(trx, alertId, { at, by: by.actor?.userId ?? null, note: `Asignado a ${stored.rfc}.` })
    const detail = { alert: alertId, payment: paymentId, event: applied.eventId }
    await writeAudit(trx, { at, action: 'payment.assigned', tenantId, detail, ...by })
    if ((await findPayment(trx, paymentId))?.period) return 'periodo'
    return applied.rule === NOT_ENOUGH ? 'incompleto' : 'credito'
  })
}

/** The rule of `applyEvent` for money that does not cover what it was to pay (billing.md 4.7). */
const NOT_ENOUGH = '4.7'

function requireUsable({ subscriptionId, status, unmatched, currency, refundedC }: UnclaimedPayment): void {
  if (subscriptionId !== null) throw paymentTaken()
  if (unmatched === 'cobrador_ajeno') throw paymentUnusable('collector')
  if (currency !== 'MXN') throw paymentUnusable('currency')
  if (status !== 'approved') throw paymentUnusable('status')
  if (refundedC > 0n) throw paymentUnusable('returned')
}
