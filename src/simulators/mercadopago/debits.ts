import { fechaOf, instantOf } from '../../fiscal/fecha.ts'
import { addDue, dropDue } from './agenda.ts'
import { nextId } from './chance.ts'
import { notify } from './deliveries.ts'
import { debitOf } from './grid.ts'
import { charge, paymentOf, setPayment } from './payments.ts'
import { after, DAY_MS, HOUR_MS } from './stamps.ts'
import type { Instalment, Payment, Preapproval } from './state.ts'
import { changed, type World } from './world.ts'

/** Puts the next instalment of the mandate on the agenda: it shows some hours before its debit. */
export function planNext(world: World, preapproval: Preapproval): void {
  const { state } = world
  const at = debitOf(state, preapproval, preapproval.slot)
  if (!at) return
  if (preapproval.endAt && at > preapproval.endAt) {
    preapproval.nextPaymentAt = null
    return
  }
  const shown = after(at, -state.settings.schedule_lead_hours * HOUR_MS)
  addDue(state, { at: shown, kind: 'schedule', ref: preapproval.id })
}

/** An instalment appears. One that falls into a pause does not, and is counted as missed. */
export function schedule(world: World, preapprovalId: string): void {
  const preapproval = world.state.preapprovals.get(preapprovalId)
  if (!preapproval || (preapproval.status !== 'authorized' && preapproval.status !== 'paused')) return
  const at = debitOf(world.state, preapproval, preapproval.slot)
  if (!at) return
  preapproval.slot += 1
  if (preapproval.status === 'paused') preapproval.missed += 1
  else addInstalment(world, preapproval, at)
  planNext(world, preapproval)
}

export function addInstalment(world: World, preapproval: Preapproval, debitAt: Date): Instalment {
  const { state, clock } = world
  preapproval.sequence += 1
  const instalment: Instalment = {
    id: nextId(state, 'instalment'),
    preapprovalId: preapproval.id,
    sequence: preapproval.sequence,
    status: 'scheduled',
    amountC: preapproval.amountC,
    debitAt,
    retryAttempt: 0,
    paymentId: null,
    createdAt: clock.now(),
    modifiedAt: clock.now(),
  }
  state.instalments.set(instalment.id, instalment)
  changed(world, 'instalment', instalment.id)
  notify(world, 'subscription_authorized_payment', 'created', instalment.id)
  addDue(state, { at: debitAt, kind: 'debit', ref: instalment.id })
  return instalment
}

/** One attempt at an instalment, the first or a retry. */
export function debit(world: World, instalmentId: string): void {
  const { state } = world
  const instalment = state.instalments.get(instalmentId)
  const preapproval = state.preapprovals.get(instalment?.preapprovalId ?? '')
  if (!instalment || !preapproval) return
  if (instalment.status !== 'scheduled' && instalment.status !== 'recycling') return
  if (preapproval.status !== 'authorized') {
    standStill(world, preapproval, instalment)
    return
  }
  const first = instalment.paymentId === null
  if (first) {
    if (state.settings.amount_lock === 'debit') instalment.amountC = preapproval.amountC
    preapproval.nextPaymentAt = debitOf(state, preapproval, preapproval.slot)
    changed(world, 'preapproval', preapproval.id)
  } else instalment.retryAttempt += 1
  const payment = charge(world, {
    kind: 'subscription',
    amountC: instalment.amountC,
    description: preapproval.reason,
    externalReference: preapproval.externalReference,
    payerEmail: preapproval.payerEmail,
    payerId: preapproval.payerId,
    holder: preapproval.script.shift() ?? preapproval.holder,
    paymentMethodId: preapproval.paymentMethodId ?? 'master',
    instalmentId: instalment.id,
    preapprovalId: preapproval.id,
  })
  instalment.paymentId = payment.id
  book(world, preapproval, instalment, payment)
}

/** A payment that was held for review is decided. */
export function settle(world: World, paymentId: string, status: 'approved' | 'rejected'): void {
  const { state, clock } = world
  const payment = paymentOf(world, paymentId)
  if (payment.status !== 'in_process') return
  dropDue(state, 'settle', paymentId)
  const approved = status === 'approved'
  setPayment(world, payment, {
    status,
    statusDetail: approved ? 'accredited' : 'cc_rejected_other_reason',
    approvedAt: approved ? clock.now() : null,
  })
  const instalment = state.instalments.get(payment.instalmentId ?? '')
  const preapproval = state.preapprovals.get(payment.preapprovalId ?? '')
  if (instalment && preapproval && instalment.status === 'waiting for gateway')
    book(world, preapproval, instalment, payment)
}

