import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type BillingWorld, type Company, ok, startBillingWorld } from '../../../test/support/billing-world.ts'
import { byMercadoPago } from '../apply/cause.ts'
import type { Payment } from '../mercadopago/gateway.ts'
import { recordPayment } from './record-payment.ts'

let world: BillingWorld
let company: Company
let made = 0
const ending = new AsyncDisposableStack()
after(() => ending.disposeAsync())
before(async () => {
  world = await startBillingWorld({ after: (end) => ending.defer(end) })
  company = await world.company()
})

/** What MercadoPago says of a payment that names nothing of ours. */
function stray(change: Partial<Payment> = {}): Payment {
  const now = world.product.deps.clock.now()
  made += 1
  return {
    id: `9900${made}`,
    status: 'approved',
    rawStatus: 'approved',
    statusDetail: 'accredited',
    amountC: 65_000n,
    refundedC: 0n,
    currency: 'MXN',
    collectorId: null,
    externalReference: null,
    preapprovalId: null,
    method: 'visa',
    description: 'Pago',
    isValidation: false,
    dateCreated: now,
    dateApproved: now,
    lastUpdated: now,
    ...change,
  } as Payment
}

async function record(payment: Payment) {
  const { central, queue, clock } = world.product.deps
  const connector = await central
    .selectFrom('payment_connectors')
    .select(['id', 'own_account_id as ownAccountId'])
    .where('id', '=', world.connectorId)
    .executeTakeFirstOrThrow()
  const seen = { connector, payment: { ...payment, collectorId: connector.ownAccountId } }
  return central.transaction().execute((trx) => recordPayment(trx, { queue }, seen, byMercadoPago, clock.now()))
}

async function assign(payment: Payment) {
  const { datos } = (await ok(world.product.staff.get('/api/cobranza/bandeja'))).json()
  const alert = datos.find(({ pago }: { pago: { mpPaymentId?: string } | null }) => pago !== null)
  assert.ok(alert, `${payment.id} waits to be assigned`)
  await ok(world.product.staff.post(`/api/cobranza/bandeja/${alert.id}/asignar`, { tenantId: company.id }))
}

test('a payment that a person gave to a company is its own from then on, also when it is given back', async () => {
  const payment = stray()
  assert.equal(await record(payment), 'unmatched')
  await assign(payment)
  assert.equal((await company.story()).estado, 'activa')
  assert.equal(await record(payment), 'same')

  const gone = { ...payment, status: 'refunded', rawStatus: 'refunded', refundedC: 65_000n } as const
  assert.equal(await record(gone), 'applied')
  const { estado, motivo, mails } = await company.story()
  assert.deepEqual([estado, motivo], ['pendiente_pago', 'reembolso'])
  assert.ok(mails.includes('pago_reembolsado'))
  assert.equal(await record(gone), 'same')
})

test('what is known of a refund does not go back when an older answer comes later', async () => {
  const payment = stray()
  await record(payment)
  await assign(payment)
  const part = { ...payment, refundedC: 20_000n, statusDetail: 'partially_refunded' }
  assert.equal(await record({ ...part, refundedC: 30_000n }), 'applied')
  // Two refunds of one second.
  assert.equal(await record(part), 'stale')
  const row = await world.product.deps.central
    .selectFrom('payments')
    .select('refunded_c')
    .where('mp_payment_id', '=', payment.id)
    .executeTakeFirstOrThrow()
  assert.equal(row.refunded_c, '30000')
})
