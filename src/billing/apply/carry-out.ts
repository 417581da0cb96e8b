import type { CentralTx } from '../../db/databases.ts'
import type { Queue } from '../../queue/queue.ts'
import { raiseAlert, type Severity } from '../alerts/queries.ts'
import { insertCommand, isAmountOnItsWay } from '../commands/queries.ts'
import { drawInvoice } from '../invoicing/draw.ts'
import { insertLedger } from '../invoicing/ledger-queries.ts'
import { payFromBalance } from '../invoicing/pay-from-balance.ts'
import { findInvoiceById, writeOffInvoices } from '../invoicing/queries.ts'
import { reopenInvoice } from '../invoicing/settle-period.ts'
import type { AlertCode, Effect } from '../machine/event.ts'
import { writeNotice } from '../notices/write-notice.ts'
import type { Terms } from '../plans/terms.ts'
import { CEILING_C } from '../prices.ts'
import { currentMandate } from '../subscription.ts'
import type { StoredSubscription } from '../subscription-queries.ts'
import { findMandate, findPayment, setCancelledByUs } from './queries.ts'

export interface EffectContext {
  /** Id of the row of the audit chain: names what this one event did. */
  eventId: string
  /** As it stands after the event. */
  stored: StoredSubscription
  terms: Terms
  now: Date
}

/** Writes what the machine decided, in its transaction. `pay_period` is not here: whoever applied the payment settled it. */
export async function carryOut(
  trx: CentralTx,
  queue: Pick<Queue, 'enqueue'>,
  effect: Exclude<Effect, { kind: 'pay_period' }>,
  context: EffectContext,
): Promise<void> {
  const { stored, terms, now, eventId } = context
  const ofTenant = { tenantId: stored.tenantId, subscriptionId: stored.id }
  switch (effect.kind) {
    case 'mail':
      return writeNotice(trx, queue, effect, { stored, terms, now })
    case 'mandate':
      return tellMandate(trx, queue, effect, context)
    case 'credit': {
      const payment = await findPayment(trx, effect.paymentId)
      if (!payment) throw new Error(`payment ${effect.paymentId} is not there`)
      await insertLedger(trx, {
        tenantId: stored.tenantId,
        at: now,
        kind: effect.reason,
        amountC: payment.amountC,
        sourceKey: `pay:${payment.id}:${effect.reason}`,
        paymentId: payment.id,
      })
      return
    }
    case 'prepare_invoice':
      return prepare(trx, queue, effect.period, context)
    case 'pay_from_balance':
      return payFromBalance(trx, { stored, terms, period: effect.period, now }, eventId)
    case 'reopen_invoice': {
      const payment = await findPayment(trx, effect.paymentId)
      const invoice = payment?.invoiceId ? await findInvoiceById(trx, payment.invoiceId) : undefined
      if (invoice?.status === 'paid') await reopenInvoice(trx, stored.tenantId, invoice, { at: now, deed: eventId })
      return
    }
    case 'write_off': {
      await writeOffInvoices(trx, stored.id, effect.before, now)
      return
    }
    case 'alert': {
      const { code, key, paymentId, mandateId } = effect
      const about = { ...ofTenant, paymentId: paymentId ?? null, mandateId: mandateId ?? null }
      return raiseAlert(trx, { code, severity: SEVERITY[code], key, at: now, ...about, detail: { rfc: stored.rfc } })
    }
  }
}

const SEVERITY: Record<AlertCode, Severity> = {
  mandato_duplicado: 'critica',
  mandato_reaparecido: 'critica',
  pago_duplicado: 'advertencia',
  pago_tras_cancelacion: 'critica',
  pago_en_pausa: 'advertencia',
  pago_con_suspension: 'advertencia',
  contracargo: 'advertencia',
  reembolso_con_prepago: 'advertencia',
}

/** A command for MercadoPago commits with what decided it; it is carried out later, however often it must be tried. */
async function tellMandate(
  trx: CentralTx,
  queue: Pick<Queue, 'enqueue'>,
  { mandateId, action, why }: Extract<Effect, { kind: 'mandate' }>,
  { stored, now, eventId }: EffectContext,
): Promise<void> {
  const mandate = await findMandate(trx, mandateId)
  if (!mandate) return
  if (action === 'cancel') await setCancelledByUs(trx, mandateId, why)
  const id = await insertCommand(trx, {
    kind: action,
    dedupeKey: `${action}:${mandateId}:${eventId}`,
    subscriptionId: stored.id,
    connectorId: mandate.connectorId,
    mandateId,
    at: now,
  })
  if (id) await queue.enqueue(trx, 'billing.command', { commandId: id })
}

/** The invoice of a period, and MercadoPago told of its amount where it is another than the one it last confirmed. */
async function prepare(
  trx: CentralTx,
  queue: Pick<Queue, 'enqueue'>,
  period: Extract<Effect, { kind: 'prepare_invoice' }>['period'],
  { stored, terms, now, eventId }: EffectContext,
): Promise<void> {
  const current = currentMandate(stored.sub)
  const charges = current?.status === 'authorized' && !current.cancelledByUs
  const invoice = await drawInvoice(trx, { stored, terms, period, collection: charges ? 'card' : 'transfer', now })
  if (!invoice || !charges) return
  const mandate = await findMandate(trx, current.id)
  if (!mandate || invoice.status === 'paid') return
  await tellAmount(trx, queue, { mandate, amountC: invoice.collectC, stored, now, eventId })
}

/** Asks MercadoPago to charge this from now on. Above its ceiling nothing is asked: a person must collect by transfer. */
export async function tellAmount(
  trx: CentralTx,
  queue: Pick<Queue, 'enqueue'>,
  {
    mandate,
    amountC,
    stored,
    now,
    eventId,
  }: {
    mandate: { id: string; connectorId: string; amountAckedC: bigint | null }
    amountC: bigint
    stored: StoredSubscription
    now: Date
    eventId: string
  },
): Promise<void> {
  if (amountC > CEILING_C) {
    const about = { tenantId: stored.tenantId, subscriptionId: stored.id, mandateId: mandate.id }
    const detail = { rfc: stored.rfc, importeC: String(amountC) }
    await raiseAlert(trx, {
      code: 'importe_sobre_el_tope',
      severity: 'critica',
      key: `${mandate.id}:${amountC}`,
      at: now,
      ...about,
      detail,
    })
    return
  }
  // What it confirmed last may be about to change: an order on its way must be followed by this one.
  if (mandate.amountAckedC === amountC && !(await isAmountOnItsWay(trx, mandate.id))) return
  const id = await insertCommand(trx, {
    kind: 'set_amount',
    dedupeKey: `set_amount:${mandate.id}:${eventId}`,
    subscriptionId: stored.id,
    connectorId: mandate.connectorId,
    mandateId: mandate.id,
    payload: { amountC: String(amountC) },
    at: now,
  })
  if (id) await queue.enqueue(trx, 'billing.command', { commandId: id })
}
