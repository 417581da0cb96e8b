import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatCentavos, parseCentavos } from '../fiscal/money.ts'
import { buildInvoice, changeLines, type Invoice, invoiceOf, type RenewalInput } from './invoice.ts'
import { periodAt } from './periods.ts'
import { CEILING_C, FLOOR_C } from './prices.ts'
import { prorate } from './proration.ts'

const june = { start: '2026-06-01', end: '2026-07-01' }
const july = { start: '2026-07-01', end: '2026-08-01' }

const renewal = (changed: Partial<RenewalInput> = {}): Invoice =>
  buildInvoice({
    period: july,
    priceC: 65_000n,
    frecuencia: 'mensual',
    planNombre: 'Business',
    seats: [],
    adjustments: [],
    balanceC: 0n,
    rateBp: 1600,
    collection: 'card',
    ...changed,
  })

const collected = ({ totalC, balanceAppliedC, collectC, baseC, ivaC }: Invoice) =>
  [totalC, balanceAppliedC, collectC, baseC, ivaC].map(formatCentavos)

test('a plain renewal collects its price and says which period it is', () => {
  const invoice = renewal()
  assert.deepEqual(collected(invoice), ['650.00', '0.00', '650.00', '560.34', '89.66'])
  assert.deepEqual(invoice.lines, [
    {
      kind: 'plan',
      description: 'Plan Business mensual, del 1 al 31 de julio de 2026',
      quantity: 1,
      unitC: 65_000n,
      amountC: 65_000n,
      periodStart: '2026-07-01',
      periodEnd: '2026-08-01',
      sourceKey: 'plan:2026-07-01',
    },
  ])
  assert.equal(invoice.overCeiling, false)
})

test('people beyond the plan are charged with the renewal after their period', () => {
  const invoice = renewal({ seats: [{ period: june, seats: 3, extraUserC: 8_500n }] })
  assert.deepEqual(collected(invoice), ['905.00', '0.00', '905.00', '780.17', '124.83'])
  assert.deepEqual(invoice.lines[1], {
    kind: 'seats',
    description: 'Usuarios adicionales, del 1 al 30 de junio de 2026',
    quantity: 3,
    unitC: 8_500n,
    amountC: 25_500n,
    periodStart: '2026-06-01',
    periodEnd: '2026-07-01',
    sourceKey: 'seats:2026-06-01',
  })
  const one = renewal({ seats: [{ period: june, seats: 1, extraUserC: 8_500n }] })
  assert.equal(one.lines[1]?.description, 'Usuario adicional, del 1 al 30 de junio de 2026')
})

test('a period without people beyond the plan has no line for them', () => {
  assert.equal(renewal({ seats: [{ period: june, seats: 0, extraUserC: 8_500n }] }).lines.length, 1)
})

test('at the border the same price has less IVA inside', () => {
  assert.deepEqual(collected(renewal({ rateBp: 800 })), ['650.00', '0.00', '650.00', '601.85', '48.15'])
})

test('a credit of 2,400.00 is used month by month, and the card always pays its 100.00', () => {
  let balanceC = parseCentavos('2400.00')
  const months = Array.from({ length: 6 }, (_, n) => {
    const invoice = renewal({ period: periodAt('2026-07-01', 'mensual', n), balanceC })
    balanceC -= invoice.balanceAppliedC
    return [formatCentavos(invoice.collectC), formatCentavos(balanceC)]
  })
  assert.deepEqual(months, [
    ['100.00', '1850.00'],
    ['100.00', '1300.00'],
    ['100.00', '750.00'],
    ['100.00', '200.00'],
    ['450.00', '0.00'],
    ['650.00', '0.00'],
  ])
})

test('by transfer the balance may pay all of it', () => {
  const first = renewal({ balanceC: 240_000n, collection: 'transfer' })
  assert.deepEqual(collected(first), ['650.00', '650.00', '0.00', '0.00', '0.00'])
  const part = renewal({ balanceC: 60_000n, collection: 'transfer' })
  assert.deepEqual(collected(part), ['650.00', '600.00', '50.00', '43.10', '6.90'])
})

test('what the balance pays is a discount before tax', () => {
  assert.deepEqual(collected(renewal({ balanceC: 22_000n })), ['650.00', '220.00', '430.00', '370.69', '59.31'])
})

test('what was charged too little is added, and the balance is even again', () => {
  for (const collection of ['card', 'transfer'] as const) {
    const invoice = renewal({ balanceC: -25_500n, collection })
    assert.deepEqual(collected(invoice), ['650.00', '-255.00', '905.00', '780.17', '124.83'], collection)
  }
})

test('what the floor takes beyond the debt goes to the balance', () => {
  const small = renewal({ priceC: 6_000n })
  assert.deepEqual(collected(small), ['60.00', '-40.00', '100.00', '86.21', '13.79'])
  const next = renewal({ priceC: 6_000n, balanceC: 4_000n })
  assert.deepEqual(collected(next), ['60.00', '-40.00', '100.00', '86.21', '13.79'], '20.00 owed, 100.00 charged')
  assert.deepEqual(collected(renewal({ priceC: 6_000n, collection: 'transfer' })).slice(1, 3), ['0.00', '60.00'])
})

