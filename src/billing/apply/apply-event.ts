import { uuidv7 } from 'uuidv7'
import type { CentralTx } from '../../db/databases.ts'
import type { Queue } from '../../queue/queue.ts'
import { raiseAlert } from '../alerts/queries.ts'
import { refusal, subscriptionNotFound } from '../errors.ts'
import { findRefundsOfPayment, insertLedger } from '../invoicing/ledger-queries.ts'
import { isCoveredByBalance } from '../invoicing/pay-from-balance.ts'
import { settlePeriod, weigh } from '../invoicing/settle-period.ts'
import { type Due, dueTimer } from '../machine/due-timer.ts'
import type { BillingEvent, Effect, Result, Timer } from '../machine/event.ts'
import { transition } from '../machine/transition.ts'
import { monthlyValue } from '../metrics.ts'
import { findTerms, type Terms } from '../plans/terms.ts'
import type { Frecuencia, Subscription } from '../subscription.ts'
import { lockSubscription, type StoredSubscription, saveSubscription } from '../subscription-queries.ts'
import { carryOut } from './carry-out.ts'
import { byTimer, type Cause } from './cause.ts'
import { findMandate, findPayment, insertEvent, type PaymentRow, setPaymentPeriod } from './queries.ts'

export interface ApplyDeps {
  queue: Pick<Queue, 'enqueue'>
}

export interface ApplyOptions {
  /** What it is sold from here on. */
  plan?: { code: string; version: number } | undefined
  /** As the caller has locked and read it in this transaction. */
  locked?: { stored: StoredSubscription; terms: Terms }
}

export interface Applied {
  eventId: string
  /** What happens next by itself. */
  due: Due | null
  outcome: 'next' | 'same'
  rule: string
  stored: StoredSubscription
  effects: readonly Effect[]
}

/**
 * Gives one event to a subscription: locked, decided by the machine, and everything that follows written in this same
 * transaction, the state, the money, the mails, the commands and the row that says why.
 * @throws AppError not_found; conflict `subscription.*` when a command is refused, and then nothing was written
 */
export async function applyEvent(
  trx: CentralTx,
  { queue }: ApplyDeps,
  subscriptionId: string,
  asked: BillingEvent,
  cause: Cause,
  now: Date,
  { plan, locked }: ApplyOptions = {},
): Promise<Applied> {
  const found = locked?.stored ?? (await lockSubscription(trx, subscriptionId))
  if (!found) throw subscriptionNotFound()
  // What somebody decides is about the state that time has made, also when the sweep has not come by yet.
  const isDecision = cause.origin === 'owner' || cause.origin === 'staff'
  const before = isDecision ? await catchUp(trx, { queue }, found, now) : found
  const soldBefore = locked?.terms ?? (await findTerms(trx, before, now))
  const event = await unlessCovered(trx, asked, { stored: before, terms: soldBefore, now })
  const decided = transition(before.sub, event, now, soldBefore.policy)
  if (decided.kind === 'refused') throw refusal(decided.code, before.sub.estado)

  const eventId = uuidv7()
  const sold = plan ? { ...before, planCode: plan.code, planVersion: plan.version } : before
  const terms = plan ? await findTerms(trx, sold, now) : soldBefore
  // Money first: a payment that does not cover its period begins none, whatever the machine would make of it.
  const result = await collect(trx, { before: sold, terms, event, result: decided, eventId, now })
  const stored: StoredSubscription = { ...sold, sub: result.sub }
  const due = dueTimer(result.sub, terms.policy)
  await saveSubscription(trx, before.id, result.sub, { nextDueAt: due?.at ?? null, plan })
  for (const effect of result.effects)
    if (effect.kind !== 'pay_period') await carryOut(trx, queue, effect, { eventId, stored, terms, now })

  await insertEvent(trx, {
    id: eventId,
    subscriptionId: before.id,
    tenantId: before.tenantId,
    at: now,
    event: event.kind === 'timer' ? event.timer : event.kind,
    origin: cause.origin,
    actor: cause.actor ?? null,
    webhookId: cause.webhookId ?? null,
    paymentId: 'paymentId' in event ? event.paymentId : null,
    mandateId: 'mandateId' in event ? event.mandateId : null,
    rule: result.rule,
    outcome: result.kind,
    before: factsOf(before.sub),
    after: { ...factsOf(result.sub), ...(plan && { plan }) },
    effects: result.effects,
    valueBeforeC: monthlyValueOf(before.sub, soldBefore),
    valueAfterC: monthlyValueOf(result.sub, terms),
    requestId: cause.requestId ?? null,
  })
  return { eventId, due, outcome: result.kind, rule: result.rule, stored, effects: result.effects }
}

/** Before anybody is asked for a period or sanctioned for it, the customer's own balance pays it where it is enough. */
async function unlessCovered(
  trx: CentralTx,
  event: BillingEvent,
  context: { stored: StoredSubscription; terms: Terms; now: Date },
): Promise<BillingEvent> {
  const asks = event.kind === 'timer' && ASKS.has(event.timer)
  return asks && (await isCoveredByBalance(trx, context)) ? { kind: 'saldo_cubre' } : event
}

