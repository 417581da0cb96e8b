import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clockOf, type Story, story } from '../../../test/support/subscription-story.ts'
import { type ForecastInput, type ForecastStep, forecast } from './forecast.ts'

const look = ({ sub, policy, now }: Story, differences: Partial<ForecastInput> = {}): ForecastStep[] =>
  forecast({ sub, policy, now, priceC: 65_000n, seatsC: 0n, balanceC: 0n, assume: 'se_paga', ...differences })

/** `when what state access amount mail period`, a dash where there is none. */
const told = (steps: readonly ForecastStep[]) =>
  steps.map(({ at, que, estado, access, importeC, correo, period }) =>
    [
      clockOf(at),
      que,
      estado,
      access,
      importeC ?? '-',
      correo ?? '-',
      period ? `${period.start}..${period.end}` : '-',
    ].join(' '),
  )

function card(): Story {
  const s = story({ on: '2026-06-05', alta: true })
  s.subscribe('m1')
  s.charge('p1')
  return s
}

function byTransfer(): Story {
  const s = story({ on: '2026-06-05', alta: true })
  s.transfer('p1')
  return s
}

test('a card that is charged every month', () => {
  assert.deepEqual(told(look(card())), [
    '2026-06-29 08 aviso_renovacion activa full 65000 aviso_renovacion -',
    '2026-07-04 06 preparar_cobro activa full 65000 - 2026-07-05..2026-08-05',
    '2026-07-05 12 cobro activa full 65000 pago_confirmado 2026-07-05..2026-08-05',
    '2026-07-30 08 aviso_renovacion activa full 65000 aviso_renovacion -',
    '2026-08-04 06 preparar_cobro activa full 65000 - 2026-08-05..2026-09-05',
  ])
})

test('a transfer that comes on time', () => {
  assert.deepEqual(told(look(byTransfer(), { days: 31 })), [
    '2026-06-30 08 aviso_vencimiento activa full 65000 por_vencer_5d -',
    '2026-07-04 06 preparar_cobro activa full 65000 - 2026-07-05..2026-08-05',
    '2026-07-04 12 cobro activa full 65000 pago_confirmado 2026-07-05..2026-08-05',
    '2026-07-05 00 rodar activa full - - 2026-07-05..2026-08-05',
  ])
})

test('the forty days of whoever does not pay, with a card and without', () => {
  assert.deepEqual(told(look(card(), { assume: 'no_se_paga', days: 90 })), [
    '2026-06-29 08 aviso_renovacion activa full 65000 aviso_renovacion -',
    '2026-07-04 06 preparar_cobro activa full 65000 - 2026-07-05..2026-08-05',
    '2026-07-06 08 vence_periodo pendiente_pago full 65000 pago_pendiente 2026-07-05..2026-08-05',
    '2026-07-08 08 fin_pendiente grace_period read_only 65000 gracia -',
    '2026-07-15 08 fin_gracia suspendida blocked - suspendida -',
    '2026-08-14 08 fin_suspension cancelada read_only - cancelada -',
  ])
  assert.deepEqual(
    told(look(byTransfer(), { assume: 'no_se_paga', days: 90 })).map((step) => step.split(' ').slice(0, 3).join(' ')),
    [
      '2026-06-30 08 aviso_vencimiento',
      '2026-07-04 06 preparar_cobro',
      '2026-07-05 08 vence_periodo',
      '2026-07-08 08 fin_pendiente',
      '2026-07-15 08 fin_gracia',
      '2026-08-14 08 fin_suspension',
    ],
  )
})

test('a trial without a card and with one', () => {
  assert.deepEqual(told(look(story(), { assume: 'no_se_paga' })), [
    '2026-06-10 08 aviso_trial trial full - trial_por_vencer -',
    '2026-06-15 07 fin_trial vencida read_only - trial_vencido -',
  ])
  assert.deepEqual(told(look(story(), { days: 20 })), [
    '2026-06-10 08 aviso_trial trial full - trial_por_vencer -',
    '2026-06-14 12 cobro activa full 65000 pago_confirmado 2026-06-14..2026-07-15',
  ])
  const withCard = story()
  withCard.subscribe('m1')
  assert.deepEqual(told(look(withCard, { days: 20 })), [
    '2026-06-10 08 aviso_trial trial full - trial_por_vencer -',
    '2026-06-15 07 fin_trial pendiente_pago full - - -',
    '2026-06-15 12 cobro activa full 65000 pago_confirmado 2026-06-15..2026-07-15',
  ])
})

