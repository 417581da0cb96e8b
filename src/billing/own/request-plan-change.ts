import { uuidv7 } from 'uuidv7'
import { writeAudit } from '../../db/audit.ts'
import type { CentralTx } from '../../db/databases.ts'
import { type Fecha, instantOf } from '../../fiscal/fecha.ts'
import type { Centavos } from '../../fiscal/money.ts'
import type { By } from '../../tenants/register.ts'
import type { Cause } from '../apply/cause.ts'
import { payerEmailOn } from '../connectors/connector.ts'
import type { Gateways } from '../connectors/gateways.ts'
import { subscriptionNotFound } from '../errors.ts'
import { findInvoice, insertInvoice } from '../invoicing/queries.ts'
import { applyChange } from '../plan-change/apply-change.ts'
import { type Offer, offerChange } from '../plan-change/offer.ts'
import { changeKeyOf } from '../plan-change/pay-plan-change.ts'
import {
  closePlanChange,
  findPendingChange,
  findPlanChange,
  insertPlanChange,
  type PlanChangeRow,
  setPreference,
} from '../plan-change/queries.ts'
import type { Frecuencia } from '../subscription.ts'
import { findSubscription, lockSubscription, type StoredSubscription } from '../subscription-queries.ts'
import type { CommandDeps } from './command-subscription.ts'
import { changeReplaced } from './errors.ts'

export interface PlanChangeDeps extends CommandDeps {
  gateways: Pick<Gateways, 'primary'>
  config: { publicUrl: string }
}

export interface PlanChangeRequest {
  planCode: string
  /** That of the running subscription where it is left out. */
  frecuencia: Frecuencia | undefined
  /** Who pays at MercadoPago. */
  payerEmail: string
}

export interface RequestedChange {
  id: string
  state: 'aplicado' | 'pendiente_pago'
  offer: Offer
  /** What is to be paid first; nothing when it is applied. */
  collectC: Centavos
  initPoint: string | null
  expiresAt: Date | null
  /** As it was when asked. */
  stored: StoredSubscription
}

/**
 * Changes the plan at once where nothing is to be paid first (a trial, a downgrade, a balance that covers it, or the rule
 * that differences wait for the renewal); else keeps the offer for three days at most and gives the page on which its
 * difference is paid (billing.md 4.7). The same request again gives the same page; another one takes its place.
 * @throws AppError those of `offerChange`; `connectors.no_primary` and `gateway.*`, and then the offer waits nevertheless:
 * a transfer may pay it, and the next request tries again
 */
export async function requestPlanChange(
  deps: PlanChangeDeps,
  tenantId: string,
  request: PlanChangeRequest,
  { cause, by }: { cause: Cause; by: By },
): Promise<RequestedChange> {
  const { central, clock } = deps
  const made = await central.transaction().execute(async (trx) => {
    const found = await findSubscription(trx, tenantId)
    const stored = found && (await lockSubscription(trx, found.id))
    if (!stored) throw subscriptionNotFound()
    return decide(trx, deps, stored, request, { cause, by, now: clock.now() })
  })
  if (made.state === 'aplicado' || made.initPoint !== null) return made
  return { ...made, initPoint: await offerPayment(deps, made, request) }
}

