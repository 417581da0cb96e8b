import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { mailsOf, periodOf, type Story, story } from '../../../test/support/subscription-story.ts'
import { addDays, instantOf } from '../../fiscal/fecha.ts'
import { access } from '../access.ts'
import type { Period } from '../periods.ts'
import { dueTimer } from './due-timer.ts'

/**
 * 3.10-5: what happens to a subscription depends on what happened and when, never on when we looked. The same two weeks are
 * lived with a sweep every day at eight, one every five minutes, and one after all is over.
 */
const FROM = '2026-07-01'
const WEEKS_LATER = addDays(FROM, 14)
/** All the least times between sanctions have passed by then. */
const END = addDays(FROM, 21)

type Schedule = 'each day' | 'five minutes' | 'too late'

const BEGINNINGS: Record<string, (boundary: string) => Story> = {
  'a card': (boundary) => paidUntil(boundary, true),
  'a transfer': (boundary) => paidUntil(boundary, false),
  'a card with a transfer ahead': (boundary) => and(paidUntil(boundary, true), (s) => s.transfer('ahead')),
  'a cancelled transfer': (boundary) =>
    and(paidUntil(boundary, false), (s) => s.apply({ kind: 'cancelar_fin_periodo' })),
  'a cancelled card': (boundary) => and(paidUntil(boundary, true), (s) => s.apply({ kind: 'cancelar_fin_periodo' })),
  'a trial': (boundary) => story({ on: addDays(boundary, -14) }),
  'a trial with a card': (boundary) => and(story({ on: addDays(boundary, -14) }), (s) => s.subscribe('m1')),
  'a cancelled trial': (boundary) =>
    and(story({ on: addDays(boundary, -14) }), (s) => s.apply({ kind: 'cancelar_fin_periodo' })),
  'a pause until then': (boundary) =>
    and(paidUntil(addDays(boundary, 3), true), (s) => s.apply({ kind: 'pausar', until: boundary })),
}

const DEEDS: Record<string, (s: Story, n: number, first: Period | null) => unknown> = {
  charge: (s, n) => s.sub.mandateId && s.charge(`c${n}`),
  transfer: (s, n) => s.transfer(`t${n}`),
  reject: (s, n) => s.reject(`r${n}`),
  in_process: (s, n) => s.apply({ kind: 'pago_en_proceso', paymentId: `i${n}` }),
  refund: (s, _, first) => first && s.giveBack('p1', 'pago_reembolsado', first),
  chargeback: (s, _, first) => first && s.giveBack('p1', 'contracargo', first),
  cancel: (s) => s.apply({ kind: 'cancelar_fin_periodo' }),
  cancelled_at_mp: (s) => s.sub.mandateId && s.mandate('m1', 'cancelled'),
}

interface Deed {
  readonly day: number
  readonly hour: number
  readonly what: string
}

const history = fc.record({
  beginning: fc.constantFrom(...Object.keys(BEGINNINGS)),
  // A suspension takes ten days: the deeds after it would be those of somebody who was never suspended by a late sweep.
  boundary: fc.integer({ min: 4, max: 13 }),
  deeds: fc.array(
    fc.record({
      day: fc.integer({ min: 0, max: 13 }),
      // Between midnight and eight the sweep of five minutes has ended a day that the daily one has not.
      hour: fc.integer({ min: 9, max: 23 }),
      what: fc.constantFrom(...Object.keys(DEEDS)),
    }),
    { maxLength: 4 },
  ),
})

test('whenever the sweep runs, the same comes of it', () => {
  fc.assert(
    fc.property(history, (lived) => {
      const [daily, exact, late] = (['each day', 'five minutes', 'too late'] as const).map((how) => live(lived, how))
      // A notice that two deeds of one day make due and moot again is sent by who looks in between.
      if (lived.deeds.length < 2) assert.deepEqual(exact?.mails, daily?.mails, 'mails of every five minutes')
      for (const mail of daily?.mails ?? []) assert.ok(exact?.mails.includes(mail), `only the daily one sends ${mail}`)
      assert.deepEqual(exact?.facts, daily?.facts, 'every five minutes')
      assert.deepEqual(late?.facts, daily?.facts, 'two weeks late')
      const [told, toldLate] = [notices(daily), notices(late)]
      for (const mail of toldLate) assert.ok(told.includes(mail), `only the late one sends ${mail}`)
      if (lived.deeds.length === 0) assert.deepEqual(toldLate, told, 'a notice is skipped')
    }),
    { numRuns: 800, seed: 360 },
  )
})

/** All but the welcome back: access that was away for another while comes back at another moment, or was never away. */
const notices = (lived?: { mails: string[] }) => (lived?.mails ?? []).filter((mail) => !mail.startsWith('reactivada'))

function live({ beginning, boundary, deeds }: { beginning: string; boundary: number; deeds: Deed[] }, how: Schedule) {
  const s = BEGINNINGS[beginning]!(addDays(FROM, boundary))
  const first = periodOf(s.sub)
  const before = s.effects.length
  const ordered = deeds.map((deed, n) => ({ ...deed, n })).sort((a, b) => a.day - b.day || a.hour - b.hour || a.n - b.n)
  const done = new Set<string>()
  for (const { day, hour, what, n } of ordered) {
    sweepUntil(s, instantOf(addDays(FROM, day), hour), how)
    if (day >= boundary && meetsAnother(beginning, what)) continue
    // A fact that was told is not told again.
    if (['refund', 'chargeback', 'cancelled_at_mp'].includes(what) && done.size > 0) continue
    done.add(what)
    DEEDS[what]!(s, n, first)
  }
  sweepUntil(s, instantOf(END, 12), how)
  const { enteredAt, notices, ...facts } = s.sub
  return {
    facts: { ...facts, access: access(s.sub, s.now, s.policy) },
    mails: [...new Set(mailsOf(s.effects.slice(before)))].sort(),
  }
}

/**
 * What a late sweep may honestly answer in another way: a person's command meets the state that he sees, a card that dies
 * after a trial is not one that died in it, and a pause that should be over still takes back what is disputed.
 */
function meetsAnother(beginning: string, what: string): boolean {
  if (what === 'cancel') return true
  if (beginning.includes('trial')) return what === 'cancelled_at_mp'
  return beginning.includes('pause') && what !== 'charge' && what !== 'transfer'
}

function sweepUntil(s: Story, until: Date, how: Schedule) {
  if (how === 'five minutes') {
    for (let due = dueTimer(s.sub, s.policy); due && due.at <= until; due = dueTimer(s.sub, s.policy)) {
      const five = 5 * 60_000
      const next = new Date(Math.ceil(due.at.getTime() / five) * five)
      if (next > until) break
      if (next > s.now) s.jumpTo(next)
      s.sweep()
    }
  } else {
    const first = how === 'too late' ? WEEKS_LATER : addDays(FROM, -30)
    for (let day = first; instantOf(day, 8) <= until; day = addDays(day, 1)) {
      if (instantOf(day, 8) <= s.now) continue
      s.jumpTo(instantOf(day, 8))
      s.sweep()
    }
  }
  s.jumpTo(until)
}

/** Paid for the month that ends on this day. */
function paidUntil(boundary: string, card: boolean): Story {
  const on = `2026-06-${boundary.slice(-2)}`
  const s = story({ on, alta: true })
  if (card) s.subscribe('m1')
  if (card) s.charge('p1')
  else s.transfer('p1')
  assert.equal(s.sub.periodEnd, boundary)
  return s
}

function and(s: Story, happen: (s: Story) => unknown): Story {
  happen(s)
  return s
}
