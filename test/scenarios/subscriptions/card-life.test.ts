import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type BillingWorld, type Company, ok, startBillingWorld } from '../../support/billing-world.ts'
import { cfdiXml } from '../../support/cfdi-xml.ts'
import { type Chapter, chaptersOf } from '../../support/chapters.ts'
import { until } from '../../support/product.ts'

// One company that pays by card, from its first day to its second life. Each test goes on where the one before ended.

let world: BillingWorld
let company: Company
let chapter: () => Promise<Chapter>
let preapproval: string
const ending = new AsyncDisposableStack()
after(() => ending.disposeAsync())
before(async () => {
  // 10:00 in Mexico City.
  world = await startBillingWorld({ after: (end) => ending.defer(end) }, { at: new Date('2027-01-04T16:00:00Z') })
  company = await world.company({ plan: 'business' })
  chapter = chaptersOf(world, company)
})

/** To a moment of Mexico City. */
const to = (local: string) => world.advance({ until: new Date(`${local}:00-06:00`) })
const mine = async () => (await ok(company.get('/api/suscripciones/mi-suscripcion'))).json()
const invoices = async () => {
  const { facturas } = await mine()
  return facturas as { importe: string; base: string; iva: string; saldoAplicado: string; estado: string }[]
}

/** What the gate answers to reading and to writing. Other processes hear of a change a moment after its commit. */
async function assertGate(reading: string, writing: string): Promise<void> {
  const ask = async () => {
    const read = await company.get('/api/cfdi')
    const write = await company.post('/api/cfdi', cfdiXml({ emisor: { rfc: company.rfc } }))
    return [read, write].map((answer) => `${answer.statusCode} ${answer.json().code ?? ''}`.trim())
  }
  const wanted = [reading, writing]
  const isSo = async () => ((await ask()).join() === wanted.join() ? true : undefined)
  await until(`the gate to answer ${wanted.join(', ')}`, isSo).catch(async () => assert.deepEqual(await ask(), wanted))
}

test('a company begins with everything of its plan, and five days before the end of the trial it is told', async () => {
  assert.deepEqual(await chapter(), { now: 'trial full', log: ['01-04 10:00 trial_iniciado → trial'] })
  await assertGate('200', '200')
  await to('2027-01-14T09:00')
  assert.deepEqual(await chapter(), {
    now: 'trial full',
    log: ['01-13 08:00 aviso_trial → trial'],
    mails: ['trial_por_vencer'],
  })
})

test('the first charge begins the first month on its own day; authorising alone began nothing', async () => {
  preapproval = await company.authorise()
  const { status, estado, mandate } = await mine()
  assert.deepEqual([status, estado, mandate.status], ['authorized', 'trial', 'authorized'])
  await world.advance({ hours: 2 })
  assert.deepEqual(await chapter(), {
    now: 'activa full 2027-02-14',
    log: [
      '01-14 09:00 checkout_iniciado → trial',
      '01-14 09:00 mandato_autorizado → trial',
      '01-14 10:00 pago_aprobado → activa',
    ],
    mails: ['pago_confirmado'],
    invoices: ['01-14 paid 650.00'],
    payments: ['approved 650.00 01-14–02-14'],
  })
  const [first] = await invoices()
  assert.deepEqual([first?.importe, first?.base, first?.iva], ['650.00', '560.34', '89.66'])
})

test('three renewals: six days of notice, the invoice the morning before, the charge at midday', async () => {
  await to('2027-04-30T09:00')
  const renewal = (notice: string, prepared: string, charge: string) => [
    `${notice} 08:00 aviso_renovacion → activa`,
    `${prepared} 06:00 preparar_cobro → activa`,
    `${charge} 12:00 pago_aprobado → activa`,
  ]
  assert.deepEqual(await chapter(), {
    now: 'activa full 2027-05-14',
    log: [
      ...renewal('02-08', '02-13', '02-14'),
      ...renewal('03-08', '03-13', '03-14'),
      ...renewal('04-08', '04-13', '04-14'),
    ],
    mails: [
      'aviso_renovacion',
      'pago_confirmado',
      'aviso_renovacion',
      'pago_confirmado',
      'aviso_renovacion',
      'pago_confirmado',
    ],
    invoices: ['02-14 paid 650.00', '03-14 paid 650.00', '04-14 paid 650.00'],
    payments: ['approved 650.00 02-14–03-14', 'approved 650.00 03-14–04-14', 'approved 650.00 04-14–05-14'],
  })
})

