import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type BillingWorld, type Company, ok, startBillingWorld } from '../../support/billing-world.ts'
import { type Chapter, chaptersOf } from '../../support/chapters.ts'

// Three companies side by side. Each test goes on where the one before ended.

let world: BillingWorld
/** Pays by transfer, more or less in time. */
let company: Company
let chapter: () => Promise<Chapter>
/** Is sent a link, and pays with it by card. */
let linked: Company
/** Pays once, and then when it is too late. */
let late: Company
let lateChapter: () => Promise<Chapter>
const ending = new AsyncDisposableStack()
after(() => ending.disposeAsync())
before(async () => {
  // 10:00 in Mexico City.
  world = await startBillingWorld({ after: (end) => ending.defer(end) }, { at: new Date('2027-01-04T16:00:00Z') })
  company = await world.company({ plan: 'business' })
  linked = await world.company({ plan: 'business' })
  late = await world.company({ plan: 'business' })
  chapter = chaptersOf(world, company)
  lateChapter = chaptersOf(world, late)
  for (const told of [chapter, lateChapter])
    assert.deepEqual(await told(), { now: 'trial full', log: ['01-04 10:00 trial_iniciado → trial'] })
})

/** To a moment of Mexico City. */
const to = (local: string) => world.advance({ until: new Date(`${local}:00-06:00`) })

/** What staff saw at the bank. @returns what it bought */
async function transfer({ id }: Company, fecha: string, importe: string, referencia: string): Promise<string> {
  const url = `/api/subscriptions/${id}/mark-paid`
  const answer = await ok(world.product.staff.post(url, { importe, fecha, referencia }))
  await world.settle()
  return answer.json().aplicado
}

test('a link that staff made is followed by anybody, once, and paid by card', async () => {
  await to('2027-01-06T10:00')
  const linkedChapter = chaptersOf(world, linked)
  const { url, importe } = (
    await ok(world.product.staff.post(`/api/subscriptions/${linked.id}/generate-link`, {}))
  ).json()
  assert.equal(importe, '650.00')
  const link = `/api/checkout/link/${url.split('/').at(-1)}`
  const { anonymous } = world.product
  const opened = (await ok(anonymous.get(link))).json()
  assert.deepEqual([opened.importe, opened.estado], ['650.00', 'vigente'])
  const pay = () => anonymous.post(`${link}/pago`, { correoPagador: 'paga@linked.example' })
  const { initPoint } = (await ok(pay())).json()
  assert.equal((await ok(pay())).json().initPoint, initPoint)
  world.simulator.authorise(new URL(initPoint).searchParams.get('preapproval_id') ?? '')
  await world.settle()
  assert.equal((await ok(anonymous.get(link))).json().estado, 'autorizado')
  const twice = await pay()
  assert.deepEqual([twice.statusCode, twice.json().code], [409, 'checkout.already_authorized'])
  await world.advance({ hours: 2 })
  assert.deepEqual(await linkedChapter(), {
    now: 'activa full 2027-02-06',
    log: [
      '01-04 10:00 trial_iniciado → trial',
      '01-06 10:00 checkout_iniciado → trial',
      '01-06 10:00 mandato_autorizado → trial',
      '01-06 11:00 pago_aprobado → activa',
    ],
    mails: ['enlace_pago', 'pago_confirmado'],
    invoices: ['01-06 paid 650.00'],
    payments: ['approved 650.00 01-06–02-06'],
  })
})

test('paid in the trial, the days of the trial are kept: from today to a month after its end', async () => {
  for (const [one, told] of [
    [company, chapter],
    [late, lateChapter],
  ] as const) {
    assert.equal(await transfer(one, '2027-01-06', '650.00', 'ENERO'), 'periodo')
    assert.deepEqual(await told(), {
      now: 'activa full 2027-02-18',
      log: ['01-06 12:00 pago_aprobado → activa'],
      mails: ['pago_confirmado'],
      invoices: ['01-06 paid 650.00'],
      payments: ['transferencia approved 650.00 01-06–02-18'],
    })
  }
})

