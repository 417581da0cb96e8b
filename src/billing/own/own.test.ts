import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { uuidv7 } from 'uuidv7'
import { anyFreePort } from '../../../scripts/supervisor/ports.ts'
import { type BillingWorld, type Company, ok, startBillingWorld } from '../../../test/support/billing-world.ts'
import { payByTransfer } from '../../../test/support/pay-by-transfer.ts'
import type { Client } from '../../../test/support/product.ts'
import { registerServerAs } from '../../../test/support/register-server.ts'
import { until } from '../../../test/support/until.ts'
import { openAs } from '../../db/client.ts'

let world: BillingWorld
/** Paid from 1 to 30 June. */
let company: Company
const closers: (() => Promise<void>)[] = []
before(async () => {
  world = await startBillingWorld(
    { after: (close) => void closers.push(close) },
    { at: new Date('2027-06-01T16:00:00Z') },
  )
  company = await world.company({ plan: 'business' })
})
after(async () => {
  for (const close of closers.reverse()) await close()
})

const mine = async (client: Client = company) => (await ok(client.get('/api/suscripciones/mi-suscripcion'))).json()
const change = (body: object) => company.post('/api/suscripciones/mi-plan/cambiar', body)
const prorate = async (query: string) =>
  (await ok(company.get(`/api/suscripciones/calcular-prorrateo?${query}`))).json()
const patch = (url: string, body?: object) => company.send('PATCH', url, body ? { body } : {})
const at = (instant: string) => world.advance({ until: new Date(instant) })
const changes = () =>
  world.product.deps.central
    .selectFrom('plan_changes as c')
    .leftJoin('invoices as i', 'i.plan_change_id', 'c.id')
    .select(['c.id', 'c.to_plan', 'c.state', 'i.status as invoice', 'i.collect_c'])
    .where('c.subscription_id', '=', company.subscriptionId)
    .orderBy('c.id')
    .execute()
const pagesOf = (id: string) =>
  [...world.simulator.state.preferences.values()].filter(({ externalReference }) => externalReference === `up:${id}`)

test('a trial shows what it has, until when and what it would pay, and changes plan without paying', async () => {
  const { uso, plan, ...rest } = await mine()
  assert.deepEqual([plan.codigo, plan.nombre], ['business', 'Business'])
  assert.deepEqual(uso.usuarios, { usado: 1, limite: 3, modo: 'hard' })
  assert.deepEqual(uso.cfdis, { usado: 0, limite: 500, modo: 'hard' })
  assert.deepEqual(rest, {
    status: 'pending',
    estado: 'trial',
    motivo: null,
    access: 'full',
    amount: '650.00',
    frequency: 'mensual',
    current_period_start: null,
    current_period_end: null,
    paid_through: null,
    cancel_at: null,
    trial_end: '2027-06-15',
    mandate: null,
    credit: '0.00',
    tasa: '0.16',
    cortesia: false,
    limiteDePago: null,
    pausaHasta: null,
    accesoCambiaEn: null,
    porPagar: {
      importe: '650.00',
      fecha: '2027-06-15',
      periodo: { inicio: '2027-06-15', fin: '2027-07-15' },
      automatico: false,
    },
    cambioPendiente: null,
    facturas: [],
    pagos: [],
    instruccionesTransferencia: null,
  })

  const offer = await prorate('nuevo_plan=professional')
  assert.deepEqual(
    [offer.dias, offer.lineas, offer.neto, offer.cobro, offer.importeDespues],
    [null, [], '0.00', 'nada', '1250.00'],
  )
  const changed = await change({ plan: 'professional', frecuencia: 'anual' })
  assert.equal(changed.json().cambio.estado, 'aplicado', changed.body)
  const after = await mine()
  assert.deepEqual([after.estado, after.amount, after.frequency], ['trial', '12500.00', 'anual'])
  const same = await change({ plan: 'professional' })
  assert.deepEqual([same.statusCode, same.json().code], [409, 'subscription.plan_unchanged'])
  const unknown = await change({ plan: 'platino' })
  assert.deepEqual([unknown.statusCode, unknown.json().code], [422, 'plans.not_for_sale'])
  await ok(change({ plan: 'business', frecuencia: 'mensual' }))
})

