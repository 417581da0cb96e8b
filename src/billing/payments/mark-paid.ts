import type { Clock } from '../../clock.ts'
import { writeAudit } from '../../db/audit.ts'
import type { CentralDb, CentralTx } from '../../db/databases.ts'
import { addDays, type Fecha, fechaOf, instantOf } from '../../fiscal/fecha.ts'
import { type Centavos, formatCentavos } from '../../fiscal/money.ts'
import type { Queue } from '../../queue/queue.ts'
import type { By } from '../../tenants/register.ts'
import { applyEvent } from '../apply/apply-event.ts'
import type { Cause } from '../apply/cause.ts'
import { subscriptionNotFound } from '../errors.ts'
import { payPlanChange } from '../plan-change/pay-plan-change.ts'
import { findPlanChange } from '../plan-change/queries.ts'
import { findSubscriptionIdOfTenant, lockSubscription } from '../subscription-queries.ts'
import { changeNotFound, dateOutOfRange, referenceTaken } from './errors.ts'
import { type Evidence, findTransfer, insertTransfer } from './queries.ts'

export interface Transfer {
  amountC: Centavos
  /** The day on which the money was there. */
  on: Fecha
  reference: string
  evidence: Evidence
  /** What it pays, where that is not the next period. */
  changeId: string | undefined
}

export interface PaymentDeps {
  central: CentralDb
  clock: Clock
  queue: Queue
}

/**
 * A transfer that staff saw at the bank (billing.md 3.4, 4.7): it is a payment like any other from here on. The bank's
 * reference makes it one, however often it is sent.
 * @returns the payment's id, new or known
 * @throws AppError not_found `subscription.not_found`, `payments.change_not_found`; rejected `payments.date_out_of_range`;
 *   conflict `payments.reference_taken`
 */
export async function markPaid(
  { central, clock, queue }: PaymentDeps,
  tenantId: string,
  transfer: Transfer,
  { cause, by }: { cause: Cause; by: By },
): Promise<string> {
  const now = clock.now()
  requireRecent(transfer.on, fechaOf(now))
  return central.transaction().execute(async (trx) => {
    const subscriptionId = await findSubscriptionIdOfTenant(trx, tenantId)
    if (!subscriptionId || !(await lockSubscription(trx, subscriptionId))) throw subscriptionNotFound()
    await requireChange(trx, subscriptionId, transfer.changeId)
    const { amountC, on, reference, evidence, changeId } = transfer
    const paymentId = await insertTransfer(trx, {
      tenantId,
      subscriptionId,
      planChangeId: changeId ?? null,
      amountC,
      // Midday: whatever is counted from it stays within its day.
      paidAt: instantOf(on, 12),
      reference,
      evidence,
      actorId: by.actor?.userId ?? null,
      at: now,
    })
    if (paymentId === undefined) return known(trx, subscriptionId, transfer)
    if (changeId !== undefined) await payPlanChange(trx, { queue }, { changeId, paymentId, cause, now })
    else {
      const event = { kind: 'pago_aprobado', paymentId, paidOn: on, medio: 'transferencia', mandateId: null } as const
      await applyEvent(trx, { queue }, subscriptionId, event, cause, now)
    }
    const detail = { pago: paymentId, importe: formatCentavos(amountC), fecha: on, referencia: reference }
    await writeAudit(trx, { at: now, action: 'payment.transfer', tenantId, detail, ...by })
    return paymentId
  })
}

const LONGEST_DAYS = 90

function requireRecent(on: Fecha, today: Fecha): void {
  const first = addDays(today, -LONGEST_DAYS)
  if (on < first || on > today) throw dateOutOfRange(first, today)
}

async function requireChange(trx: CentralTx, subscriptionId: string, changeId: string | undefined): Promise<void> {
  if (changeId === undefined) return
  const change = await findPlanChange(trx, changeId)
  if (change?.subscriptionId !== subscriptionId) throw changeNotFound()
}

async function known(trx: CentralTx, subscriptionId: string, { amountC, on, reference, changeId }: Transfer) {
  const before = await findTransfer(trx, subscriptionId, reference)
  const isSame =
    before?.amountC === amountC &&
    before.paidAt !== null &&
    fechaOf(before.paidAt) === on &&
    before.planChangeId === (changeId ?? null)
  if (!before || !isSame) throw referenceTaken(reference)
  return before.id
}
