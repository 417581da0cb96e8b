import assert from 'node:assert/strict'
import { beginTrial, beginWithoutTrial } from '../../src/billing/machine/begin.ts'
import { dueTimer } from '../../src/billing/machine/due-timer.ts'
import type { BillingEvent, Effect, PagoAprobado, Result, Timer } from '../../src/billing/machine/event.ts'
import { transition } from '../../src/billing/machine/transition.ts'
import type { Period } from '../../src/billing/periods.ts'
import {
  defaultPolicy,
  type Frecuencia,
  type MandateStatus,
  type Policy,
  type Subscription,
} from '../../src/billing/subscription.ts'
import { type Fecha, fechaOf, instantOf } from '../../src/fiscal/fecha.ts'

export type Story = ReturnType<typeof story>

/**
 * One subscription and its clock, without a database: events happen to it as the product would let them happen, and
 * what the machine asked for is kept. Begins on a day at noon, with a trial unless told otherwise.
 */
export function story({
  on = '2026-06-01',
  alta = false,
  frecuencia = 'mensual',
  policy: differences = {},
}: {
  on?: Fecha
  alta?: boolean
  frecuencia?: Frecuencia
  policy?: Partial<Policy>
} = {}) {
  const policy: Policy = { ...defaultPolicy, ...differences }
  let now = instantOf(on, 12)
  let sub: Subscription = alta ? beginWithoutTrial(frecuencia, now, policy) : beginTrial(frecuencia, now, policy)
  let told: Effect[] = []

  function apply(event: BillingEvent): Result {
    const result = transition(sub, event, now, policy)
    if (result.kind !== 'refused') {
      sub = result.sub
      told = [...told, ...result.effects]
    }
    return result
  }

  /** What a fetched preapproval says stands in the subscription before its event is given to the machine. */
  function setMandate(id: string, status: MandateStatus) {
    const wasAuthorized = (before: boolean) => before || status === 'authorized'
    sub = {
      ...sub,
      mandates: sub.mandates.map((m) =>
        m.id === id ? { ...m, status, wasAuthorized: wasAuthorized(m.wasAuthorized) } : m,
      ),
    }
  }

  const self = {
    policy,
    get sub() {
      return sub
    },
    get now() {
      return now
    },
    get effects() {
      return told
    },
    /** `template:key` of every mail asked for since the last look, in order. */
    mails(): string[] {
      const mails = mailsOf(told)
      told = []
      return mails
    },
    apply,
    checkout(mandateId: string): Result {
      const attempt = Math.max(0, ...sub.mandates.map((m) => m.attempt)) + 1
      const mandate = {
        id: mandateId,
        status: 'pending',
        attempt,
        wasAuthorized: false,
        cancelledByUs: null,
        chargesOn: null,
      } as const
      sub = { ...sub, mandates: [{ ...mandate, createdAt: now }, ...sub.mandates] }
      return apply({ kind: 'checkout_iniciado', mandateId })
    },
    mandate(mandateId: string, status: 'authorized' | 'paused' | 'cancelled'): Result {
      setMandate(mandateId, status)
      const kind = {
        authorized: 'mandato_autorizado',
        paused: 'mandato_pausado',
        cancelled: 'mandato_cancelado',
      } as const
      return apply({ kind: kind[status], mandateId })
    },
    setMandate,
    /** A checkout that was gone through with. */
    subscribe(mandateId: string): Result {
      self.checkout(mandateId)
      return self.mandate(mandateId, 'authorized')
    },
    charge: (paymentId: string, mandateId = 'm1', paidOn = fechaOf(now)) =>
      apply({ kind: 'pago_aprobado', paymentId, paidOn, medio: 'mandato', mandateId }),
    transfer: (paymentId: string, paidOn = fechaOf(now), medio: PagoAprobado['medio'] = 'transferencia') =>
      apply({ kind: 'pago_aprobado', paymentId, paidOn, medio, mandateId: null }),
    reject: (paymentId: string, mandateId: string | null = 'm1', instalmentPaid = false) =>
      apply({ kind: 'pago_rechazado', paymentId, mandateId, instalmentPaid }),
    giveBack: (
      paymentId: string,
      kind: 'pago_reembolsado' | 'contracargo' | 'contracargo_ganado' = 'pago_reembolsado',
      period: Period | null = periodOf(sub),
    ) => apply({ kind, paymentId, period }),
    /** The clock only: as if the worker were down. */
    jump(day: Fecha, hour = 12) {
      now = instantOf(day, hour)
      return self
    },
    jumpTo(at: Date) {
      now = at
      return self
    },
    /** The sweep at this moment, with MercadoPago read successfully just now unless `lastSynced` says otherwise. */
    sweep(lastSynced: Date = new Date(now.getTime() + 1)): Timer[] {
      const ran: Timer[] = []
      for (;;) {
        const due = dueTimer(sub, policy)
        if (!due || due.at > now || (due.needsFresh && lastSynced <= due.at)) return ran
        assert.ok(ran.length < 100, `the sweep does not end: ${ran.slice(-6)}`)
        ran.push(due.timer)
        apply({ kind: 'timer', timer: due.timer })
      }
    },
    /** Lets time pass in a healthy system: every timer in its moment, up to this one included. */
    goTo(day: Fecha, hour = 12): string[] {
      const until = instantOf(day, hour)
      const ran: string[] = []
      for (let due = dueTimer(sub, policy); due && due.at <= until; due = dueTimer(sub, policy)) {
        if (due.at > now) now = due.at
        ran.push(...self.sweep().map((timer) => `${timer}@${clockOf(now)}`))
      }
      now = until
      return ran
    },
  }
  return self
}

export const mailsOf = (effects: readonly Effect[]): string[] =>
  effects.flatMap((effect) => (effect.kind === 'mail' ? [`${effect.template}:${effect.key}`] : []))

/** `YYYY-MM-DD HH` as a clock in Mexico City shows it. */
export function clockOf(at: Date): string {
  const day = fechaOf(at)
  return `${day} ${String(Math.floor((at.getTime() - instantOf(day).getTime()) / 3_600_000)).padStart(2, '0')}`
}

export function periodOf({ periodStart, periodEnd }: Subscription): Period | null {
  return periodStart && periodEnd ? { start: periodStart, end: periodEnd } : null
}