test('what was paid stands with its invoice, its period and what comes next', async () => {
  await ok(
    world.product.staff.post(`/api/subscriptions/${company.id}/cancelar`, { inmediata: true, motivo: 'Empieza hoy' }),
  )
  const ended = await mine()
  assert.deepEqual([ended.estado, ended.access], ['cancelada', 'read_only'])
  assert.deepEqual([ended.porPagar.fecha, ended.porPagar.importe], [null, '650.00'])
  assert.ok(ended.accesoCambiaEn)
  const paymentId = await payByTransfer(world, company, '650.00')
  const { pagos, facturas, ...paid } = await mine()
  assert.deepEqual(
    [paid.status, paid.estado, paid.current_period_start, paid.current_period_end, paid.paid_through],
    ['authorized', 'activa', '2027-06-01', '2027-07-01', '2027-07-01'],
  )
  assert.deepEqual(paid.porPagar, {
    importe: '650.00',
    fecha: '2027-07-01',
    periodo: { inicio: '2027-07-01', fin: '2027-08-01' },
    automatico: false,
  })
  const [pago] = pagos
  assert.deepEqual(
    [pago.id, pago.medio, pago.estado, pago.importe, pago.periodo],
    [paymentId, 'transferencia', 'approved', '650.00', { inicio: '2027-06-01', fin: '2027-07-01' }],
  )
  const [factura] = facturas
  assert.deepEqual(
    [factura.estado, factura.importe, factura.base, factura.iva],
    ['pagada', '650.00', '560.34', '89.66'],
  )
  assert.deepEqual(factura.lineas, [
    {
      descripcion: 'Plan Business mensual, del 1 al 30 de junio de 2027',
      cantidad: 1,
      precioUnitario: '650.00',
      importe: '650.00',
    },
  ])
})

let pending: { cambio: { id: string; venceEn: string }; initPoint: string; importe: string }

test('an upgrade costs the two lines of billing.md 4.6, and waits on one page until it is paid', async () => {
  await at('2027-06-09T16:00:00Z')
  const offer = await prorate('nuevo_plan=professional')
  assert.deepEqual(offer.dias, { restantes: 22, periodo: 30 })
  assert.deepEqual(
    offer.lineas.map(({ importe }: { importe: string }) => importe),
    ['-476.67', '916.67'],
  )
  assert.deepEqual([offer.neto, offer.base, offer.iva], ['440.00', '379.31', '60.69'])
  assert.deepEqual(
    [offer.cobro, offer.importeAhora, offer.saldoAplicado, offer.importeDespues],
    ['ahora', '440.00', '0.00', '1250.00'],
  )
  assert.deepEqual(await changes().then((rows) => rows.filter(({ state }) => state === 'pendiente_pago')), [])

  const asked = await ok(change({ plan: 'professional' }))
  pending = asked.json()
  assert.deepEqual([asked.json().cambio.estado, pending.importe], ['pendiente_pago', '440.00'])
  assert.match(pending.cambio.venceEn, /^2027-06-12T16:/)
  const [page, ...more] = pagesOf(pending.cambio.id)
  assert.deepEqual(more, [])
  assert.equal(page?.amountC, 44_000n)
  assert.equal(page?.payerEmail, company.admin.email)
  assert.equal(page?.expiresAt?.toISOString(), pending.cambio.venceEn)

  const again = (await ok(change({ plan: 'professional' }))).json()
  assert.deepEqual([again.cambio.id, again.initPoint], [pending.cambio.id, pending.initPoint])
  assert.equal(pagesOf(pending.cambio.id).length, 1)
  const shown = await mine()
  assert.equal(shown.plan.codigo, 'business')
  assert.deepEqual(
    [shown.cambioPendiente.id, shown.cambioPendiente.importe, shown.cambioPendiente.initPoint],
    [pending.cambio.id, '440.00', pending.initPoint],
  )
})

