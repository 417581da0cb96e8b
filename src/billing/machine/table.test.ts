import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Story, story } from '../../../test/support/subscription-story.ts'
import { type Estado, estados } from '../subscription.ts'
import { dueTimer } from './due-timer.ts'
import type { BillingEvent, Result } from './event.ts'

/**
 * The matrix of billing.md 3.4. `=` stays, `409` refused, else the state it moves to, with its reason after a stroke.
 * Columns are the states in the order of 3.1; where a cell depends on more than the state, `when` names the case.
 */
const TABLE: Record<Exclude<BillingEvent['kind'], 'timer'>, string> = {
  //                     trial       activa                pausada        pendiente_pago  grace_period   suspendida     cancelada vencida
  trial_iniciado:
    '      409       | 409                 | 409          | 409           | 409          | 409          | 409  | 409',
  alta_sin_trial:
    '      409       | 409                 | 409          | 409           | 409          | 409          | 409  | 409',
  checkout_iniciado:
    '   =         | =                   | =            | =             | =            | =            | =    | =',
  mandato_autorizado:
    '  =         | =                   | activa       | =             | =            | =            | =    | =',
  mandato_pausado:
    '     =         | pausada/mp          | =            | =             | =            | =            | =    | =',
  mandato_cancelado:
    '   =         | =                   | activa       | cancelada/mp  | cancelada/mp | cancelada/mp | =    | =',
  pago_aprobado:
    '       activa    | activa              | =            | activa        | activa       | activa       | =    | activa',
  pago_rechazado:
    '      =         | pendiente_pago/renovacion | =      | =             | =            | =            | =    | =',
  pago_en_proceso:
    '     =         | =                   | =            | =             | =            | =            | =    | =',
  pago_reembolsado:
    '    =         | pendiente_pago/reembolso | =       | =             | =            | =            | =    | =',
  contracargo:
    '         =         | grace_period/contracargo | =       | =             | =            | =            | =    | =',
  contracargo_ganado:
    '  =         | =                   | =            | =             | activa       | activa       | =    | =',
  saldo_cubre:
    '         =         | =                   | =            | activa        | activa       | activa       | =    | =',
  pausar:
    '              409       | pausada/usuario     | 409          | 409           | 409          | 409          | 409  | 409',
  reanudar:
    '            409       | 409                 | activa       | 409           | 409          | 409          | 409  | 409',
  cancelar_fin_periodo:
    '=         | =                   | activa       | cancelada/usuario | cancelada/usuario | cancelada/usuario | 409 | 409',
  cancelar_inmediata:
    '  cancelada/admin | cancelada/admin | cancelada/admin | cancelada/admin | cancelada/admin | cancelada/admin | 409 | 409',
  deshacer_cancelacion:
    '=         | =                   | 409          | 409           | 409          | 409          | 409  | 409',
  extender_trial:
    '      =         | 409                 | 409          | 409           | 409          | 409          | 409  | trial',
  suspender_admin:
    '     suspendida/admin | suspendida/admin | suspendida/admin | suspendida/admin | suspendida/admin | 409 | 409 | 409',
  reactivar_admin:
    '     409       | 409                 | 409          | activa        | activa       | activa       | activa | activa',
  cambiar_plan:
    '        =         | =                   | 409          | 409           | 409          | 409          | 409  | 409',
}

/** How each state is come to, by events alone, with the card `m1` wherever there is one. */
const REACH: Record<Estado, () => Story> = {
  trial: () => subscribed(story()),
  activa: active,
  pausada: () => after(active(), (s) => s.apply({ kind: 'pausar', until: null })),
  pendiente_pago: () => after(active(), (s) => s.goTo('2026-07-06')),
  grace_period: () => after(active(), (s) => s.goTo('2026-07-08')),
  suspendida: () => after(active(), (s) => s.goTo('2026-07-15')),
  cancelada: () => after(active(), (s) => s.apply({ kind: 'cancelar_inmediata' })).jump('2026-06-21'),
  vencida: () => after(story(), (s) => s.goTo('2026-06-15')),
}

/** Cells whose letter asks for more than the state. */
const WHEN: Partial<Record<BillingEvent['kind'], Partial<Record<Estado, () => Story>>>> = {
  pago_aprobado: { activa: () => active().jump('2026-07-05') },
  pago_rechazado: { activa: () => active().jump('2026-07-05') },
  contracargo_ganado: {
    grace_period: chargedBack,
    suspendida: () => after(chargedBack(), (s) => s.goTo('2026-06-30', 9)),
  },
  deshacer_cancelacion: {
    trial: () => after(story(), (s) => s.apply({ kind: 'cancelar_fin_periodo' })),
    activa: () =>
      after(story(), (s) => {
        s.transfer('p1')
        s.apply({ kind: 'cancelar_fin_periodo' })
      }),
  },
}

function subscribed(s: Story): Story {
  s.subscribe('m1')
  return s
}

/** Charged on 5 June: the period ends on 5 July. */
function active(): Story {
  return after(subscribed(story()).jump('2026-06-05'), (s) => s.charge('p1')).jump('2026-06-20')
}

function chargedBack(): Story {
  return after(active(), (s) => s.giveBack('p1', 'contracargo'))
}

