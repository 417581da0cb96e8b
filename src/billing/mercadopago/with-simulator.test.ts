import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pino } from 'pino'
import { createPace } from '../../outbound/pace.ts'
import { openSimulator, SECRET } from '../../simulators/mercadopago/open-simulator.ts'
import { setMercadoPagoUrl } from './base-url.ts'
import { createGateway } from './create-gateway.ts'
import { verifySignature } from './signature.ts'

test('a mandate lives its life: made, authorised, charged, raised, refunded, cancelled twice', async (t) => {
  const { sim, received } = await openSimulator(t)
  setMercadoPagoUrl(sim.url)
  const log = pino({ level: 'silent' })
  const pace = createPace({ intervalMs: 0 })
  const gateway = createGateway({ accessToken: sim.accessToken, account: 'simulador', log, pace })
  const me = await gateway.whoAmI()
  const created = await gateway.createPreapproval({
    reason: 'Horux360 Profesional',
    externalReference: 'hx-0198c0de-1',
    payerEmail: 'ana@muebles.example',
    backUrl: 'http://localhost:3000/suscripcion/volver',
    frecuencia: 'mensual',
    amountC: 65050n,
  })
  assert.equal(created.status, 'pending')
  assert.ok(created.initPoint)

  sim.authorise(created.id, { email: 'ana@muebles.example', holder: 'APRO' })
  await sim.advance({ hours: 30 })
  const mandate = await gateway.getPreapproval(created.id)
  assert.equal(mandate.status, 'authorized')
  assert.equal(mandate.amountC, 65050n)

  const [begin, end] = [new Date('2026-01-31T00:00:00Z'), new Date('2026-02-03T00:00:00Z')]
  const { items, unreadable } = await gateway.searchPayments({ begin, end })
  assert.deepEqual(unreadable, [])
  const charge = items.find(({ preapprovalId }) => preapprovalId === created.id)
  assert.ok(charge)
  assert.equal(charge.collectorId, me.id)
  assert.deepEqual(
    [charge.status, charge.amountC, charge.sequence, charge.isValidation],
    ['approved', 65050n, 1, false],
  )
  assert.deepEqual(await gateway.getPayment(charge.id), charge)
  const instalments = await gateway.searchAuthorizedPayments({ paymentId: charge.id })
  assert.equal(instalments.items[0]?.payment?.id, charge.id)
  assert.equal(instalments.items[0]?.amountC, 65050n)
  const listed = await gateway.searchPreapprovals({ status: 'authorized' })
  assert.deepEqual([listed.items.map(({ id }) => id), listed.nextOffset], [[created.id], null])

  assert.equal((await gateway.updatePreapproval(created.id, { amountC: 90500n })).amountC, 90500n)
  const refund = { amountC: 10025n, idempotencyKey: 'clave-1' }
  const refunded = await gateway.refundPayment(charge.id, refund)
  assert.deepEqual(await gateway.refundPayment(charge.id, refund), refunded)
  assert.equal((await gateway.getPayment(charge.id)).refundedC, 10025n)
  for (const _ of ['once', 'again'])
    assert.equal((await gateway.updatePreapproval(created.id, { status: 'cancelled' })).status, 'cancelled')

  await sim.advance({ minutes: 5 })
  assert.ok(received.length > 0)
  for (const { query, headers, body } of received) {
    const delivery = { query: { 'data.id': query.getAll('data.id') }, headers, bodyDataId: body.data.id }
    const verdict = verifySignature(delivery, { current: SECRET, previous: null }, new Date('2026-02-01T22:00:00Z'))
    assert.equal(verdict.ok, true, JSON.stringify(verdict))
  }
})