test('a card without funds: told at once, everything open for three days, then read only', async () => {
  world.simulator.setScript(preapproval, ['FUND', 'FUND', 'FUND', 'FUND', 'FUND'])
  await to('2027-05-14T13:00')
  assert.deepEqual(await chapter(), {
    now: 'pendiente_pago/renovacion full 2027-05-14',
    log: [
      '05-08 08:00 aviso_renovacion → activa',
      '05-13 06:00 preparar_cobro → activa',
      '05-14 12:00 pago_rechazado → pendiente_pago',
    ],
    mails: ['aviso_renovacion', 'pago_fallido'],
    invoices: ['05-14 open 650.00'],
    payments: ['rejected 650.00'],
  })
  assert.equal((await mine()).limiteDePago, '2027-05-17T14:00:00.000Z')
  await assertGate('200', '200')

  await to('2027-05-17T09:00')
  assert.deepEqual(await chapter(), {
    now: 'grace_period/renovacion read_only 2027-05-14',
    log: ['05-15 12:00 pago_rechazado → pendiente_pago', '05-17 08:00 fin_pendiente → grace_period'],
    mails: ['pago_fallido', 'gracia'],
    payments: ['rejected 650.00'],
  })
  await assertGate('200', '402 subscription_read_only')
})

test('MercadoPago has tried for the last time the day before the door closes', async () => {
  await to('2027-05-24T09:00')
  assert.deepEqual(await chapter(), {
    now: 'suspendida/renovacion blocked 2027-05-14',
    log: [
      '05-17 12:00 pago_rechazado → grace_period',
      '05-20 12:00 pago_rechazado → grace_period',
      '05-23 12:00 pago_rechazado → grace_period',
      '05-24 08:00 fin_gracia → suspendida',
    ],
    mails: ['pago_fallido', 'pago_fallido', 'pago_fallido', 'suspendida'],
    payments: ['rejected 650.00', 'rejected 650.00', 'rejected 650.00'],
  })
  await assertGate('402 subscription_blocked', '402 subscription_blocked')
  assert.equal((await mine()).estado, 'suspendida')
})

test('the card pays again: the month of the grid that runs, and the unpaid one is written off', async () => {
  await to('2027-06-14T13:00')
  assert.deepEqual(await chapter(), {
    now: 'activa full 2027-07-14',
    log: ['06-14 12:00 pago_aprobado → activa'],
    mails: ['pago_confirmado', 'reactivada'],
    invoices: ['05-14 uncollectible 650.00', '06-14 paid 650.00'],
    payments: ['approved 650.00 06-14–07-14'],
  })
  await assertGate('200', '200')
})

test('an upgrade with 22 of 30 days left costs 440.00 now, and the card charges the new price from then on', async () => {
  await to('2027-06-22T10:00')
  const asked = await ok(company.post('/api/suscripciones/mi-plan/cambiar', { plan: 'professional' }))
  const { importe, prorrateo, initPoint } = asked.json()
  assert.deepEqual(
    [importe, prorrateo.base, prorrateo.iva, prorrateo.lineas.map((line: { importe: string }) => line.importe)],
    ['440.00', '379.31', '60.69', ['-476.67', '916.67']],
  )
  assert.equal((await mine()).plan.codigo, 'business')
  const page = new URL(initPoint).searchParams.get('pref_id') ?? ''
  assert.equal(world.simulator.payPreference(page).kind, 'paid')
  await world.settle()
  assert.deepEqual(await chapter(), {
    now: 'activa full 2027-07-14',
    log: ['06-22 10:00 cambiar_plan → activa'],
    mails: ['pago_confirmado'],
    invoices: ['cambio 06-22 paid 440.00'],
    payments: ['approved 440.00'],
    commands: ['set_amount 1250.00 done'],
  })
  const { plan, amount, credit } = await mine()
  assert.deepEqual([plan.codigo, amount, credit], ['professional', '1250.00', '0.00'])
  assert.equal(world.simulator.state.preapprovals.get(preapproval)?.amountC, 125_000n)
})