test('a card never gets an invoice of nothing', () => {
  assert.equal(renewal({ priceC: 0n }).collectC, FLOOR_C)
  assert.equal(renewal({ balanceC: 65_000n }).collectC, FLOOR_C)
  assert.equal(renewal({ balanceC: 65_000n - FLOOR_C }).collectC, FLOOR_C)
  assert.equal(renewal({ balanceC: 65_000n - FLOOR_C - 1n }).collectC, FLOOR_C + 1n)
  assert.equal(renewal({ balanceC: 65_000n - FLOOR_C + 1n }).balanceAppliedC, 65_000n - FLOOR_C)
})

test('above the ceiling of a card it says so', () => {
  assert.equal(renewal({ priceC: CEILING_C }).overCeiling, false)
  assert.equal(renewal({ priceC: CEILING_C + 1n }).overCeiling, true)
  assert.equal(renewal({ priceC: CEILING_C + 1n, balanceC: 1n }).overCeiling, false, 'what is collected counts')
  assert.equal(renewal({ priceC: CEILING_C, balanceC: -1n }).overCeiling, true)
})

test('an upgrade is an invoice of its own with two lines', () => {
  const proration = prorate({ oldC: 65_000n, newC: 125_000n, period: june, on: '2026-06-09' })
  const rest = { start: '2026-06-09', end: '2026-07-01' }
  const lines = changeLines({
    changeId: 'c1',
    from: 'Starter',
    to: 'Business',
    proration,
    unused: rest,
    charged: rest,
  })
  const invoice = invoiceOf({ lines, balanceC: 0n, rateBp: 1600, collection: 'transfer' })
  assert.deepEqual(collected(invoice), ['440.00', '0.00', '440.00', '379.31', '60.69'])
  assert.deepEqual(
    lines.map(({ description, sourceKey, unitC, amountC }) => [
      description,
      sourceKey,
      formatCentavos(unitC),
      formatCentavos(amountC),
    ]),
    [
      ['Plan Starter, parte sin usar (22 de 30 días)', 'chg:c1:credit', '-476.67', '-476.67'],
      ['Plan Business, del 9 al 30 de junio de 2026', 'chg:c1:charge', '916.67', '916.67'],
    ],
  )
})

test('an upgrade that waits for the renewal is charged with it', () => {
  const proration = prorate({ oldC: 65_000n, newC: 125_000n, period: june, on: '2026-06-09' })
  const rest = { start: '2026-06-09', end: '2026-07-01' }
  const adjustments = changeLines({
    changeId: 'c1',
    from: 'Starter',
    to: 'Business',
    proration,
    unused: rest,
    charged: rest,
  })
  const invoice = renewal({ priceC: 125_000n, adjustments })
  assert.equal(formatCentavos(invoice.collectC), '1690.00')
  assert.equal(invoice.lines.length, 3)
})

test('lines of a change of interval have the periods that they are about', () => {
  const unused = { start: '2026-06-09', end: '2026-07-01' }
  const charged = { start: '2026-06-09', end: '2027-06-09' }
  const proration = { remaining: 22, days: 30, creditC: -47_667n, chargeC: 650_000n, netC: 602_333n }
  const lines = changeLines({ changeId: 'c2', from: 'Business', to: 'Business anual', proration, unused, charged })
  assert.deepEqual(
    lines.map(({ periodStart, periodEnd }) => [periodStart, periodEnd]),
    [
      ['2026-06-09', '2026-07-01'],
      ['2026-06-09', '2027-06-09'],
    ],
  )
  assert.equal(lines[1]?.description, 'Plan Business anual, del 9 de junio de 2026 al 8 de junio de 2027')
})

test('a credit without a charge is no invoice', () => {
  const rest = { start: '2026-06-20', end: '2026-07-01' }
  const proration = prorate({ oldC: 125_000n, newC: 65_000n, period: june, on: '2026-06-20' })
  const lines = changeLines({ changeId: 'c3', from: 'B', to: 'A', proration, unused: rest, charged: rest })
  assert.throws(() => invoiceOf({ lines, balanceC: 0n, rateBp: 1600, collection: 'transfer' }), RangeError)
})

test('for any invoice: the sums agree, the balance is never overdrawn by the customer, and what is owed is collected', () => {
  const amounts = fc.bigInt({ min: 0n, max: 30_000_000n })
  fc.assert(
    fc.property(
      amounts,
      fc.bigInt({ min: -10_000_000n, max: 10_000_000n }),
      fc.integer({ min: 0, max: 50 }),
      fc.constantFrom('card' as const, 'transfer' as const),
      fc.constantFrom(800, 1600),
      (priceC, balanceC, seats, collection, rateBp) => {
        const owedSeats = [{ period: june, seats, extraUserC: 8_500n }]
        const invoice = renewal({ priceC, balanceC, seats: owedSeats, collection, rateBp })
        const { lines, totalC, balanceAppliedC, collectC, baseC, ivaC } = invoice
        for (const line of lines) assert.equal(line.amountC, BigInt(line.quantity) * line.unitC)
        assert.equal(
          totalC,
          lines.reduce((sum, { amountC }) => sum + amountC, 0n),
        )
        assert.equal(collectC, totalC - balanceAppliedC)
        assert.equal(baseC + ivaC, collectC)
        const left = balanceC - balanceAppliedC
        assert.ok(left >= 0n, 'a debt does not outlive a paid invoice')
        const floor = collection === 'card' ? FLOOR_C : 0n
        assert.ok(collectC >= floor)
        assert.ok(left === 0n || collectC === floor, 'more than the floor is asked only of who has no credit left')
      },
    ),
  )
})
