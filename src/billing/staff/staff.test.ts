import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type BillingWorld, type Company, ok, startBillingWorld } from '../../../test/support/billing-world.ts'
import { payByTransfer } from '../../../test/support/pay-by-transfer.ts'

let world: BillingWorld
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

const url = (deed = '') => `/api/subscriptions/${company.id}${deed && `/${deed}`}`
const detail = async () => (await ok(world.product.staff.get(url()))).json()
const order = (deed: string, body: object) => world.product.staff.post(url(deed), body)
const refusedAs = async (deed: string, body: object) => {
  const answer = await order(deed, body)
  return [answer.statusCode, answer.json().code]
}
const log = async () =>
  (
    await world.product.deps.central
      .selectFrom('audit_log')
      .select(['action', 'detail'])
      .where('tenant_id', '=', company.id)
      .where('action', 'like', 'subscription.%')
      .orderBy('id')
      .execute()
  ).map((row) => ({ action: row.action, detail: row.detail as Record<string, unknown> }))

test('a trial is extended, never into the past nor for a century, and says by whom', async () => {
  const longer = (await ok(order('extender-trial', { hasta: '2027-07-10' }))).json()
  assert.deepEqual([longer.estado, longer.trial_end, longer.empresa.rfc], ['trial', '2027-07-10', company.rfc])
  assert.deepEqual(await refusedAs('extender-trial', { hasta: '2027-06-01' }), [409, 'subscription.fecha_pasada'])
  assert.deepEqual(await refusedAs('extender-trial', { hasta: '2029-06-02' }), [422, 'subscription.too_far'])
  assert.deepEqual(await refusedAs('extender-trial', { hasta: '9999-12-31' }), [400, 'request.invalid'])
  assert.deepEqual(await refusedAs('extender-trial', { hasta: '2027-02-30' }), [400, 'request.invalid'])
  assert.deepEqual(
    (await log()).map(({ action, detail }) => [action, detail['hasta']]),
    [['subscription.trial_extended', '2027-07-10']],
  )
  const { central } = world.product.deps
  const event = await central
    .selectFrom('subscription_events')
    .select(['event', 'origin', 'actor_email', 'request_id'])
    .where('subscription_id', '=', company.subscriptionId)
    .orderBy('id', 'desc')
    .executeTakeFirstOrThrow()
  assert.deepEqual([event.event, event.origin], ['extender_trial', 'staff'])
  assert.match(event.actor_email ?? '', /^operador\./)
  assert.ok(event.request_id)
})

test('suspended by staff it is closed, and money meanwhile is balance that a person is told of', async () => {
  await payByTransfer(world, company, '650.00')
  assert.deepEqual(await refusedAs('suspender', {}), [400, 'request.invalid'])
  const held = (await ok(order('suspender', { motivo: 'Documentos falsos' }))).json()
  assert.deepEqual(
    [held.estado, held.motivo, held.access, held.suspendidaPorPersonal],
    ['suspendida', 'admin', 'blocked', true],
  )
  assert.deepEqual(await refusedAs('suspender', { motivo: 'Otra vez' }), [409, 'subscription.estado_no_lo_permite'])
  await payByTransfer(world, company, '650.00')
  const paid = await detail()
  assert.deepEqual([paid.estado, paid.credit], ['suspendida', '650.00'])
  assert.deepEqual(
    paid.movimientos.map(({ clase, importe }: { clase: string; importe: string }) => [clase, importe]),
    [['late_payment', '650.00']],
  )
  const [alert] = paid.pendientes
  assert.deepEqual([alert.codigo, alert.empresa.id, alert.asignable], ['pago_con_suspension', company.id, false])
  assert.match(alert.explicacion, /saldo a favor/)
})

test('only a courtesy lifts it, until a day, and is worth nothing', async () => {
  const given = (await ok(order('reactivar', { hasta: '2027-08-01', motivo: 'Aclarado' }))).json()
  assert.deepEqual(
    [given.estado, given.access, given.cortesia, given.paid_through, given.suspendidaPorPersonal],
    ['activa', 'full', true, '2027-08-01', false],
  )
  assert.deepEqual(await refusedAs('reactivar', { hasta: '2027-08-01', motivo: 'Otra' }), [
    409,
    'subscription.estado_no_lo_permite',
  ])
  const { value_after_c } = await world.product.deps.central
    .selectFrom('subscription_events')
    .select('value_after_c')
    .where('subscription_id', '=', company.subscriptionId)
    .orderBy('id', 'desc')
    .executeTakeFirstOrThrow()
  assert.equal(value_after_c, '0')
})

