import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Seen, type Step, standing, type World, whats, world } from '../../../test/support/subscription-world.ts'
import { fechaOf } from '../../fiscal/fecha.ts'
import { isPaid } from '../access.ts'
import { periodContaining } from '../periods.ts'
import { defaultPolicy, estados, type Mandate, type Policy, type Subscription } from '../subscription.ts'
import { type BillingEvent, type Effect, timers } from './event.ts'
import { transition } from './transition.ts'

/**
 * The invariants of billing.md 3.10 under random histories: a company, its cards, MercadoPago, staff and a worker that may
 * be late, blind or down. Fewer events than this have found every mistake that we put in by hand.
 */
const RUNS = 2_000
const STEPS = 160

// Time, money and cards come more often than what people do: else a history hardly ever leaves its first month.
const often = ['time_healthy', 'time_late', 'charge', 'transfer', 'authorize', 'checkout', 'carry_out'] as const
const step: fc.Arbitrary<Step> = fc.record({
  what: fc.oneof(
    { weight: 1, arbitrary: fc.constantFrom(...whats) },
    { weight: 1, arbitrary: fc.constantFrom(...often) },
  ),
  n: fc.nat(999),
})
const policy: fc.Arbitrary<Policy> = fc
  .record(
    {
      pendingDays: fc.constantFrom(0, 3),
      cancelAccess: fc.constantFrom('until_period_end', 'immediate'),
      mandateWaitHours: fc.constantFrom(8, 24, 48),
      trialDays: fc.constantFrom(3, 14),
    },
    { requiredKeys: [] },
  )
  .map((differences) => ({ ...defaultPolicy, ...differences }))
const beginning = fc.record({ alta: fc.boolean(), frecuencia: fc.constantFrom('mensual', 'anual'), policy })

test('no history of a hundred thousand events breaks a promise of the specification', () => {
  let events = 0
  const met = new Set<string>()
  const property = fc.property(
    beginning,
    fc.array(step, { size: 'max', minLength: 1, maxLength: STEPS }),
    (begun, steps) => {
      const w = world(begun, (seen, w) => {
        events++
        met.add(seen.event.kind === 'timer' ? seen.event.timer : `${seen.event.kind} in ${seen.before.estado}`)
        for (const promise of PROMISES) promise(seen, w)
      })
      for (const one of steps) w.step(one)
      noCardOutlivesTheEnd(w)
    },
  )
  fc.assert(property, { numRuns: RUNS, seed: 360 })
  assert.ok(events >= 100_000, `only ${events} events`)
  const missed = [...timers, ...estados.flatMap((estado) => HAPPENS.map((kind) => `${kind} in ${estado}`))]
  assert.deepEqual(
    missed.filter((pair) => !met.has(pair)),
    [],
    'histories that never came there',
  )
})

const COMMANDS: readonly BillingEvent['kind'][] = [
  'pausar',
  'reanudar',
  'cancelar_fin_periodo',
  'cancelar_inmediata',
  'deshacer_cancelacion',
  'extender_trial',
  'suspender_admin',
  'reactivar_admin',
  'cambiar_plan',
]
const HAPPENS: readonly BillingEvent['kind'][] = [
  ...COMMANDS,
  'checkout_iniciado',
  'mandato_autorizado',
  'mandato_pausado',
  'mandato_cancelado',
  'pago_aprobado',
  'pago_rechazado',
  'pago_en_proceso',
  'pago_reembolsado',
  'contracargo',
]

const PROMISES: ((seen: Seen, world: World) => void)[] = [
  everyPairIsDefined,
  whoIsAuthorizedHasAccess,
  accessIsEarned,
  accessIsTakenOnlyByRight,
  sanctionsComeOneAfterTheOther,
  sanctionsAreLookedUpFirst,
  periodsFollowEachOther,
  cancellationsEndWithWhatIsPaid,
  deadlinesBelongToTheirStates,
  theEndedAreLeftAlone,
  moneyIsKept,
  factsMayRepeat,
]

/** 3.10-8. Facts of MercadoPago and timers are never refused: there is nobody to tell. */
function everyPairIsDefined({ event, result, before }: Seen) {
  if (result.kind === 'refused') {
    assert.ok(COMMANDS.includes(event.kind), `${event.kind} refused in ${before.estado}`)
    return
  }
  if (result.kind === 'same') assert.equal(result.sub.estado, before.estado, 'what stays does not move')
}

