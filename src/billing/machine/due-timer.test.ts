import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clockOf, type Story, story } from '../../../test/support/subscription-story.ts'
import { instantOf } from '../../fiscal/fecha.ts'
import { access, statusOf } from '../access.ts'
import type { Policy } from '../subscription.ts'
import { dueTimer } from './due-timer.ts'

/** Each row of billing.md 3.6: when, at which hour in Mexico City, and what must be read from MercadoPago first. */

function card(policy: Partial<Policy> = {}, on = '2026-06-05'): Story {
  const s = story({ on, alta: true, policy })
  s.subscribe('m1')
  s.charge('p1')
  s.mails()
  return s
}

function byTransfer(policy: Partial<Policy> = {}, on = '2026-06-05'): Story {
  const s = story({ on, alta: true, policy })
  s.transfer('p1')
  s.mails()
  return s
}

function next({ sub, policy }: Story): string {
  const due = dueTimer(sub, policy)
  return due ? `${due.timer} ${clockOf(due.at)}${due.needsFresh ? ' fresh' : ''}` : 'nothing'
}

const accessOf = ({ sub, now, policy }: Story) => access(sub, now, policy)

test('the calendar of a card that is never charged', () => {
  const s = card()
  assert.deepEqual(s.goTo('2026-12-31'), [
    'aviso_renovacion@2026-06-29 08',
    'preparar_cobro@2026-07-04 06',
    'vence_periodo@2026-07-06 08',
    'fin_pendiente@2026-07-08 08',
    'fin_gracia@2026-07-15 08',
    'fin_suspension@2026-08-14 08',
  ])
  assert.deepEqual(s.mails(), [
    'aviso_renovacion:2026-07-05',
    'pago_pendiente:2026-07-05',
    'gracia:2026-07-05',
    'suspendida:2026-07-05',
    `cancelada:${instantOf('2026-08-14', 8).toISOString()}`,
  ])
  assert.deepEqual([s.sub.estado, s.sub.motivo, s.sub.mandates[0]?.cancelledByUs], ['cancelada', 'impago', 'end'])
})

test('a card that is charged before the end of the period is told of, and its amount fixed, before that day', () => {
  const s = card()
  const chargedOn = (day: string | null) => {
    const sub = { ...s.sub, mandates: s.sub.mandates.map((mandate) => ({ ...mandate, chargesOn: day })) }
    const told = { ...sub, notices: { ...sub.notices, renewal: sub.periodEnd } }
    return [sub, told].map((from) => {
      const due = dueTimer(from, s.policy)
      return due ? `${due.timer} ${clockOf(due.at)}` : 'nothing'
    })
  }
  assert.deepEqual(chargedOn('2026-07-02'), ['aviso_renovacion 2026-06-26 08', 'preparar_cobro 2026-07-01 06'])
  // Of the period before, too early for it, after its end, not told: its own end counts.
  for (const day of ['2026-06-05', '2026-06-29', '2026-07-09', null])
    assert.deepEqual(chargedOn(day), ['aviso_renovacion 2026-06-29 08', 'preparar_cobro 2026-07-04 06'], String(day))
})

test('the calendar of a transfer that never comes: the same ten days and forty', () => {
  const s = byTransfer()
  assert.deepEqual(s.goTo('2026-12-31'), [
    'aviso_vencimiento@2026-06-30 08',
    'preparar_cobro@2026-07-04 06',
    'vence_periodo@2026-07-05 08',
    'fin_pendiente@2026-07-08 08',
    'fin_gracia@2026-07-15 08',
    'fin_suspension@2026-08-14 08',
  ])
  assert.deepEqual(
    s.mails().map((mail) => mail.split(':')[0]),
    ['por_vencer_5d', 'pago_pendiente', 'gracia', 'suspendida', 'cancelada'],
  )
})

