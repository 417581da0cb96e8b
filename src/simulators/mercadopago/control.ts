import { addMonths, fechaOf, instantOf } from '../../fiscal/fecha.ts'
import type { Centavos } from '../../fiscal/money.ts'
import { authorise, type CheckoutResult, refuseCard } from './checkout.ts'
import { addDelivery, bodyOf, type Delivery, duplicate, GENUINE, queryOf, send } from './deliveries.ts'
import { chargeBack, dispute, type Outcome, resolve } from './disputes.ts'
import type { Engine } from './engine.ts'
import { addFault, type FaultRule, type NewFault } from './fault-rules.ts'
import { addForeignPayment, paymentOf, refund } from './payments.ts'
import { checkedStatus, preapprovalOf, setMandate } from './preapprovals.ts'
import { type PayResult, payPreference, preferenceOf } from './preferences.ts'
import { notFound } from './refusal.ts'
import { Settings } from './settings.ts'
import { after, DAY_MS, HOUR_MS, MINUTE_MS } from './stamps.ts'
import type { Chargeback, Payment, Preapproval, Refund, Tab } from './state.ts'
import type { Topic } from './topics.ts'
import type { World } from './world.ts'

/** How far to go. `until` alone, or a distance; months keep the day and the hour in Mexico City. */
export interface Distance {
  until?: Date
  months?: number
  days?: number
  hours?: number
  minutes?: number
}

/** A webhook of somebody who is not MercadoPago, or of a MercadoPago gone wrong. */
export interface Forgery {
  topic: Topic | (string & {})
  action?: string
  resourceId: string
  /** Another id inside the body than in the signed address. */
  bodyId?: string
  signing?: Partial<Delivery['signing']>
  requestId?: string
}

/**
 * Everything that a person or a test may do to the simulated MercadoPago. The pages and `/__sim` do the same things through
 * the same functions. Each changes the state at once; webhooks leave right after: `settled()` waits for them.
 */
