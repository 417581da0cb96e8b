import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import { sql } from 'kysely'
import { asked } from '../../../test/support/billing-inbox.ts'
import { type BillingWorld, ok, startBillingWorld } from '../../../test/support/billing-world.ts'
import { until } from '../../../test/support/until.ts'

let world: BillingWorld
const ending = new AsyncDisposableStack()
after(() => ending.disposeAsync())
before(async () => {
  world = await startBillingWorld({ after: (end) => ending.defer(end) })
})
afterEach(() => world.simulator.clearFaults())

test('what was decided last is what MercadoPago is told last, however slow it is', async () => {
  const company = await world.company()
  const preapprovalId = await company.payByCard()
  const path = `/preapproval/${preapprovalId}`
  world.simulator.addFault({ fault: 'latency', ms: 1_500, route: 'GET /preapproval/:id', next: 1 })
  const before = asked(world, 'GET', path)
  await ok(company.send('PATCH', '/api/suscripciones/pausar', { body: {} }))
  await until(() => asked(world, 'GET', path) > before)
  await ok(company.send('PATCH', '/api/suscripciones/reanudar'))
  await world.settle()
  assert.equal(world.simulator.state.preapprovals.get(preapprovalId)?.status, 'authorized')
  const { estado, commands } = await company.story()
  assert.equal(estado, 'activa')
  assert.deepEqual(
    commands.filter((line) => line.endsWith('queued')),
    [],
  )
})

test('a refund whose worker died after MercadoPago had done it is not done again, not even days later', async () => {
  const company = await world.company()
  await company.payByCard()
  const { central } = world.product.deps
  const payment = await central
    .selectFrom('payments')
    .select(['id', 'mp_payment_id'])
    .where('subscription_id', '=', company.subscriptionId)
    .executeTakeFirstOrThrow()
  const mpId = payment.mp_payment_id ?? ''
  world.simulator.addFault({ fault: 'drop_webhook' })
  await world.withoutWorker(async () => {
    const url = `/api/subscriptions/${company.id}/payments/${payment.id}/reembolsar`
    await ok(world.product.staff.post(url, { importe: '100.00', motivo: 'Cortesía' }))
    const { id } = await central
      .selectFrom('refunds')
      .select('id')
      .where('payment_id', '=', payment.id)
      .executeTakeFirstOrThrow()
    // What the dead one did.
    const { gateway } = await world.product.deps.gateways.of(world.connectorId)
    await gateway.refundPayment(mpId, { amountC: 10_000n, idempotencyKey: id })
    await sql`update mp_commands set attempts = 1 where kind = 'refund' and state = 'queued'`.execute(central)
    // MercadoPago forgets the key, and its search shows nothing.
    world.simulator.configure({ index_payments: false })
    await world.advance({ days: 3 })
  })
  await world.advance({ minutes: 10 })
  world.simulator.configure({ index_payments: true })
  assert.equal(world.simulator.state.payments.get(mpId)?.refunds.length, 1)
  const { commands } = await company.story()
  assert.ok(commands.includes('refund done'))
  const refund = await central
    .selectFrom('refunds')
    .select('state')
    .where('payment_id', '=', payment.id)
    .executeTakeFirstOrThrow()
  assert.equal(refund.state, 'confirmed')
})