/** 3.10-1. */
function whoIsAuthorizedHasAccess({ now, policy }: Seen, { sub }: World) {
  const { access, status } = standing(sub, now, policy)
  if (status === 'authorized' || status === 'pending') assert.equal(access, 'full', `${status} and ${access}`)
}

/** 3.10-2. */
function accessIsEarned({ now, policy }: Seen, { sub }: World) {
  if (standing(sub, now, policy).access !== 'full') return
  const isPaidPause = sub.estado === 'pausada' && isPaid(sub, fechaOf(now))
  assert.ok(['trial', 'activa', 'pendiente_pago'].includes(sub.estado) || isPaidPause, `full in ${sub.estado}`)
}

const RANK = { full: 2, read_only: 1, blocked: 0 }

/** Nothing but a sanction, money of the running period that was taken back, staff, or the customer’s own deed. */
function accessIsTakenOnlyByRight({ event, before, now, policy }: Seen, { sub }: World) {
  const [was, is] = [standing(before, now, policy).access, standing(sub, now, policy).access]
  if (RANK[is] >= RANK[was]) return
  switch (event.kind) {
    case 'timer':
    case 'suspender_admin':
    case 'cancelar_inmediata':
    case 'cancelar_fin_periodo':
    case 'pausar':
    // The payer's own deed at MercadoPago, or the third instalment that was not paid.
    case 'mandato_pausado':
    case 'mandato_cancelado':
      return
    case 'pago_reembolsado':
    case 'contracargo': {
      const today = fechaOf(now)
      const { period } = event
      assert.ok(period && today < period.end, `access lost over ${JSON.stringify(period)} on ${today}`)
      return
    }
    default:
      assert.fail(`${event.kind} made ${was} into ${is}`)
  }
}

/** Nobody is sanctioned within the least time since the step before. */
function sanctionsComeOneAfterTheOther({ event, before, now, policy }: Seen) {
  if (event.kind !== 'timer') return
  const least = {
    fin_pendiente: policy.minDwellHours.pendiente_pago,
    fin_gracia: policy.minDwellHours.grace_period,
    fin_suspension: policy.minDwellHours.suspendida,
  }[event.timer as string]
  if (least === undefined) return
  const hours = (now.getTime() - before.enteredAt.getTime()) / 3_600_000
  assert.ok(hours >= least, `${event.timer} after ${hours} hours`)
}

const mayCharge = ({ status, cancelledByUs }: Mandate) => status !== 'cancelled' && !cancelledByUs

/** 0.4: an outage sanctions nobody. */
function sanctionsAreLookedUpFirst({ due }: Seen, { sub }: World) {
  const sanctions = ['vence_periodo', 'fin_pendiente', 'fin_gracia', 'fin_suspension']
  if (due && sanctions.includes(due.timer) && sub.mandates.some(mayCharge)) assert.ok(due.needsFresh, due.timer)
}

/** 3.10-6. A gap is written off or it is none, and only the first period of an anchor may begin before it. */
function periodsFollowEachOther({ event, before, result }: Seen, { sub }: World) {
  const { anchor, frecuencia, periodStart, periodEnd } = sub
  if (!periodStart || !periodEnd) return
  assert.ok(periodStart < periodEnd, `${periodStart}..${periodEnd}`)
  if (before.periodStart === periodStart && before.periodEnd === periodEnd) return
  assert.ok(anchor, 'a period without a grid')
  if (periodStart >= anchor) {
    const grid = periodContaining(anchor, frecuencia, periodStart)
    assert.deepEqual([periodStart, periodEnd], [grid.start, grid.end], 'off the grid')
  } else {
    assert.ok(periodEnd === anchor || periodEnd === periodContaining(anchor, frecuencia, anchor).end, 'before the grid')
  }
  if (before.anchor !== anchor || before.periodEnd === null) return
  // Another life, another interval, a courtesy or the end of a pause may begin a grid anew, be it on the same day.
  if (periodStart === anchor || isOver(before) || event.kind === 'reactivar_admin') return
  // Where the pause ended in one that had been taken back, the period before is still of the grid before.
  if (periodContaining(anchor, frecuencia, before.periodEnd).start !== before.periodEnd) return
  if (periodStart === before.periodEnd) return
  assert.ok(periodStart > before.periodEnd, `${periodStart} overlaps what ended on ${before.periodEnd}`)
  const effects = result.kind === 'refused' ? [] : result.effects
  assert.ok(
    effects.some((effect) => effect.kind === 'write_off' && effect.before === periodStart),
    `from ${before.periodEnd} to ${periodStart} nobody pays and nobody wrote it off`,
  )
}