test('a cancelled one ends, and is charged no more', () => {
  const s = card()
  s.apply({ kind: 'cancelar_fin_periodo' })
  for (const assume of ['se_paga', 'no_se_paga'] as const)
    assert.deepEqual(told(look(s, { assume })), [
      '2026-06-30 08 aviso_vencimiento activa full - por_vencer_5d -',
      '2026-07-05 00 cancelacion cancelada read_only - - -',
    ])
})

test('what is owed already is paid at the next noon, whatever it has become', () => {
  for (const [day, hour, estado, paidAt, period] of [
    ['2026-07-05', 13, 'activa', '2026-07-06 12', '2026-07-05..2026-08-05'],
    ['2026-07-07', 9, 'pendiente_pago', '2026-07-07 12', '2026-07-05..2026-08-05'],
    ['2026-07-09', 12, 'grace_period', '2026-07-10 12', '2026-07-05..2026-08-05'],
    ['2026-08-10', 9, 'suspendida', '2026-08-10 12', '2026-08-05..2026-09-05'],
  ] as const) {
    const s = card()
    s.goTo(day, hour)
    assert.equal(s.sub.estado, estado)
    const charge = look(s).find(({ que }) => que === 'cobro')
    assert.ok(charge)
    assert.deepEqual(told([charge]), [`${paidAt} cobro activa full 65000 pago_confirmado ${period}`])
  }
})

test('who is paused, ended or held by staff pays nothing', () => {
  const paused = card()
  paused.apply({ kind: 'pausar', until: null })
  const held = card()
  held.apply({ kind: 'suspender_admin' })
  const ended = card()
  ended.apply({ kind: 'cancelar_inmediata' })
  for (const s of [paused, held, ended]) assert.deepEqual(look(s), [])

  const until = card()
  until.apply({ kind: 'pausar', until: '2026-07-20' })
  assert.deepEqual(told(look(until, { days: 50 })), [
    '2026-07-20 08 fin_pausa pendiente_pago full 65000 pago_pendiente 2026-07-20..2026-08-20',
    '2026-07-20 12 cobro activa full 65000 pago_confirmado 2026-07-20..2026-08-20',
  ])
})

test('a balance is used down to the floor of a card, and to nothing by transfer', () => {
  const amounts = (s: Story, balanceC: bigint) =>
    look(s, { balanceC, days: 100 }).flatMap(({ que, importeC }) => (que === 'cobro' ? [importeC] : []))
  assert.deepEqual(amounts(card(), 240_000n), [10_000n, 10_000n, 10_000n])
  assert.deepEqual(amounts(card(), 100_000n), [10_000n, 20_000n, 65_000n])
  assert.deepEqual(amounts(byTransfer(), 100_000n), [0n, 30_000n, 65_000n])
  assert.deepEqual(amounts(card(), -5_000n), [70_000n, 65_000n, 65_000n], 'what is owed is added once')
})

test('people beyond the plan are charged with every period, and a plan without a price never', () => {
  const charge = look(card(), { seatsC: 25_500n }).find(({ que }) => que === 'cobro')
  assert.equal(charge?.importeC, 90_500n)
  const without = look(card(), { priceC: null })
  assert.ok(without.length > 0)
  assert.ok(without.every(({ que, importeC }) => que !== 'cobro' && importeC === null))
})

test('what should have happened already happens now, and the horizon is kept', () => {
  const s = card().jump('2026-07-10')
  const steps = look(s, { assume: 'no_se_paga', days: 2 })
  assert.deepEqual(
    told(steps).map((step) => step.split(' ').slice(0, 3).join(' ')),
    [
      '2026-07-10 12 aviso_renovacion',
      '2026-07-10 12 preparar_cobro',
      '2026-07-10 12 vence_periodo',
      '2026-07-11 12 fin_pendiente',
    ],
  )
})

test('looking changes nothing and says the same twice', () => {
  const s = card()
  const before = structuredClone(s.sub)
  assert.deepEqual(look(s), look(s))
  assert.deepEqual(s.sub, before)
})

test('what the forecast says of not paying is what time then does', () => {
  for (const s of [card(), byTransfer(), story(), story({ alta: true })]) {
    const said = look(s, { assume: 'no_se_paga', days: 120 }).map(({ at, que }) => `${que}@${clockOf(at)}`)
    assert.deepEqual(s.goTo('2026-09-20'), said)
  }
})
