import type { CentralTx } from '../../db/databases.ts'
import { earlierFecha, fechaOf } from '../../fiscal/fecha.ts'
import type { Centavos } from '../../fiscal/money.ts'
import { type Settlement, settle } from '../settlement.ts'
import { type Drawing, drawInvoice } from './draw.ts'
import { findCreditOfPayment, insertLedger } from './ledger-queries.ts'
import { type InvoiceRow, setInvoiceStatus } from './queries.ts'
import { settleSeats, unsettleSeats } from './seat-line-queries.ts'

/** A payment that is about to pay a period. */
export interface PayingWith {
  paymentId: string
  paidC: Centavos
  paidAt: Date
  now: Date
  /** What MercadoPago last confirmed of the mandate that charged; undefined for a payment made by the customer himself. */
  ackedC: Centavos | null | undefined
  /** It was enough when it was agreed or made: what the invoice has become since then is the balance's business. */
  isEnough?: boolean
  /** Names this deed among those of the same invoice: it can be paid, taken back and paid again. */
  deed: string
}

/**
 * Draws the invoice of a period as things are now and says what a payment makes of it (billing.md 4.7). Nothing is
 * settled yet: who calls decides by `covered` whether the period begins at all. An invoice without a price is undefined.
 */
export async function weigh(
  trx: CentralTx,
  drawing: Omit<Drawing, 'collection'>,
  { paidC, ackedC, isEnough = false }: Pick<PayingWith, 'paidC' | 'ackedC' | 'isEnough'>,
): Promise<{ invoice: InvoiceRow; settlement: Settlement } | undefined> {
  const byMandate = ackedC !== undefined
  const invoice = await drawInvoice(trx, { ...drawing, collection: byMandate ? 'card' : 'transfer', beingPaid: true })
  if (!invoice) return undefined
  const { collectC } = invoice
  if (isEnough) return { invoice, settlement: settleInFull(collectC, paidC) }
  const charge = byMandate
    ? ({ kind: 'mandate', collectC, paidC, ackedC } as const)
    : ({ kind: 'one_off', collectC, paidC } as const)
  return { invoice, settlement: settle(charge) }
}

/** A payment that was enough already: the difference goes to the balance, whichever way it is. */
export const settleInFull = (collectC: Centavos, paidC: Centavos): Settlement =>
  settle({ kind: 'mandate', collectC, paidC, ackedC: paidC })

/**
 * The invoice is paid: the balance gives what it was drawn to give, and the difference goes to it. With that of a period the
 * people of all periods that are over have been asked for.
 */
export async function settlePeriod(
  trx: CentralTx,
  tenantId: string,
  { invoice, settlement }: { invoice: InvoiceRow; settlement: Settlement },
  { paymentId, paidAt, deed, now }: PayingWith,
): Promise<void> {
  const entry = { tenantId, at: paidAt, invoiceId: invoice.id }
  if (invoice.status === 'paid') throw new Error(`invoice ${invoice.id} is paid already`)
  if (invoice.balanceAppliedC !== 0n) {
    const amountC = -invoice.balanceAppliedC
    await insertLedger(trx, {
      ...entry,
      kind: 'applied_to_invoice',
      amountC,
      sourceKey: `inv:${invoice.id}:applied:${deed}`,
    })
  }
  if (settlement.entry) {
    const { kind, amountC } = settlement.entry
    await insertLedger(trx, { ...entry, kind, amountC, paymentId, sourceKey: `pay:${paymentId}:${kind}:${deed}` })
  }
  await setInvoiceStatus(trx, invoice.id, 'paid', paidAt)
  if (invoice.periodKey.startsWith('periodo:'))
    await settleSeats(trx, invoice.id, earlierFecha(invoice.period.start, fechaOf(now)))
}

/**
 * What a payment had settled is open again: the balance takes back what it gave. The payment's own part of the balance is
 * the refund's business.
 */
export async function reopenInvoice(
  trx: CentralTx,
  tenantId: string,
  invoice: InvoiceRow,
  { at, deed }: { at: Date; deed: string },
): Promise<void> {
  if (invoice.balanceAppliedC !== 0n) {
    const sourceKey = `inv:${invoice.id}:reopened:${deed}`
    const amountC = invoice.balanceAppliedC
    await insertLedger(trx, { tenantId, at, invoiceId: invoice.id, kind: 'applied_to_invoice', amountC, sourceKey })
  }
  await unsettleSeats(trx, invoice.id)
  await setInvoiceStatus(trx, invoice.id, 'open', at)
}

/**
 * Money went back to the customer. What of the payment lay in the balance leaves it; the rest had bought a period, which
 * is either open again or was a courtesy: then both sides are written, and the balance stays.
 */
export async function recordReturn(
  trx: CentralTx,
  {
    tenantId,
    paymentId,
    amountC,
    at,
    kind,
    sourceKey,
    reopened,
  }: {
    tenantId: string
    paymentId: string
    /** What went back this time. */
    amountC: Centavos
    at: Date
    kind: 'refund' | 'chargeback'
    sourceKey: string
    /** Its invoice is open again: nothing was given away. */
    reopened: boolean
  },
): Promise<void> {
  const credit = await findCreditOfPayment(trx, paymentId)
  // An undercharge of a payment that is wholly gone is no debt any more: the whole invoice is.
  const fromBalance = reopened ? credit : credit > 0n ? (credit < amountC ? credit : amountC) : 0n
  if (fromBalance !== 0n) await insertLedger(trx, { tenantId, at, kind, amountC: -fromBalance, paymentId, sourceKey })
  const rest = amountC - fromBalance
  if (reopened || rest <= 0n) return
  if (kind === 'chargeback') {
    // Nobody gave it: it is owed, and the next invoice asks for it.
    await insertLedger(trx, { tenantId, at, kind, amountC: -rest, paymentId: null, sourceKey: `${sourceKey}:debt` })
    return
  }
  await insertLedger(trx, { tenantId, at, kind: 'courtesy', amountC: rest, sourceKey: `${sourceKey}:courtesy` })
  await insertLedger(trx, { tenantId, at, kind, amountC: -rest, sourceKey: `${sourceKey}:given` })
}
