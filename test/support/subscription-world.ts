import assert from 'node:assert/strict'
import { access, statusOf } from '../../src/billing/access.ts'
import { beginTrial, beginWithoutTrial } from '../../src/billing/machine/begin.ts'
import { type Due, dueTimer } from '../../src/billing/machine/due-timer.ts'
import type { BillingEvent, Effect, PagoAprobado, Result } from '../../src/billing/machine/event.ts'
import { transition } from '../../src/billing/machine/transition.ts'
import type { Period } from '../../src/billing/periods.ts'
import type { Access, Frecuencia, MandateStatus, Policy, Subscription } from '../../src/billing/subscription.ts'
import { addDays, fechaOf, instantOf } from '../../src/fiscal/fecha.ts'

/** What one step of a random history does; `n` picks among what there is, so that a history shrinks whatever it holds. */
export interface Step {
  readonly what: What
  readonly n: number
}

export const whats = [
  'time_healthy',
  'time_late',
  'time_stale',
  'time_down',
  'checkout',
  'authorize',
  'pause_at_mp',
  'cancel_at_mp',
  'unknown_at_mp',
  'carry_out',
  'charge',
  'stray_charge',
  'transfer',
  'one_off',
  'reject',
  'in_process',
  'refund',
  'chargeback',
  'win',
  'balance',
  'pausar',
  'reanudar',
  'cancelar',
  'cancelar_ya',
  'deshacer',
  'extender',
  'suspender',
  'reactivar',
  'cambiar',
] as const
export type What = (typeof whats)[number]

interface Payment {
  readonly id: string
  readonly mandateId: string | null
  status: 'approved' | 'refunded' | 'charged_back'
  period: Period | null
  credited: boolean
}

/** What was seen of one event, for whoever checks it. */
export interface Seen {
  readonly event: BillingEvent
  readonly now: Date
  readonly before: Subscription
  readonly result: Result
  readonly policy: Policy
  /** What time would bring next. */
  readonly due: Due | null
}

export type World = ReturnType<typeof world>

/**
 * A company, MercadoPago and our product around the machine, all in memory: it carries out what the machine decides, drops
 * the facts that say nothing new as the product does, and shows every event to `check`.
 */
