import type { Centavos } from '../../fiscal/money.ts'
import { addDue } from './agenda.ts'
import { outcomeOf } from './cards.ts'
import { nextId } from './chance.ts'
import { notify } from './deliveries.ts'
import { badRequest, notFound, refusal } from './refusal.ts'
import { after, HOUR_MS } from './stamps.ts'
import type { Payment, Refund } from './state.ts'
import { changed, type World } from './world.ts'

/** A payment as the card has it, known to the API and announced. One held for review is approved after a while. */
export function charge(
  world: World,
  what: Pick<Payment, 'kind' | 'amountC' | 'description' | 'externalReference' | 'payerEmail' | 'payerId' | 'holder'> &
    Partial<Payment>,
): Payment {
  const { state, clock } = world
  const { status, statusDetail } = outcomeOf(what.holder)
  const now = clock.now()
  const payment: Payment = {
    id: nextId(state, 'payment'),
    status,
    statusDetail,
    refundedC: 0n,
    createdAt: now,
    approvedAt: status === 'approved' ? now : null,
    modifiedAt: now,
    paymentMethodId: 'master',
    instalmentId: null,
    preapprovalId: null,
    preferenceId: null,
    refunds: [],
    ...what,
  }
  state.payments.set(payment.id, payment)
  changed(world, 'payment', payment.id)
  notify(world, 'payment', 'payment.created', payment.id)
  if (status === 'in_process') {
    const at = after(now, state.settings.contingency_hours * HOUR_MS)
    addDue(state, { at, kind: 'settle', ref: payment.id })
  }
  return payment
}

export function paymentOf({ state }: World, id: string): Payment {
  const payment = state.payments.get(id)
  if (!payment) throw notFound('Payment not found')
  return payment
}

export function setPayment(world: World, payment: Payment, change: Partial<Payment>): void {
  Object.assign(payment, change)
  changed(world, 'payment', payment.id)
  notify(world, 'payment', 'payment.updated', payment.id)
}

/** Gives money back: all that is left, or a part. @throws AppError */
export function refund(world: World, payment: Payment, amountC: Centavos | null): Refund {
  const { state, clock } = world
  const left = payment.amountC - payment.refundedC
  const back = amountC ?? left
  if (payment.status !== 'approved' && payment.status !== 'in_mediation')
    throw badRequest('The action requested is not valid for the current payment state')
  // A charge of nothing can be given back once, as the one that proves a card is.
  if (back > left || back < 0n || (back === 0n && payment.amountC > 0n) || payment.kind === 'foreign')
    throw badRequest('Invalid refund amount')
  const given: Refund = { id: nextId(state, 'refund'), amountC: back, createdAt: clock.now() }
  payment.refunds.push(given)
  const whole = back === left
  setPayment(world, payment, {
    refundedC: payment.refundedC + back,
    status: whole ? 'refunded' : 'approved',
    statusDetail: whole ? 'refunded' : 'partially_refunded',
  })
  return given
}

/** The API's refund, which MercadoPago's sandbox forbids (2.11). */
export function refundByApi(world: World, payment: Payment, amountC: Centavos | null): Refund {
  if (world.state.settings.refund_forbidden)
    throw refusal('forbidden', 'PA_UNAUTHORIZED_RESULT_FROM_POLICIES', 'At least one policy returned UNAUTHORIZED.')
  return refund(world, payment, amountC)
}

/** What the account itself paid, such as MercadoPago's monthly fee: approved, and no collector (2.4). */
export function addForeignPayment(world: World, amountC: Centavos, description: string): Payment {
  const { account } = world.state
  return charge(world, {
    kind: 'foreign',
    amountC,
    description,
    externalReference: null,
    payerEmail: account.email,
    payerId: account.id,
    holder: 'APRO',
  })
}
