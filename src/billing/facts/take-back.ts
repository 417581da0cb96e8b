import type { CentralTx } from '../../db/databases.ts'
import type { Centavos } from '../../fiscal/money.ts'
import { type ApplyDeps, applyEvent } from '../apply/apply-event.ts'
import type { Cause } from '../apply/cause.ts'
import { findPayment, handOverPeriod } from '../apply/queries.ts'
import { recordReturn } from '../invoicing/settle-period.ts'
import { writeNotice } from '../notices/write-notice.ts'
import { findTerms } from '../plans/terms.ts'
import { lockSubscription } from '../subscription-queries.ts'

export interface TakenBack {
  paymentId: string
  subscriptionId: string
  kind: 'pago_reembolsado' | 'contracargo'
  /** What went back of the payment until now, and what of that was known before. */
  goneC: Centavos
  knownC: Centavos
  /** What the payment's row says was refunded: names this return among those of the payment. */
  refundedC: Centavos
  cause: Cause
  now: Date
}

/**
 * Money of a payment went back, by whoever's hand: a refund at MercadoPago, one by bank, a chargeback. The machine decides
 * of the state when all of it is gone, then the ledger follows what went back (billing.md 4.9). The payment's row says so
 * already.
 */
export async function takeBack(trx: CentralTx, deps: ApplyDeps, taken: TakenBack): Promise<void> {
  const { paymentId, subscriptionId, kind, goneC, knownC, refundedC, cause, now } = taken
  const row = await findPayment(trx, paymentId)
  if (!row?.tenantId) return
  const isChargeback = kind === 'contracargo'
  let sourceKey = `pay:${paymentId}:refund:${refundedC}`
  let reopened = false
  if (goneC === row.amountC) {
    const event = { kind, paymentId, period: row.period } as const
    const applied = await applyEvent(trx, deps, subscriptionId, event, cause, now)
    reopened = applied.effects.some((effect) => effect.kind === 'reopen_invoice')
    const isPaidAhead = applied.effects.some((effect) => effect.kind === 'alert' && effect.code === PAID_AHEAD)
    if (isPaidAhead && row.period) await handOverPeriod(trx, { subscriptionId, paymentId, period: row.period })
    // One that was won may be disputed again: each is a deed of its own.
    if (isChargeback) sourceKey = `pay:${paymentId}:chargeback:${applied.eventId}`
  } else {
    const stored = await lockSubscription(trx, subscriptionId)
    if (!stored) return
    const notice = { template: 'pago_reembolsado', key: `${paymentId}:${refundedC}`, paymentId } as const
    await writeNotice(trx, deps.queue, notice, { stored, terms: await findTerms(trx, stored, now), now })
  }
  await recordReturn(trx, {
    tenantId: row.tenantId,
    paymentId,
    amountC: goneC - knownC,
    at: now,
    kind: isChargeback ? 'chargeback' : 'refund',
    sourceKey,
    reopened,
  })
}

/** What the machine says of the money of a running period when the next one is paid already. */
const PAID_AHEAD = 'reembolso_con_prepago'
