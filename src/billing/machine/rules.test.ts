import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Story, story } from '../../../test/support/subscription-story.ts'
import { access, statusOf } from '../access.ts'
import type { Subscription } from '../subscription.ts'
import type { Effect, Result } from './event.ts'

/** Each letter of billing.md 3.5 with its branches, and that each event sends the mails it must and no other (3.7). */

/** The card m1 was charged on 5 June: paid until 5 July. */
function card(options: Parameters<typeof story>[0] = {}): Story {
  const s = story(options)
  s.subscribe('m1')
  s.jump('2026-06-05').charge('p1')
  s.mails()
  return s.jump('2026-06-20')
}

/** The same period, paid by transfer: a sign-up without a trial. */
function byTransfer(options: Parameters<typeof story>[0] = {}): Story {
  const s = story({ alta: true, on: '2026-06-05', ...options })
  s.transfer('p1')
  s.mails()
  return s.jump('2026-06-20')
}

function after(s: Story, happen: (s: Story) => unknown): Story {
  happen(s)
  s.mails()
  return s
}

const pendiente = () => after(card(), (s) => s.goTo('2026-07-06'))
const gracia = () => after(card(), (s) => s.goTo('2026-07-08'))
const suspendida = () => after(card(), (s) => s.goTo('2026-07-15'))
const contracargo = () => after(card(), (s) => s.giveBack('p1', 'contracargo'))
const cancelada = () => after(card(), (s) => s.apply({ kind: 'cancelar_inmediata' })).jump('2026-06-21')
const vencida = () => after(story(), (s) => s.goTo('2026-06-16'))

const effects = (result: Result): readonly Effect[] => (result.kind === 'refused' ? [] : result.effects)
const ofKind = <K extends Effect['kind']>(result: Result, kind: K) =>
  effects(result).filter((effect): effect is Extract<Effect, { kind: K }> => effect.kind === kind)
const alerts = (result: Result) => ofKind(result, 'alert').map(({ code, key }) => `${code}:${key}`)
const credits = (result: Result) => ofKind(result, 'credit').map(({ reason, paymentId }) => `${reason}:${paymentId}`)
const commands = (result: Result) =>
  ofKind(result, 'mandate').map(({ action, mandateId, why }) => `${action} ${mandateId} ${why}`)
const paid = (result: Result) =>
  ofKind(result, 'pay_period').map(({ period, paymentId }) => `${paymentId} ${period.start}..${period.end}`)
const span = ({ periodStart, periodEnd, paidThrough }: Subscription) => [periodStart, periodEnd, paidThrough]
const accessOf = ({ sub, now, policy }: Story) => access(sub, now, policy)

test('a: the newest authorised card wins, and no other is left able to charge', () => {
  const s = story()
  s.checkout('m1')
  s.checkout('m2')
  const first = s.mandate('m1', 'authorized')
  assert.deepEqual(commands(first), ['cancel m2 switch'])
  assert.deepEqual(alerts(first), [], 'an abandoned checkout is no duplicate')
  s.subscribe('m3')
  assert.equal(s.sub.mandateId, 'm3')
  assert.deepEqual(
    s.sub.mandates.map(({ id, cancelledByUs }) => [id, cancelledByUs]),
    [
      ['m3', null],
      ['m2', 'switch'],
      ['m1', 'switch'],
    ],
  )
  assert.deepEqual(
    s.effects.flatMap((e) => (e.kind === 'alert' ? [`${e.code}:${e.key}`] : [])),
    ['mandato_duplicado:m1'],
  )
  assert.deepEqual(s.mails(), [])
  assert.equal(s.sub.estado, 'trial')
})

test('a: authorised out of order the older card loses, whichever we hear of first', () => {
  const s = story()
  s.checkout('m1')
  s.checkout('m2')
  s.setMandate('m2', 'authorized')
  const late = s.mandate('m1', 'authorized')
  assert.equal(s.sub.mandateId, 'm2')
  assert.deepEqual(commands(late), ['cancel m1 switch'])
  assert.deepEqual(alerts(late), ['mandato_duplicado:m1'])
})

test('a: a card that we cancelled and that stands again is cancelled again', () => {
  const s = card()
  s.subscribe('m2')
  const again = s.mandate('m1', 'authorized')
  assert.deepEqual(commands(again), ['cancel m1 switch'])
  assert.deepEqual(alerts(again), ['mandato_reaparecido:m1'])
  assert.equal(s.sub.mandateId, 'm2')

  const ended = cancelada()
  const ghost = ended.mandate('m1', 'authorized')
  assert.deepEqual([commands(ghost), alerts(ghost)], [['cancel m1 end'], ['mandato_reaparecido:m1']])
  assert.equal(ended.sub.mandateId, 'm1')
})

test('a: a card authorised after the end that was begun before it is told to end too', () => {
  const s = story()
  s.checkout('m1')
  s.setMandate('m1', 'unknown')
  s.goTo('2026-06-16')
  assert.equal(s.sub.estado, 'vencida')
  assert.deepEqual(commands(s.mandate('m1', 'authorized')), ['cancel m1 end'])
})

test('a: what may still charge is ended at the end, a status that we do not know included', () => {
  const s = card()
  s.setMandate('m1', 'unknown')
  assert.deepEqual(commands(s.apply({ kind: 'cancelar_inmediata' })), ['cancel m1 end'])
})