async function decide(
  trx: CentralTx,
  deps: PlanChangeDeps,
  stored: StoredSubscription,
  { planCode, frecuencia = stored.sub.frecuencia }: PlanChangeRequest,
  { cause, by, now }: { cause: Cause; by: By; now: Date },
): Promise<RequestedChange> {
  const pending = await findPendingChange(trx, stored.id)
  const id = uuidv7()
  const offer = await offerChange(trx, stored, { planCode, frecuencia, changeId: id }, now)
  if (pending && isSame(pending, offer, now)) {
    const invoice = await findInvoice(trx, stored.id, changeKeyOf(pending.id))
    if (invoice?.status === 'open' && invoice.collectC === offer.invoice?.collectC) {
      const { initPoint, expiresAt } = pending
      const { collectC } = invoice
      return { id: pending.id, state: 'pendiente_pago', offer, collectC, initPoint, expiresAt, stored }
    }
  }
  if (pending) await closePlanChange(trx, pending.id, 'descartado', now)
  const { invoice, charged, unused } = offer
  const first =
    invoice && charged && unused && collectsFirst(offer, stored)
      ? { invoice, charged, expiresAt: expiryOf(unused.end, now) }
      : null
  const state = first ? 'pendiente_pago' : 'aplicado'
  const expiresAt = first?.expiresAt ?? null
  await insertPlanChange(trx, {
    ...rowOf(id, stored, offer),
    state,
    expiresAt,
    requestedBy: cause.actor?.userId ?? null,
    at: now,
  })
  const detail = { change: id, from: stored.planCode, to: offer.plan.code, frecuencia, state }
  await writeAudit(trx, { at: now, action: 'subscription.plan_change', tenantId: stored.tenantId, detail, ...by })
  if (!first) {
    const change = await findPlanChange(trx, id)
    if (!change) throw new Error(`change ${id} is not there`)
    await applyChange(trx, deps, change, { lines: 'balance', paymentId: null }, cause, now)
    return { id, state, offer, collectC: 0n, initPoint: null, expiresAt, stored }
  }
  const head = {
    subscriptionId: stored.id,
    tenantId: stored.tenantId,
    periodKey: changeKeyOf(id),
    period: first.charged,
    plan: offer.plan,
    taxRateBp: offer.terms.taxRateBp,
    dueAt: first.expiresAt,
    planChangeId: id,
    at: now,
  }
  const { collectC } = await insertInvoice(trx, head, first.invoice)
  return { id, state, offer, collectC, initPoint: null, expiresAt, stored }
}

/** Whether its difference is paid before it begins. A new interval always is: its period begins today and must be paid. */
export function collectsFirst({ invoice, frecuencia, terms }: Offer, { sub }: StoredSubscription): boolean {
  if (!invoice || invoice.collectC === 0n) return false
  return frecuencia !== sub.frecuencia || terms.policy.upgradeCollection === 'checkout'
}

function isSame({ to, creditC, chargeC, expiresAt }: PlanChangeRow, offer: Offer, now: Date): boolean {
  const { plan, frecuencia, proration } = offer
  return (
    to.code === plan.code &&
    to.version === plan.version &&
    to.frecuencia === frecuencia &&
    creditC === proration?.creditC &&
    chargeC === proration.chargeC &&
    expiresAt !== null &&
    now < expiresAt
  )
}

/** Three days, and never beyond the period whose days it counts. */
function expiryOf(periodEnd: Fecha, now: Date): Date {
  return new Date(Math.min(now.getTime() + OFFER_MS, instantOf(periodEnd).getTime()))
}

const OFFER_MS = 72 * 3_600_000

function rowOf(id: string, stored: StoredSubscription, { plan, frecuencia, proration, on }: Offer) {
  return {
    id,
    subscriptionId: stored.id,
    from: { code: stored.planCode, version: stored.planVersion, frecuencia: stored.sub.frecuencia },
    to: { code: plan.code, version: plan.version, frecuencia },
    onDay: on,
    // In a trial nothing was paid and nothing is divided.
    remaining: proration?.remaining ?? 0,
    days: proration?.days ?? 1,
    creditC: proration?.creditC ?? 0n,
    chargeC: proration?.chargeC ?? 0n,
  }
}

/** Asks MercadoPago for the page. Outside any transaction; of two that ask at once one page stays, and both can pay it. */
async function offerPayment(
  { central, gateways, config }: PlanChangeDeps,
  { id, offer, collectC, expiresAt, stored }: RequestedChange,
  { payerEmail }: PlanChangeRequest,
): Promise<string> {
  if (expiresAt === null) throw new Error(`change ${id} waits for ever`)
  const { connector, gateway } = await gateways.primary()
  const preference = await gateway.createPreference({
    title: `Cambio al plan ${offer.plan.nombre}`,
    amountC: collectC,
    externalReference: `up:${id}`,
    payerEmail: payerEmailOn(connector, payerEmail),
    backUrl: `${config.publicUrl}/pago/regreso`,
    expiresAt,
  })
  return central.transaction().execute(async (trx) => {
    await lockSubscription(trx, stored.id)
    const change = await findPlanChange(trx, id)
    if (change?.state !== 'pendiente_pago') throw changeReplaced()
    if (change.initPoint !== null) return change.initPoint
    const { id: preferenceId, initPoint } = preference
    await setPreference(trx, id, { connectorId: connector.id, preferenceId, initPoint })
    return initPoint
  })
}
