import type { CentralTx } from '../../db/databases.ts'
import { fechaOf } from '../../fiscal/fecha.ts'
import { raiseAlert } from '../alerts/queries.ts'
import { type ApplyDeps, applyEvent } from '../apply/apply-event.ts'
import type { Cause } from '../apply/cause.ts'
import { findMandateByPreapproval, findMandateByReference, findPayment } from '../apply/queries.ts'
import { findRefundsOfPayment, insertLedger } from '../invoicing/ledger-queries.ts'
import { findInvoiceById } from '../invoicing/queries.ts'
import { settleInFull, settlePeriod } from '../invoicing/settle-period.ts'
import type { Payment } from '../mercadopago/gateway.ts'
import { paymentStatusOf } from '../mercadopago/normalize.ts'
import { payPlanChange } from '../plan-change/pay-plan-change.ts'
import { lockSubscription } from '../subscription-queries.ts'
import {
  confirmRefunds,
  findChangeToPay,
  findSeenPayment,
  findTenantOfSubscription,
  isOvercome,
  type SeenPayment,
  upsertPayment,
} from './queries.ts'
import { takeBack } from './take-back.ts'

export interface PaymentSeen {
  connector: { id: string; ownAccountId: string | null }
  payment: Payment
  /** Of the instalment that names this payment, where one does. */
  preapprovalId?: string | null
  authorizedPaymentId?: string | null
}

export type PaymentOutcome = 'validation' | 'foreign' | 'unmatched' | 'unknown_status' | 'stale' | 'same' | 'applied'

/**
 * Takes what MercadoPago says of a payment, through the guards of billing.md 5.4, and gives its subscription the events
 * that follow. Older or repeated news change nothing; one that is nobody's is kept and put before a person.
 */
export async function recordPayment(
  trx: CentralTx,
  deps: ApplyDeps,
  seen: PaymentSeen,
  cause: Cause,
  now: Date,
): Promise<PaymentOutcome> {
  const { connector, payment } = seen
  if (payment.isValidation) return 'validation'
  const target = await findOwner(trx, seen)
  // Our account pays too: MercadoPago's own invoice arrives approved. Without a link to us it is none of our business.
  const isOurs = payment.collectorId !== null && payment.collectorId === connector.ownAccountId
  if (!isOurs && !target) return 'foreign'

  if (target?.subscriptionId) await lockSubscription(trx, target.subscriptionId)
  const before = await findSeenPayment(trx, payment.id, { lock: true })
  // Somebody gave it to a company between the look and the lock.
  if (before?.subscriptionId && before.subscriptionId !== target?.subscriptionId)
    return recordPayment(trx, deps, seen, cause, now)
  const { status, disputed } = paymentStatusOf(payment.status)
  if (status === null) {
    await unknownStatus(trx, payment, target?.subscriptionId ?? null, now)
    return 'unknown_status'
  }
  if (before && isStale(payment, status, before)) return 'stale'
  if (before && isKnown(payment, before)) return 'same'

  const unmatched = !isOurs ? 'cobrador_ajeno' : payment.currency !== 'MXN' ? 'moneda' : target ? null : 'sin_relacion'
  const id = await upsertPayment(trx, {
    payment,
    status,
    disputed,
    connectorId: connector.id,
    tenantId: target && !unmatched ? await findTenantOfSubscription(trx, target.subscriptionId) : null,
    subscriptionId: target && !unmatched ? target.subscriptionId : null,
    mandateId: unmatched ? null : (target?.mandateId ?? null),
    planChangeId: unmatched ? null : (target?.planChangeId ?? null),
    authorizedPaymentId: seen.authorizedPaymentId ?? null,
    unmatched,
    at: now,
  })
  const row = await findPayment(trx, id)
  if (!row?.subscriptionId || unmatched) {
    // A rejection of nobody needs nobody.
    if (status === 'approved' || before?.status === 'approved') await nobodys(trx, { id, payment, unmatched, now })
    return 'unmatched'
  }
  await follow(trx, deps, { id, subscriptionId: row.subscriptionId, seen, before, cause, now })
  return 'applied'
}

interface Target {
  subscriptionId: string
  mandateId: string | null
  planChangeId: string | null
}

