import type { CentralTx } from '../../db/databases.ts'
import { fechaOf } from '../../fiscal/fecha.ts'
import { type Applied, type ApplyDeps, applyEvent } from '../apply/apply-event.ts'
import { tellAmount } from '../apply/carry-out.ts'
import type { Cause } from '../apply/cause.ts'
import { findMandate } from '../apply/queries.ts'
import { computeInvoice } from '../invoicing/draw.ts'
import { insertLedger } from '../invoicing/ledger-queries.ts'
import { payFromBalance } from '../invoicing/pay-from-balance.ts'
import { revokePaymentLinks } from '../links/queries.ts'
import { periodToPay } from '../machine/period-to-pay.ts'
import { findTerms } from '../plans/terms.ts'
import { currentMandate } from '../subscription.ts'
import { lockSubscription } from '../subscription-queries.ts'
import type { PlanChangeRow } from './queries.ts'

/**
 * Makes a change of plan true: the plan, the two lines where the balance settles them, the amount that MercadoPago charges
 * from now on. `balance` lines are those that no invoice of its own collected. Under the lock of the subscription.
 */
export async function applyChange(
  trx: CentralTx,
  deps: ApplyDeps,
  change: PlanChangeRow,
  { lines, paymentId }: { lines: 'balance' | 'invoiced'; paymentId: string | null },
  cause: Cause,
  now: Date,
): Promise<Applied> {
  const before = await lockSubscription(trx, change.subscriptionId)
  if (!before) throw new Error(`subscription ${change.subscriptionId} is gone`)
  const isNewInterval = change.to.frecuencia !== before.sub.frecuencia
  const entry = { tenantId: before.tenantId, at: now }
  if ((lines === 'balance' || isNewInterval) && change.creditC !== 0n) {
    const amountC = -change.creditC
    await insertLedger(trx, { ...entry, kind: 'proration_credit', amountC, sourceKey: `chg:${change.id}:credit` })
  }
  // The charge of a new interval is the invoice of its period.
  if (lines === 'balance' && !isNewInterval && change.chargeC !== 0n) {
    const amountC = -change.chargeC
    await insertLedger(trx, { ...entry, kind: 'proration_charge', amountC, sourceKey: `chg:${change.id}:charge` })
  }
  await revokePaymentLinks(trx, before.id, now)
  const { code, version, frecuencia } = change.to
  const event = {
    kind: 'cambiar_plan',
    changeId: change.id,
    frecuencia,
    paymentId: isNewInterval ? paymentId : null,
  } as const
  const applied = await applyEvent(trx, deps, before.id, event, cause, now, { plan: { code, version } })
  const { stored } = applied
  const terms = await findTerms(trx, stored, now)
  const { periodStart, periodEnd, estado } = stored.sub

  if (isNewInterval && paymentId === null && estado === 'activa' && periodStart && periodEnd) {
    // The balance pays the new period: what was left of the old one is more than it costs. What was owed stays owed.
    const period = { start: periodStart, end: periodEnd }
    await payFromBalance(trx, { stored, terms, period, now }, applied.eventId)
  }
  const current = currentMandate(stored.sub)
  if (current?.status === 'authorized' && !current.cancelledByUs) {
    const period = periodToPay(stored.sub, fechaOf(now))
    const next = await computeInvoice(trx, { stored, terms, period, collection: 'card', now })
    const mandate = await findMandate(trx, current.id)
    if (next && mandate)
      await tellAmount(trx, deps.queue, { mandate, amountC: next.collectC, stored, now, eventId: applied.eventId })
  }
  return applied
}