test('a: a new card undoes a cancellation, the one that was cancelled does not', () => {
  for (const s of [story(), byTransfer()]) {
    s.apply({ kind: 'cancelar_fin_periodo' })
    assert.ok(s.sub.cancelAt)
    s.subscribe('m8')
    assert.equal(s.sub.cancelAt, null)
    assert.equal(statusOf(s.sub), 'authorized')
  }
  const s = card()
  s.apply({ kind: 'cancelar_fin_periodo' })
  s.mandate('m1', 'authorized')
  assert.equal(s.sub.cancelAt, '2026-07-05')
})

test('a: nor does a new card when the end has come and the sweep has not', () => {
  const s = after(byTransfer(), (s) => s.apply({ kind: 'cancelar_fin_periodo' }))
  s.jump('2026-07-06').subscribe('m8')
  s.sweep()
  assert.equal(s.sub.estado, 'cancelada')
  assert.deepEqual(
    s.sub.mandates.map(({ id, cancelledByUs }) => [id, cancelledByUs]),
    [['m8', null]],
    'it was begun after the end, and waits for its payment',
  )
  assert.deepEqual(paid(s.charge('p2', 'm8')), ['p2 2026-07-06..2026-08-06'])
})

test('a: a card gives neither access nor a period', () => {
  for (const s of [gracia(), suspendida(), vencida(), cancelada()]) {
    const before = [s.sub.estado, accessOf(s), ...span(s.sub)]
    const result = s.subscribe('m9')
    assert.equal(result.kind, 'same')
    assert.deepEqual([s.sub.estado, accessOf(s), ...span(s.sub)], before)
    assert.deepEqual(s.mails(), [])
  }
})

test('a: of a card that is not ours to know nothing follows', () => {
  const s = card()
  const before = s.sub
  assert.deepEqual(s.apply({ kind: 'mandato_autorizado', mandateId: 'other' }), {
    kind: 'same',
    sub: before,
    effects: [],
    rule: 'a',
  })
})

test('b: who resumes what is still paid goes on in the same period', () => {
  const s = after(card(), (s) => s.apply({ kind: 'pausar', until: null }))
  s.setMandate('m1', 'paused')
  const result = s.jump('2026-07-04').apply({ kind: 'reanudar' })
  assert.deepEqual(
    [s.sub.estado, s.sub.anchor, ...span(s.sub)],
    ['activa', '2026-06-05', '2026-06-05', '2026-07-05', '2026-07-05'],
  )
  assert.deepEqual(commands(result), ['resume m1 end'])
  assert.deepEqual(s.mails(), [])
})

test('b: who resumes before MercadoPago was told of the pause has it told of both', () => {
  const s = after(card(), (s) => s.apply({ kind: 'pausar', until: null }))
  assert.equal(s.sub.mandates[0]?.status, 'authorized')
  assert.deepEqual(commands(s.apply({ kind: 'reanudar' })), ['resume m1 end'])
})

test('b: who resumes after that waits for the money of a period that begins today', () => {
  for (const resume of [(s: Story) => s.apply({ kind: 'reanudar' }), (s: Story) => s.mandate('m1', 'authorized')]) {
    const s = after(card(), (s) => s.apply({ kind: 'pausar', until: null }))
    s.jump('2026-07-20')
    assert.equal(accessOf(s), 'read_only')
    const result = resume(s)
    assert.deepEqual([s.sub.estado, s.sub.motivo, s.sub.anchor], ['pendiente_pago', 'renovacion', '2026-07-20'])
    assert.deepEqual(ofKind(result, 'prepare_invoice'), [
      { kind: 'prepare_invoice', period: { start: '2026-07-20', end: '2026-08-20' } },
    ])
    assert.deepEqual(s.mails(), ['pago_pendiente:2026-07-20', `reactivada:${s.now.toISOString()}`])
    assert.deepEqual(paid(s.jump('2026-07-21').charge('p2')), ['p2 2026-07-20..2026-08-20'])
  }
})

test('c: a trial goes on without its card and ends in vencida', () => {
  const s = story()
  s.subscribe('m1')
  assert.equal(s.mandate('m1', 'cancelled').kind, 'same')
  assert.equal(s.sub.cancelAt, null)
  s.goTo('2026-06-15')
  assert.equal(s.sub.estado, 'vencida')
})

test('c: the end of a card that we replaced changes nothing anywhere', () => {
  const s = card()
  s.subscribe('m2')
  const before = s.sub.estado
  s.mails()
  assert.equal(s.mandate('m1', 'cancelled').kind, 'same')
  assert.deepEqual([s.sub.estado, s.sub.cancelAt, s.sub.mandateId, s.mails()], [before, null, 'm2', []])
})

test('c: the late word that a card of an earlier life is gone does not end the life after it', () => {
  const s = cancelada()
  s.transfer('p2')
  assert.equal(s.sub.estado, 'activa')
  s.mails()
  s.mandate('m1', 'paused')
  s.mandate('m1', 'cancelled')
  assert.deepEqual([s.sub.estado, s.sub.cancelAt, s.mails()], ['activa', null, []])
  const held = after(card(), (s) => s.apply({ kind: 'cancelar_inmediata' }))
  held.apply({ kind: 'reactivar_admin', until: '2026-09-01' })
  held.mandate('m1', 'cancelled')
  assert.equal(held.sub.cancelAt, null)
})

test('c: a card that we told to end does not collect, though MercadoPago has not confirmed it', () => {
  const s = cancelada()
  s.transfer('p2')
  assert.equal(s.sub.mandates[0]?.status, 'authorized')
  assert.deepEqual(
    s.goTo('2026-07-21').map((ran) => ran.split('@')[0]),
    ['aviso_vencimiento', 'preparar_cobro', 'vence_periodo'],
  )
})