const ASKS: ReadonlySet<Timer> = new Set([
  'aviso_vencimiento',
  'vence_periodo',
  'fin_pendiente',
  'fin_gracia',
  'fin_suspension',
])

/** Lets happen what is due and needs no reading of MercadoPago first. */
async function catchUp(
  trx: CentralTx,
  deps: ApplyDeps,
  stored: StoredSubscription,
  now: Date,
): Promise<StoredSubscription> {
  const terms = await findTerms(trx, stored, now)
  const due = dueTimer(stored.sub, terms.policy)
  if (!due || due.at > now || due.needsFresh) return stored
  const event = { kind: 'timer', timer: due.timer } as const
  const applied = await applyEvent(trx, deps, stored.id, event, byTimer, now, { locked: { stored, terms } })
  return catchUp(trx, deps, applied.stored, now)
}

type Decided = Exclude<Result, { kind: 'refused' }>

/**
 * Settles the period that a payment pays. When it is not enough, the money stays the customer's and the subscription as it
 * was (billing.md 4.7).
 */
async function collect(
  trx: CentralTx,
  {
    before,
    terms,
    event,
    result,
    eventId,
    now,
  }: {
    before: StoredSubscription
    terms: Terms
    event: BillingEvent
    result: Decided
    eventId: string
    now: Date
  },
): Promise<Decided> {
  const paying = result.effects.find((effect) => effect.kind === 'pay_period')
  if (!paying) return result
  const payment = await findPayment(trx, paying.paymentId)
  if (!payment) throw new Error(`payment ${paying.paymentId} is not there`)
  const mandate = payment.mandateId ? await findMandate(trx, payment.mandateId) : undefined
  const isWon = event.kind === 'contracargo_ganado'
  const money = {
    paidC: isWon ? payment.amountC + (await findRefundsOfPayment(trx, payment.id)) : payment.amountC,
    ackedC: mandate ? mandate.amountAckedC : undefined,
    // It had paid this period before, or what was offered: prices and balances that moved since take nothing of it back.
    isEnough: isWon || event.kind === 'cambiar_plan',
  }
  const frecuencia: Frecuencia = result.sub.frecuencia
  const drawing = { stored: { ...before, sub: { ...before.sub, frecuencia } }, terms, period: paying.period, now }
  const weighed = await weigh(trx, drawing, money)
  if (!weighed) return keepWithoutPrice(trx, before, payment, now)
  const about = { tenantId: before.tenantId, subscriptionId: before.id, paymentId: payment.id, at: now }
  if (!weighed.settlement.covered) {
    const kind = 'incomplete_payment'
    const sourceKey = `pay:${payment.id}:${kind}`
    const entry = { tenantId: before.tenantId, at: now, amountC: payment.amountC, sourceKey, paymentId: payment.id }
    await insertLedger(trx, { ...entry, kind })
    const detail = {
      rfc: before.rfc,
      recibidoC: String(payment.amountC),
      porCobrarC: String(weighed.invoice.collectC),
    }
    await raiseAlert(trx, { code: 'pago_incompleto', severity: 'advertencia', key: payment.id, ...about, detail })
    return { kind: 'same', sub: before.sub, effects: [], rule: '4.7' }
  }
  const paidAt = payment.paidAt ?? now
  await settlePeriod(trx, before.tenantId, weighed, { paymentId: payment.id, ...money, paidAt, now, deed: eventId })
  await setPaymentPeriod(trx, payment.id, { invoiceId: weighed.invoice.id, period: paying.period })
  if (weighed.settlement.unexpected) {
    const detail = { rfc: before.rfc, recibidoC: String(payment.amountC), confirmadoC: String(money.ackedC ?? '') }
    await raiseAlert(trx, { code: 'importe_inesperado', severity: 'advertencia', key: payment.id, ...about, detail })
  }
  return result
}

/** A plan that lost its price since somebody was asked to pay it. */
async function keepWithoutPrice(
  trx: CentralTx,
  before: StoredSubscription,
  payment: PaymentRow,
  now: Date,
): Promise<Decided> {
  const { tenantId, id: subscriptionId, rfc, planCode } = before
  const kind = 'incomplete_payment'
  const sourceKey = `pay:${payment.id}:${kind}`
  await insertLedger(trx, { tenantId, at: now, kind, amountC: payment.amountC, sourceKey, paymentId: payment.id })
  const about = { tenantId, subscriptionId, paymentId: payment.id, at: now, detail: { rfc, plan: planCode } }
  await raiseAlert(trx, { code: 'plan_sin_precio', severity: 'critica', key: payment.id, ...about })
  return { kind: 'same', sub: before.sub, effects: [], rule: '4.7' }
}

function monthlyValueOf(sub: Subscription, terms: Terms): bigint {
  const { estado, courtesy, frecuencia } = sub
  const chargedC = terms.priceC(frecuencia) ?? 0n
  return monthlyValue({ estado, courtesy, chargedC, rateBp: terms.taxRateBp, frecuencia })
}

/** What the audit chain keeps of a state. */
function factsOf(sub: Subscription): object {
  const { mandates, notices, ...facts } = sub
  return facts
}
