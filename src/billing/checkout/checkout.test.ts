import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type BillingWorld, type Company, ok, startBillingWorld } from '../../../test/support/billing-world.ts'

let world: BillingWorld
const ending = new AsyncDisposableStack()
after(() => ending.disposeAsync())
before(async () => {
  world = await startBillingWorld({ after: (end) => ending.defer(end) })
})

const payer = 'pagos@ejemplo.mx'
const start = (company: Company, body: object = {}) =>
  company.post('/api/checkout/iniciar', { correoPagador: payer, ...body })
const idOf = (initPoint: string) => new URL(initPoint).searchParams.get('preapproval_id') ?? ''

const mandatesOf = ({ subscriptionId }: Company) =>
  world.product.deps.central
    .selectFrom('mp_mandates')
    .selectAll()
    .where('subscription_id', '=', subscriptionId)
    .orderBy('attempt')
    .execute()

const sold = ({ subscriptionId }: Company) =>
  world.product.deps.central
    .selectFrom('subscriptions')
    .select(['plan_code', 'plan_version', 'frecuencia', 'payer_email', 'estado'])
    .where('id', '=', subscriptionId)
    .executeTakeFirstOrThrow()

test('a checkout in a trial says what is charged and when, and keeps what MercadoPago made', async () => {
  const company = await world.company()
  const answer = (await ok(start(company))).json()
  const { initPoint, importe, plan, frecuencia, avisos } = answer
  assert.deepEqual({ importe, plan, frecuencia }, { importe: '650.00', plan: 'business', frecuencia: 'mensual' })
  assert.match(avisos[0], /^Tu prueba dura hasta el 17 de enero de 2027, pero el cargo se hace en cuanto autorizas/)
  assert.match(avisos.at(-1), /^Se cobran \$650\.00 MXN cada mes, hasta que canceles/)

  const [mandate, ...others] = await mandatesOf(company)
  assert.equal(others.length, 0)
  assert.equal(mandate?.preapproval_id, idOf(initPoint))
  assert.equal(mandate?.external_reference, `hx-${company.subscriptionId}-1`)
  assert.deepEqual(
    [mandate?.status, mandate?.amount_acked_c, mandate?.init_point, mandate?.payer_email],
    ['pending', '65000', initPoint, payer],
  )
  const made = world.simulator.state.preapprovals.get(idOf(initPoint))
  assert.equal(made?.reason, `Horux360 Business mensual ${company.rfc}`)
  assert.equal(made?.backUrl, 'http://localhost:3000/pago/regreso')
  assert.equal(made?.startAt, null)
  assert.equal((await sold(company)).payer_email, payer)
})