test('d: a card cancelled at MercadoPago leaves what was paid, and the mail goes now', () => {
  const s = card()
  const result = s.mandate('m1', 'cancelled')
  assert.equal(result.kind, 'same')
  assert.deepEqual([s.sub.cancelAt, statusOf(s.sub), accessOf(s)], ['2026-07-05', 'cancelled', 'full'])
  assert.deepEqual(s.mails(), ['cancelada:m1:2026-07-05'])
  s.goTo('2026-07-05', 0)
  assert.deepEqual([s.sub.estado, s.sub.motivo, s.sub.endedAt], ['cancelada', 'fin_periodo', s.now])
  assert.deepEqual(s.mails(), ['por_vencer_5d:2026-07-05'])
})

test('d: paid ahead, it leaves that too; where nothing is paid any more it is over', () => {
  const ahead = card()
  ahead.transfer('p2')
  ahead.mandate('m1', 'cancelled')
  assert.equal(ahead.sub.cancelAt, '2026-08-05')
  ahead.mails()
  ahead.goTo('2026-07-20')
  assert.deepEqual([ahead.sub.estado, ...span(ahead.sub)], ['activa', '2026-07-05', '2026-08-05', '2026-08-05'])
  ahead.goTo('2026-08-05', 0)
  assert.equal(ahead.sub.estado, 'cancelada')

  const waiting = card().jump('2026-07-05')
  assert.equal(waiting.mandate('m1', 'cancelled').kind, 'next')
  assert.deepEqual([waiting.sub.estado, waiting.sub.motivo], ['cancelada', 'mp'])
  assert.deepEqual(waiting.mails(), [`cancelada:${waiting.now.toISOString()}`])
})

test('d: paused, it leaves what was paid or is over', () => {
  for (const [day, estado, motivo, cancelAt] of [
    ['2026-06-25', 'activa', null, '2026-07-05'],
    ['2026-07-10', 'cancelada', 'mp', null],
  ] as const) {
    const s = after(card(), (s) => s.mandate('m1', 'paused'))
    s.jump(day).mandate('m1', 'cancelled')
    assert.deepEqual([s.sub.estado, s.sub.motivo, s.sub.cancelAt], [estado, motivo, cancelAt])
    assert.equal(s.mails().length, 1)
  }
})

test('d: an awaited sign-up outlives its card, every other debt ends with it', () => {
  const s = story({ alta: true })
  s.subscribe('m1')
  s.mandate('m1', 'cancelled')
  assert.equal(s.sub.estado, 'pendiente_pago')
  for (const owing of [pendiente(), gracia(), suspendida(), contracargo()]) {
    owing.mandate('m1', 'cancelled')
    assert.deepEqual([owing.sub.estado, owing.sub.motivo], ['cancelada', 'mp'])
    assert.deepEqual(owing.mails(), [`cancelada:${owing.now.toISOString()}`])
  }
})

test('a card that MercadoPago paused pauses what it pays, unless that is cancelled or another pays', () => {
  const s = card()
  s.mandate('m1', 'paused')
  assert.deepEqual([s.sub.estado, s.sub.motivo, accessOf(s)], ['pausada', 'mp', 'full'])
  assert.equal(s.mails().length, 1)
  const scheduled = byTransfer()
  scheduled.subscribe('m1')
  scheduled.apply({ kind: 'cancelar_fin_periodo' })
  scheduled.mandate('m1', 'paused')
  assert.equal(scheduled.sub.estado, 'activa')
  const other = card()
  other.checkout('m2')
  other.mandate('m2', 'paused')
  assert.equal(other.sub.estado, 'activa')
})

test('e: a card charged in the trial begins its grid on that day', () => {
  const s = story()
  s.subscribe('m1')
  const result = s.jump('2026-06-05').charge('p1')
  assert.deepEqual(paid(result), ['p1 2026-06-05..2026-07-05'])
  assert.deepEqual([s.sub.anchor, ...span(s.sub)], ['2026-06-05', '2026-06-05', '2026-07-05', '2026-07-05'])
  assert.deepEqual(s.mails(), ['pago_confirmado:p1'])
})

test('e: a transfer keeps the rest of the trial', () => {
  const s = story()
  const result = s.jump('2026-06-05').transfer('p1')
  assert.deepEqual(paid(result), ['p1 2026-06-05..2026-07-15'])
  assert.equal(s.sub.anchor, '2026-06-15')
  s.jump('2026-07-12').transfer('p2')
  s.goTo('2026-07-15', 0)
  assert.deepEqual(span(s.sub), ['2026-07-15', '2026-08-15', '2026-08-15'])
})

test('e: of a cancelled trial a transfer begins a subscription, and a charge that slipped through is kept', () => {
  const transfer = after(story(), (s) => s.apply({ kind: 'cancelar_fin_periodo' }))
  transfer.transfer('p1')
  assert.deepEqual([transfer.sub.estado, transfer.sub.cancelAt], ['activa', null])

  const charged = story()
  charged.subscribe('m1')
  charged.apply({ kind: 'cancelar_fin_periodo' })
  charged.mails()
  const result = charged.charge('p1')
  assert.deepEqual([credits(result), alerts(result)], [['late_payment:p1'], ['pago_tras_cancelacion:p1']])
  assert.deepEqual([charged.sub.estado, charged.mails()], ['trial', []])
})