/** Whose it is: what was once found, by us or by a person who looked into it, stands. */
async function findOwner(trx: CentralTx, seen: PaymentSeen): Promise<Target | undefined> {
  const found = await findTarget(trx, seen)
  const owner = (await findSeenPayment(trx, seen.payment.id))?.subscriptionId
  if (!owner || owner === found?.subscriptionId) return found
  return { subscriptionId: owner, mandateId: null, planChangeId: null }
}

/** The links of billing.md 2.4 in their order; never a guess by e-mail or amount. */
async function findTarget(
  trx: CentralTx,
  { connector, payment, preapprovalId }: PaymentSeen,
): Promise<Target | undefined> {
  const named = payment.preapprovalId ?? preapprovalId ?? null
  const reference = payment.externalReference
  const mandate = named
    ? await findMandateByPreapproval(trx, connector.id, named)
    : reference?.startsWith('hx-')
      ? await findMandateByReference(trx, connector.id, reference)
      : undefined
  if (mandate) return { subscriptionId: mandate.subscriptionId, mandateId: mandate.id, planChangeId: null }
  const [, changeId] = /^up:([0-9a-f-]{36})$/.exec(reference ?? '') ?? []
  const change = changeId ? await findChangeToPay(trx, changeId) : undefined
  // Its reference is no secret: through a test account it would be paid with money that is none.
  if (change && change.connectorId !== null && change.connectorId !== connector.id) return undefined
  return change && { subscriptionId: change.subscriptionId, mandateId: null, planChangeId: change.id }
}

const RANK = { pending: 0, rejected: 1, approved: 2, refunded: 3 } as const

/** What is known of a payment never goes back; but a chargeback may be decided in our favour, and money returns. */
function isStale(payment: Payment, status: SeenPayment['status'], before: SeenPayment): boolean {
  if (before.providerUpdatedAt && payment.lastUpdated < before.providerUpdatedAt) return true
  const isWon = before.providerStatus === 'charged_back' && status === 'approved'
  // Two refunds of one second have one time.
  return !isWon && (RANK[status] < RANK[before.status] || payment.refundedC < before.refundedC)
}

const isKnown = (payment: Payment, before: SeenPayment): boolean =>
  payment.rawStatus === before.providerStatus && payment.refundedC === before.refundedC

interface Following {
  id: string
  subscriptionId: string
  seen: PaymentSeen
  before: SeenPayment | undefined
  cause: Cause
  now: Date
}

/** What was not known before becomes events, in the order in which it must have happened. */
async function follow(trx: CentralTx, deps: ApplyDeps, following: Following): Promise<void> {
  const { id, subscriptionId, seen, before, cause, now } = following
  const { payment } = seen
  const { status } = paymentStatusOf(payment.status)
  const give = (event: Parameters<typeof applyEvent>[3]) => applyEvent(trx, deps, subscriptionId, event, cause, now)
  const wasApproved = before?.status === 'approved' || before?.status === 'refunded'
  if ((status === 'approved' || status === 'refunded') && !wasApproved) await approve(trx, deps, following)

  if (payment.status === 'charged_back' && before?.providerStatus !== 'charged_back') {
    return takenBack(trx, deps, following, 'contracargo')
  }
  if (status === 'approved' && before?.providerStatus === 'charged_back') return won(trx, deps, following)
  if (payment.refundedC > (before?.refundedC ?? 0n) || (payment.status === 'refunded' && before?.status !== 'refunded'))
    return takenBack(trx, deps, following, 'pago_reembolsado')
  if (status === 'pending' && !before) await give({ kind: 'pago_en_proceso', paymentId: id })
  if (status === 'rejected' && before?.status !== 'rejected') {
    const row = await findPayment(trx, id)
    const mandateId = row?.mandateId ?? null
    const { authorizedPaymentId = null } = seen
    const rejected = { id, authorizedPaymentId, at: payment.dateCreated }
    const instalmentPaid = mandateId !== null && (await isOvercome(trx, { ...rejected, mandateId }))
    await give({ kind: 'pago_rechazado', paymentId: id, mandateId, instalmentPaid })
  }
}

