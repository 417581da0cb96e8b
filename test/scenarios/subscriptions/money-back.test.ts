import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type BillingWorld, type Company, ok, startBillingWorld } from '../../support/billing-world.ts'
import { type Chapter, chaptersOf } from '../../support/chapters.ts'

// Seven companies that paid February and March by card. `…Old` is about February, the others about March, which runs.

const NAMES = ['refunded', 'refundedPart', 'refundedOld', 'lost', 'won', 'lostOld', 'wonOld'] as const
type Name = (typeof NAMES)[number]

let world: BillingWorld
const companies = {} as Record<Name, Company>
const chapters = {} as Record<Name, () => Promise<Chapter>>
/** March, February. */
const payments = {} as Record<Name, [Paid, Paid]>
interface Paid {
  id: string
  pagoMercadoPago: string
}
const ending = new AsyncDisposableStack()
after(() => ending.disposeAsync())
before(async () => {
  // 10:00 in Mexico City.
  world = await startBillingWorld({ after: (end) => ending.defer(end) }, { at: new Date('2027-02-01T16:00:00Z') })
  for (const name of NAMES) {
    companies[name] = await world.company({ plan: 'business' })
    chapters[name] = chaptersOf(world, companies[name])
  }
  await Promise.all(NAMES.map((name) => companies[name].authorise()))
  await to('2027-03-02T10:00')
  for (const name of NAMES) {
    const list = await ok(world.product.staff.get(`/api/subscriptions/${companies[name].id}/payments`))
    payments[name] = list.json().datos
    assert.deepEqual((await chapters[name]()).payments, ['approved 650.00 02-01–03-01', 'approved 650.00 03-01–04-01'])
  }
})

/** To a moment of Mexico City. */
const to = (local: string) => world.advance({ until: new Date(`${local}:00-06:00`) })
async function refund(name: Name, { id }: Paid, importe: string | null): Promise<void> {
  const url = `/api/subscriptions/${companies[name].id}/payments/${id}/reembolsar`
  const { estado, reembolsos } = (await ok(world.product.staff.post(url, { importe, motivo: 'Acuerdo' }))).json()
  // Nothing went back yet: MercadoPago is asked, and says so.
  assert.deepEqual([estado, reembolsos[0].estado], ['approved', 'solicitado'])
  await world.settle()
}
const APRIL: Omit<Chapter, 'now'> = {
  log: [
    '03-26 08:00 aviso_renovacion → activa',
    '03-31 06:00 preparar_cobro → activa',
    '04-01 12:00 pago_aprobado → activa',
  ],
  mails: ['aviso_renovacion', 'pago_confirmado'],
  invoices: ['04-01 paid 650.00'],
  payments: ['approved 650.00 04-01–05-01'],
}

test('all of the running month given back: it is to be paid again', async () => {
  await refund('refunded', payments.refunded[0], null)
  assert.deepEqual(await chapters.refunded(), {
    now: 'pendiente_pago/reembolso full 2027-03-01',
    log: ['03-02 10:00 pago_reembolsado → pendiente_pago'],
    mails: ['pago_reembolsado'],
    invoices: ['03-01 open 650.00'],
    payments: ['refunded 650.00 −650.00 03-01–04-01'],
    commands: ['refund done'],
  })
})

test('a part of it, or all of an old month: the books say so, and nothing is taken away', async () => {
  await refund('refundedPart', payments.refundedPart[0], '100.00')
  assert.deepEqual(await chapters.refundedPart(), {
    now: 'activa full 2027-04-01',
    mails: ['pago_reembolsado'],
    ledger: ['courtesy 100.00', 'refund -100.00'],
    payments: ['approved 650.00 −100.00 03-01–04-01'],
    commands: ['refund done'],
  })
  await refund('refundedOld', payments.refundedOld[1], null)
  assert.deepEqual(await chapters.refundedOld(), {
    now: 'activa full 2027-04-01',
    log: ['03-02 10:00 pago_reembolsado → activa'],
    mails: ['pago_reembolsado'],
    ledger: ['courtesy 650.00', 'refund -650.00'],
    payments: ['refunded 650.00 −650.00 02-01–03-01'],
    commands: ['refund done'],
  })
})