test('e: a trial that should have ended already is paid as what it would have become', () => {
  const late = story().jump('2026-06-20')
  late.transfer('p1')
  assert.deepEqual([late.sub.anchor, ...span(late.sub)], ['2026-06-20', '2026-06-20', '2026-07-20', '2026-07-20'])
  const charged = story()
  charged.subscribe('m1')
  charged.jump('2026-06-20').charge('p1')
  assert.deepEqual([charged.sub.anchor, ...span(charged.sub)], ['2026-06-15', '2026-06-15', '2026-07-15', '2026-07-15'])
})

test('f: a charge at or after the end pays the next period, without days for free', () => {
  for (const day of ['2026-07-05', '2026-07-06']) {
    const s = card().jump(day)
    assert.deepEqual(paid(s.charge('p2')), ['p2 2026-07-05..2026-08-05'])
    assert.deepEqual(span(s.sub), ['2026-07-05', '2026-08-05', '2026-08-05'])
    assert.deepEqual(s.mails(), ['pago_confirmado:p2'])
  }
})

test('f: a little early it pays the next period and leaves the running one alone', () => {
  const s = card().jump('2026-06-30')
  const result = s.charge('p2')
  assert.equal(result.kind, 'same')
  assert.deepEqual(paid(result), ['p2 2026-07-05..2026-08-05'])
  assert.deepEqual(span(s.sub), ['2026-06-05', '2026-07-05', '2026-08-05'])
  assert.deepEqual(s.mails(), ['pago_confirmado:p2'])
  assert.deepEqual(s.goTo('2026-07-10'), ['rodar@2026-07-05 00'])
  assert.deepEqual(span(s.sub), ['2026-07-05', '2026-08-05', '2026-08-05'])
})

test('f: earlier than that a charge is a duplicate, and a transfer is not', () => {
  const s = card().jump('2026-06-29')
  const result = s.charge('p2')
  assert.deepEqual([credits(result), alerts(result)], [['duplicate_payment:p2'], ['pago_duplicado:p2']])
  assert.deepEqual([span(s.sub), s.mails()], [['2026-06-05', '2026-07-05', '2026-07-05'], []])
  assert.deepEqual(paid(s.transfer('p3')), ['p3 2026-07-05..2026-08-05'])
})

test('f: what is paid ahead is not paid twice', () => {
  const s = card()
  s.transfer('p2')
  for (const result of [s.transfer('p3'), s.jump('2026-07-03').charge('p4')]) {
    assert.equal(ofKind(result, 'pay_period').length, 0)
    assert.equal(alerts(result)[0]?.split(':')[0], 'pago_duplicado')
  }
  assert.equal(s.sub.paidThrough, '2026-08-05')
})

test('f: what was paid ahead and has begun since can be paid ahead again, whether it was rolled or not', () => {
  for (const meanwhile of [(s: Story) => s.goTo('2026-07-06'), (s: Story) => s.jump('2026-07-06')]) {
    const s = card()
    s.transfer('p2')
    meanwhile(s)
    assert.deepEqual(paid(s.transfer('p3')), ['p3 2026-08-05..2026-09-05'])
    assert.deepEqual(span(s.sub), ['2026-07-05', '2026-08-05', '2026-09-05'])
  }
})

test('f: money after a cancellation was asked for buys no extra month', () => {
  for (const pay of [(s: Story) => s.transfer('p2'), (s: Story) => s.charge('p2')]) {
    const s = after(card(), (s) => s.apply({ kind: 'cancelar_fin_periodo' }))
    const result = pay(s)
    assert.deepEqual([credits(result), alerts(result)], [['late_payment:p2'], ['pago_tras_cancelacion:p2']])
    assert.deepEqual([s.sub.paidThrough, s.sub.cancelAt, s.mails()], ['2026-07-05', '2026-07-05', []])
  }
})

test('f: after a cancellation took effect a transfer begins anew, whether the sweep has passed or not', () => {
  for (const meanwhile of [(s: Story) => s.goTo('2026-07-08'), (s: Story) => s.jump('2026-07-08')]) {
    const s = after(card(), (s) => s.apply({ kind: 'cancelar_fin_periodo' }))
    meanwhile(s)
    assert.deepEqual(paid(s.transfer('p2')), ['p2 2026-07-08..2026-08-08'])
    assert.deepEqual([s.sub.estado, s.sub.cancelAt], ['activa', null])
  }
})

test('f, g: after a long outage the payment counts for the period in which it was made', () => {
  for (const s of [card().jump('2026-08-20'), pendiente().jump('2026-08-20'), gracia().jump('2026-08-20')]) {
    const result = s.charge('p2')
    assert.deepEqual(paid(result), ['p2 2026-08-05..2026-09-05'])
    assert.deepEqual(ofKind(result, 'write_off'), [{ kind: 'write_off', before: '2026-08-05' }])
  }
})

test('g: the new period begins where the unpaid one began', () => {
  for (const [s, day] of [
    [pendiente(), '2026-07-07'],
    [gracia(), '2026-07-12'],
  ] as const) {
    const wasReadOnly = accessOf(s) !== 'full'
    assert.deepEqual(paid(s.jump(day).charge('p2')), ['p2 2026-07-05..2026-08-05'])
    assert.deepEqual(
      [s.sub.estado, s.sub.anchor, s.sub.deadlineAt, s.sub.pastDueSince],
      ['activa', '2026-06-05', null, null],
    )
    assert.deepEqual(s.mails(), ['pago_confirmado:p2', ...(wasReadOnly ? [`reactivada:${s.now.toISOString()}`] : [])])
  }
})