test('a downgrade with 11 of 30 days left is immediate, and the next charge is 220.00 lower', async () => {
  await to('2027-07-03T10:00')
  const asked = await ok(company.post('/api/suscripciones/mi-plan/cambiar', { plan: 'business' }))
  assert.equal(asked.json().cambio.estado, 'aplicado')
  await world.settle()
  assert.deepEqual(await chapter(), {
    now: 'activa full 2027-07-14',
    log: ['07-03 10:00 cambiar_plan → activa'],
    ledger: ['proration_credit 458.33', 'proration_charge -238.33'],
    commands: ['set_amount 430.00 done'],
  })
  await to('2027-07-14T13:00')
  assert.deepEqual(await chapter(), {
    now: 'activa full 2027-08-14',
    log: [
      '07-08 08:00 aviso_renovacion → activa',
      '07-13 06:00 preparar_cobro → activa',
      '07-14 12:00 pago_aprobado → activa',
    ],
    mails: ['aviso_renovacion', 'pago_confirmado'],
    ledger: ['applied_to_invoice -220.00'],
    invoices: ['07-14 paid 430.00'],
    payments: ['approved 430.00 07-14–08-14'],
  })
  await to('2027-08-14T13:00')
  assert.deepEqual(await chapter(), {
    now: 'activa full 2027-09-14',
    log: [
      '08-08 08:00 aviso_renovacion → activa',
      '08-13 06:00 preparar_cobro → activa',
      '08-14 12:00 pago_aprobado → activa',
    ],
    mails: ['aviso_renovacion', 'pago_confirmado'],
    invoices: ['08-14 paid 650.00'],
    payments: ['approved 650.00 08-14–09-14'],
    commands: ['set_amount 650.00 done'],
  })
})

test('cancelled: MercadoPago is told at once, what is paid is kept to its last day, and nothing more is charged', async () => {
  await ok(company.post('/api/suscripciones/cancelar', { motivo: 'Cerramos en septiembre' }))
  await world.settle()
  assert.deepEqual(await chapter(), {
    now: 'activa full 2027-09-14',
    log: ['08-14 13:00 cancelar_fin_periodo → activa', '08-14 13:00 mandato_cancelado → activa'],
    mails: ['cancelada'],
    commands: ['cancel done'],
  })
  assert.equal(world.simulator.state.preapprovals.get(preapproval)?.status, 'cancelled')
  const { status, cancel_at } = await mine()
  assert.deepEqual([status, cancel_at], ['cancelled', '2027-09-14'])
  await to('2027-09-13T23:59')
  await assertGate('200', '200')
  await to('2027-09-14T00:00')
  assert.deepEqual(await chapter(), {
    now: 'cancelada/fin_periodo read_only 2027-09-14',
    log: ['09-09 08:00 aviso_vencimiento → activa', '09-14 00:00 cancelacion → cancelada'],
    mails: ['por_vencer_5d'],
  })
  await assertGate('200', '402 subscription_read_only')
})

test('thirty days to read, then the door closes without anybody doing anything', async () => {
  await to('2027-10-13T23:59')
  await assertGate('200', '402 subscription_read_only')
  await to('2027-10-14T00:00')
  assert.deepEqual(await chapter(), { now: 'cancelada/fin_periodo blocked 2027-09-14' })
  await assertGate('402 subscription_blocked', '402 subscription_blocked')
})

test('it comes back by a new checkout, on a new day of the month', async () => {
  const again = await company.payByCard()
  assert.notEqual(again, preapproval)
  assert.deepEqual(await chapter(), {
    now: 'activa full 2027-11-14',
    log: [
      '10-14 00:00 checkout_iniciado → cancelada',
      '10-14 00:00 mandato_autorizado → cancelada',
      '10-14 01:00 pago_aprobado → activa',
    ],
    mails: ['pago_confirmado', 'reactivada'],
    invoices: ['10-14 paid 650.00'],
    payments: ['approved 650.00 10-14–11-14'],
  })
  await assertGate('200', '200')
})