test('another plan takes the place of the one that waits, and it can be taken back', async () => {
  const other = (await ok(change({ plan: 'enterprise' }))).json()
  assert.notEqual(other.cambio.id, pending.cambio.id)
  assert.deepEqual(
    (await changes()).slice(-2).map(({ to_plan, state, invoice }) => [to_plan, state, invoice]),
    [
      ['professional', 'descartado', 'void'],
      ['enterprise', 'pendiente_pago', 'open'],
    ],
  )
  const gone = await company.send('DELETE', '/api/suscripciones/mi-plan/cambiar')
  assert.equal(gone.statusCode, 204, gone.body)
  assert.equal((await mine()).cambioPendiente, null)
  const twice = await company.send('DELETE', '/api/suscripciones/mi-plan/cambiar')
  assert.deepEqual([twice.statusCode, twice.json().code], [404, 'subscription.no_pending_change'])
})

test('while MercadoPago is away the change waits without a page, and the next request brings one', async () => {
  const fault = world.simulator.addFault({ fault: 'http_503', route: 'POST /checkout/preferences' })
  const refused = await change({ plan: 'professional' })
  assert.equal(refused.statusCode, 503, refused.body)
  const shown = await mine()
  assert.deepEqual([shown.cambioPendiente.importe, shown.cambioPendiente.initPoint], ['440.00', null])
  world.simulator.removeFault(fault.id)
  const answers = await Promise.all([change({ plan: 'professional' }), change({ plan: 'professional' })])
  const [one, two] = answers.map((answer) => answer.json())
  assert.equal(one.cambio.id, shown.cambioPendiente.id)
  assert.deepEqual([two.cambio.id, two.initPoint], [one.cambio.id, one.initPoint])
  pending = one
})

test('paid, it begins; and the way down the same month leaves a balance that July uses', async () => {
  const page = pagesOf(pending.cambio.id).find(({ id }) => pending.initPoint.includes(id))
  const paid = world.simulator.payPreference(page?.id ?? '')
  assert.equal(paid.kind, 'paid')
  await until(async () => (await mine()).plan.codigo === 'professional')
  const up = await mine()
  assert.deepEqual([up.plan.codigo, up.cambioPendiente, up.credit], ['professional', null, '0.00'])

  await at('2027-06-20T16:00:00Z')
  const offer = await prorate('nuevo_plan=business')
  assert.deepEqual(
    [offer.neto, offer.base, offer.iva, offer.cobro, offer.importeAhora],
    ['-220.00', '-189.66', '-30.34', 'nada', '0.00'],
  )
  const down = (await ok(change({ plan: 'business' }))).json()
  assert.deepEqual([down.cambio.estado, down.initPoint, down.importe], ['aplicado', null, '0.00'])
  const after = await mine()
  assert.deepEqual([after.plan.codigo, after.credit], ['business', '220.00'])
  assert.equal(after.porPagar.importe, '430.00')
})

test('a plan that is too small for what is used is allowed, and says what is over', async () => {
  const { central } = world.product.deps
  const people = [1, 2].map((n) => ({ id: uuidv7(), email: `mas${n}.${company.id}@empresa.example`, nombre: 'Más' }))
  await central.insertInto('users').values(people).execute()
  const rows = people.map(({ id }) => ({ user_id: id, tenant_id: company.id, role: 'visor' as const }))
  await central.insertInto('memberships').values(rows).execute()
  const offer = await prorate('nuevo_plan=starter')
  assert.deepEqual(offer.excedentes, [{ recurso: 'usuarios', usado: 3, limite: 1 }])
  await central
    .deleteFrom('memberships')
    .where(
      'user_id',
      'in',
      people.map(({ id }) => id),
    )
    .execute()
})