test('g: a first charge begins at the end of the trial, a sign-up on the day of its payment', () => {
  const first = story()
  first.subscribe('m1')
  first.goTo('2026-06-16')
  assert.deepEqual([first.sub.estado, first.sub.motivo], ['pendiente_pago', 'primer_cobro'])
  first.mails()
  assert.deepEqual(paid(first.charge('p1')), ['p1 2026-06-15..2026-07-15'])
  assert.deepEqual([first.sub.anchor, first.mails()], ['2026-06-15', ['pago_confirmado:p1']])

  const alta = story({ alta: true }).jump('2026-06-04')
  assert.deepEqual(paid(alta.transfer('p1')), ['p1 2026-06-04..2026-07-04'])
})

test('g: what was given back is restored by the next payment', () => {
  const refunded = after(card(), (s) => s.giveBack('p1'))
  assert.deepEqual(paid(refunded.jump('2026-06-22').transfer('p2')), ['p2 2026-06-05..2026-07-05'])
  assert.deepEqual(span(refunded.sub), ['2026-06-05', '2026-07-05', '2026-07-05'])
  assert.deepEqual(paid(contracargo().jump('2026-06-22').charge('p2')), ['p2 2026-06-05..2026-07-05'])
  assert.deepEqual(paid(contracargo().jump('2026-07-06').charge('p2')), ['p2 2026-07-05..2026-08-05'], 'it is over')
})

test('h: with a live card the grid stays, and what was not paid is not collected any more', () => {
  for (const pay of [(s: Story) => s.charge('p2'), (s: Story) => s.transfer('p2')]) {
    const s = suspendida().jump('2026-08-20')
    const result = pay(s)
    assert.deepEqual(paid(result), ['p2 2026-08-05..2026-09-05'])
    assert.deepEqual(ofKind(result, 'write_off'), [{ kind: 'write_off', before: '2026-08-05' }])
    assert.equal(s.sub.anchor, '2026-06-05')
    assert.deepEqual(s.mails(), ['pago_confirmado:p2', `reactivada:${s.now.toISOString()}`])
  }
})

test('h: without one a new grid begins on the day of the payment', () => {
  const s = after(byTransfer(), (s) => s.goTo('2026-07-16'))
  assert.equal(s.sub.estado, 'suspendida')
  assert.deepEqual(paid(s.jump('2026-07-20').transfer('p2')), ['p2 2026-07-20..2026-08-20'])
  assert.equal(s.sub.anchor, '2026-07-20')
})

test('h: a first period that holds the trial is whole when it is restored', () => {
  const s = story()
  s.transfer('p1', '2026-06-01')
  s.subscribe('m1')
  s.giveBack('p1', 'contracargo')
  s.goTo('2026-06-12')
  assert.equal(s.sub.estado, 'suspendida')
  assert.deepEqual(paid(s.charge('p2')), ['p2 2026-06-01..2026-07-15'])
})

test('h: money of who is suspended by staff is kept, even after a cancellation', () => {
  const s = after(card(), (s) => s.apply({ kind: 'suspender_admin' }))
  for (const paymentId of ['p2', 'p3']) {
    const result = s.transfer(paymentId)
    assert.deepEqual(
      [credits(result), alerts(result)],
      [[`late_payment:${paymentId}`], [`pago_con_suspension:${paymentId}`]],
    )
    s.apply({ kind: 'cancelar_inmediata' })
    assert.equal(accessOf(s), 'blocked')
  }
  s.apply({ kind: 'reactivar_admin', until: '2026-08-01' })
  assert.deepEqual([s.sub.estado, s.sub.suspendedByStaff, accessOf(s)], ['activa', false, 'full'])
})

test('i: after the end only a card authorised since, or a transfer, begins anew', () => {
  const stray = cancelada()
  const charged = stray.charge('p2')
  assert.deepEqual([credits(charged), alerts(charged)], [['late_payment:p2'], ['pago_tras_cancelacion:p2']])
  const once = stray.transfer('p3', undefined, 'pago_unico')
  assert.deepEqual(credits(once), ['late_payment:p3'])
  assert.deepEqual([stray.sub.estado, stray.mails()], ['cancelada', []])

  const card2 = cancelada()
  card2.checkout('m2')
  assert.deepEqual(credits(card2.charge('p2', 'm2')), ['late_payment:p2'], 'not authorised yet')
  card2.mandate('m2', 'authorized')
  assert.deepEqual(paid(card2.charge('p3', 'm2')), ['p3 2026-06-21..2026-07-21'])
  assert.deepEqual(card2.mails(), ['pago_confirmado:p3', `reactivada:${card2.now.toISOString()}`])

  assert.deepEqual(paid(cancelada().transfer('p2')), ['p2 2026-06-21..2026-07-21'])
})

test('j: who lapsed begins anew on the day of the payment', () => {
  const s = vencida()
  assert.equal(accessOf(s), 'read_only')
  assert.deepEqual(paid(s.jump('2026-06-20').transfer('p1')), ['p1 2026-06-20..2026-07-20'])
  assert.deepEqual([s.sub.estado, s.sub.endedAt, s.mails()], ['activa', null, ['pago_confirmado:p1']])
})

test('k: before the end of the period a rejection is told and nothing more', () => {
  const s = card().jump('2026-07-04')
  assert.equal(s.reject('p2').kind, 'same')
  assert.deepEqual([s.sub.estado, s.mails()], ['activa', ['pago_fallido:p2']])
  s.goTo('2026-07-06')
  assert.deepEqual([s.sub.estado, s.mails()], ['pendiente_pago', ['aviso_renovacion:2026-07-05']], 'told already')
})