/** What the outcome of an attempt makes of its instalment and of the mandate. */
function book(world: World, preapproval: Preapproval, instalment: Instalment, payment: Payment): void {
  if (payment.status === 'approved') {
    const { count, amountC } = preapproval.charged
    preapproval.charged = {
      count: count + 1,
      amountC: amountC + payment.amountC,
      lastAt: world.clock.now(),
      lastAmountC: payment.amountC,
    }
    setInstalment(world, instalment, 'processed')
    changed(world, 'preapproval', preapproval.id)
  } else if (payment.status === 'in_process') setInstalment(world, instalment, 'waiting for gateway')
  else if (!retryLater(world, instalment)) giveUp(world, preapproval, instalment)
  finishIfOver(world, preapproval)
}

/** Counted from the first attempt: four times inside ten days, whatever hour the debit had (2.3). */
function retryLater(world: World, instalment: Instalment): boolean {
  const days = world.state.settings.retry_days[instalment.retryAttempt]
  if (days === undefined) return false
  setInstalment(world, instalment, 'recycling')
  const at = after(instalment.debitAt, days * DAY_MS)
  addDue(world.state, { at, kind: 'debit', ref: instalment.id })
  return true
}

/** `processed` does not mean paid: the third instalment given up ends the mandate (2.3). */
function giveUp(world: World, preapproval: Preapproval, instalment: Instalment): void {
  setInstalment(world, instalment, 'processed')
  preapproval.failed += 1
  if (preapproval.failed >= MOST_FAILED && preapproval.status !== 'cancelled') cancelMandate(world, preapproval)
  else changed(world, 'preapproval', preapproval.id)
}

const MOST_FAILED = 3

/** In a pause nothing is debited: a first attempt is missed, a retry is one attempt less. */
function standStill(world: World, preapproval: Preapproval, instalment: Instalment): void {
  if (preapproval.status !== 'paused' || instalment.status === 'scheduled') {
    if (preapproval.status === 'paused') preapproval.missed += 1
    setInstalment(world, instalment, 'cancelled')
    return
  }
  instalment.retryAttempt += 1
  if (!retryLater(world, instalment)) giveUp(world, preapproval, instalment)
}

export function setInstalment(world: World, instalment: Instalment, status: Instalment['status']): void {
  instalment.status = status
  changed(world, 'instalment', instalment.id)
  notify(world, 'subscription_authorized_payment', 'updated', instalment.id)
}

/** Nothing more is collected: what was scheduled or waited for a retry is off. */
export function cancelMandate(world: World, preapproval: Preapproval): void {
  preapproval.status = 'cancelled'
  preapproval.nextPaymentAt = null
  changed(world, 'preapproval', preapproval.id)
  notify(world, 'subscription_preapproval', 'updated', preapproval.id)
  dropDue(world.state, 'schedule', preapproval.id)
  for (const instalment of world.state.instalments.values()) {
    if (instalment.preapprovalId !== preapproval.id) continue
    if (instalment.status !== 'scheduled' && instalment.status !== 'recycling') continue
    dropDue(world.state, 'debit', instalment.id)
    setInstalment(world, instalment, 'cancelled')
  }
}

/** After a pause the grid goes on; with `resume_charges_missed` what fell into the pause is debited now. */
export function resumeDebits(world: World, preapproval: Preapproval): void {
  const { state, clock } = world
  const missed = preapproval.missed
  preapproval.missed = 0
  if (state.settings.resume_charges_missed) {
    for (let i = 0; i < missed; i++) addInstalment(world, preapproval, clock.now())
  }
  preapproval.nextPaymentAt = debitOf(state, preapproval, preapproval.slot)
}

/** The last instalment before `end_date` is behind it. Some schemas list the state `finished` (2.2). */
function finishIfOver(world: World, preapproval: Preapproval): void {
  const { state } = world
  const next = debitOf(state, preapproval, preapproval.slot)
  if (preapproval.status !== 'authorized' || !preapproval.endAt || !next || next <= preapproval.endAt) return
  const open = [...state.instalments.values()].some(
    ({ preapprovalId, status }) => preapprovalId === preapproval.id && status !== 'processed' && status !== 'cancelled',
  )
  if (open) return
  preapproval.status = 'finished'
  preapproval.nextPaymentAt = null
  changed(world, 'preapproval', preapproval.id)
  notify(world, 'subscription_preapproval', 'updated', preapproval.id)
}

/** The first debit of a mandate that was just authorised: after the delay, or on `start_date` where that is later. */
export function startDebits(world: World, preapproval: Preapproval): void {
  const { state, clock } = world
  const soon = after(clock.now(), state.settings.first_charge_delay_minutes * 60_000)
  const start = preapproval.startAt
  const first = start && start > soon ? startDebit(world, start) : soon
  preapproval.firstDebitAt = first
  preapproval.anchor = fechaOf(first)
  preapproval.nextPaymentAt = first
  planNext(world, preapproval)
}

function startDebit({ state }: World, start: Date): Date {
  if (state.settings.debit_time === 'first_debit') return start
  return instantOf(fechaOf(start), state.settings.debit_hour)
}
