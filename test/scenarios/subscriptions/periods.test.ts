import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type BillingWorld, type Company, ok, startBillingWorld } from '../../support/billing-world.ts'
import { type Chapter, chaptersOf } from '../../support/chapters.ts'

// Four companies that begin on the last day of August 2027, before a leap year. Each test goes on where the one before
// ended.

let world: BillingWorld
let monthly: Company
let yearly: Company
/** In the border region: IVA of 8 %. */
let border: Company
/** From months to years and back. */
let switcher: Company
const tell = new Map<Company, () => Promise<Chapter>>()
const ending = new AsyncDisposableStack()
after(() => ending.disposeAsync())
before(async () => {
  // 09:00 in Mexico City.
  world = await startBillingWorld({ after: (end) => ending.defer(end) }, { at: new Date('2027-08-31T15:00:00Z') })
  monthly = await world.company({ plan: 'business' })
  yearly = await world.company({ plan: 'business' })
  border = await world.company({ plan: 'business' })
  switcher = await world.company({ plan: 'business' })
  for (const company of [monthly, yearly, border, switcher]) tell.set(company, chaptersOf(world, company))
})

/** To a moment of Mexico City. */
const to = (local: string) => world.advance({ until: new Date(`${local}:00-06:00`) })
const chapter = (company: Company) => tell.get(company)?.()
const mine = async (company: Company) => (await ok(company.get('/api/suscripciones/mi-suscripcion'))).json()
const change = async (company: Company, body: object) =>
  (await ok(company.post('/api/suscripciones/mi-plan/cambiar', body))).json()

/** Pays a change of plan on the page that its answer names. */
async function payChange({ initPoint }: { initPoint: string }): Promise<void> {
  assert.equal(world.simulator.payPreference(new URL(initPoint).searchParams.get('pref_id') ?? '').kind, 'paid')
  await world.settle()
}

const began = ['08-31 09:00 trial_iniciado → trial']
const authorised = [
  '08-31 09:00 checkout_iniciado → trial',
  '08-31 09:00 mandato_autorizado → trial',
  '08-31 10:00 pago_aprobado → activa',
]

test('a month and a year begin with the day on which the card was charged', async () => {
  await ok(world.product.staff.send('PATCH', `/api/subscriptions/${border.id}`, { body: { tasa: '0.08' } }))
  for (const company of [monthly, border, switcher]) await company.authorise()
  await yearly.authorise({ frecuencia: 'anual' })
  await world.advance({ hours: 2 })
  for (const company of [monthly, border, switcher])
    assert.deepEqual(await chapter(company), {
      now: 'activa full 2027-09-30',
      log: [...began, ...authorised],
      mails: ['pago_confirmado'],
      invoices: ['08-31 paid 650.00'],
      payments: ['approved 650.00 08-31–09-30'],
    })
  assert.deepEqual(await chapter(yearly), {
    now: 'activa full 2028-08-31',
    log: [...began, '08-31 09:00 cambiar_plan → trial', ...authorised],
    mails: ['pago_confirmado'],
    invoices: ['08-31 paid 6500.00'],
    payments: ['approved 6500.00 08-31–08-31'],
  })
})

test('in the border region the same price holds another IVA', async () => {
  const taxes = async (company: Company) => {
    const [{ importe, base, iva }] = (await mine(company)).facturas
    return [importe, base, iva]
  }
  assert.deepEqual(await taxes(border), ['650.00', '601.85', '48.15'])
  assert.deepEqual(await taxes(monthly), ['650.00', '560.34', '89.66'])
})

test('from months to a year: half a month is given back, the year begins today and the card is let go', async () => {
  await to('2027-09-15T10:00')
  const asked = await change(switcher, { plan: 'business', frecuencia: 'anual' })
  assert.deepEqual(
    [asked.importe, asked.prorrateo.lineas.map((line: { importe: string }) => line.importe)],
    ['6175.00', ['-325.00', '6500.00']],
  )
  await payChange(asked)
  assert.deepEqual(await chapter(switcher), {
    now: 'activa full 2028-09-15',
    log: ['09-15 10:00 cambiar_plan → activa', '09-15 10:00 mandato_cancelado → activa'],
    mails: ['pago_confirmado'],
    ledger: ['proration_credit 325.00', 'applied_to_invoice -325.00'],
    invoices: ['cambio 09-15 void 6175.00', '09-15 paid 6175.00'],
    payments: ['approved 6175.00 09-15–09-15'],
    commands: ['cancel done'],
  })
})