test('the border rate is the company’s own, and that of the plan comes back with null', async () => {
  const set = (tasa: unknown) => world.product.staff.send('PATCH', url(), { body: { tasa } })
  const border = (await ok(set('0.08'))).json()
  assert.deepEqual([border.tasa, border.tasaPropia, border.amount], ['0.08', '0.08', '650.00'])
  await ok(set('0.08'))
  const back = (await ok(set(null))).json()
  assert.deepEqual([back.tasa, back.tasaPropia], ['0.16', null])
  for (const wrong of ['0.10', 8, '', undefined]) assert.equal((await set(wrong)).statusCode, 400)
  assert.deepEqual(
    (await log())
      .filter(({ action }) => action === 'subscription.tax_rate')
      .map(({ detail }) => [detail['before'], detail['after']]),
    [
      [null, 800],
      [800, null],
    ],
  )
})

test('a permission to charge shows its account, its amounts and what MercadoPago is still to be told', async () => {
  const preapproval = await company.authorise()
  const { permisosDeCobro, mandate, correoPagador } = await detail()
  const [permiso] = permisosDeCobro
  assert.equal(permisosDeCobro.length, 1)
  assert.deepEqual(
    [permiso.preapproval, permiso.status, permiso.intento, permiso.fueAutorizado, permiso.canceladoPorNosotros],
    [preapproval, 'authorized', 1, true, null],
  )
  assert.deepEqual(permiso.conector, { id: world.connectorId, nombre: 'Simulador' })
  assert.deepEqual([mandate.id, mandate.status], [permiso.id, 'authorized'])
  assert.equal(correoPagador, company.admin.email)

  const fault = world.simulator.addFault({ fault: 'http_503', route: 'PUT /preapproval/:id' })
  const cancelled = (await ok(order('cancelar', { motivo: 'Lo pidió por teléfono' }))).json()
  assert.deepEqual(
    [cancelled.status, cancelled.estado, cancelled.cancel_at, cancelled.permisosDeCobro[0].canceladoPorNosotros],
    ['cancelled', 'activa', '2027-08-01', 'fin'],
  )
  assert.deepEqual(
    cancelled.ordenes.map(({ tipo }: { tipo: string }) => tipo),
    ['cancelar'],
  )
  world.simulator.removeFault(fault.id)
})

test('an immediate cancellation ends it now, and a scheduled one cannot be asked for twice', async () => {
  assert.deepEqual(await refusedAs('cancelar', { motivo: 'Otra vez' }), [409, 'subscription.cancelacion_programada'])
  const ended = (await ok(order('cancelar', { inmediata: true, motivo: 'Fraude' }))).json()
  assert.deepEqual([ended.estado, ended.motivo, ended.access], ['cancelada', 'admin', 'read_only'])
  assert.deepEqual(await refusedAs('cancelar', { inmediata: true, motivo: 'Fraude' }), [
    409,
    'subscription.estado_no_lo_permite',
  ])
})

test('a reading of MercadoPago is left for the worker, and a company that is not there is a 404', async () => {
  const answer = await order('sincronizar', {})
  assert.deepEqual([answer.statusCode, answer.json()], [202, { estado: 'en_cola' }])
  assert.ok((await log()).some(({ action }) => action === 'subscription.sync'))
  const nobody = '/api/subscriptions/019adb4e-0000-7000-8000-000000000000'
  const { staff } = world.product
  for (const answer of [
    await staff.get(nobody),
    await staff.send('PATCH', nobody, { body: { tasa: null } }),
    await staff.post(`${nobody}/suspender`, { motivo: 'Nadie' }),
    await staff.post(`${nobody}/sincronizar`),
  ])
    assert.deepEqual([answer.statusCode, answer.json().code], [404, 'subscription.not_found'])
})
