import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type BillingWorld, type Company, ok, startBillingWorld } from '../../support/billing-world.ts'
import { type Chapter, chaptersOf } from '../../support/chapters.ts'

// What people decide about nine companies that live side by side. Each test goes on where the one before ended.

const NAMES = [
  'expired', // its trial ends unpaid
  'paused', // pauses, and goes on within what it paid
  'atMp', // is paused at MercadoPago
  'pausedLong', // pauses, and goes on after what it paid
  'pausedUntil', // pauses until a day
  'held', // is suspended by staff
  'transfers', // cancels what it pays by transfer, and thinks again
  'card', // cancels what it pays by card, and thinks again
  'deleted',
] as const
type Name = (typeof NAMES)[number]

let world: BillingWorld
const companies = {} as Record<Name, Company>
const chapters = {} as Record<Name, () => Promise<Chapter>>
const mandates = {} as Record<Name, string>
const ending = new AsyncDisposableStack()
after(() => ending.disposeAsync())
before(async () => {
  // 10:00 in Mexico City.
  world = await startBillingWorld({ after: (end) => ending.defer(end) }, { at: new Date('2027-02-01T16:00:00Z') })
  for (const name of NAMES) {
    companies[name] = await world.company({ plan: 'business' })
    chapters[name] = chaptersOf(world, companies[name])
  }
  const byCard = NAMES.filter((name) => name !== 'expired' && name !== 'transfers')
  await Promise.all(byCard.map(async (name) => (mandates[name] = await companies[name].authorise())))
  await staff('transfers', 'mark-paid', { importe: '650.00', fecha: '2027-02-01', referencia: 'FEBRERO' })
  await world.advance({ hours: 2 })
  for (const name of NAMES) await chapters[name]()
})

/** To a moment of Mexico City. */
const to = (local: string) => world.advance({ until: new Date(`${local}:00-06:00`) })
async function staff(name: Name, deed: string, body: object): Promise<void> {
  await ok(world.product.staff.post(`/api/subscriptions/${companies[name].id}/${deed}`, body))
  await world.settle()
}
const own = (name: Name, verb: 'pausar' | 'reanudar', body?: object) =>
  ok(companies[name].send('PATCH', `/api/suscripciones/${verb}`, body ? { body } : {}))
const atMercadoPago = (name: Name) => world.simulator.state.preapprovals.get(mandates[name])?.status

const renewed = (notice: string, eve: string, day: string) => [
  `${notice} 08:00 aviso_renovacion → activa`,
  `${eve} 06:00 preparar_cobro → activa`,
  `${day} 12:00 pago_aprobado → activa`,
]
const MARCH: Omit<Chapter, 'now'> = {
  log: renewed('02-23', '02-28', '03-01'),
  mails: ['aviso_renovacion', 'pago_confirmado'],
  invoices: ['03-01 paid 650.00'],
  payments: ['approved 650.00 03-01–04-01'],
}

test('paused by its admin or at MercadoPago: everything stays open that is paid, and nothing is charged', async () => {
  await to('2027-02-10T10:00')
  await own('paused', 'pausar', { hasta: null })
  await own('pausedLong', 'pausar', { hasta: null })
  await own('pausedUntil', 'pausar', { hasta: '2027-02-18' })
  world.simulator.pause(mandates.atMp)
  await world.settle()
  for (const name of ['paused', 'pausedLong', 'pausedUntil'] as const) {
    assert.deepEqual(await chapters[name](), {
      now: 'pausada/usuario full 2027-03-01',
      log: ['02-10 10:00 pausar → pausada', '02-10 10:00 mandato_pausado → pausada'],
      mails: ['pausada'],
      commands: ['pause done'],
    })
    assert.equal(atMercadoPago(name), 'paused')
  }
  assert.deepEqual(await chapters.atMp(), {
    now: 'pausada/mp full 2027-03-01',
    log: ['02-10 10:00 mandato_pausado → pausada'],
    mails: ['pausada'],
  })
})

test('suspended by staff everything is closed at once, and the card is not let go', async () => {
  await staff('held', 'suspender', { motivo: 'Documentos en revisión' })
  assert.deepEqual(await chapters.held(), {
    now: 'suspendida/admin blocked 2027-03-01',
    log: ['02-10 10:00 suspender_admin → suspendida'],
    mails: ['suspendida'],
  })
  assert.equal(atMercadoPago('held'), 'authorized')
})

test('a company that is deleted is charged nothing more', async () => {
  const gone = await world.product.staff.send('DELETE', `/api/tenants/${companies.deleted.id}`)
  assert.ok(gone.statusCode < 300, gone.body)
  await world.advance({ minutes: 5 })
  assert.equal(atMercadoPago('deleted'), 'cancelled')
  const { central } = world.product.deps
  const of = central
    .selectFrom('subscriptions')
    .select(['estado', 'motivo'])
    .where('id', '=', companies.deleted.subscriptionId)
  assert.deepEqual(await of.executeTakeFirst(), { estado: 'cancelada', motivo: 'admin' })
})

test('cancelled, what is paid by transfer can be undone; what is paid by card needs a new checkout', async () => {
  for (const name of ['transfers', 'card'] as const)
    await ok(companies[name].post('/api/suscripciones/cancelar', { motivo: 'Lo pensamos' }))
  await world.settle()
  assert.deepEqual(await chapters.transfers(), {
    now: 'activa full 2027-03-15',
    log: ['02-10 10:05 cancelar_fin_periodo → activa'],
    mails: ['cancelada'],
  })
  assert.deepEqual(await chapters.card(), {
    now: 'activa full 2027-03-01',
    log: ['02-10 10:05 cancelar_fin_periodo → activa', '02-10 10:05 mandato_cancelado → activa'],
    mails: ['cancelada'],
    commands: ['cancel done'],
  })
  const undo = (name: Name) => companies[name].send('POST', '/api/suscripciones/deshacer-cancelacion')
  await ok(undo('transfers'))
  await world.settle()
  assert.deepEqual(await chapters.transfers(), {
    now: 'activa full 2027-03-15',
    log: ['02-10 10:05 deshacer_cancelacion → activa'],
  })
  const refused = await undo('card')
  assert.deepEqual([refused.statusCode, refused.json().code], [409, 'subscription.requires_checkout'])
  assert.deepEqual(await chapters.card(), { now: 'activa full 2027-03-01' })
})

