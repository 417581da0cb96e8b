import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { startSimulator } from './simulator.ts'

test('a mandate is authorised, proves its card, and is debited an hour later and every month at noon', async (t) => {
  const { sim, hooks, create } = await open(t)
  const id = await create()
  sim.authorise(id)
  await sim.advance({ months: 3 })

  const payments = [...sim.state.payments.values()]
  assert.deepEqual(
    payments.map(({ kind, status, createdAt }) => [kind, status, createdAt.toISOString()]),
    [
      ['validation', 'approved', '2026-01-31T15:00:00.000Z'],
      ['subscription', 'approved', '2026-01-31T16:00:00.000Z'],
      ['subscription', 'approved', '2026-02-28T18:00:00.000Z'],
      ['subscription', 'approved', '2026-03-31T18:00:00.000Z'],
    ],
  )
  assert.ok(hooks.length > 8)
  assert.ok(sim.deliveries().every(({ state }) => state === 'delivered'))
})

async function open(t: TestContext) {
  const hooks: { url: URL; body: { data: { id: string } }; headers: Record<string, unknown> }[] = []
  const server = createServer(async (request, response) => {
    const body = await text(request)
    hooks.push({ url: new URL(request.url ?? '', 'http://x'), body: JSON.parse(body), headers: request.headers })
    response.end('ok')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const webhookUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/webhooks/mercadopago`
  const sim = await startSimulator({
    port: 0,
    frozen: true,
    at: new Date('2026-01-31T09:00:00-06:00'),
    webhookUrl,
    webhookSecret: 'secreto-de-prueba-1234',
  })
  t.after(async () => {
    await sim.close()
    server.close()
  })
  const create = async () => {
    const response = await fetch(`${sim.url}/preapproval/`, {
      method: 'POST',
      headers: { authorization: `Bearer ${sim.accessToken}` },
      body: JSON.stringify({
        reason: 'Horux360 plan pro',
        external_reference: 'sub-1',
        payer_email: 'ana@muebles.example',
        back_url: 'http://localhost:3000/volver',
        auto_recurring: { frequency: 1, frequency_type: 'months', transaction_amount: 650, currency_id: 'MXN' },
      }),
    })
    assert.equal(response.status, 201)
    return ((await response.json()) as { id: string }).id
  }
  return { sim, hooks, create }
}