test('the calendar of trials', () => {
  const none = story()
  assert.deepEqual(none.goTo('2026-12-31'), ['aviso_trial@2026-06-10 08', 'fin_trial@2026-06-15 07'])
  assert.deepEqual(none.mails(), ['trial_por_vencer:2026-06-15', 'trial_vencido:2026-06-15'])

  const withCard = story()
  withCard.subscribe('m1')
  assert.deepEqual(withCard.goTo('2026-06-30'), [
    'aviso_trial@2026-06-10 08',
    'fin_trial@2026-06-15 07',
    'fin_pendiente@2026-06-18 08',
    'fin_gracia@2026-06-25 08',
  ])
  assert.deepEqual(withCard.mails(), ['trial_por_vencer:2026-06-15', 'gracia:2026-06-15', 'suspendida:2026-06-15'])

  const cancelled = story()
  cancelled.apply({ kind: 'cancelar_fin_periodo' })
  cancelled.mails()
  assert.deepEqual(cancelled.goTo('2026-12-31'), ['fin_trial@2026-06-15 07'])
  assert.deepEqual([cancelled.sub.estado, cancelled.mails()], ['cancelada', []])

  const extended = story()
  extended.goTo('2026-06-11')
  extended.apply({ kind: 'extender_trial', until: '2026-06-30' })
  assert.deepEqual(extended.goTo('2026-12-31'), ['aviso_trial@2026-06-25 08', 'fin_trial@2026-06-30 07'])
})

test('a sign-up that is not paid lapses seven days after it began, unannounced', () => {
  const s = story({ alta: true })
  assert.equal(next(s), 'fin_pendiente 2026-06-08 12')
  s.goTo('2026-06-09')
  assert.deepEqual([s.sub.estado, s.sub.motivo, s.mails(), next(s)], ['vencida', 'alta_abandonada', [], 'nothing'])
})

test('the end of a cancellation is its midnight, and is told five days before', () => {
  const s = card()
  s.apply({ kind: 'cancelar_fin_periodo' })
  s.mails()
  assert.deepEqual(s.goTo('2026-12-31'), ['aviso_vencimiento@2026-06-30 08', 'cancelacion@2026-07-05 00'])
  assert.deepEqual(s.mails(), ['por_vencer_5d:2026-07-05'])
})

test('a pause ends on its day at eight', () => {
  const s = card()
  s.apply({ kind: 'pausar', until: '2026-06-20' })
  assert.equal(next(s), 'fin_pausa 2026-06-20 08')
  s.jump('2026-06-10').apply({ kind: 'reanudar' })
  s.apply({ kind: 'pausar', until: null })
  assert.equal(next(s), 'nothing')
})

test('a suspension by staff ends by no clock', () => {
  const s = card()
  s.apply({ kind: 'suspender_admin' })
  assert.equal(next(s), 'nothing')
})

test('a sanction of whoever could still be charged needs a fresh look, and nobody else’s does', () => {
  const withCard = card()
  withCard.goTo('2026-07-05')
  const seen: string[] = []
  for (const day of ['2026-07-05', '2026-07-07', '2026-07-09', '2026-07-20']) {
    withCard.goTo(day)
    seen.push(next(withCard))
  }
  assert.deepEqual(seen, [
    'vence_periodo 2026-07-06 08 fresh',
    'fin_pendiente 2026-07-08 08 fresh',
    'fin_gracia 2026-07-15 08 fresh',
    'fin_suspension 2026-08-14 08 fresh',
  ])
  const transfer = byTransfer()
  transfer.goTo('2026-07-04', 7)
  assert.equal(next(transfer), 'vence_periodo 2026-07-05 08')
  // A checkout was begun: it may have been paid without our hearing of it.
  transfer.checkout('m1')
  assert.equal(next(transfer), 'vence_periodo 2026-07-05 08 fresh')
  transfer.setMandate('m1', 'unknown')
  assert.equal(next(transfer), 'vence_periodo 2026-07-05 08 fresh')
  transfer.setMandate('m1', 'cancelled')
  assert.equal(next(transfer), 'vence_periodo 2026-07-05 08')

  const alta = story({ alta: true })
  alta.subscribe('m1')
  assert.equal(next(alta), 'fin_pendiente 2026-06-08 12 fresh')
})