test('k: at its end money is awaited, and the mail of the rejection is the only one', () => {
  const s = after(card(), (s) => s.goTo('2026-07-05', 2))
  const result = s.reject('p2')
  assert.deepEqual([s.sub.estado, s.sub.motivo, s.sub.pastDueSince], ['pendiente_pago', 'renovacion', '2026-07-05'])
  assert.deepEqual(ofKind(result, 'prepare_invoice'), [
    { kind: 'prepare_invoice', period: { start: '2026-07-05', end: '2026-08-05' } },
  ])
  assert.deepEqual(s.mails(), ['pago_fallido:p2'])
  s.jump('2026-07-07').reject('p3')
  assert.deepEqual(s.mails(), ['pago_fallido:p3'], 'each try of MercadoPago is told')
})

test('k: a rejection far from the end is about something else, and does not stand for that of the end', () => {
  const s = card()
  s.reject('p2')
  assert.deepEqual(s.mails(), ['pago_fallido:p2'])
  s.goTo('2026-07-06')
  assert.deepEqual(s.mails(), ['aviso_renovacion:2026-07-05', 'pago_pendiente:2026-07-05'])
})

test('k: paid ahead it changes nothing', () => {
  const s = after(card(), (s) => s.transfer('p2')).jump('2026-07-05')
  s.reject('p3')
  assert.deepEqual([s.sub.estado, s.mails()], ['activa', ['pago_fallido:p3']])
})

test('k: no mail where the instalment is paid, the card is another or dead, or all is cancelled', () => {
  const s = card().jump('2026-07-05')
  s.reject('p2', 'm1', true)
  s.reject('p3', null)
  s.reject('p4', 'other')
  assert.deepEqual([s.sub.estado, s.mails()], ['activa', []])
  for (const quiet of [
    after(card(), (c) => c.apply({ kind: 'cancelar_fin_periodo' })),
    after(card(), (c) => c.subscribe('m2')),
    cancelada(),
  ]) {
    quiet.reject('p5')
    assert.deepEqual(quiet.mails(), [])
  }
})

test('l: a refund of the running period takes it back, and its money is awaited again', () => {
  const s = card()
  const result = s.giveBack('p1')
  assert.deepEqual([s.sub.estado, s.sub.motivo, s.sub.paidThrough], ['pendiente_pago', 'reembolso', '2026-06-05'])
  assert.deepEqual(ofKind(result, 'reopen_invoice'), [{ kind: 'reopen_invoice', paymentId: 'p1' }])
  assert.deepEqual(s.mails(), ['pago_reembolsado:p1'])
})

test('l, m: money of another period has no consequences, nor has what had become credit', () => {
  for (const kind of ['pago_reembolsado', 'contracargo'] as const)
    for (const period of [null, { start: '2026-05-05', end: '2026-06-05' }]) {
      const s = card()
      const result = s.giveBack('p0', kind, period)
      assert.equal(result.kind, 'same')
      assert.deepEqual([s.sub.estado, span(s.sub)], ['activa', ['2026-06-05', '2026-07-05', '2026-07-05']])
      assert.deepEqual(alerts(result), kind === 'contracargo' ? ['contracargo:p0'] : [])
      assert.deepEqual(s.mails(), kind === 'contracargo' ? [] : ['pago_reembolsado:p0'])
    }
})

test('l, m: nor has money of a period that is over while the next charge is awaited', () => {
  for (const kind of ['pago_reembolsado', 'contracargo'] as const) {
    const s = card().jump('2026-07-05')
    s.giveBack('p1', kind)
    assert.deepEqual([s.sub.estado, accessOf(s)], ['activa', 'full'], kind)
  }
})

test('l: with a cancellation asked for it ends now, without a second mail', () => {
  const s = after(card(), (s) => s.apply({ kind: 'cancelar_fin_periodo' }))
  s.giveBack('p1')
  assert.deepEqual([s.sub.estado, s.sub.motivo], ['cancelada', 'reembolso'])
  assert.deepEqual(s.mails(), ['pago_reembolsado:p1'])
})

test('l: what was paid ahead is taken back alone, and a cancellation comes forward with it', () => {
  const ahead = { start: '2026-07-05', end: '2026-08-05' }
  const s = after(card(), (s) => s.transfer('p2'))
  s.giveBack('p2', 'pago_reembolsado', ahead)
  assert.deepEqual([s.sub.estado, ...span(s.sub)], ['activa', '2026-06-05', '2026-07-05', '2026-07-05'])

  for (const [paymentId, period] of [
    ['p2', ahead],
    ['p1', { start: '2026-06-05', end: '2026-07-05' }],
  ] as const) {
    const cancelled = card()
    cancelled.transfer('p2')
    cancelled.apply({ kind: 'cancelar_fin_periodo' })
    assert.equal(cancelled.sub.cancelAt, '2026-08-05')
    cancelled.giveBack(paymentId, 'pago_reembolsado', period)
    assert.deepEqual([cancelled.sub.paidThrough, cancelled.sub.cancelAt], ['2026-07-05', '2026-07-05'])
  }
})

test('l, m: where another period is paid ahead a person looks, and nobody is punished', () => {
  for (const kind of ['pago_reembolsado', 'contracargo'] as const)
    for (const [estado, prepare] of [
      ['activa', (_: Story) => {}],
      ['pausada', (s: Story) => s.apply({ kind: 'pausar', until: null })],
    ] as const) {
      const s = card()
      s.transfer('p2')
      prepare(s)
      const result = s.giveBack('p1', kind)
      assert.deepEqual([s.sub.estado, s.sub.paidThrough, accessOf(s)], [estado, '2026-07-05', 'full'])
      assert.ok(alerts(result).includes('reembolso_con_prepago:p1'))
    }
})