test('five days before the end it is told, at the end it owes, three days later it only reads', async () => {
  await to('2027-02-18T07:59')
  assert.deepEqual(await chapter(), {
    now: 'activa full 2027-02-18',
    log: ['02-13 08:00 aviso_vencimiento → activa', '02-17 06:00 preparar_cobro → activa'],
    mails: ['por_vencer_5d'],
    invoices: ['02-18 open 650.00'],
  })
  await to('2027-02-23T09:00')
  assert.deepEqual(await chapter(), {
    now: 'grace_period/renovacion read_only 2027-02-18',
    log: ['02-18 08:00 vence_periodo → pendiente_pago', '02-21 08:00 fin_pendiente → grace_period'],
    mails: ['pago_pendiente', 'gracia'],
  })
})

test('paid late it has no days for free, and the same reference once more is the same payment', async () => {
  assert.equal(await transfer(company, '2027-02-23', '650.00', 'FEBRERO'), 'periodo')
  assert.deepEqual(await chapter(), {
    now: 'activa full 2027-03-18',
    log: ['02-23 09:00 pago_aprobado → activa'],
    mails: ['pago_confirmado', 'reactivada'],
    invoices: ['02-18 paid 650.00'],
    payments: ['transferencia approved 650.00 02-18–03-18'],
  })
  assert.equal(await transfer(company, '2027-02-23', '650.00', 'FEBRERO'), 'periodo')
  assert.deepEqual(await chapter(), { now: 'activa full 2027-03-18' })
})

test('too little buys nothing and is kept; with the rest it is enough', async () => {
  await to('2027-03-15T09:00')
  assert.equal(await transfer(company, '2027-03-15', '400.00', 'MARZO 1'), 'incompleto')
  assert.deepEqual(await chapter(), {
    now: 'activa full 2027-03-18',
    log: ['03-13 08:00 aviso_vencimiento → activa', '03-15 09:00 pago_aprobado → activa'],
    mails: ['por_vencer_5d'],
    ledger: ['incomplete_payment 400.00'],
    invoices: ['03-18 open 650.00'],
    payments: ['transferencia approved 400.00'],
    alerts: ['pago_incompleto'],
  })
  await to('2027-03-19T09:00')
  assert.deepEqual(await chapter(), {
    now: 'pendiente_pago/renovacion full 2027-03-18',
    log: ['03-17 06:00 preparar_cobro → activa', '03-18 08:00 vence_periodo → pendiente_pago'],
    mails: ['pago_pendiente'],
    invoices: ['03-18 open 250.00'],
  })
  assert.equal(await transfer(company, '2027-03-19', '250.00', 'MARZO 2'), 'periodo')
  assert.deepEqual(await chapter(), {
    now: 'activa full 2027-04-18',
    log: ['03-19 09:00 pago_aprobado → activa'],
    mails: ['pago_confirmado'],
    ledger: ['applied_to_invoice -400.00'],
    invoices: ['03-18 paid 250.00'],
    payments: ['transferencia approved 250.00 03-18–04-18'],
  })
})

test('suspended, its payment begins a month of its own and what it owed is not asked for any more', async () => {
  assert.deepEqual(await lateChapter(), {
    now: 'suspendida/renovacion blocked 2027-02-18',
    log: [
      '02-13 08:00 aviso_vencimiento → activa',
      '02-17 06:00 preparar_cobro → activa',
      '02-18 08:00 vence_periodo → pendiente_pago',
      '02-21 08:00 fin_pendiente → grace_period',
      '02-28 08:00 fin_gracia → suspendida',
    ],
    mails: ['por_vencer_5d', 'pago_pendiente', 'gracia', 'suspendida'],
    invoices: ['02-18 open 650.00'],
  })
  assert.equal(await transfer(late, '2027-03-19', '650.00', 'TARDE'), 'periodo')
  assert.deepEqual(await lateChapter(), {
    now: 'activa full 2027-04-19',
    log: ['03-19 09:00 pago_aprobado → activa'],
    mails: ['pago_confirmado', 'reactivada'],
    invoices: ['02-18 uncollectible 650.00', '03-19 paid 650.00'],
    payments: ['transferencia approved 650.00 03-19–04-19'],
  })
})