function after(s: Story, happen: (s: Story) => unknown): Story {
  happen(s)
  return s
}

function eventOf(kind: Exclude<BillingEvent['kind'], 'timer'>, s: Story): () => Result {
  switch (kind) {
    case 'trial_iniciado':
    case 'alta_sin_trial':
    case 'reanudar':
    case 'cancelar_fin_periodo':
    case 'cancelar_inmediata':
    case 'deshacer_cancelacion':
    case 'suspender_admin':
    case 'saldo_cubre':
      return () => s.apply({ kind })
    case 'checkout_iniciado':
      return () => s.checkout('m2')
    case 'mandato_autorizado':
      return () => s.mandate('m1', 'authorized')
    case 'mandato_pausado':
      return () => s.mandate('m1', 'paused')
    case 'mandato_cancelado':
      return () => s.mandate('m1', 'cancelled')
    case 'pago_aprobado':
      return () => s.charge('p9')
    case 'pago_rechazado':
      return () => s.reject('p9')
    case 'pago_en_proceso':
      return () => s.apply({ kind, paymentId: 'p9' })
    case 'pago_reembolsado':
    case 'contracargo':
    case 'contracargo_ganado':
      return () => s.giveBack('p1', kind)
    case 'pausar':
      return () => s.apply({ kind, until: null })
    case 'extender_trial':
    case 'reactivar_admin':
      return () => s.apply({ kind, until: '2027-01-31' })
    case 'cambiar_plan':
      return () => s.apply({ kind, changeId: 'c1', frecuencia: 'mensual', paymentId: null })
  }
}

for (const [kind, row] of Object.entries(TABLE) as [Exclude<BillingEvent['kind'], 'timer'>, string][]) {
  const cells = row.split('|').map((cell) => cell.trim())
  test(`${kind} does in every state what the table says`, () => {
    assert.equal(cells.length, estados.length)
    for (const [column, estado] of estados.entries()) {
      const s = (WHEN[kind]?.[estado] ?? REACH[estado])()
      assert.equal(s.sub.estado, estado, 'the state was not reached')
      assert.equal(outcome(eventOf(kind, s)(), estado), cells[column], `${kind} in ${estado}`)
    }
  })
}

function outcome(result: Result, before: Estado): string {
  if (result.kind === 'refused') return '409'
  if (result.kind === 'same') {
    assert.equal(result.sub.estado, before, 'what stays does not move')
    return '='
  }
  return [result.sub.estado, result.sub.motivo].filter(Boolean).join('/')
}

test('time alone does in every state what the table says', () => {
  const CASES: [string, () => Story, string][] = [
    ['a trial without a card', () => story(), 'aviso_trial fin_trial → vencida/trial'],
    ['a trial with a card', () => subscribed(story()), 'aviso_trial fin_trial → pendiente_pago/primer_cobro'],
    ['a cancelled trial', () => after(story(), cancel), 'fin_trial → cancelada/fin_periodo'],
    ['a cancelled period', () => after(active(), cancel), 'aviso_vencimiento cancelacion → cancelada/fin_periodo'],
    ['a period paid ahead', () => after(active(), (s) => s.transfer('p2')), 'rodar → activa'],
    ['a card that is not charged', active, 'aviso_renovacion preparar_cobro vence_periodo → pendiente_pago/renovacion'],
    ['a pause without an end', REACH.pausada, '→ pausada/usuario'],
    [
      'a pause with an end',
      () => after(active(), (s) => s.apply({ kind: 'pausar', until: '2026-06-25' })),
      'fin_pausa → activa',
    ],
    [
      'a pause that ends after what was paid',
      () => after(active(), (s) => s.apply({ kind: 'pausar', until: '2026-07-20' })),
      'fin_pausa → pendiente_pago/renovacion',
    ],
    ['pending money', REACH.pendiente_pago, 'fin_pendiente → grace_period/renovacion'],
    ['an abandoned sign-up', () => story({ alta: true }), 'fin_pendiente → vencida/alta_abandonada'],
    ['grace', REACH.grace_period, 'fin_gracia → suspendida/renovacion'],
    ['a suspension', REACH.suspendida, 'fin_suspension → cancelada/impago'],
    ['a suspension by staff', () => after(active(), (s) => s.apply({ kind: 'suspender_admin' })), '→ suspendida/admin'],
    ['the cancelled', REACH.cancelada, '→ cancelada/admin'],
    ['the lapsed', REACH.vencida, '→ vencida/trial'],
  ]
  for (const [name, reach, expected] of CASES) {
    const s = reach()
    const before = `${s.sub.estado}/${s.sub.periodStart}`
    const ran: string[] = []
    for (let due = dueTimer(s.sub, s.policy); due; due = dueTimer(s.sub, s.policy)) {
      ran.push(due.timer)
      s.jumpTo(due.at)
      s.apply({ kind: 'timer', timer: due.timer })
      if (`${s.sub.estado}/${s.sub.periodStart}` !== before) break
    }
    const end = [s.sub.estado, s.sub.motivo].filter(Boolean).join('/')
    assert.equal([...ran, '→', end].join(' '), expected, name)
  }
})

const cancel = (s: Story) => s.apply({ kind: 'cancelar_fin_periodo' })