test('l, m: paused, what was given back is not usable any more; a dispute that is won gives it back', () => {
  for (const kind of ['pago_reembolsado', 'contracargo'] as const) {
    const s = after(card(), (s) => s.apply({ kind: 'pausar', until: null }))
    s.giveBack('p1', kind)
    assert.deepEqual([s.sub.estado, accessOf(s)], ['pausada', 'read_only'])
    if (kind === 'contracargo') {
      s.giveBack('p1', 'contracargo_ganado')
      assert.deepEqual([s.sub.estado, accessOf(s)], ['pausada', 'full'])
    }
  }
})

test('m: a dispute over the running period is read-only at once, for ten days', () => {
  const s = card()
  const result = s.giveBack('p1', 'contracargo')
  assert.deepEqual([s.sub.estado, s.sub.motivo, accessOf(s)], ['grace_period', 'contracargo', 'read_only'])
  assert.deepEqual(alerts(result), ['contracargo:p1'])
  assert.deepEqual(s.mails(), ['gracia:p1:2026-06-20'])
  assert.deepEqual(s.goTo('2026-06-30'), ['fin_gracia@2026-06-30 08'])
})

test('n: a dispute that is won restores the period, or awaits the next where it is over', () => {
  for (const s of [contracargo(), after(contracargo(), (s) => s.goTo('2026-06-30'))]) {
    const result = s.giveBack('p1', 'contracargo_ganado')
    assert.deepEqual(paid(result), ['p1 2026-06-05..2026-07-05'])
    assert.deepEqual([s.sub.estado, ...span(s.sub)], ['activa', '2026-06-05', '2026-07-05', '2026-07-05'])
    assert.deepEqual(s.mails(), [`reactivada:${s.now.toISOString()}`])
  }
  const over = after(contracargo(), (s) => s.goTo('2026-07-06'))
  over.giveBack('p1', 'contracargo_ganado')
  assert.deepEqual(
    [over.sub.estado, over.sub.motivo, over.sub.paidThrough],
    ['pendiente_pago', 'renovacion', '2026-07-05'],
  )
  assert.deepEqual(over.mails(), ['pago_pendiente:2026-07-05', `reactivada:${over.now.toISOString()}`])
})

test('n: for another reason, or another period, nothing', () => {
  assert.equal(gracia().giveBack('p1', 'contracargo_ganado').kind, 'same')
  assert.equal(
    contracargo().giveBack('p0', 'contracargo_ganado', { start: '2026-05-05', end: '2026-06-05' }).kind,
    'same',
  )
})

test('o: a cancellation is undone where no card died of it', () => {
  const transfer = byTransfer()
  transfer.apply({ kind: 'cancelar_fin_periodo' })
  assert.equal(transfer.apply({ kind: 'deshacer_cancelacion' }).kind, 'same')
  assert.deepEqual([transfer.sub.cancelAt, statusOf(transfer.sub)], [null, 'authorized'])
  assert.deepEqual(transfer.apply({ kind: 'deshacer_cancelacion' }), { kind: 'refused', code: 'sin_cancelacion' })

  const ours = card()
  ours.apply({ kind: 'cancelar_fin_periodo' })
  const theirs = card()
  theirs.mandate('m1', 'cancelled')
  for (const s of [ours, theirs])
    assert.deepEqual(s.apply({ kind: 'deshacer_cancelacion' }), { kind: 'refused', code: 'requires_checkout' })
})

test('p: a change of interval closes the period and begins a grid today, for which a new card is needed', () => {
  const s = card()
  const change = { kind: 'cambiar_plan', changeId: 'c1', frecuencia: 'anual', paymentId: 'p2' } as const
  const result = s.apply(change)
  assert.deepEqual([commands(result), paid(result)], [['cancel m1 switch'], ['p2 2026-06-20..2027-06-20']])
  assert.deepEqual(
    [s.sub.anchor, s.sub.frecuencia, s.sub.mandateId, ...span(s.sub)],
    ['2026-06-20', 'anual', null, '2026-06-20', '2027-06-20', '2027-06-20'],
  )
  s.mandate('m1', 'cancelled')
  assert.deepEqual([s.sub.estado, s.sub.cancelAt, s.mails()], ['activa', null, []])

  const trial = story()
  trial.subscribe('m1')
  assert.deepEqual(
    [trial.apply({ ...change, paymentId: null }).kind, trial.sub.frecuencia, trial.sub.mandateId],
    ['same', 'anual', null],
  )
})

test('p: on the first day the old period is not the new one, though both begin there', () => {
  const s = byTransfer().jump('2026-06-05')
  s.apply({ kind: 'cambiar_plan', changeId: 'c1', frecuencia: 'anual', paymentId: 'p2' })
  s.giveBack('p1', 'contracargo', { start: '2026-06-05', end: '2026-07-05' })
  assert.deepEqual([s.sub.estado, accessOf(s)], ['activa', 'full'])
})

test('p: not while something is owed, nor after a cancellation', () => {
  const change = { kind: 'cambiar_plan', changeId: 'c1', frecuencia: 'mensual', paymentId: null } as const
  assert.deepEqual(card().jump('2026-07-05').apply(change), { kind: 'refused', code: 'pago_pendiente' })
  const cancelled = after(card(), (s) => s.apply({ kind: 'cancelar_fin_periodo' }))
  assert.deepEqual(cancelled.apply(change), { kind: 'refused', code: 'cancelacion_programada' })
})

