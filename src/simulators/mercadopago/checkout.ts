import { addDue } from './agenda.ts'
import { outcomeOf } from './cards.ts'
import { nextId } from './chance.ts'
import { cancelMandate, startDebits } from './debits.ts'
import { notify } from './deliveries.ts'
import { charge } from './payments.ts'
import { after, MINUTE_MS } from './stamps.ts'
import type { Preapproval } from './state.ts'
import { changed, type World } from './world.ts'

export type CheckoutResult = { kind: 'authorized' } | { kind: 'refused'; statusDetail: string; mensaje: string }

/**
 * The payer authorises the mandate on the hosted page. A refused card keeps the payer there (billing.md 2.1): the mandate
 * stays pending and another card may be tried.
 * @param holder name of the card's holder, which decides
 */
export function authorise(
  world: World,
  preapproval: Preapproval,
  payer: { email: string; holder: string },
): CheckoutResult {
  const { state } = world
  if (preapproval.status !== 'pending') return refused('not_pending', 'Esta suscripción ya no espera autorización.')
  if (payer.email.trim().toLowerCase() !== preapproval.payerEmail.toLowerCase()) return wrongPayer(world, preapproval)
  const { status, statusDetail, texto } = outcomeOf(payer.holder)
  if (status === 'rejected') return refuseCard(world, preapproval, statusDetail, texto)
  if (preapproval.freeTrial)
    return refuseCard(world, preapproval, 'cc_rejected_other_reason', 'Rechazada sin decir por qué')
  preapproval.status = 'authorized'
  preapproval.payerId ??= Number(nextId(state, 'payer'))
  preapproval.cardId = nextId(state, 'card')
  preapproval.paymentMethodId = 'master'
  preapproval.holder = payer.holder
  startDebits(world, preapproval)
  changed(world, 'preapproval', preapproval.id)
  notify(world, 'subscription_preapproval', 'updated', preapproval.id)
  proveCard(world, preapproval)
  return { kind: 'authorized' }
}

/** The payer says no, or a card was refused. */
export function refuseCard(
  world: World,
  preapproval: Preapproval,
  statusDetail: string,
  texto: string,
): CheckoutResult {
  preapproval.refusals.push({ at: world.clock.now(), statusDetail })
  if (world.state.settings.refused_card === 'cancelled') cancelMandate(world, preapproval)
  else world.stir()
  return refused(statusDetail, `Tu tarjeta no fue aceptada: ${texto.toLowerCase()}.`)
}

function wrongPayer({ state }: World, preapproval: Preapproval): CheckoutResult {
  if (state.settings.payer_mismatch === 'high_risk')
    return refused('cc_rejected_high_risk', 'Tu tarjeta no fue aceptada: rechazada por riesgo.')
  return refused('payer_mismatch', `Solo puede autorizarla la cuenta ${preapproval.payerEmail}.`)
}

const refused = (statusDetail: string, mensaje: string): CheckoutResult => ({ kind: 'refused', statusDetail, mensaje })

/** The charge that proves the card. It names no subscription and must never extend a period (2.3). */
function proveCard(world: World, preapproval: Preapproval): void {
  const { state, clock } = world
  const { validation_charge } = state.settings
  if (validation_charge === 'none') return
  const payment = charge(world, {
    kind: 'validation',
    amountC: validation_charge === 'min' ? 100n : 0n,
    description: 'Recurring payment validation',
    externalReference: null,
    payerEmail: preapproval.payerEmail,
    payerId: preapproval.payerId,
    holder: 'APRO',
  })
  if (validation_charge === 'min')
    addDue(state, { at: after(clock.now(), MINUTE_MS), kind: 'give_back', ref: payment.id })
}
