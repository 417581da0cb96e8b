import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type BillingWorld, type Company, ok, startBillingWorld } from '../../support/billing-world.ts'
import { type Chapter, chaptersOf } from '../../support/chapters.ts'

// Four companies side by side. Each test goes on where the one before ended.

let world: BillingWorld
/** Has more people than its plan. */
let crowded: Company
/** Goes from a plan of 3,050.00 to one of 650.00 on the day on which it paid the first. */
let rich: Company
/** Pays by transfer, and by card from the last days of what it had paid. */
let early: Company
/** Was promised another price until the end of July. */
let special: Company
const tell = new Map<Company, () => Promise<Chapter>>()
const ending = new AsyncDisposableStack()
after(() => ending.disposeAsync())
before(async () => {
  // 09:00 in Mexico City.
  world = await startBillingWorld({ after: (end) => ending.defer(end) }, { at: new Date('2027-05-31T15:00:00Z') })
  crowded = await world.company({ plan: 'business' })
  await sellEnterpriseFor('3050.00')
  rich = await world.company({ plan: 'enterprise' })
  early = await world.company({ plan: 'business' })
  special = await world.company({ plan: 'business' })
  for (const company of [crowded, rich, early, special]) tell.set(company, chaptersOf(world, company))
})

/** To a moment of Mexico City. */
const to = (local: string) => world.advance({ until: new Date(`${local}:00-06:00`) })
const chapter = (company: Company) => tell.get(company)?.()
const mine = async (company: Company) => (await ok(company.get('/api/suscripciones/mi-suscripcion'))).json()
const staff = (company: Company, deed: string, body: object) =>
  ok(world.product.staff.post(`/api/subscriptions/${company.id}/${deed}`, body))

async function sellEnterpriseFor(precioMensual: string): Promise<void> {
  const { staff } = world.product
  const { datos } = (await ok(staff.get('/api/planes'))).json() as { datos: { codigo: string }[] }
  const sold = datos.find(({ codigo }) => codigo === 'enterprise') as Record<string, unknown>
  const { cobro, version, vigente, creadaEn, ...plan } = sold
  await ok(staff.send('PUT', '/api/planes', { body: { ...plan, precioMensual } }))
}

let people = 0
const invite = (company: Company) =>
  company.post('/api/usuarios/invite', {
    email: `persona.${++people}@empresa.example`,
    nombre: 'Persona',
    rol: 'contador',
  })

/** The last one in comes no more. */
async function dismiss(company: Company): Promise<void> {
  const { datos } = (await ok(company.get('/api/usuarios'))).json()
  await ok(company.send('DELETE', `/api/usuarios/${datos.at(-1).id}`))
}

test('a trial holds the people of its plan and no more; paid, each one more has a price that is told', async () => {
  for (let i = 0; i < 2; i++) assert.equal((await invite(crowded)).statusCode, 201)
  const refused = await invite(crowded)
  assert.deepEqual([refused.statusCode, refused.json().code], [402, 'limit_reached'])
  // Until the last day of July, which is the first of a month of this company.
  const promise = { tipo: 'precio', clave: 'mensual', valor: '500.00', hasta: '2027-07-31', motivo: 'Promoción' }
  await staff(special, 'excepciones', promise)
  await special.authorise()
  await crowded.authorise()
  await rich.authorise()
  const transfer = { importe: '650.00', fecha: '2027-05-31', referencia: 'MAYO' }
  assert.equal((await staff(early, 'mark-paid', transfer)).json().aplicado, 'periodo')
  await world.advance({ hours: 2 })
  await chapter(crowded)
  assert.deepEqual((await chapter(special))?.payments, ['approved 500.00 05-31–06-30'])
  assert.deepEqual((await chapter(rich))?.payments, ['approved 3050.00 05-31–06-30'])
  assert.equal((await chapter(early))?.now, 'activa full 2027-07-14')
  await ok(rich.post('/api/suscripciones/mi-plan/cambiar', { plan: 'business' }))
  await world.settle()
  assert.deepEqual(await chapter(rich), {
    now: 'activa full 2027-06-30',
    log: ['05-31 11:00 cambiar_plan → activa'],
    ledger: ['proration_credit 3050.00', 'proration_charge -650.00'],
    commands: ['set_amount 100.00 done'],
  })
  await to('2027-06-05T10:00')
  const invited = await ok(invite(crowded))
  assert.equal(invited.json().costoAdicional, '85.00')
})

test('the most people of any night are charged with the next month: 3, 4, 6, 5 are three beyond the plan', async () => {
  await to('2027-06-10T10:00')
  for (let i = 0; i < 2; i++) await ok(invite(crowded))
  await to('2027-06-20T10:00')
  await dismiss(crowded)
  const { usuarios, hastaHoy, proyectado } = (await ok(crowded.get('/api/uso/proyeccion'))).json()
  assert.deepEqual(
    [usuarios, hastaHoy, proyectado],
    [
      { actuales: 5, incluidos: 3, maximo: 6 },
      { usuarios: 3, importe: '255.00' },
      { usuarios: 3, importe: '255.00' },
    ],
  )
  await to('2027-06-30T13:00')
  assert.deepEqual(await chapter(crowded), {
    now: 'activa full 2027-07-31',
    log: [
      '06-24 08:00 aviso_renovacion → activa',
      '06-29 06:00 preparar_cobro → activa',
      '06-30 12:00 pago_aprobado → activa',
    ],
    mails: ['aviso_renovacion', 'pago_confirmado'],
    invoices: ['06-30 paid 905.00'],
    payments: ['approved 905.00 06-30–07-31'],
    commands: ['set_amount 905.00 done'],
  })
  const [invoice] = (await mine(crowded)).facturas
  assert.deepEqual(
    [invoice.importe, invoice.base, invoice.iva, invoice.lineas.map((line: { importe: string }) => line.importe)],
    ['905.00', '780.17', '124.83', ['650.00', '255.00']],
  )
})