export function createControl(world: World, engine: Engine) {
  const { state, clock } = world
  const moveMandate = (id: string, status: Preapproval['status']) => {
    const preapproval = preapprovalOf(world, id)
    setMandate(world, preapproval, checkedStatus(preapproval, status))
    return preapproval
  }
  const deliveryOf = (id: string): Delivery => {
    const delivery = state.deliveries.get(id)
    if (!delivery) throw notFound(`There is no delivery ${id}`)
    return delivery
  }
  return {
    now: () => clock.now(),
    /** Waits until everything due now has happened and every webhook due now was answered. */
    settled: () => engine.settled(),
    /** Walks there event by event, the application's clock along with ours. Webhooks and retries happen on their way. */
    advance: (distance: Distance) => engine.advance(destination(clock.now(), distance)),
    /** Jumps, backwards too, as a broken clock does. What became due happens then, all at once. */
    jump: (to: Date) => engine.jump(to),

    configure(change: Partial<Settings>): Settings {
      state.settings = Settings.parse({ ...state.settings, ...change })
      world.stir()
      return state.settings
    },
    /** Where a tab of the panel sends webhooks; null is a tab nobody filled in. */
    setTab(name: Settings['tab'], tab: Tab | null): void {
      state.tabs[name] = tab
      world.stir()
    },
    /** Makes the seller a test user or a real one, for `/users/me` and what depends on it. */
    setAccount(change: Partial<World['state']['account']>): void {
      Object.assign(state.account, change)
      world.stir()
    },

    /** What the payer does on the hosted page. The e-mail defaults to the right one and the card to a good one. */
    authorise(id: string, payer: { email?: string; holder?: string; script?: string[] } = {}): CheckoutResult {
      const preapproval = preapprovalOf(world, id)
      const { email = preapproval.payerEmail, holder = 'APRO', script } = payer
      const result = authorise(world, preapproval, { email, holder })
      if (result.kind === 'authorized' && script) preapproval.script = [...script]
      return result
    },
    reject: (id: string): CheckoutResult =>
      refuseCard(world, preapprovalOf(world, id), 'cc_rejected_other_reason', 'Rechazada sin decir por qué'),
    pause: (id: string) => moveMandate(id, 'paused'),
    resume: (id: string) => moveMandate(id, 'authorized'),
    cancel: (id: string) => moveMandate(id, 'cancelled'),
    /** Another card on file: its holder's name decides from the next debit on. */
    setCard(id: string, holder: string): void {
      preapprovalOf(world, id).holder = holder
      world.stir()
    },
    /** Holder names for the next attempts, one each, retries included; then the card decides again. */
    setScript(id: string, script: readonly string[]): void {
      preapprovalOf(world, id).script = [...script]
      world.stir()
    },
    /** Goes to the next debit of the mandate, first attempt or retry. False when none is coming. */
    async chargeNow(id: string): Promise<boolean> {
      const { id: known } = preapprovalOf(world, id)
      const isOurs = ({ kind, ref }: (typeof state.agenda)[number]) =>
        (kind === 'debit' && state.instalments.get(ref)?.preapprovalId === known) ||
        (kind === 'schedule' && ref === known)
      // An instalment may have to appear before it is debited.
      for (let step = 0; step < 2; step++) {
        const due = state.agenda.find(isOurs)
        if (!due) return false
        await engine.advance(due.at)
        if (due.kind === 'debit') return true
      }
      return false
    },

    refund: (id: string, amountC: Centavos | null = null): Refund => refund(world, paymentOf(world, id), amountC),
    dispute: (id: string): void => dispute(world, paymentOf(world, id)),
    chargeBack: (id: string): Chargeback => chargeBack(world, paymentOf(world, id)),
    resolve: (id: string, outcome: Outcome): void => resolve(world, paymentOf(world, id), outcome),
    addForeignPayment: (amountC: Centavos, description = 'Comisión mensual de Mercado Pago'): Payment =>
      addForeignPayment(world, amountC, description),
    payPreference(id: string, payer: { email?: string; holder?: string } = {}): PayResult {
      const preference = preferenceOf(world, id)
      const { email = preference.payerEmail ?? 'comprador@ejemplo.mx', holder = 'APRO' } = payer
      return payPreference(world, preference, { email, holder })
    },

    addFault(fault: NewFault): FaultRule {
      const rule = addFault(state, fault)
      world.stir()
      return rule
    },
    removeFault(id: string): void {
      if (!state.faults.some((rule) => rule.id === id)) throw notFound(`There is no fault ${id}`)
      state.faults = state.faults.filter((rule) => rule.id !== id)
      world.stir()
    },
    clearFaults(): void {
      state.faults = []
      world.stir()
    },

    /** Every webhook so far, the oldest first. */
    deliveries: (): readonly Delivery[] => [...state.deliveries.values()],
    /** The same event once more, under a request id of its own unless asked. */
    replay(id: string, { sameRequestId = false } = {}): Delivery {
      const copy = duplicate(world, deliveryOf(id), 'replay', sameRequestId)
      send(world, copy, 0)
      return copy
    },
    /** The same with another body or address, genuinely signed: the signature covers neither (2.8). */
    resend(id: string, edit: { body?: string; query?: string }): Delivery {
      const copy = duplicate(world, deliveryOf(id), 'edited', false)
      Object.assign(copy, edit)
      send(world, copy, 0)
      return copy
    },
    forge(forgery: Forgery): Delivery {
      const { topic, action = 'updated', resourceId, bodyId, signing, requestId } = forgery
      const body = bodyOf(world, topic, action, bodyId ?? resourceId)
      const delivery = addDelivery(world, {
        origin: 'forged',
        topic,
        action,
        resourceId,
        query: queryOf(world, topic, resourceId),
        body: JSON.stringify(body),
        signing: { ...GENUINE, ...signing },
        insists: false,
        ...(requestId !== undefined && { requestId }),
      })
      send(world, delivery, 0)
      return delivery
    },
  }
}

export type Control = ReturnType<typeof createControl>

function destination(now: Date, { until, months = 0, days = 0, hours = 0, minutes = 0 }: Distance): Date {
  if (until) return until
  const fecha = fechaOf(now)
  const timeOfDayMs = now.getTime() - instantOf(fecha).getTime()
  const sameTime = months === 0 ? now : after(instantOf(addMonths(fecha, months)), timeOfDayMs)
  return after(sameTime, days * DAY_MS + hours * HOUR_MS + minutes * MINUTE_MS)
}
