import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { uuidv7 } from 'uuidv7'
import { type BillingWorld, type Company, ok, startBillingWorld } from '../../../test/support/billing-world.ts'
import { raiseAlert } from './queries.ts'

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

interface Pendiente {
  id: string
  codigo: string
  asignable: boolean
}

const list = async (query = '') => (await ok(world.product.staff.get(`/api/cobranza/bandeja?${query}`))).json()
const resolve = (id: string, nota: unknown = 'Visto') =>
  world.product.staff.post(`/api/cobranza/bandeja/${id}/resolver`, { nota })
const assign = (id: string, tenantId = company.id) =>
  world.product.staff.post(`/api/cobranza/bandeja/${id}/asignar`, { tenantId })

/** A payment that names nothing of ours, and the alert that its arrival raises. */
async function stray(change: object = {}) {
  const { central, clock } = world.product.deps
  const now = clock.now()
  const id = uuidv7()
  const row = {
    id,
    provider: 'mercadopago' as const,
    mp_payment_id: String(Number.parseInt(id.slice(-8), 16)),
    connector_id: world.connectorId,
    status: 'approved' as const,
    provider_status: 'approved',
    amount_c: 65_000n,
    unmatched: 'sin_relacion',
    paid_at: now,
    created_at: now,
    updated_at: now,
    ...change,
  }
  await central.insertInto('payments').values(row).execute()
  const detail = { motivo: row.unmatched, importeC: '65000', referencia: null, intentos: 2 }
  await raiseAlert(central, {
    code: 'pago_sin_relacion',
    severity: 'critica',
    key: id,
    at: now,
    paymentId: id,
    detail,
  })
  const alert = await central
    .selectFrom('billing_alerts')
    .select('id')
    .where('payment_id', '=', id)
    .executeTakeFirstOrThrow()
  return { paymentId: id, alertId: alert.id }
}

test('a payment that the simulator sends without any link of ours is in the inbox, in words', async () => {
  const payment = world.simulator.addForeignPayment(12_300n)
  await world.settle()
  // Our account paid it, nobody paid us: it is none of our business.
  assert.deepEqual((await list()).datos, [], String(payment.id))

  const { alertId, paymentId } = await stray()
  const [alert, ...more] = (await list()).datos
  assert.deepEqual(more, [])
  assert.deepEqual(
    [alert.id, alert.codigo, alert.gravedad, alert.veces, alert.asignable, alert.empresa, alert.resuelta],
    [alertId, 'pago_sin_relacion', 'critica', 1, true, null, null],
  )
  assert.deepEqual(alert.detalle, { motivo: 'sin_relacion', importe: '650.00', intentos: '2' })
  assert.deepEqual([alert.pago.id, alert.pago.importe, alert.pago.estado], [paymentId, '650.00', 'approved'])
  assert.match(alert.explicacion, /no sabemos de quién/)
})

test('assigned, it pays its company’s period once, and the inbox says who did', async () => {
  const [alert] = (await list()).datos
  const answers = await Promise.all([assign(alert.id), assign(alert.id)])
  assert.deepEqual(answers.map(({ statusCode }) => statusCode).toSorted(), [200, 409])
  const done = answers.find(({ statusCode }) => statusCode === 200)?.json()
  assert.deepEqual([done.aplicado, done.pendiente.asignable], ['periodo', false])
  assert.match(done.pendiente.resuelta.por, /^operador\./)
  assert.equal(done.pendiente.resuelta.nota, `Asignado a ${company.rfc}.`)
  const own = (await ok(company.get('/api/suscripciones/mi-suscripcion'))).json()
  assert.equal(own.estado, 'activa')
  assert.deepEqual(
    own.pagos.map(({ medio, importe }: { medio: string; importe: string }) => [medio, importe]),
    [['pago_unico', '650.00']],
  )
  assert.deepEqual(
    (await list('estado=resueltas')).datos.map(({ id }: Pendiente) => id),
    [alert.id],
  )
  const event = await world.product.deps.central
    .selectFrom('subscription_events')
    .select(['origin', 'actor_email'])
    .where('event', '=', 'pago_aprobado')
    .executeTakeFirstOrThrow()
  assert.equal(event.origin, 'staff')
})