test('too much, ahead of time: the next month is paid, and what is over is asked for less the month after', async () => {
  await to('2027-04-01T09:00')
  assert.equal(await transfer(company, '2027-04-01', '1000.00', 'ABRIL'), 'periodo')
  assert.deepEqual(await chapter(), {
    now: 'activa full 2027-05-18',
    log: ['04-01 09:00 pago_aprobado → activa'],
    mails: ['pago_confirmado'],
    ledger: ['overpayment 350.00'],
    invoices: ['04-18 paid 650.00'],
    payments: ['transferencia approved 1000.00 04-18–05-18'],
  })
  // Paid ahead already: another one is kept, and a person asks what it was meant for.
  assert.equal(await transfer(company, '2027-04-01', '100.00', 'ABRIL 2'), 'credito')
  assert.deepEqual(await chapter(), {
    now: 'activa full 2027-05-18',
    log: ['04-01 09:00 pago_aprobado → activa'],
    ledger: ['duplicate_payment 100.00'],
    payments: ['transferencia approved 100.00'],
    alerts: ['pago_duplicado'],
  })
  await to('2027-05-18T09:00')
  assert.deepEqual(await chapter(), {
    now: 'pendiente_pago/renovacion full 2027-05-18',
    log: [
      '04-18 00:00 rodar → activa',
      '05-13 08:00 aviso_vencimiento → activa',
      '05-17 06:00 preparar_cobro → activa',
      '05-18 08:00 vence_periodo → pendiente_pago',
    ],
    mails: ['por_vencer_5d', 'pago_pendiente'],
    invoices: ['05-18 open 200.00'],
  })
  assert.equal(await transfer(company, '2027-05-18', '200.00', 'MAYO'), 'periodo')
  assert.deepEqual(await chapter(), {
    now: 'activa full 2027-06-18',
    log: ['05-18 09:00 pago_aprobado → activa'],
    mails: ['pago_confirmado'],
    ledger: ['applied_to_invoice -450.00'],
    invoices: ['05-18 paid 200.00'],
    payments: ['transferencia approved 200.00 05-18–06-18'],
  })
})

test('forty days after the end it is over, and a transfer is enough to begin anew', async () => {
  await to('2027-05-29T09:00')
  assert.deepEqual(await lateChapter(), {
    now: 'cancelada/impago read_only 2027-04-19',
    log: [
      '04-14 08:00 aviso_vencimiento → activa',
      '04-18 06:00 preparar_cobro → activa',
      '04-19 08:00 vence_periodo → pendiente_pago',
      '04-22 08:00 fin_pendiente → grace_period',
      '04-29 08:00 fin_gracia → suspendida',
      '05-29 08:00 fin_suspension → cancelada',
    ],
    mails: ['por_vencer_5d', 'pago_pendiente', 'gracia', 'suspendida', 'cancelada'],
    invoices: ['04-19 uncollectible 650.00'],
  })
  assert.equal(await transfer(late, '2027-05-29', '650.00', 'OTRA VEZ'), 'periodo')
  assert.deepEqual(await lateChapter(), {
    now: 'activa full 2027-06-29',
    log: ['05-29 09:00 pago_aprobado → activa'],
    mails: ['pago_confirmado', 'reactivada'],
    invoices: ['05-29 paid 650.00'],
    payments: ['transferencia approved 650.00 05-29–06-29'],
  })
})