test('and back: what is left of the year pays months until it is not enough, and only then is asked for more', async () => {
  await to('2027-10-15T10:00')
  const { cambio, importe, prorrateo } = await change(switcher, { plan: 'business', frecuencia: 'mensual' })
  assert.deepEqual(
    [cambio.estado, importe, prorrateo.lineas.map((line: { importe: string }) => line.importe)],
    ['aplicado', '0.00', ['-5967.21', '650.00']],
  )
  assert.deepEqual(await chapter(switcher), {
    now: 'activa full 2027-11-15',
    log: ['10-15 10:00 cambiar_plan → activa'],
    ledger: ['proration_credit 5967.21', 'applied_to_invoice -650.00'],
    invoices: ['10-15 paid 0.00'],
  })
  await to('2027-12-01T10:00')
  assert.deepEqual(await chapter(switcher), {
    now: 'activa full 2027-12-15',
    log: ['11-10 08:00 saldo_cubre → activa', '11-15 00:00 rodar → activa'],
    ledger: ['applied_to_invoice -650.00'],
    invoices: ['11-15 paid 0.00'],
  })
  assert.equal((await mine(switcher)).credit, '4667.21')
})

test('a yearly upgrade is divided by the days of its leap year', async () => {
  await to('2028-01-12T10:00')
  const asked = await change(yearly, { plan: 'professional' })
  assert.deepEqual(asked.prorrateo.dias, { restantes: 232, periodo: 366 })
  assert.deepEqual(
    [asked.importe, asked.prorrateo.lineas.map((line: { importe: string }) => line.importe)],
    ['3803.28', ['-4120.22', '7923.50']],
  )
  await payChange(asked)
  assert.deepEqual(await chapter(yearly), {
    now: 'activa full 2028-08-31',
    log: ['01-12 10:00 cambiar_plan → activa'],
    mails: ['pago_confirmado'],
    invoices: ['cambio 01-12 paid 3803.28'],
    payments: ['approved 3803.28'],
    commands: ['set_amount 12500.00 done'],
  })
})

test('a month that began on the 31st ends on the last day of each month, and never drifts', async () => {
  await to('2028-09-01T10:00')
  const days = [
    '09-30',
    '10-31',
    '11-30',
    '12-31',
    '01-31',
    '02-29',
    '03-31',
    '04-30',
    '05-31',
    '06-30',
    '07-31',
    '08-31',
  ]
  const notices = [
    '09-24',
    '10-25',
    '11-24',
    '12-25',
    '01-25',
    '02-23',
    '03-25',
    '04-24',
    '05-25',
    '06-24',
    '07-25',
    '08-25',
  ]
  const eves = [
    '09-29',
    '10-30',
    '11-29',
    '12-30',
    '01-30',
    '02-28',
    '03-30',
    '04-29',
    '05-30',
    '06-29',
    '07-30',
    '08-30',
  ]
  for (const company of [monthly, border])
    assert.deepEqual(await chapter(company), {
      now: 'activa full 2028-09-30',
      log: days.flatMap((day, i) => [
        `${notices[i]} 08:00 aviso_renovacion → activa`,
        `${eves[i]} 06:00 preparar_cobro → activa`,
        `${day} 12:00 pago_aprobado → activa`,
      ]),
      mails: days.flatMap(() => ['aviso_renovacion', 'pago_confirmado']),
      invoices: days.map((day) => `${day} paid 650.00`),
      payments: days.map((day, i) => `approved 650.00 ${day}–${days[i + 1] ?? '09-30'}`),
    })
})

test('a year renews after a year, at the price of what it was changed to', async () => {
  assert.deepEqual(await chapter(yearly), {
    now: 'activa full 2029-08-31',
    log: [
      '08-25 08:00 aviso_renovacion → activa',
      '08-30 06:00 preparar_cobro → activa',
      '08-31 12:00 pago_aprobado → activa',
    ],
    mails: ['aviso_renovacion', 'pago_confirmado'],
    invoices: ['08-31 paid 12500.00'],
    payments: ['approved 12500.00 08-31–08-31'],
  })
})

test('the balance paid seven more months, and the first one that it could not pay whole was asked for by its rest', async () => {
  const months = ['12-15', '01-15', '02-15', '03-15', '04-15', '05-15', '06-15']
  const fivebefore = ['12-10', '01-10', '02-10', '03-10', '04-10', '05-10', '06-10']
  assert.deepEqual(await chapter(switcher), {
    now: 'cancelada/impago read_only 2028-07-15',
    log: [
      ...months.flatMap((day, i) => [`${fivebefore[i]} 08:00 saldo_cubre → activa`, `${day} 00:00 rodar → activa`]),
      '07-10 08:00 aviso_vencimiento → activa',
      '07-14 06:00 preparar_cobro → activa',
      '07-15 08:00 vence_periodo → pendiente_pago',
      '07-18 08:00 fin_pendiente → grace_period',
      '07-25 08:00 fin_gracia → suspendida',
      '08-24 08:00 fin_suspension → cancelada',
    ],
    mails: ['por_vencer_5d', 'pago_pendiente', 'gracia', 'suspendida', 'cancelada'],
    ledger: months.map(() => 'applied_to_invoice -650.00'),
    invoices: [...months.map((day) => `${day} paid 0.00`), '07-15 uncollectible 532.79'],
  })
  assert.equal((await mine(switcher)).credit, '117.21')
})