test('an outage sanctions nobody: without a reading after its moment the timer waits', () => {
  const s = card()
  s.goTo('2026-07-05')
  s.jump('2026-07-20')
  assert.deepEqual(s.sweep(instantOf('2026-07-06', 7)), [], 'read before')
  assert.deepEqual(s.sweep(instantOf('2026-07-06', 8)), [], 'read at that very moment')
  assert.equal(accessOf(s), 'full')
  assert.deepEqual(s.sweep(instantOf('2026-07-06', 9)), ['vence_periodo'])
})

test('a sanction that comes late shortens nothing that follows', () => {
  const s = card()
  s.goTo('2026-07-05')
  s.mails()
  s.jump('2026-09-01', 10)
  assert.deepEqual(s.sweep(), ['vence_periodo'])
  assert.deepEqual([next(s), accessOf(s)], ['fin_pendiente 2026-09-02 10 fresh', 'full'])
  s.jump('2026-09-02', 10)
  assert.deepEqual(s.sweep(), ['fin_pendiente'])
  assert.deepEqual([next(s), accessOf(s)], ['fin_gracia 2026-09-04 10 fresh', 'read_only'])
  s.jump('2026-09-04', 10)
  assert.deepEqual(s.sweep(), ['fin_gracia'])
  assert.deepEqual([next(s), accessOf(s)], ['fin_suspension 2026-09-06 10 fresh', 'blocked'])
  s.jump('2026-09-06', 10)
  assert.deepEqual(s.sweep(), ['fin_suspension'])
  assert.deepEqual(
    s.mails().map((mail) => mail.split(':')[0]),
    ['pago_pendiente', 'gracia', 'suspendida', 'cancelada'],
  )
})

test('a sweep that was away skips no notice, and gives each before what it announces', () => {
  const s = byTransfer()
  s.jump('2026-07-20')
  assert.deepEqual(s.sweep(), ['aviso_vencimiento', 'preparar_cobro', 'vence_periodo'])
  assert.deepEqual(s.mails(), ['por_vencer_5d:2026-07-05', 'pago_pendiente:2026-07-05'])
})

test('a notice and an end at one instant: the notice comes first', () => {
  const s = byTransfer({ expiryNoticeDays: 0 })
  s.goTo('2026-07-05', 8)
  assert.deepEqual(s.mails(), ['por_vencer_5d:2026-07-05', 'pago_pendiente:2026-07-05'])
})

test('what is paid ahead is neither announced nor collected before it has begun', () => {
  const s = card()
  s.transfer('p2')
  s.mails()
  assert.deepEqual(s.goTo('2026-07-29', 9), ['rodar@2026-07-05 00'])
  assert.deepEqual(s.goTo('2026-07-31'), ['aviso_renovacion@2026-07-30 08'])
})

test('who has a card after the day of its notice is told at once', () => {
  const s = byTransfer()
  s.goTo('2026-07-03')
  s.mails()
  s.subscribe('m1')
  s.sweep()
  assert.deepEqual(s.mails(), ['aviso_renovacion:2026-07-05'])
})

test('months end where the anchor says, and never drift', () => {
  const s = byTransfer({}, '2026-08-31')
  const bounds: unknown[] = []
  for (let n = 2; n < 9; n++) {
    s.transfer(`p${n}`)
    const boundary = s.sub.periodEnd!
    s.goTo(boundary, 0)
    bounds.push(s.sub.periodStart)
  }
  assert.deepEqual(bounds, [
    '2026-09-30',
    '2026-10-31',
    '2026-11-30',
    '2026-12-31',
    '2027-01-31',
    '2027-02-28',
    '2027-03-31',
  ])
  assert.deepEqual([s.sub.periodEnd, s.sub.anchor], ['2027-04-30', '2026-08-31'])
})

test('a year ends where it began, the 29th of February on the last day of that month', () => {
  const s = story({ on: '2028-02-29', alta: true, frecuencia: 'anual' })
  s.transfer('p1')
  assert.deepEqual([s.sub.periodStart, s.sub.periodEnd], ['2028-02-29', '2029-02-28'])
  assert.deepEqual(s.goTo('2029-03-01'), [
    'aviso_vencimiento@2029-02-23 08',
    'preparar_cobro@2029-02-27 06',
    'vence_periodo@2029-02-28 08',
  ])
  s.transfer('p2')
  assert.deepEqual([s.sub.periodStart, s.sub.periodEnd], ['2029-02-28', '2030-02-28'])
})