test('a trial that nobody paid only reads, until staff extends it; then it is paid without losing the rest', async () => {
  await to('2027-02-15T10:00')
  assert.deepEqual(await chapters.expired(), {
    now: 'vencida/trial read_only',
    log: ['02-10 08:00 aviso_trial → trial', '02-15 07:00 fin_trial → vencida'],
    mails: ['trial_por_vencer', 'trial_vencido'],
  })
  await staff('expired', 'extender-trial', { hasta: '2027-02-25' })
  await to('2027-02-20T10:00')
  assert.deepEqual(await chapters.expired(), {
    now: 'trial full',
    log: ['02-15 10:00 extender_trial → trial', '02-20 08:00 aviso_trial → trial'],
    mails: ['reactivada', 'trial_por_vencer'],
  })
  await staff('expired', 'mark-paid', { importe: '650.00', fecha: '2027-02-20', referencia: 'FEBRERO' })
  assert.deepEqual(await chapters.expired(), {
    now: 'activa full 2027-03-25',
    log: ['02-20 10:00 pago_aprobado → activa'],
    mails: ['pago_confirmado'],
    invoices: ['02-20 paid 650.00'],
    payments: ['transferencia approved 650.00 02-20–03-25'],
  })
})

test('resumed within what is paid, it is the same month, and the next is charged on its day', async () => {
  assert.deepEqual(await chapters.pausedUntil(), {
    now: 'activa full 2027-03-01',
    log: ['02-18 08:00 fin_pausa → activa', '02-18 08:00 mandato_autorizado → activa'],
    commands: ['resume done'],
  })
  await own('paused', 'reanudar')
  world.simulator.resume(mandates.atMp)
  await world.settle()
  assert.deepEqual(await chapters.paused(), {
    now: 'activa full 2027-03-01',
    log: ['02-20 10:00 reanudar → activa', '02-20 10:00 mandato_autorizado → activa'],
    commands: ['resume done'],
  })
  assert.deepEqual(await chapters.atMp(), {
    now: 'activa full 2027-03-01',
    log: ['02-20 10:00 mandato_autorizado → activa'],
  })
  await to('2027-03-01T13:00')
  for (const name of ['paused', 'atMp', 'pausedUntil'] as const)
    assert.deepEqual(await chapters[name](), { now: 'activa full 2027-04-01', ...MARCH })
})

test('the card of a suspended company pays, which is credit and a matter for a person', async () => {
  assert.deepEqual(await chapters.held(), {
    now: 'suspendida/admin blocked 2027-03-01',
    log: ['03-01 12:00 pago_aprobado → suspendida'],
    ledger: ['late_payment 650.00'],
    payments: ['approved 650.00'],
    alerts: ['pago_con_suspension'],
  })
})

test('the cancelled and the deleted were charged nothing in March', async () => {
  assert.deepEqual(await chapters.card(), {
    now: 'cancelada/fin_periodo read_only 2027-03-01',
    log: ['02-24 08:00 aviso_vencimiento → activa', '03-01 00:00 cancelacion → cancelada'],
    mails: ['por_vencer_5d'],
  })
  for (const name of ['card', 'deleted', 'pausedLong'] as const) {
    const charged = [...world.simulator.state.payments.values()].filter(
      ({ preapprovalId, amountC }) => preapprovalId === mandates[name] && amountC > 0n,
    )
    assert.equal(charged.length, 1, name)
  }
})

test('resumed after what was paid, a new month begins today and waits for its money', async () => {
  await to('2027-03-05T10:00')
  assert.deepEqual(await chapters.pausedLong(), { now: 'pausada/usuario read_only 2027-03-01' })
  await own('pausedLong', 'reanudar')
  await world.settle()
  assert.deepEqual(await chapters.pausedLong(), {
    now: 'pendiente_pago/renovacion full 2027-03-01',
    log: ['03-05 10:00 reanudar → pendiente_pago', '03-05 10:00 mandato_autorizado → pendiente_pago'],
    mails: ['pago_pendiente', 'reactivada'],
    invoices: ['03-05 open 650.00'],
    commands: ['resume done'],
  })
})

test('given back its access until a day, it then uses up its credit before anybody is sanctioned', async () => {
  await staff('held', 'reactivar', { hasta: '2027-03-20', motivo: 'Aclarado' })
  assert.deepEqual(await chapters.held(), {
    now: 'activa full 2027-03-20',
    log: ['03-05 10:00 reactivar_admin → activa'],
    mails: ['reactivada'],
  })
  await to('2027-03-22T10:00')
  assert.deepEqual(await chapters.held(), {
    now: 'activa full 2027-04-20',
    log: [
      '03-14 08:00 aviso_renovacion → activa',
      '03-19 06:00 preparar_cobro → activa',
      // The card is charged on the first of the month, which is not when this month began.
      '03-21 08:00 saldo_cubre → activa',
      '03-21 08:00 rodar → activa',
    ],
    mails: ['aviso_renovacion'],
    ledger: ['applied_to_invoice -650.00'],
    invoices: ['03-20 paid 0.00'],
    commands: ['set_amount 100.00 done'],
  })
})
