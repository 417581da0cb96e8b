import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startBillingWorld } from '../../../test/support/billing-world.ts'

test('staff sees what reading again would change, then lets it, and a third time changes nothing', async (t) => {
  const { product, simulator, company } = await startBillingWorld(t)
  const { staff } = product
  const a = await company()
  await a.payByCard()
  const paid = [...simulator.state.payments.values()].find(
    ({ status, amountC }) => status === 'approved' && amountC > 0n,
  )
  assert.ok(paid)
  // Given back, and nobody tells us.
  simulator.addFault({ fault: 'drop_webhook' })
  simulator.refund(paid.id)
  await simulator.settled()

  const ask = (body: object) => staff.post('/api/cobranza/reprocesar', body)
  const looked = await ask({ recurso: `payment:${paid.id}` })
  assert.equal(looked.statusCode, 200, looked.body)
  const { aplicado, pagos, cambios } = looked.json()
  assert.deepEqual([aplicado, pagos], [false, ['applied']])
  const would = cambios.map(({ despues }: { despues: string }) => despues).join('\n')
  assert.match(would, /pendiente_pago reembolso/)
  assert.match(would, /pago_reembolsado/)
  assert.equal((await a.story()).estado, 'activa')

  assert.deepEqual((await ask({ recurso: `payment:${paid.id}`, aplicar: true })).json().cambios, cambios)
  assert.equal((await a.story()).estado, 'pendiente_pago')
  assert.deepEqual((await ask({ recurso: `payment:${paid.id}`, aplicar: true })).json().cambios, [])

  for (const body of [
    {},
    { recurso: 'payment:1; drop table' },
    { recurso: 'user:1' },
    { aviso: a.id, recurso: 'payment:1' },
  ])
    assert.equal((await ask(body)).statusCode, 400, JSON.stringify(body))
  assert.equal((await ask({ aviso: a.id })).json().code, 'replay.delivery_not_found')
  assert.equal((await ask({ recurso: 'payment:999999' })).json().code, 'gateway.not_found')
})
