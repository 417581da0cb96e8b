import { addDays, fechaOf, instantOf } from '../../fiscal/fecha.ts'
import type { Centavos } from '../../fiscal/money.ts'
import { access, isPaid } from '../access.ts'
import type { Period } from '../periods.ts'
import { FLOOR_C } from '../prices.ts'
import { type Access, chargeDay, type Estado, isAutomatic, type Policy, type Subscription } from '../subscription.ts'
import { dueTimer } from './due-timer.ts'
import type { BillingEvent, MailTemplate, Result, Timer } from './event.ts'
import { hoursAfter, later } from './moves.ts'
import { transition } from './transition.ts'

export interface ForecastInput {
  readonly sub: Subscription
  readonly policy: Policy
  readonly now: Date
  /** How far to look; 60 unless told otherwise. */
  readonly days?: number
  /** What a period costs, IVA inside; null where the plan has no price, and then nothing is ever charged. */
  readonly priceC: Centavos | null
  /** What the people beyond the plan add to each charge, as many as there are today. */
  readonly seatsC: Centavos
  /** Above zero in favour of the customer. */
  readonly balanceC: Centavos
  readonly assume: 'se_paga' | 'no_se_paga'
}

export interface ForecastStep {
  readonly at: Date
  readonly que: Timer | 'cobro'
  /** After the step. */
  readonly estado: Estado
  readonly access: Access
  /** What is charged, or what a mail or an invoice asks for; null where no money is spoken of. */
  readonly importeC: Centavos | null
  readonly correo: MailTemplate | null
  /** What is paid, what its invoice is prepared for, or what begins to run. */
  readonly period: Period | null
}

/**
 * What will happen to a subscription by itself in the next days (billing.md 7): the notices, the charges, and when nobody
 * pays the sanctions. The machine itself is run forward, in a system where nothing fails and nobody does anything, so what
 * it says and what will be done cannot differ. Ends at the horizon, or when nothing is due any more.
 *
 * Paying means: a card at noon of the day on which its period begins, as we ask of MercadoPago (4.7); a transfer at noon of
 * the day before, when its invoice is there; and what is already owed at the next noon.
 */
export function forecast(input: ForecastInput): ForecastStep[] {
  const { policy, now, assume, days = 60 } = input
  const horizon = hoursAfter(now, 24 * days)
  const steps: ForecastStep[] = []
  let { sub, balanceC } = input
  let at = now
  for (;;) {
    const due = dueTimer(sub, policy)
    const owed = amountOf(sub, input, balanceC)
    const payAt = assume === 'se_paga' && owed ? payingAt(sub, at, policy) : null
    // A notice and a payment at one instant: whoever pays had been told.
    const pays = payAt !== null && (!due || payAt < due.at)
    const then = pays ? payAt : due?.at
    if (!then || later(then, at) > horizon) return steps
    at = later(then, at)
    const event: BillingEvent = pays ? payment(sub, at, steps.length) : { kind: 'timer', timer: due?.timer ?? 'rodar' }
    const result = transition(sub, event, at, policy)
    if (result.kind === 'refused') return steps
    if (pays && owed) balanceC = owed.balanceC
    steps.push(stepOf(sub, event, result, at, policy, owed?.collectC ?? null))
    sub = result.sub
  }
}

/** The noon at which it is paid for next; null where nobody waits for money. */
function payingAt(sub: Subscription, after: Date, policy: Policy): Date | null {
  const { estado, cancelAt, periodEnd, trialEnd } = sub
  const owedNow = nextNoon(after)
  switch (estado) {
    case 'trial':
      // A card is charged once the trial is over: until then there is nothing to pay.
      if (cancelAt || !trialEnd || isAutomatic(sub)) return null
      return later(instantOf(addDays(trialEnd, -1), NOON), owedNow)
    case 'activa':
      if (cancelAt || !periodEnd || isPaid(sub, periodEnd)) return null
      return later(
        instantOf(isAutomatic(sub) ? (chargeDay(sub, policy) ?? periodEnd) : addDays(periodEnd, -1), NOON),
        owedNow,
      )
    case 'pendiente_pago':
    case 'grace_period':
    case 'suspendida':
      return sub.suspendedByStaff ? null : owedNow
    case 'pausada':
    case 'cancelada':
    case 'vencida':
      return null
  }
}

const NOON = 12

function nextNoon(after: Date): Date {
  const today = instantOf(fechaOf(after), NOON)
  return today > after ? today : instantOf(addDays(fechaOf(after), 1), NOON)
}

function payment(sub: Subscription, at: Date, n: number): BillingEvent {
  const mandateId = isAutomatic(sub) ? sub.mandateId : null
  const medio = mandateId ? 'mandato' : 'transferencia'
  return { kind: 'pago_aprobado', paymentId: `forecast-${n}`, paidOn: fechaOf(at), medio, mandateId }
}

/** A card pays at least MercadoPago's floor, and what is above the debt stays the customer's (4.7). */
function amountOf(sub: Subscription, { priceC, seatsC }: ForecastInput, balanceC: Centavos) {
  if (priceC === null) return null
  const totalC = priceC + seatsC
  const floorC = isAutomatic(sub) ? FLOOR_C : 0n
  const collectC = totalC - balanceC > floorC ? totalC - balanceC : floorC
  return { collectC, balanceC: balanceC - (totalC - collectC) }
}

function stepOf(
  before: Subscription,
  event: BillingEvent,
  { sub, effects }: Exclude<Result, { kind: 'refused' }>,
  at: Date,
  policy: Policy,
  owedC: Centavos | null,
): ForecastStep {
  const que = event.kind === 'timer' ? event.timer : 'cobro'
  const of = effects.find((effect) => effect.kind === 'pay_period' || effect.kind === 'prepare_invoice')
  const mail = effects.find((effect) => effect.kind === 'mail')
  const runs =
    que === 'rodar' && sub.periodStart && sub.periodEnd ? { start: sub.periodStart, end: sub.periodEnd } : null
  const isOfMoney = (of || MONEY.has(que)) && !before.cancelAt && before.motivo !== 'alta'
  return {
    at,
    que,
    estado: sub.estado,
    access: access(sub, at, policy),
    importeC: que === 'cobro' || isOfMoney ? owedC : null,
    correo: mail?.template ?? null,
    period: of?.period ?? runs,
  }
}

/** Timers whose mail says what is to be paid, besides those that prepare its invoice. */
const MONEY: ReadonlySet<Timer | 'cobro'> = new Set(['aviso_renovacion', 'aviso_vencimiento', 'fin_pendiente'])
