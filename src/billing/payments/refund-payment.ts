import { writeAudit } from '../../db/audit.ts'
import type { CentralTx } from '../../db/databases.ts'
import { type Centavos, formatCentavos } from '../../fiscal/money.ts'
import type { By } from '../../tenants/register.ts'
import type { Cause } from '../apply/cause.ts'
import { insertCommand } from '../commands/queries.ts'
import { takeBack } from '../facts/take-back.ts'
import { findSubscriptionIdOfTenant, lockSubscription } from '../subscription-queries.ts'
import { evidenceRequired, nothingLeft, notRefundable, paymentNotFound, refundTooMuch } from './errors.ts'
import type { PaymentDeps } from './mark-paid.ts'
import { type Evidence, insertRefund, lockPayment, type RefundablePayment, setTransferRefunded } from './queries.ts'

export interface RefundRequest {
  paymentId: string
  /** Null is all that is left. */
  amountC: Centavos | null
  reason: string
  evidence: Evidence | undefined
}

/**
 * Gives money back (billing.md 4.9). Through MercadoPago it is asked for: the refund's row and the command commit together,
 * and what became of it the payment tells. A transfer was given back at the bank already, so it holds at once.
 * @throws AppError not_found `payments.not_found`; conflict `payments.not_refundable`, `payments.nothing_left`; rejected
 *   `payments.refund_too_much`, `payments.evidence_required`
 */
export async function refundPayment(
  deps: PaymentDeps,
  tenantId: string,
  request: RefundRequest,
  { cause, by }: { cause: Cause; by: By },
): Promise<void> {
  await deps.central.transaction().execute(async (trx) => {
    // The subscription first, as everywhere.
    const subscriptionId = await findSubscriptionIdOfTenant(trx, tenantId)
    if (subscriptionId) await lockSubscription(trx, subscriptionId)
    const payment = await lockPayment(trx, { tenantId, id: request.paymentId })
    if (!payment?.subscriptionId) throw paymentNotFound()
    const amountC = amountOf(payment, request)
    const now = deps.clock.now()
    const requestedBy = by.actor?.userId ?? null
    const refund = { paymentId: payment.id, amountC, reason: request.reason, requestedBy, at: now }
    const refundId =
      payment.provider === 'transferencia'
        ? await record(trx, deps, payment, refund, { request, cause })
        : await ask(trx, deps, payment, refund)
    const evidence = request.evidence ? { evidencia: request.evidence } : {}
    const about = { pago: payment.id, reembolso: refundId, importe: formatCentavos(amountC), motivo: request.reason }
    const detail = { ...about, ...evidence }
    await writeAudit(trx, { at: now, action: 'payment.refund', tenantId, detail, ...by })
  })
}

function amountOf(payment: RefundablePayment, { amountC }: RefundRequest): Centavos {
  if (payment.status === 'refunded') throw nothingLeft()
  if (payment.status !== 'approved' || payment.disputed) throw notRefundable()
  const leftC = payment.amountC - payment.refundedC - payment.requestedC
  if (leftC <= 0n) throw nothingLeft()
  if (amountC !== null && amountC > leftC) throw refundTooMuch(leftC)
  return amountC ?? leftC
}

type Refund = Omit<Parameters<typeof insertRefund>[1], 'state'>

async function ask(
  trx: CentralTx,
  { queue }: PaymentDeps,
  { subscriptionId, connectorId }: RefundablePayment,
  refund: Refund,
): Promise<string> {
  if (!connectorId) throw new Error(`payment ${refund.paymentId} of MercadoPago without a connector`)
  const refundId = await insertRefund(trx, { ...refund, state: 'requested' })
  const command = { kind: 'refund', dedupeKey: `refund:${refundId}`, payload: { refundId } } as const
  const about = { subscriptionId, connectorId, mandateId: null, at: refund.at }
  const commandId = await insertCommand(trx, { ...command, ...about })
  if (commandId) await queue.enqueue(trx, 'billing.command', { commandId })
  return refundId
}

async function record(
  trx: CentralTx,
  deps: PaymentDeps,
  payment: RefundablePayment,
  refund: Refund,
  { request, cause }: { request: RefundRequest; cause: Cause },
): Promise<string> {
  if (!request.evidence) throw evidenceRequired()
  const { id, subscriptionId, refundedC: knownC } = payment
  if (!subscriptionId) throw paymentNotFound()
  const goneC = knownC + refund.amountC
  const refundId = await insertRefund(trx, { ...refund, state: 'confirmed' })
  await setTransferRefunded(trx, id, { refundedC: goneC, isTotal: goneC === payment.amountC, at: refund.at })
  const taken = { paymentId: id, subscriptionId, goneC, knownC, refundedC: goneC }
  await takeBack(trx, deps, { ...taken, kind: 'pago_reembolsado', cause, now: refund.at })
  return refundId
}