test('commands of people send the mail of their kind and no other', () => {
  const CASES: [string, Story, Parameters<Story['apply']>[0], (s: Story) => string[]][] = [
    ['pausar', card(), { kind: 'pausar', until: null }, (s) => [`pausada:${s.now.toISOString()}`]],
    ['cancelar', card(), { kind: 'cancelar_fin_periodo' }, (s) => [`cancelada:2026-07-05:${s.now.toISOString()}`]],
    ['cancelar ya', card(), { kind: 'cancelar_inmediata' }, (s) => [`cancelada:${s.now.toISOString()}`]],
    [
      'cancelar ya lo que estaba cancelado',
      after(card(), (s) => s.apply({ kind: 'cancelar_fin_periodo' })),
      { kind: 'cancelar_inmediata' },
      () => [],
    ],
    ['suspender', card(), { kind: 'suspender_admin' }, (s) => [`suspendida:${s.now.toISOString()}`]],
    [
      'reactivar',
      gracia(),
      { kind: 'reactivar_admin', until: '2026-08-01' },
      (s) => [`reactivada:${s.now.toISOString()}`],
    ],
    ['reactivar lo pendiente', pendiente(), { kind: 'reactivar_admin', until: '2026-08-01' }, () => []],
    [
      'reactivar a quien nunca pagó',
      vencida(),
      { kind: 'reactivar_admin', until: '2026-08-01' },
      (s) => [`reactivada:${s.now.toISOString()}`],
    ],
    ['extender', story(), { kind: 'extender_trial', until: '2026-07-01' }, () => []],
    [
      'extender lo vencido',
      vencida(),
      { kind: 'extender_trial', until: '2026-07-01' },
      (s) => [`reactivada:${s.now.toISOString()}`],
    ],
    ['un pago en proceso', card(), { kind: 'pago_en_proceso', paymentId: 'p2' }, () => []],
    ['un checkout', card(), { kind: 'checkout_iniciado', mandateId: 'm2' }, () => []],
  ]
  for (const [name, s, event, expected] of CASES) {
    s.mails()
    s.apply(event)
    assert.deepEqual(s.mails(), expected(s), name)
  }
})

test('commands are refused for what is wrong with them', () => {
  const refusal = (s: Story, event: Parameters<Story['apply']>[0]) => {
    const result = s.apply(event)
    return result.kind === 'refused' ? result.code : result.kind
  }
  const scheduled = after(card(), (s) => s.apply({ kind: 'cancelar_fin_periodo' }))
  assert.equal(refusal(scheduled, { kind: 'pausar', until: null }), 'cancelacion_programada')
  assert.equal(refusal(scheduled, { kind: 'cancelar_fin_periodo' }), 'cancelacion_programada')
  assert.equal(refusal(card(), { kind: 'pausar', until: '2026-06-20' }), 'fecha_pasada')
  assert.equal(refusal(story(), { kind: 'extender_trial', until: '2026-06-01' }), 'fecha_pasada')
  assert.equal(refusal(gracia(), { kind: 'reactivar_admin', until: '2026-07-08' }), 'fecha_pasada')
  const lapsedAfterPaying = after(vencida(), (s) => {
    s.transfer('p1')
    s.apply({ kind: 'cancelar_inmediata' })
  })
  assert.equal(refusal(lapsedAfterPaying, { kind: 'extender_trial', until: '2027-01-01' }), 'estado_no_lo_permite')
})

test('a courtesy is given until a day, and what follows begins there', () => {
  const s = gracia()
  s.apply({ kind: 'reactivar_admin', until: '2026-07-20' })
  assert.deepEqual(
    [s.sub.courtesy, s.sub.anchor, ...span(s.sub)],
    [true, '2026-07-20', '2026-07-08', '2026-07-20', '2026-07-20'],
  )
  assert.deepEqual(paid(s.jump('2026-07-20').charge('p2')), ['p2 2026-07-20..2026-08-20'])
  assert.equal(s.sub.courtesy, false)
})

test('after the day on which a pause ends it is not, whether the sweep has passed or not', () => {
  for (const meanwhile of [(s: Story) => s.goTo('2026-07-21'), (s: Story) => s.jump('2026-07-21')]) {
    const s = after(card(), (s) => s.apply({ kind: 'pausar', until: '2026-07-20' }))
    meanwhile(s)
    s.mails()
    assert.deepEqual(paid(s.charge('p2')), ['p2 2026-07-20..2026-08-20'])
    assert.equal(s.mails()[0], 'pago_confirmado:p2')
  }
})

test('paused money is kept as credit', () => {
  const s = after(card(), (s) => s.apply({ kind: 'pausar', until: null }))
  const result = s.charge('p2')
  assert.deepEqual([credits(result), alerts(result)], [['late_payment:p2'], ['pago_en_pausa:p2']])
})

test('who cancels near the end is not told of the same end twice', () => {
  const late = after(card(), (s) => s.goTo('2026-07-02'))
  late.apply({ kind: 'cancelar_fin_periodo' })
  const closed = after(card(), (s) => s.goTo('2026-07-02'))
  closed.mandate('m1', 'cancelled')
  for (const s of [late, closed]) {
    s.goTo('2026-07-06')
    assert.equal(s.sub.estado, 'cancelada')
    assert.deepEqual(
      s.mails().map((mail) => mail.split(':')[0]),
      ['cancelada'],
    )
  }
})
