import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatCentavos, parseCentavos } from '../fiscal/money.ts'
import { churn, type History, monthlyValue, movements, type Standing, type Valued } from './metrics.ts'
import { type Estado, estados } from './subscription.ts'

const june = new Date('2026-06-01T06:00:00Z')
const july = new Date('2026-07-01T06:00:00Z')
const august = new Date('2026-08-01T06:00:00Z')

const value = (charged: string, changed: Partial<Valued> = {}) =>
  monthlyValue({
    estado: 'activa',
    courtesy: false,
    chargedC: parseCentavos(charged),
    rateBp: 1600,
    frecuencia: 'mensual',
    ...changed,
  })

const stood = (day: string, estado: Estado, valueC: bigint): Standing => ({
  at: new Date(`${day}T12:00:00-06:00`),
  estado,
  valueC,
})

const shown = (histories: readonly History[], from = june, to = july) =>
  Object.fromEntries(
    Object.entries(movements(histories, from, to))
      .filter(([, amountC]) => amountC !== 0n)
      .map(([name, amountC]) => [name, formatCentavos(amountC)]),
  )

test('the monthly value is the price without IVA over the months of the interval', () => {
  assert.equal(formatCentavos(value('650.00')), '560.34')
  assert.equal(formatCentavos(value('1250.00')), '1077.59')
  assert.equal(formatCentavos(value('15000.00', { frecuencia: 'anual' })), '1077.59')
  assert.equal(formatCentavos(value('650.00', { rateBp: 800 })), '601.85')
  assert.equal(value('0.06', { rateBp: 0, frecuencia: 'anual' }), 1n, 'half a centavo goes up')
  assert.equal(value('0.05', { rateBp: 0, frecuencia: 'anual' }), 0n)
})

test('only who pays or is waited for has a value, and what is given has none', () => {
  const worth = estados.filter((estado) => value('650.00', { estado }) > 0n)
  assert.deepEqual(worth, ['activa', 'pendiente_pago', 'grace_period'])
  for (const estado of estados) assert.equal(value('650.00', { estado, courtesy: true }), 0n, estado)
})

const [small, large, yearly] = [value('650.00'), value('1250.00'), value('15000.00', { frecuencia: 'anual' })]

/** billing.md 4.10: the MRR ends where it began, and yet a third of the customers is gone. */
const example: History[] = [
  [stood('2026-01-10', 'trial', 0n), stood('2026-01-24', 'activa', small), stood('2026-06-09', 'activa', large)],
  [stood('2026-02-10', 'activa', large), stood('2026-06-20', 'cancelada', 0n)],
  [stood('2026-03-10', 'activa', yearly)],
  [stood('2026-06-01', 'trial', 0n), stood('2026-06-15', 'activa', small)],
]

test('the example of billing.md 4.10, to the centavo and the basis point', () => {
  assert.deepEqual(shown(example), {
    mrr0C: '2715.52',
    newC: '560.34',
    expansionC: '517.25',
    churnedC: '1077.59',
    mrr1C: '2715.52',
    arrC: '32586.24',
  })
  assert.deepEqual(churn(example, june, july), {
    atStart: 3,
    lost: 1,
    atEnd: 3,
    logoBp: 3333,
    grossBp: 3968,
    netBp: 7937,
  })
})

test('where it comes from says whether it is new or came back', () => {
  const from = (...before: Standing[]) => Object.keys(shown([[...before, stood('2026-06-15', 'activa', small)]]))
  const began = ['newC', 'mrr1C', 'arrC']
  const cameBack = ['reactivationC', 'mrr1C', 'arrC']
  const worthless = (estado: Estado) => stood('2026-05-01', estado, 0n)
  assert.deepEqual(from(), began)
  assert.deepEqual(from(worthless('trial')), began)
  assert.deepEqual(from(worthless('vencida')), began)
  for (const estado of ['pausada', 'suspendida', 'cancelada'] as const)
    assert.deepEqual(from(worthless(estado)), cameBack, estado)
  for (const estado of ['activa', 'pendiente_pago', 'grace_period'] as const) {
    assert.deepEqual(from(worthless(estado)), began, `${estado}, given, is paid for the first time`)
    const paidOnce = stood('2026-04-01', 'activa', small)
    assert.deepEqual(from(paidOnce, worthless(estado)), cameBack, `${estado}, given, had paid before`)
  }
})

test('less value is contraction, and none at all is churn, whatever took it', () => {
  const paying = stood('2026-05-01', 'activa', large)
  assert.deepEqual(shown([[paying, stood('2026-06-10', 'activa', small)]]), {
    mrr0C: '1077.59',
    contractionC: '517.25',
    mrr1C: '560.34',
    arrC: '6724.08',
  })
  for (const estado of ['pausada', 'suspendida', 'cancelada', 'activa'] as const)
    assert.deepEqual(
      shown([[paying, stood('2026-06-10', estado, 0n)]]),
      { mrr0C: '1077.59', churnedC: '1077.59' },
      estado,
    )
  const late = [stood('2026-06-10', 'pendiente_pago', large), stood('2026-06-13', 'grace_period', large)]
  assert.deepEqual(shown([[paying, ...late]]), { mrr0C: '1077.59', mrr1C: '1077.59', arrC: '12931.08' })
})