test('Q1, without days of pending: read-only as soon as the least time since it was told has passed', () => {
  const s = byTransfer({ pendingDays: 0 })
  assert.deepEqual(s.goTo('2026-07-12').slice(2), [
    'vence_periodo@2026-07-05 08',
    'fin_pendiente@2026-07-06 08',
    'fin_gracia@2026-07-12 08',
  ])
  const atOnce = byTransfer({
    pendingDays: 0,
    minDwellHours: { pendiente_pago: 0, grace_period: 48, suspendida: 48 },
  })
  assert.deepEqual(atOnce.goTo('2026-07-06').slice(2), ['vence_periodo@2026-07-05 08', 'fin_pendiente@2026-07-05 08'])
  assert.equal(accessOf(atOnce), 'read_only')
})

test('Q2, immediate: who cancels keeps nothing of what was paid', () => {
  for (const s of [card({ cancelAccess: 'immediate' }), story({ policy: { cancelAccess: 'immediate' } })]) {
    s.apply({ kind: 'cancelar_fin_periodo' })
    assert.deepEqual(
      [s.sub.estado, s.sub.motivo, accessOf(s), next(s)],
      ['cancelada', 'usuario', 'read_only', 'nothing'],
    )
    assert.deepEqual(s.mails(), [`cancelada:${s.now.toISOString()}`])
  }
  const kept = card()
  kept.apply({ kind: 'cancelar_fin_periodo' })
  assert.deepEqual([accessOf(kept), statusOf(kept.sub)], ['full', 'cancelled'])
})

test('every other number of the policy moves its moment', () => {
  const CASES: [Partial<Policy>, (policy: Partial<Policy>) => Story, string][] = [
    [{ trialDays: 30 }, (policy) => story({ policy }), 'aviso_trial 2026-06-26 08'],
    [{ trialNoticeDays: 3 }, (policy) => story({ policy }), 'aviso_trial 2026-06-12 08'],
    [{ noticeHour: 9 }, (policy) => story({ policy }), 'aviso_trial 2026-06-10 09'],
    [{ altaTtlDays: 2 }, (policy) => story({ policy, alta: true }), 'fin_pendiente 2026-06-03 12'],
    [{ renewalNoticeDays: 10 }, card, 'aviso_renovacion 2026-06-25 08'],
    [{ expiryNoticeDays: 2 }, byTransfer, 'aviso_vencimiento 2026-07-03 08'],
    [{ invoiceHour: 5 }, (p) => at(card(p), '2026-07-01'), 'preparar_cobro 2026-07-04 05'],
    [{ mandateWaitHours: 48 }, (p) => at(card(p), '2026-07-05'), 'vence_periodo 2026-07-07 08 fresh'],
    [{ mandateWaitHours: 12 }, (p) => at(card(p), '2026-07-05', 5), 'vence_periodo 2026-07-06 08 fresh'],
    [{ mandateWaitHours: 8 }, (p) => at(card(p), '2026-07-05', 5), 'vence_periodo 2026-07-05 08 fresh'],
    [{ pendingDays: 5 }, (p) => at(byTransfer(p), '2026-07-06'), 'fin_pendiente 2026-07-10 08'],
    [{ graceDays: 9 }, (p) => at(byTransfer(p), '2026-07-09'), 'fin_gracia 2026-07-17 08'],
    [{ suspensionDays: 60 }, (p) => at(byTransfer(p), '2026-07-16'), 'fin_suspension 2026-09-13 08'],
    [{ trialHour: 6 }, (policy) => at(story({ policy }), '2026-06-11'), 'fin_trial 2026-06-15 06'],
  ]
  for (const [policy, make, expected] of CASES) assert.equal(next(make(policy)), expected, JSON.stringify(policy))
})

function at(s: Story, day: string, hour?: number): Story {
  s.goTo(day, hour)
  return s
}