test('the running month charged back: read only at once; an old one: a debt, and no sanction', async () => {
  for (const name of ['lost', 'won'] as const) world.simulator.chargeBack(payments[name][0].pagoMercadoPago)
  for (const name of ['lostOld', 'wonOld'] as const) world.simulator.chargeBack(payments[name][1].pagoMercadoPago)
  await world.settle()
  for (const name of ['lost', 'won'] as const)
    assert.deepEqual(await chapters[name](), {
      now: 'grace_period/contracargo read_only 2027-03-01',
      log: ['03-02 10:00 contracargo → grace_period'],
      mails: ['gracia'],
      invoices: ['03-01 open 650.00'],
      payments: ['refunded 650.00 03-01–04-01'],
      alerts: ['contracargo'],
    })
  for (const name of ['lostOld', 'wonOld'] as const)
    assert.deepEqual(await chapters[name](), {
      now: 'activa full 2027-04-01',
      log: ['03-02 10:00 contracargo → activa'],
      ledger: ['chargeback -650.00'],
      payments: ['refunded 650.00 02-01–03-01'],
      alerts: ['contracargo'],
    })
})

test('decided for us it is as if nothing had been; decided against us nothing changes', async () => {
  await to('2027-03-05T10:00')
  for (const name of ['lost', 'won'] as const) world.simulator.resolve(payments[name][0].pagoMercadoPago, name)
  world.simulator.resolve(payments.lostOld[1].pagoMercadoPago, 'lost')
  world.simulator.resolve(payments.wonOld[1].pagoMercadoPago, 'won')
  await world.settle()
  assert.deepEqual(await chapters.won(), {
    now: 'activa full 2027-04-01',
    log: ['03-05 10:00 contracargo_ganado → activa'],
    mails: ['reactivada'],
    invoices: ['03-01 paid 650.00'],
    payments: ['approved 650.00 03-01–04-01'],
  })
  assert.deepEqual(await chapters.wonOld(), {
    now: 'activa full 2027-04-01',
    log: ['03-05 10:00 contracargo_ganado → activa'],
    ledger: ['chargeback_won 650.00'],
    payments: ['approved 650.00 02-01–03-01'],
  })
  assert.deepEqual(await chapters.lost(), { now: 'grace_period/contracargo read_only 2027-03-01' })
  assert.deepEqual(await chapters.lostOld(), { now: 'activa full 2027-04-01' })
})

test('in April each goes on as it should: with its month, with its debt, or out of its suspension', async () => {
  await to('2027-04-01T13:00')
  for (const name of ['refundedPart', 'refundedOld', 'won', 'wonOld'] as const)
    assert.deepEqual(await chapters[name](), { now: 'activa full 2027-05-01', ...APRIL })
  assert.deepEqual(await chapters.lostOld(), {
    now: 'activa full 2027-05-01',
    ...APRIL,
    ledger: ['applied_to_invoice 650.00'],
    invoices: ['04-01 paid 1300.00'],
    payments: ['approved 1300.00 04-01–05-01'],
    commands: ['set_amount 1300.00 done'],
  })
  assert.deepEqual(await chapters.refunded(), {
    now: 'activa full 2027-05-01',
    log: [
      '03-05 08:00 fin_pendiente → grace_period',
      '03-12 08:00 fin_gracia → suspendida',
      '04-01 12:00 pago_aprobado → activa',
    ],
    mails: ['gracia', 'suspendida', 'pago_confirmado', 'reactivada'],
    invoices: ['03-01 uncollectible 650.00', '04-01 paid 650.00'],
    payments: ['approved 650.00 04-01–05-01'],
  })
  assert.deepEqual(await chapters.lost(), {
    now: 'activa full 2027-05-01',
    log: ['03-12 08:00 fin_gracia → suspendida', '04-01 12:00 pago_aprobado → activa'],
    mails: ['suspendida', 'pago_confirmado', 'reactivada'],
    invoices: ['03-01 uncollectible 650.00', '04-01 paid 650.00'],
    payments: ['approved 650.00 04-01–05-01'],
  })
})