test('a card authorised in the last days of what was paid pays the next month', async () => {
  await to('2027-07-11T10:00')
  await chapter(early)
  await early.authorise()
  await world.advance({ hours: 2 })
  assert.deepEqual(await chapter(early), {
    now: 'activa full 2027-08-14',
    log: [
      '07-11 10:00 checkout_iniciado → activa',
      '07-11 10:00 mandato_autorizado → activa',
      // Later than it should be, but no notice is left out.
      '07-11 10:00 aviso_renovacion → activa',
      '07-11 10:00 preparar_cobro → activa',
      '07-11 11:00 pago_aprobado → activa',
    ],
    mails: ['aviso_renovacion', 'pago_confirmado'],
    invoices: ['07-14 paid 650.00'],
    payments: ['approved 650.00 07-14–08-14'],
  })
  await to('2027-07-20T10:00')
  for (let i = 0; i < 3; i++) await ok(invite(early))
})

test('the month after, whoever stayed is charged again, and nobody who left', async () => {
  await to('2027-07-31T13:00')
  assert.deepEqual(await chapter(crowded), {
    now: 'activa full 2027-08-31',
    log: [
      '07-25 08:00 aviso_renovacion → activa',
      '07-30 06:00 preparar_cobro → activa',
      '07-31 12:00 pago_aprobado → activa',
    ],
    mails: ['aviso_renovacion', 'pago_confirmado'],
    invoices: ['07-31 paid 820.00'],
    payments: ['approved 820.00 07-31–08-31'],
    commands: ['set_amount 820.00 done'],
  })
})

test('a price of its own holds to its last day, and then the card charges that of the plan', async () => {
  await to('2027-08-31T13:00')
  const renewal = (notice: string, eve: string, day: string) => [
    `${notice} 08:00 aviso_renovacion → activa`,
    `${eve} 06:00 preparar_cobro → activa`,
    `${day} 12:00 pago_aprobado → activa`,
  ]
  assert.deepEqual(await chapter(special), {
    now: 'activa full 2027-09-30',
    log: [
      ...renewal('06-24', '06-29', '06-30'),
      ...renewal('07-25', '07-30', '07-31'),
      ...renewal('08-25', '08-30', '08-31'),
    ],
    mails: ['06', '07', '08'].flatMap(() => ['aviso_renovacion', 'pago_confirmado']),
    invoices: ['06-30 paid 500.00', '07-31 paid 500.00', '08-31 paid 650.00'],
    payments: ['approved 500.00 06-30–07-31', 'approved 500.00 07-31–08-31', 'approved 650.00 08-31–09-30'],
    commands: ['set_amount 650.00 done'],
  })
})

test('charged three days before each month begins, it is told six days before that, with the amount that is charged', async () => {
  await to('2027-09-11T13:00')
  assert.deepEqual(await chapter(early), {
    now: 'activa full 2027-10-14',
    log: [
      '07-14 00:00 rodar → activa',
      '08-05 08:00 aviso_renovacion → activa',
      '08-10 06:00 preparar_cobro → activa',
      '08-11 12:00 pago_aprobado → activa',
      '08-14 00:00 rodar → activa',
      '09-05 08:00 aviso_renovacion → activa',
      '09-10 06:00 preparar_cobro → activa',
      '09-11 12:00 pago_aprobado → activa',
    ],
    mails: ['aviso_renovacion', 'pago_confirmado', 'aviso_renovacion', 'pago_confirmado'],
    // The people of the month from July are known when it is over, which is when September is prepared.
    invoices: ['08-14 paid 650.00', '09-14 paid 735.00'],
    payments: ['approved 650.00 08-14–09-14', 'approved 735.00 09-14–10-14'],
    commands: ['set_amount 735.00 done'],
  })
  assert.equal((await mine(early)).credit, '0.00')
})

test('a credit of 2,400.00 is used up by a card that cannot be charged less than 100.00', async () => {
  await to('2027-12-01T10:00')
  const months = ['06-30', '07-31', '08-31', '09-30', '10-31', '11-30']
  const notices = ['06-24', '07-25', '08-25', '09-24', '10-25', '11-24']
  const eves = ['06-29', '07-30', '08-30', '09-29', '10-30', '11-29']
  const charged = ['100.00', '100.00', '100.00', '100.00', '450.00', '650.00']
  assert.deepEqual(await chapter(rich), {
    now: 'activa full 2027-12-31',
    log: months.flatMap((day, i) => [
      `${notices[i]} 08:00 aviso_renovacion → activa`,
      `${eves[i]} 06:00 preparar_cobro → activa`,
      `${day} 12:00 pago_aprobado → activa`,
    ]),
    mails: months.flatMap(() => ['aviso_renovacion', 'pago_confirmado']),
    // What is left: 1,850.00, 1,300.00, 750.00, 200.00, nothing.
    ledger: ['550.00', '550.00', '550.00', '550.00', '200.00'].map((amount) => `applied_to_invoice -${amount}`),
    invoices: months.map((day, i) => `${day} paid ${charged[i]}`),
    payments: months.map((day, i) => `approved ${charged[i]} ${day}–${months[i + 1] ?? '12-31'}`),
    commands: ['set_amount 450.00 done', 'set_amount 650.00 done'],
  })
})