async function approve(trx: CentralTx, deps: ApplyDeps, { id, subscriptionId, seen, cause, now }: Following) {
  const row = await findPayment(trx, id)
  if (row?.planChangeId) return payPlanChange(trx, deps, { changeId: row.planChangeId, paymentId: id, cause, now })
  const { dateApproved, lastUpdated } = seen.payment
  const paidOn = fechaOf(dateApproved ?? lastUpdated)
  const medio = row?.mandateId ? 'mandato' : 'pago_unico'
  const mandateId = row?.mandateId ?? null
  await applyEvent(
    trx,
    deps,
    subscriptionId,
    { kind: 'pago_aprobado', paymentId: id, paidOn, medio, mandateId },
    cause,
    now,
  )
}

/** A refund or a chargeback, as far as MercadoPago tells of it. */
async function takenBack(
  trx: CentralTx,
  deps: ApplyDeps,
  { id, subscriptionId, seen: { payment }, before, cause, now }: Following,
  kind: 'pago_reembolsado' | 'contracargo',
): Promise<void> {
  const { refundedC } = payment
  const isTotal = kind === 'contracargo' || payment.status === 'refunded'
  const goneC = isTotal ? ((await findPayment(trx, id))?.amountC ?? refundedC) : refundedC
  // All of it is gone already, whatever amount MercadoPago tells with that.
  const knownC = before?.status === 'refunded' ? goneC : (before?.refundedC ?? 0n)
  if (goneC > knownC || kind === 'contracargo')
    await takeBack(trx, deps, { paymentId: id, subscriptionId, kind, goneC, knownC, refundedC, cause, now })
  await confirmRefunds(trx, id, refundedC, now)
}

/**
 * Decided in our favour: what it had paid is paid again, also where that is over or was written off meanwhile. What another
 * payment has paid since then is the customer's credit, and so is what was taken of an old period.
 */
async function won(
  trx: CentralTx,
  deps: ApplyDeps,
  { id, subscriptionId, seen, cause, now }: Following,
): Promise<void> {
  const row = await findPayment(trx, id)
  if (!row?.tenantId) return
  const event = { kind: 'contracargo_ganado', paymentId: id, period: row.period } as const
  const { effects, eventId } = await applyEvent(trx, deps, subscriptionId, event, cause, now)
  if (effects.some((effect) => effect.kind === 'pay_period')) return
  const invoice = row.invoiceId ? await findInvoiceById(trx, row.invoiceId) : undefined
  if (invoice && (invoice.status === 'open' || invoice.status === 'uncollectible')) {
    const paidC = row.amountC + (await findRefundsOfPayment(trx, id))
    const settlement = settleInFull(invoice.collectC, paidC)
    const money = { paymentId: id, paidC, paidAt: now, now, ackedC: undefined, deed: eventId }
    return settlePeriod(trx, row.tenantId, { invoice, settlement }, money)
  }
  const backC = row.amountC - seen.payment.refundedC
  if (backC === 0n) return
  const sourceKey = `pay:${id}:chargeback_won:${eventId}`
  const entry = { tenantId: row.tenantId, at: now, kind: 'chargeback_won', amountC: backC, sourceKey } as const
  await insertLedger(trx, { ...entry, paymentId: id })
}

async function unknownStatus(trx: CentralTx, payment: Payment, subscriptionId: string | null, now: Date) {
  const tenantId = subscriptionId === null ? null : await findTenantOfSubscription(trx, subscriptionId)
  await raiseAlert(trx, {
    code: 'estado_desconocido',
    severity: 'critica',
    key: `payment:${payment.id}:${payment.rawStatus}`,
    at: now,
    tenantId,
    subscriptionId,
    detail: { estado: payment.rawStatus, recurso: `payment:${payment.id}` },
  })
}

async function nobodys(
  trx: CentralTx,
  { id, payment, unmatched, now }: { id: string; payment: Payment; unmatched: string | null; now: Date },
) {
  await raiseAlert(trx, {
    code: 'pago_sin_relacion',
    severity: 'critica',
    key: id,
    at: now,
    paymentId: id,
    detail: {
      motivo: unmatched,
      pago: payment.id,
      importeC: String(payment.amountC),
      moneda: payment.currency,
      referencia: payment.externalReference,
      descripcion: payment.description,
    },
  })
}