test('each change within the window counts as what it is', () => {
  const busy: History = [
    stood('2026-06-02', 'activa', small),
    stood('2026-06-05', 'activa', large),
    stood('2026-06-10', 'suspendida', 0n),
    stood('2026-06-12', 'activa', large),
    stood('2026-06-20', 'activa', small),
  ]
  assert.deepEqual(shown([busy]), {
    newC: '560.34',
    reactivationC: '1077.59',
    expansionC: '517.25',
    contractionC: '517.25',
    churnedC: '1077.59',
    mrr1C: '560.34',
    arrC: '6724.08',
  })
})

test('a change at the first instant of a window is of that window, not of the one before', () => {
  const history: History = [{ at: july, estado: 'activa', valueC: small }]
  assert.deepEqual(shown([history]), {})
  assert.deepEqual(shown([history], july, august), { newC: '560.34', mrr1C: '560.34', arrC: '6724.08' })
})

test('who was suspended and paid, or came and went, was not lost', () => {
  const back: History = [
    stood('2026-05-01', 'activa', small),
    stood('2026-06-10', 'suspendida', 0n),
    stood('2026-06-12', 'activa', small),
  ]
  const passing: History = [stood('2026-06-02', 'activa', large), stood('2026-06-20', 'cancelada', 0n)]
  assert.deepEqual(churn([back, passing], june, july), {
    atStart: 1,
    lost: 0,
    atEnd: 1,
    logoBp: 0,
    grossBp: 0,
    netBp: 10_000,
  })
})

test('where nobody was there at the start no share is told', () => {
  const nobody = { atStart: 0, lost: 0, atEnd: 0, logoBp: null, grossBp: null, netBp: null }
  assert.deepEqual(churn([], june, july), nobody)
  assert.deepEqual(churn([[stood('2026-06-10', 'activa', small)]], june, july), { ...nobody, atEnd: 1 })
})

test('shares are rounded half up', () => {
  // One of 32 is 312.5 basis points.
  const histories = Array.from({ length: 32 }, (_, index): History => {
    const paying = stood('2026-05-01', 'activa', 100n)
    return index === 0 ? [paying, stood('2026-06-10', 'cancelada', 0n)] : [paying]
  })
  assert.deepEqual(churn(histories, june, july), {
    atStart: 32,
    lost: 1,
    atEnd: 31,
    logoBp: 313,
    grossBp: 313,
    netBp: 9688,
  })
})

test('movements that do not explain the MRR are an error, not a figure', () => {
  const backwards: History = [stood('2026-06-15', 'activa', large), stood('2026-05-15', 'activa', small)]
  assert.throws(() => movements([backwards], june, july), /lead to/)
  assert.throws(() => movements([], july, june), RangeError)
  assert.throws(() => churn([], july, june), RangeError)
})

const paying = new Set<Estado>(['activa', 'pendiente_pago', 'grace_period'])

const standings = fc
  .record({
    // 1 May to 1 September, by quarters of a day, so that boundaries are met.
    at: fc.integer({ min: 0, max: 123 * 4 }).map((quarter) => new Date(Date.UTC(2026, 4, 1, quarter * 6))),
    estado: fc.constantFrom(...estados),
    valueC: fc.bigInt({ min: 0n, max: 1_000n }),
  })
  .map(({ estado, valueC, at }) => ({ at, estado, valueC: paying.has(estado) ? valueC : 0n }))

const histories = fc.array(
  fc.array(standings, { maxLength: 8 }).map((all) => all.toSorted((a, b) => a.at.getTime() - b.at.getTime())),
  { maxLength: 8 },
)

test('for any histories the movements explain the MRR, and those of two windows are those of both together', () => {
  fc.assert(
    fc.property(histories, (all) => {
      const [first, second, both] = [
        movements(all, june, july),
        movements(all, july, august),
        movements(all, june, august),
      ]
      for (const m of [first, second, both]) {
        const explained = m.mrr0C + m.newC + m.reactivationC + m.expansionC - m.contractionC - m.churnedC
        assert.equal(explained, m.mrr1C)
        for (const [name, amountC] of Object.entries(m)) assert.ok(amountC >= 0n, name)
      }
      assert.equal(first.mrr1C, second.mrr0C)
      for (const kind of ['newC', 'reactivationC', 'expansionC', 'contractionC', 'churnedC'] as const)
        assert.equal(first[kind] + second[kind], both[kind], kind)
    }),
  )
})

test('for any histories no more is lost than there was', () => {
  fc.assert(
    fc.property(histories, (all) => {
      const { atStart, lost, logoBp, grossBp, netBp } = churn(all, june, july)
      assert.ok(lost <= atStart)
      if (atStart === 0) return assert.deepEqual([logoBp, grossBp, netBp], [null, null, null])
      for (const share of [logoBp, grossBp]) assert.ok(share !== null && share >= 0 && share <= 10_000)
      assert.ok(netBp !== null && netBp >= 0)
    }),
  )
})

test('where nobody moves twice the shares are those of the movements', () => {
  const moved = histories.map((all) =>
    all.map((history) => {
      const before = history.filter(({ at }) => at < june)
      return [...before, ...history.filter(({ at }) => at >= june && at < july).slice(0, 1)]
    }),
  )
  fc.assert(
    fc.property(moved, (all) => {
      const { mrr0C, expansionC, contractionC, churnedC } = movements(all, june, july)
      if (mrr0C === 0n) return
      const halfUp = (part: bigint) => Number((20_000n * part + mrr0C) / (2n * mrr0C))
      const { grossBp, netBp } = churn(all, june, july)
      assert.equal(grossBp, halfUp(churnedC + contractionC))
      assert.equal(netBp, halfUp(mrr0C + expansionC - contractionC - churnedC))
    }),
  )
})