export function world(
  { alta, frecuencia, policy }: { alta: boolean; frecuencia: Frecuencia; policy: Policy },
  check: (seen: Seen, world: World) => void,
) {
  let now = instantOf('2026-08-31', 12)
  let lastSynced = now
  let sub = alta ? beginWithoutTrial(frecuencia, now, policy) : beginTrial(frecuencia, now, policy)
  let made = 0
  /** What MercadoPago has, whatever we know of it. */
  const provider = new Map<string, MandateStatus>()
  const commands: Extract<Effect, { kind: 'mandate' }>[] = []
  const payments: Payment[] = []
  const mails = new Set<string>()

  const self = {
    get sub() {
      return sub
    },
    get now() {
      return now
    },
    provider,
    payments,
    mails,
    step,
    carryOut,
    snapshot: () => structuredClone({ sub, payments, mails: [...mails].sort(), commands: commands.length }),
    /** A fact that MercadoPago tells twice. */
    again: (event: BillingEvent) => apply(event),
  }

  function apply(event: BillingEvent): Result {
    const before = sub
    const result = transition(sub, event, now, policy)
    if (result.kind !== 'refused') {
      sub = result.sub
      for (const effect of result.effects) keep(effect)
    }
    check({ event, now, before, result, policy, due: dueTimer(sub, policy) }, self)
    return result
  }

  function keep(effect: Effect) {
    switch (effect.kind) {
      case 'mail':
        mails.add(`${effect.template}:${effect.key}`)
        return
      case 'mandate':
        commands.push(effect)
        return
      case 'pay_period': {
        const payment = payments.find(({ id }) => id === effect.paymentId)
        assert.ok(payment, `nobody made ${effect.paymentId}`)
        payment.period = effect.period
        return
      }
      case 'credit': {
        const payment = payments.find(({ id }) => id === effect.paymentId)
        assert.ok(payment && !payment.credited, `${effect.paymentId} becomes credit twice`)
        payment.credited = true
        return
      }
      case 'pay_from_balance':
      case 'prepare_invoice':
      case 'reopen_invoice':
      case 'write_off':
      case 'alert':
        return
    }
  }

  /** MercadoPago does what it was told, and we hear of it. */
  function carryOut() {
    for (const { mandateId, action } of commands.splice(0)) {
      if (provider.get(mandateId) === 'cancelled') continue
      hear(mandateId, { cancel: 'cancelled', pause: 'paused', resume: 'authorized' }[action] as MandateStatus)
    }
  }

  /** What a mandate is, fetched. A status that we have already says nothing. */
  function hear(mandateId: string, status: MandateStatus) {
    provider.set(mandateId, status)
    if (sub.mandates.find(({ id }) => id === mandateId)?.status === status) return
    sub = {
      ...sub,
      mandates: sub.mandates.map((m) =>
        m.id === mandateId ? { ...m, status, wasAuthorized: m.wasAuthorized || status === 'authorized' } : m,
      ),
    }
    if (status === 'authorized') apply({ kind: 'mandato_autorizado', mandateId })
    if (status === 'paused') apply({ kind: 'mandato_pausado', mandateId })
    if (status === 'cancelled') apply({ kind: 'mandato_cancelado', mandateId })
  }

  function pay(medio: PagoAprobado['medio'], mandateId: string | null, daysAgo: number) {
    const payment: Payment = { id: `p${++made}`, mandateId, status: 'approved', period: null, credited: false }
    payments.push(payment)
    apply({ kind: 'pago_aprobado', paymentId: payment.id, paidOn: addDays(fechaOf(now), -daysAgo), medio, mandateId })
  }

  function sweep(synced: Date) {
    lastSynced = synced > lastSynced ? synced : lastSynced
    for (let ran = 0; ; ran++) {
      assert.ok(ran < 50, 'the sweep does not end')
      const due = dueTimer(sub, policy)
      if (!due || due.at > now || (due.needsFresh && lastSynced <= due.at)) return
      apply({ kind: 'timer', timer: due.timer })
    }
  }

  function pass(n: number, how: 'healthy' | 'late' | 'stale' | 'down') {
    const hours = [1, 5, 12, 24, 30, 72, 24 * 7, 24 * 16, 24 * 31, 24 * 70][n % 10] ?? 1
    const until = new Date(now.getTime() + hours * 3_600_000)
    if (how === 'healthy') {
      for (let due = dueTimer(sub, policy); due && due.at <= until; due = dueTimer(sub, policy)) {
        if (due.at > now) now = due.at
        sweep(new Date(now.getTime() + 1))
      }
    }
    now = until
    if (how === 'late') sweep(new Date(now.getTime() + 1))
    if (how === 'stale') sweep(lastSynced)
  }

  function step({ what, n }: Step) {
    now = new Date(now.getTime() + 60_000)
    const pick = <T>(all: readonly T[]): T | undefined => all[n % all.length]
    const mandatesThatAre = (...statuses: MandateStatus[]) =>
      [...provider].flatMap(([id, status]) => (statuses.includes(status) ? [id] : []))
    const paymentsThatAre = (status: Payment['status']) => payments.filter((payment) => payment.status === status)
    const until = n % 3 === 0 ? null : addDays(fechaOf(now), n % 40)
    switch (what) {
      case 'time_healthy':
      case 'time_late':
      case 'time_stale':
      case 'time_down':
        return pass(n, what.slice(5) as 'healthy')
      case 'checkout': {
        const id = `m${++made}`
        const attempt = sub.mandates.length + 1
        const mandate = {
          id,
          status: 'pending',
          attempt,
          wasAuthorized: false,
          cancelledByUs: null,
          chargesOn: null,
        } as const
        sub = { ...sub, mandates: [{ ...mandate, createdAt: now }, ...sub.mandates] }
        provider.set(id, 'pending')
        return apply({ kind: 'checkout_iniciado', mandateId: id })
      }
      case 'authorize': {
        // A mandate that MercadoPago was not yet told to end may still be authorised or resumed by its payer.
        const id = pick(mandatesThatAre('pending', 'paused', 'unknown'))
        return id && hear(id, 'authorized')
      }
      case 'pause_at_mp': {
        const id = pick(mandatesThatAre('authorized'))
        return id && hear(id, 'paused')
      }
      case 'cancel_at_mp': {
        const id = pick(mandatesThatAre('pending', 'authorized', 'paused', 'unknown'))
        return id && hear(id, 'cancelled')
      }
      case 'unknown_at_mp': {
        const id = pick(mandatesThatAre('pending', 'authorized', 'paused'))
        return id && hear(id, 'unknown')
      }
      case 'carry_out':
        return carryOut()
      case 'charge': {
        const id = pick(mandatesThatAre('authorized'))
        return id && pay('mandato', id, n % 4 === 0 ? 1 : 0)
      }
      case 'stray_charge': {
        const id = pick([...provider.keys()])
        return id && pay('mandato', id, n % 5)
      }
      case 'transfer':
        return pay('transferencia', null, n % 4)
      case 'one_off':
        return pay('pago_unico', null, 0)
      case 'reject':
        return apply({
          kind: 'pago_rechazado',
          paymentId: `r${++made}`,
          mandateId: pick([...provider.keys()]) ?? null,
          instalmentPaid: n % 7 === 0,
        })
      case 'in_process':
        return apply({ kind: 'pago_en_proceso', paymentId: `r${++made}` })
      case 'refund':
      case 'chargeback': {
        const payment = pick(paymentsThatAre('approved'))
        if (!payment) return
        payment.status = what === 'refund' ? 'refunded' : 'charged_back'
        const kind = what === 'refund' ? 'pago_reembolsado' : 'contracargo'
        return apply({ kind, paymentId: payment.id, period: payment.period })
      }
      case 'win': {
        const payment = pick(paymentsThatAre('charged_back'))
        if (!payment) return
        payment.status = 'approved'
        return apply({ kind: 'contracargo_ganado', paymentId: payment.id, period: payment.period })
      }
      case 'balance':
        return apply({ kind: 'saldo_cubre' })
      case 'pausar':
        return apply({ kind: 'pausar', until })
      case 'reanudar':
        return apply({ kind: 'reanudar' })
      case 'cancelar':
        return apply({ kind: 'cancelar_fin_periodo' })
      case 'cancelar_ya':
        return apply({ kind: 'cancelar_inmediata' })
      case 'deshacer':
        return apply({ kind: 'deshacer_cancelacion' })
      case 'extender':
        return apply({ kind: 'extender_trial', until: addDays(fechaOf(now), n % 40) })
      case 'suspender':
        return apply({ kind: 'suspender_admin' })
      case 'reactivar':
        return apply({ kind: 'reactivar_admin', until: addDays(fechaOf(now), n % 60) })
      case 'cambiar': {
        const paymentId = n % 2 ? `p${++made}` : null
        if (paymentId)
          payments.push({ id: paymentId, mandateId: null, status: 'approved', period: null, credited: false })
        const frecuencia = n % 3 ? 'mensual' : 'anual'
        return apply({ kind: 'cambiar_plan', changeId: `c${++made}`, frecuencia, paymentId })
      }
    }
  }

  return self
}

export const standing = (sub: Subscription, now: Date, policy: Policy): { access: Access; status: string } => ({
  access: access(sub, now, policy),
  status: statusOf(sub),
})