test('where staff so decides, a difference waits for the renewal; a new interval is paid first all the same', async () => {
  const { staff } = world.product
  const rules = (await staff.get('/api/cobranza/politica')).json()
  const set = (cobroDeMejora: string) =>
    ok(
      staff.send('PUT', '/api/cobranza/politica', {
        body: { politica: { ...rules.politica, cobroDeMejora }, instruccionesTransferencia: 'CLABE 0123' },
      }),
    )
  await set('siguiente_renovacion')
  const offer = await prorate('nuevo_plan=enterprise')
  assert.deepEqual([offer.neto, offer.cobro, offer.importeAhora], ['825.00', 'siguiente_renovacion', '0.00'])
  const yearly = await prorate('nuevo_plan=business&frecuencia=anual')
  // 238.33 of June are not used, 220.00 lie in the balance.
  assert.deepEqual([yearly.neto, yearly.cobro, yearly.importeAhora], ['6261.67', 'ahora', '6041.67'])
  const applied = (await ok(change({ plan: 'enterprise' }))).json()
  assert.equal(applied.cambio.estado, 'aplicado')
  const after = await mine()
  assert.deepEqual([after.plan.codigo, after.credit], ['enterprise', '-605.00'])
  assert.deepEqual([after.porPagar.importe, after.instruccionesTransferencia], ['3505.00', 'CLABE 0123'])
  await set('pago_unico')
})

test('an admin pauses, resumes, cancels and thinks again, each in the log of the platform', async () => {
  const paused = (await ok(patch('/api/suscripciones/pausar', { hasta: '2027-08-01' }))).json()
  assert.deepEqual(
    [paused.estado, paused.motivo, paused.status, paused.access, paused.pausaHasta, paused.porPagar],
    ['pausada', 'usuario', 'paused', 'full', '2027-08-01', null],
  )
  const twice = await patch('/api/suscripciones/pausar', {})
  assert.deepEqual([twice.statusCode, twice.json().code], [409, 'subscription.estado_no_lo_permite'])
  const resumed = (await ok(patch('/api/suscripciones/reanudar'))).json()
  assert.deepEqual([resumed.estado, resumed.paid_through], ['activa', '2027-07-01'])
  const past = await patch('/api/suscripciones/pausar', { hasta: '2027-06-01' })
  assert.deepEqual([past.statusCode, past.json().code], [409, 'subscription.fecha_pasada'])

  const cancelled = (await ok(company.post('/api/suscripciones/cancelar', { motivo: 'Cerramos' }))).json()
  assert.deepEqual(
    [cancelled.status, cancelled.estado, cancelled.access, cancelled.cancel_at, cancelled.porPagar],
    ['cancelled', 'activa', 'full', '2027-07-01', null],
  )
  const change409 = await change({ plan: 'starter' })
  assert.deepEqual([change409.statusCode, change409.json().code], [409, 'subscription.cancelacion_programada'])
  const back = (await ok(company.post('/api/suscripciones/deshacer-cancelacion'))).json()
  assert.deepEqual([back.status, back.cancel_at], ['authorized', null])
  const none = await company.post('/api/suscripciones/deshacer-cancelacion')
  assert.deepEqual([none.statusCode, none.json().code], [409, 'subscription.sin_cancelacion'])

  const logged = await world.product.deps.central
    .selectFrom('audit_log')
    .select(['action', 'actor_email', 'detail'])
    .where('tenant_id', '=', company.id)
    .where('action', 'in', [
      'subscription.paused',
      'subscription.resumed',
      'subscription.cancelled',
      'subscription.cancellation_undone',
    ])
    .where('actor_email', '=', company.admin.email)
    .orderBy('id')
    .execute()
  assert.deepEqual(
    logged.map(({ action }) => action),
    ['subscription.paused', 'subscription.resumed', 'subscription.cancelled', 'subscription.cancellation_undone'],
  )
  assert.deepEqual(
    logged.map(({ detail }) => (detail as { motivo?: string }).motivo),
    [undefined, undefined, 'Cerramos', undefined],
  )
})

test('staff that looks into a company with leave to write acts as staff, and the history says so', async () => {
  const { staff, deps } = world.product
  const headers = { 'x-view-tenant': company.id }
  await ok(staff.post('/api/auth/vista', { tenant: company.id, motivo: 'Lo pidió por teléfono', escritura: true }))
  await ok(staff.send('PATCH', '/api/suscripciones/pausar', { body: {}, headers }))
  await ok(staff.send('PATCH', '/api/suscripciones/reanudar', { headers }))
  await ok(staff.send('DELETE', '/api/auth/vista'))
  const events = await deps.central
    .selectFrom('subscription_events')
    .select(['event', 'origin', 'actor_email'])
    .where('subscription_id', '=', company.subscriptionId)
    .where('event', 'in', ['pausar', 'reanudar'])
    .orderBy('id')
    .execute()
  assert.deepEqual(
    events.map(({ event, origin }) => [event, origin]),
    [
      ['pausar', 'owner'],
      ['reanudar', 'owner'],
      ['pausar', 'staff'],
      ['reanudar', 'staff'],
    ],
  )
  assert.match(events[2]?.actor_email ?? '', /^operador\./)
})

