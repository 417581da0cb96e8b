import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Story, story } from '../../test/support/subscription-story.ts'
import { instantOf } from '../fiscal/fecha.ts'
import { access, accessChangesAt, retentionEnd, statusOf } from './access.ts'
import { defaultPolicy } from './subscription.ts'

/** The columns `access` and `status` of billing.md 3.1. */

function card(): Story {
  const s = story({ on: '2026-06-05', alta: true })
  s.subscribe('m1')
  s.charge('p1')
  return s
}

const now = ({ sub, now, policy }: Story) => `${access(sub, now, policy)} ${statusOf(sub)}`

test('every state has its access and its name outside', () => {
  const CASES: [string, Story, (s: Story) => unknown, string][] = [
    ['trial', story(), () => {}, 'full pending'],
    ['trial with a checkout begun', story(), (s) => s.checkout('m1'), 'full pending'],
    ['trial with a card', story(), (s) => s.subscribe('m1'), 'full authorized'],
    ['trial cancelled', story(), (s) => s.apply({ kind: 'cancelar_fin_periodo' }), 'full cancelled'],
    ['activa', card(), () => {}, 'full authorized'],
    ['activa cancelled', card(), (s) => s.apply({ kind: 'cancelar_fin_periodo' }), 'full cancelled'],
    ['activa while the charge is awaited', card(), (s) => s.goTo('2026-07-06', 7), 'full authorized'],
    ['pausada and paid', card(), (s) => s.apply({ kind: 'pausar', until: null }), 'full paused'],
    ['alta', story({ alta: true }), () => {}, 'full pending'],
    ['pendiente', card(), (s) => s.goTo('2026-07-06', 8), 'full pending'],
    ['grace', card(), (s) => s.goTo('2026-07-08', 8), 'read_only paused'],
    ['suspendida', card(), (s) => s.goTo('2026-07-15', 8), 'blocked paused'],
    ['suspendida by staff', card(), (s) => s.apply({ kind: 'suspender_admin' }), 'blocked paused'],
    ['cancelada', card(), (s) => s.apply({ kind: 'cancelar_inmediata' }), 'read_only cancelled'],
    ['vencida', story(), (s) => s.goTo('2026-06-15', 7), 'read_only paused'],
  ]
  for (const [name, s, happen, expected] of CASES) {
    happen(s)
    assert.equal(now(s), expected, name)
  }
})

test('paused, access is full until the midnight up to which is paid, with no job for it', () => {
  const s = card()
  s.apply({ kind: 'pausar', until: null })
  const end = instantOf('2026-07-05')
  assert.deepEqual(accessChangesAt(s.sub, s.now, s.policy), end)
  assert.equal(access(s.sub, new Date(end.getTime() - 1), s.policy), 'full')
  assert.equal(access(s.sub, end, s.policy), 'read_only')
  assert.equal(accessChangesAt(s.sub, end, s.policy), null)
})

test('after an end there are thirty whole days to read, then the door closes by itself', () => {
  const atMidnight = after(story({ on: '2026-06-06' }), (s) => s.goTo('2026-06-20', 7))
  const inTheDay = after(card(), (s) => s.jump('2026-06-20').apply({ kind: 'cancelar_inmediata' }))
  for (const [s, day] of [
    [atMidnight, '2026-07-20'],
    [inTheDay, '2026-07-21'],
  ] as const) {
    const end = instantOf(day)
    assert.deepEqual(retentionEnd(s.sub.endedAt!, s.policy), end)
    assert.deepEqual(accessChangesAt(s.sub, s.now, s.policy), end)
    assert.equal(access(s.sub, new Date(end.getTime() - 1), s.policy), 'read_only')
    assert.equal(access(s.sub, end, s.policy), 'blocked')
    assert.equal(accessChangesAt(s.sub, end, s.policy), null)
    const short = { ...defaultPolicy, retentionReadOnlyDays: 0 }
    assert.equal(access(s.sub, instantOf('2026-06-21'), short), 'blocked')
  }
})

test('who staff suspended has nothing to read after a cancellation either', () => {
  const s = card()
  s.apply({ kind: 'suspender_admin' })
  s.apply({ kind: 'cancelar_fin_periodo' })
  assert.equal(now(s), 'blocked cancelled')
  assert.equal(accessChangesAt(s.sub, s.now, s.policy), null)
})

test('a state that only an event ends changes by no clock', () => {
  for (const s of [story(), card(), after(card(), (s) => s.goTo('2026-07-15'))])
    assert.equal(accessChangesAt(s.sub, s.now, s.policy), null)
})

function after(s: Story, happen: (s: Story) => unknown): Story {
  happen(s)
  return s
}
