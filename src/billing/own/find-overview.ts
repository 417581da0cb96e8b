import type { CentralDb } from '../../db/databases.ts'
import { type Fecha, fechaOf } from '../../fiscal/fecha.ts'
import type { Centavos } from '../../fiscal/money.ts'
import { access, accessChangesAt } from '../access.ts'
import { findMandate, type MandateRow } from '../apply/queries.ts'
import { subscriptionNotFound } from '../errors.ts'
import { findBalance } from '../invoicing/ledger-queries.ts'
import { findInvoice } from '../invoicing/queries.ts'
import { periodToPay } from '../machine/period-to-pay.ts'
import { amountToPay } from '../notices/write-notice.ts'
import type { Period } from '../periods.ts'
import { changeKeyOf } from '../plan-change/pay-plan-change.ts'
import { findPendingChange, type PlanChangeRow } from '../plan-change/queries.ts'
import { findTransferInstructions } from '../plans/policy-queries.ts'
import { findPlan } from '../plans/queries.ts'
import { findTerms, type Terms } from '../plans/terms.ts'
import { type Access, currentMandate, isAutomatic, isLive, type Subscription } from '../subscription.ts'
import { findSubscription, type StoredSubscription } from '../subscription-queries.ts'
import { findLastInvoices, findLastPayments, type InvoiceSummary, type PaymentSummary } from './queries.ts'

/** A subscription with what surrounds it, as one moment saw it. */
export interface Overview {
  stored: StoredSubscription
  terms: Terms
  access: Access
  accessChangesAt: Date | null
  /** Positive is in favour of the customer. */
  balanceC: Centavos
  mandate: MandateRow | null
  toPay: ToPay | null
  change: PendingChange | null
  payments: PaymentSummary[]
  invoices: InvoiceSummary[]
  transferInstructions: string | null
}

/** What is to be paid next, or is owed already. */
export interface ToPay {
  amountC: Centavos
  period: Period
  /** The day from which it is due; null where it is paid when the customer likes: to begin, or to come back. */
  on: Fecha | null
  /** The card is charged by itself. */
  automatic: boolean
}

export interface PendingChange {
  change: PlanChangeRow
  planNombre: string
  collectC: Centavos
}

/** @throws AppError `subscription.not_found` */
export async function findOverview(central: CentralDb, tenantId: string, now: Date): Promise<Overview> {
  return central.transaction().execute(async (trx) => {
    const stored = await findSubscription(trx, tenantId)
    if (!stored) throw subscriptionNotFound()
    const { sub, id } = stored
    const terms = await findTerms(trx, stored, now)
    const mandateId = shownMandate(sub)
    const mandate = mandateId === null ? undefined : await findMandate(trx, mandateId)
    const amountC = await amountToPay(trx, { stored, terms, now })
    const pending = await findPendingChange(trx, id)
    return {
      stored,
      terms,
      access: access(sub, now, terms.policy),
      accessChangesAt: accessChangesAt(sub, now, terms.policy),
      balanceC: await findBalance(trx, tenantId),
      mandate: mandate ?? null,
      toPay: amountC === null || !mayPay(sub) ? null : toPay(sub, mandate, amountC, now),
      change: pending
        ? {
            change: pending,
            planNombre: (await findPlan(trx, pending.to.code, pending.to.version))?.nombre ?? pending.to.code,
            collectC: (await findInvoice(trx, id, changeKeyOf(pending.id)))?.collectC ?? 0n,
          }
        : null,
      payments: await findLastPayments(trx, id, LAST),
      invoices: await findLastInvoices(trx, id, LAST),
      transferInstructions: await findTransferInstructions(trx),
    }
  })
}

const LAST = 5

/** The one that pays, or else the checkout that waits for its payer. */
function shownMandate(sub: Subscription): string | null {
  const current = currentMandate(sub)
  if (current) return current.id
  return sub.mandates.find((mandate) => isLive(mandate) && !mandate.cancelledByUs)?.id ?? null
}

/** Money that would buy nothing is not asked for: it would only become credit. */
const mayPay = ({ estado, cancelAt, suspendedByStaff }: Subscription): boolean =>
  !suspendedByStaff && cancelAt === null && estado !== 'pausada'

function toPay(sub: Subscription, mandate: MandateRow | undefined, amountC: Centavos, now: Date): ToPay {
  const today = fechaOf(now)
  const period = periodToPay(sub, today)
  const automatic = isAutomatic(sub)
  const charged = automatic && mandate?.nextPaymentDate ? fechaOf(mandate.nextPaymentDate) : null
  return { amountC, period, on: charged ?? dueOn(sub, period), automatic }
}

function dueOn(sub: Subscription, period: Period): Fecha | null {
  switch (sub.estado) {
    case 'trial':
    case 'activa':
      return period.start
    case 'pendiente_pago':
    case 'grace_period':
    case 'suspendida':
      return sub.pastDueSince
    case 'pausada':
    case 'cancelada':
    case 'vencida':
      return null
  }
}
