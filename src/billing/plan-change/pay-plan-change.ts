import type { CentralTx } from '../../db/databases.ts'
import { fechaOf } from '../../fiscal/fecha.ts'
import { isPaid } from '../access.ts'
import { raiseAlert } from '../alerts/queries.ts'
import type { ApplyDeps } from '../apply/apply-event.ts'
import type { Cause } from '../apply/cause.ts'
import { findPayment, type PaymentRow, setPaymentInvoice } from '../apply/queries.ts'
import { insertLedger } from '../invoicing/ledger-queries.ts'
import { findInvoice, setInvoiceStatus } from '../invoicing/queries.ts'
import { settlePeriod } from '../invoicing/settle-period.ts'
import { writeNotice } from '../notices/write-notice.ts'
import { findTerms } from '../plans/terms.ts'
import { settle } from '../settlement.ts'
import { lockSubscription, type StoredSubscription } from '../subscription-queries.ts'
import { applyChange } from './apply-change.ts'
import { closePlanChange, findPlanChange, type PlanChangeRow } from './queries.ts'

export const changeKeyOf = (changeId: string): string => `cambio:${changeId}`

/**
 * The difference of an upgrade was paid (billing.md 4.7): the new plan begins. Paid too little, twice, too late, or while
 * the subscription is no longer what was offered: the money is the customer's and a person looks at it.
 */
export async function payPlanChange(
  trx: CentralTx,
  deps: ApplyDeps,
  { changeId, paymentId, cause, now }: { changeId: string; paymentId: string; cause: Cause; now: Date },
): Promise<void> {
  const change = await findPlanChange(trx, changeId)
  const stored = change && (await lockSubscription(trx, change.subscriptionId))
  const payment = await findPayment(trx, paymentId)
  if (!change || !stored || !payment) throw new Error(`change ${changeId} or payment ${paymentId} is not there`)
  const invoice = await findInvoice(trx, stored.id, changeKeyOf(changeId))
  const settlement = invoice && settle({ kind: 'one_off', collectC: invoice.collectC, paidC: payment.amountC })
  if (!invoice || !isOffered(change, stored, now) || invoice.status !== 'open')
    return keep(trx, { stored, payment, kind: 'late_payment', code: 'cambio_ya_no_procede', now })
  if (!settlement?.covered)
    return keep(trx, { stored, payment, kind: 'incomplete_payment', code: 'pago_incompleto', now })

  await closePlanChange(trx, change.id, 'aplicado', now)
  if (change.to.frecuencia === stored.sub.frecuencia) {
    const money = {
      paymentId,
      paidC: payment.amountC,
      paidAt: payment.paidAt ?? now,
      now,
      ackedC: undefined,
      deed: change.id,
    }
    await settlePeriod(trx, stored.tenantId, { invoice, settlement }, money)
    await setPaymentInvoice(trx, paymentId, invoice.id)
    const applied = await applyChange(trx, deps, change, { lines: 'invoiced', paymentId }, cause, now)
    await confirm(trx, deps, applied.stored, paymentId, now)
    return
  }
  // The invoice of the new period takes its place: its lines are the credit in the balance and that period.
  await setInvoiceStatus(trx, invoice.id, 'void', now)
  const applied = await applyChange(trx, deps, change, { lines: 'invoiced', paymentId }, cause, now)
  await confirm(trx, deps, applied.stored, paymentId, now)
}

function isOffered(change: PlanChangeRow, { sub, planCode, planVersion }: StoredSubscription, now: Date): boolean {
  const { periodStart, periodEnd } = sub
  return (
    change.state === 'pendiente_pago' &&
    sub.estado === 'activa' &&
    !sub.cancelAt &&
    isPaid(sub, fechaOf(now)) &&
    planCode === change.from.code &&
    planVersion === change.from.version &&
    sub.frecuencia === change.from.frecuencia &&
    periodStart !== null &&
    periodEnd !== null &&
    change.onDay >= periodStart &&
    change.onDay < periodEnd
  )
}

async function confirm(trx: CentralTx, deps: ApplyDeps, stored: StoredSubscription, paymentId: string, now: Date) {
  const notice = { template: 'pago_confirmado', key: paymentId, paymentId } as const
  await writeNotice(trx, deps.queue, notice, { stored, terms: await findTerms(trx, stored, now), now })
}

async function keep(
  trx: CentralTx,
  {
    stored,
    payment,
    kind,
    code,
    now,
  }: {
    stored: StoredSubscription
    payment: PaymentRow
    kind: 'late_payment' | 'incomplete_payment'
    code: 'cambio_ya_no_procede' | 'pago_incompleto'
    now: Date
  },
): Promise<void> {
  const { tenantId, id: subscriptionId, rfc } = stored
  const sourceKey = `pay:${payment.id}:${kind}`
  await insertLedger(trx, { tenantId, at: now, kind, amountC: payment.amountC, sourceKey, paymentId: payment.id })
  const about = { tenantId, subscriptionId, paymentId: payment.id, at: now }
  await raiseAlert(trx, { code, severity: 'advertencia', key: payment.id, ...about, detail: { rfc } })
}