test('money that is not enough stays the company’s balance', async () => {
  const { alertId } = await stray({ amount_c: 10_000n })
  // The next period was not paid yet; a hundred pesos do not pay it.
  assert.equal((await ok(assign(alertId))).json().aplicado, 'incompleto')
  const own = (await ok(company.get('/api/suscripciones/mi-suscripcion'))).json()
  assert.equal(own.credit, '100.00')
})

test('money that is not there, not ours, not pesos or gone again is refused, and stays in the inbox', async () => {
  const cases = [
    [{ status: 'pending' }, 'alerts.payment_status'],
    [{ status: 'rejected' }, 'alerts.payment_status'],
    [{ unmatched: 'cobrador_ajeno' }, 'alerts.payment_collector'],
    [{ currency: 'USD', unmatched: 'moneda' }, 'alerts.payment_currency'],
    [{ refunded_c: 100n }, 'alerts.payment_returned'],
  ] as const
  for (const [change, code] of cases) {
    const { alertId, paymentId } = await stray(change)
    const answer = await assign(alertId)
    assert.deepEqual([answer.statusCode, answer.json().code], [422, code])
    const { central } = world.product.deps
    const row = await central
      .selectFrom('payments')
      .select(['subscription_id', 'unmatched'])
      .where('id', '=', paymentId)
      .executeTakeFirstOrThrow()
    assert.equal(row.subscription_id, null)
    assert.ok(row.unmatched)
    assert.equal((await ok(resolve(alertId))).statusCode, 200)
  }
  const { alertId } = await stray()
  const nobody = await assign(alertId, '019adb4e-0000-7000-8000-000000000000')
  assert.deepEqual([nobody.statusCode, nobody.json().code], [404, 'subscription.not_found'])
  await ok(resolve(alertId))
})

test('what is resolved stays so, with the words of who did, and is counted on when it is seen again', async () => {
  const { central, clock } = world.product.deps
  const about = { severity: 'aviso' as const, key: 'uno', tenantId: company.id }
  await raiseAlert(central, { code: 'mandato_fantasma', ...about, at: clock.now() })
  const [open] = (await list('codigo=mandato_fantasma')).datos
  assert.equal(open.empresa.rfc, company.rfc)
  const refused = await assign(open.id)
  assert.deepEqual([refused.statusCode, refused.json().code], [422, 'alerts.not_assignable'])
  assert.equal((await resolve(open.id, '')).statusCode, 400)
  const done = (await ok(resolve(open.id, 'Era de prueba'))).json()
  assert.equal(done.resuelta.nota, 'Era de prueba')
  const twice = await resolve(open.id)
  assert.deepEqual([twice.statusCode, twice.json().code], [409, 'alerts.resolved'])
  await raiseAlert(central, { code: 'mandato_fantasma', ...about, at: clock.now() })
  assert.deepEqual((await list('codigo=mandato_fantasma')).datos, [])
  const [again] = (await list('codigo=mandato_fantasma&estado=resueltas')).datos
  assert.equal(again.veces, 2)
  const unknown = await resolve('019adb4e-0000-7000-8000-000000000000')
  assert.deepEqual([unknown.statusCode, unknown.json().code], [404, 'alerts.not_found'])
})

test('the inbox is read page by page, nothing twice and nothing left out', async () => {
  const { central, clock } = world.product.deps
  for (let i = 0; i < 5; i++)
    await raiseAlert(central, { code: 'pago_duplicado', severity: 'aviso', key: `p${i}`, at: clock.now() })
  const seen: string[] = []
  let cursor = ''
  do {
    const page = await list(`codigo=pago_duplicado&limite=2${cursor && `&cursor=${cursor}`}`)
    seen.push(...page.datos.map(({ id }: Pendiente) => id))
    cursor = page.siguiente
  } while (cursor)
  assert.equal(seen.length, 5)
  assert.deepEqual(seen, [...new Set(seen)].toSorted().toReversed())
  assert.equal((await world.product.staff.get('/api/cobranza/bandeja?cursor=abc')).statusCode, 400)
})