function cancellationsEndWithWhatIsPaid(_: Seen, { sub }: World) {
  const { cancelAt, estado, paidThrough, trialEnd } = sub
  if (estado === 'activa') {
    assert.ok(paidThrough !== null && sub.periodEnd !== null && paidThrough >= sub.periodEnd, 'active and not paid')
    assert.ok(cancelAt === null || cancelAt === paidThrough, `ends on ${cancelAt}, paid until ${paidThrough}`)
  } else if (estado === 'trial') assert.ok(cancelAt === null || cancelAt === trialEnd)
  else assert.equal(cancelAt, null, `a cancellation is waiting in ${estado}`)
}

function deadlinesBelongToTheirStates({ due }: Seen, { sub }: World) {
  const { estado, deadlineAt, suspendedByStaff, pauseUntil } = sub
  const isCounted = ['pendiente_pago', 'grace_period', 'suspendida'].includes(estado) && !suspendedByStaff
  assert.equal(deadlineAt !== null, isCounted, `a deadline in ${estado}`)
  if (estado !== 'pausada') assert.equal(pauseUntil, null)
  const hasTimer = isCounted || estado === 'trial' || estado === 'activa' || pauseUntil !== null
  assert.equal(due !== null, hasTimer, `a timer in ${estado}`)
}

const isOver = ({ estado }: Subscription) => estado === 'cancelada' || estado === 'vencida'

/** 3.10-7, of what we know: each mandate from before the end is dead or was told to end. */
function theEndedAreLeftAlone({ due }: Seen, { sub }: World) {
  if (!isOver(sub)) return
  assert.ok(sub.endedAt)
  assert.equal(due, null)
  for (const mandate of sub.mandates)
    if (mandate.createdAt <= sub.endedAt) assert.ok(!mayCharge(mandate), `${mandate.id} may still charge`)
}

/** 3.10-7, of MercadoPago: once it has done what it was told. */
function noCardOutlivesTheEnd(w: World) {
  for (let rounds = 0; rounds < 3; rounds++) w.carryOut()
  const { sub } = w
  if (!isOver(sub) || !sub.endedAt) return
  for (const { id, createdAt } of sub.mandates)
    if (createdAt <= sub.endedAt) assert.equal(w.provider.get(id), 'cancelled', `${id} still charges`)
}

/** An approved payment pays one period or becomes credit, once; nothing else moves money. */
function moneyIsKept({ event, result, before }: Seen, { sub }: World) {
  if (result.kind === 'refused') return
  const pays = result.effects.filter((effect) => effect.kind === 'pay_period')
  const credits = result.effects.filter((effect) => effect.kind === 'credit')
  switch (event.kind) {
    case 'pago_aprobado': {
      const used = [...pays, ...credits]
      assert.deepEqual(
        used.map(({ paymentId }) => paymentId),
        [event.paymentId],
      )
      break
    }
    case 'contracargo_ganado':
    case 'cambiar_plan':
      assert.ok(pays.length <= 1 && credits.length === 0)
      break
    default:
      assert.deepEqual([...pays, ...credits], [], `${event.kind} moves money`)
  }
  for (const { period } of pays) {
    assert.equal(sub.paidThrough, period.end, 'what was paid for is not had')
    if (before.estado === 'activa' && event.kind === 'pago_aprobado' && !before.cancelAt)
      assert.ok(period.start >= (before.paidThrough ?? ''), 'a period that was paid is paid again')
  }
}

/** 3.10-3, without the help of who drops what is not new: for facts that say how something stands. */
function factsMayRepeat({ event, now, policy, result }: Seen, { sub }: World) {
  switch (event.kind) {
    case 'mandato_autorizado':
    case 'mandato_pausado':
    case 'mandato_cancelado':
    case 'pago_rechazado':
    case 'pago_en_proceso':
    case 'contracargo_ganado': {
      if (result.kind === 'refused') return
      const again = transitionAgain(sub, event, now, policy)
      assert.deepEqual(again.sub, sub, `${event.kind} twice`)
      const keys = new Set(result.effects.map(keyOf))
      for (const effect of again.effects) assert.ok(keys.has(keyOf(effect)), `${event.kind} twice: ${keyOf(effect)}`)
    }
  }
}

function transitionAgain(sub: Subscription, event: BillingEvent, now: Date, policy: Policy) {
  const again = transition(sub, event, now, policy)
  assert.ok(again.kind !== 'refused')
  return again
}

const keyOf = (effect: Effect) => JSON.stringify(effect)