test('a company whose subscription is blocked still sees why, and what it may pay', async () => {
  await ok(world.product.staff.post(`/api/subscriptions/${company.id}/suspender`, { motivo: 'Revisión' }))
  const blocked = await mine()
  assert.deepEqual([blocked.estado, blocked.access, blocked.porPagar], ['suspendida', 'blocked', null])
  const refused = await patch('/api/suscripciones/reanudar')
  assert.deepEqual([refused.statusCode, refused.json().code], [409, 'subscription.estado_no_lo_permite'])
  assert.equal((await company.get('/api/cfdi')).statusCode, 402)
})

test('while its database is away, a company still sees its subscription', async () => {
  const { centralOwnerUrl } = world.product
  const away = { name: 'lejos', host: '127.0.0.1', port: await anyFreePort(), tls: 'off' as const }
  const serverId = await registerServerAs(centralOwnerUrl, { ...away, ownerCredential: 'local-owner' })
  const owner = await openAs(centralOwnerUrl)
  const move = 'update tenant_databases set server_id = $1, generation = generation + 1 where tenant_id = $2'
  await owner.query(move, [serverId, company.id])
  await owner.end()
  await until(async () => (await mine()).uso.cfdis.usado === null)
  const { uso, estado } = await mine()
  assert.deepEqual([estado, uso.usuarios.usado, uso.cfdis.usado], ['suspendida', 1, null])
})

test('from months to years the rest of the month counts, and the year begins with its payment', async () => {
  const yearly = await world.company({ plan: 'business' })
  await ok(world.product.staff.post(`/api/subscriptions/${yearly.id}/cancelar`, { inmediata: true, motivo: 'Hoy' }))
  await payByTransfer(world, yearly, '650.00')
  const paid = await mine(yearly)
  assert.deepEqual([paid.current_period_start, paid.current_period_end], ['2027-06-20', '2027-07-20'])
  const asked = (
    await ok(yearly.post('/api/suscripciones/mi-plan/cambiar', { plan: 'business', frecuencia: 'anual' }))
  ).json()
  // Nothing of the month is used yet: all of it is given back.
  assert.deepEqual([asked.cambio.estado, asked.importe, asked.prorrateo.neto], ['pendiente_pago', '5850.00', '5850.00'])
  const [page] = pagesOf(asked.cambio.id)
  assert.equal(world.simulator.payPreference(page?.id ?? '').kind, 'paid')
  await until(async () => (await mine(yearly)).frequency === 'anual')
  const year = await mine(yearly)
  assert.deepEqual(
    [year.frequency, year.amount, year.current_period_start, year.current_period_end, year.credit],
    ['anual', '6500.00', '2027-06-20', '2028-06-20', '0.00'],
  )
  assert.deepEqual(
    year.facturas.map(({ estado, importe }: { estado: string; importe: string }) => [estado, importe]),
    [
      ['pagada', '5850.00'],
      ['anulada', '5850.00'],
      ['pagada', '650.00'],
    ],
  )

  // Back to months: the year that is not used pays the first one, and the rest is balance.
  const back = (
    await ok(yearly.post('/api/suscripciones/mi-plan/cambiar', { plan: 'starter', frecuencia: 'mensual' }))
  ).json()
  assert.deepEqual([back.cambio.estado, back.importe, back.initPoint], ['aplicado', '0.00', null])
  const month = await mine(yearly)
  assert.deepEqual(
    [month.frequency, month.plan.codigo, month.current_period_start, month.current_period_end, month.credit],
    ['mensual', 'starter', '2027-06-20', '2027-07-20', '6150.00'],
  )
})
