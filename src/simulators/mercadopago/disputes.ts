import { nextId } from './chance.ts'
import { settle } from './debits.ts'
import { notify } from './deliveries.ts'
import { refund, setPayment } from './payments.ts'
import { badRequest } from './refusal.ts'
import type { Chargeback, Payment } from './state.ts'
import { changed, type World } from './world.ts'

/** The payer complains to MercadoPago: the money is held, not lost (billing.md 2.4). */
export function dispute(world: World, payment: Payment): void {
  if (payment.status !== 'approved') throw badRequest('Only an approved payment can be disputed')
  setPayment(world, payment, { status: 'in_mediation', statusDetail: 'pending' })
}

/** The payer's bank takes the money back, often weeks later. */
export function chargeBack(world: World, payment: Payment): Chargeback {
  const { state, clock } = world
  if (payment.status !== 'approved' && payment.status !== 'in_mediation')
    throw badRequest('Only an approved payment can be charged back')
  const now = clock.now()
  const chargeback: Chargeback = {
    id: nextId(state, 'chargeback'),
    paymentId: payment.id,
    status: 'new',
    amountC: payment.amountC - payment.refundedC,
    createdAt: now,
    modifiedAt: now,
  }
  state.chargebacks.set(chargeback.id, chargeback)
  changed(world, 'chargeback', chargeback.id)
  notify(world, 'topic_chargebacks_wh', 'created', chargeback.id)
  setPayment(world, payment, { status: 'charged_back', statusDetail: 'in_process' })
  return chargeback
}

export const OUTCOMES = ['approved', 'rejected', 'won', 'lost', 'in_review'] as const
export type Outcome = (typeof OUTCOMES)[number]

/** Ends what hangs: a payment held for review (approved, rejected), a dispute or a chargeback (won, lost: by the seller). */
export function resolve(world: World, payment: Payment, outcome: Outcome): void {
  if (payment.status === 'in_process' && (outcome === 'approved' || outcome === 'rejected')) {
    settle(world, payment.id, outcome)
    return
  }
  if (payment.status === 'in_mediation' && outcome === 'won') {
    restore(world, payment)
    return
  }
  if (payment.status === 'in_mediation' && outcome === 'lost') {
    refund(world, payment, null)
    return
  }
  const chargeback = [...world.state.chargebacks.values()].findLast(({ paymentId }) => paymentId === payment.id)
  const isOpen = chargeback?.status === 'new' || chargeback?.status === 'in_review'
  if (!chargeback || !isOpen || outcome === 'approved' || outcome === 'rejected')
    throw badRequest(`A payment that is ${payment.status} cannot end as ${outcome}`)
  chargeback.status = outcome
  changed(world, 'chargeback', chargeback.id)
  notify(world, 'topic_chargebacks_wh', 'updated', chargeback.id)
  if (outcome === 'won') restore(world, payment)
  if (outcome === 'lost') setPayment(world, payment, { statusDetail: 'settled' })
}

function restore(world: World, payment: Payment): void {
  const statusDetail = payment.refundedC > 0n ? 'partially_refunded' : 'accredited'
  setPayment(world, payment, { status: 'approved', statusDetail })
}
