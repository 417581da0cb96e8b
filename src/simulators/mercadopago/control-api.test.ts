import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openSimulator, SECRET } from './open-simulator.ts'

test('a script in another process steers everything through /__sim', async (t) => {
  const { sim, call, create, payments, received } = await openSimulator(t)
  const post = async (path: string, body: unknown = {}) => {
    const answer = await call('POST', `/__sim/${path}`, body)
    assert.equal(answer.status, 200, `${path}: ${answer.text}`)
    return answer.body
  }
  const id = await create()
  assert.equal((await post(`mandates/${id}/authorise`, { holder: 'FUND' })).kind, 'refused')
  assert.equal((await post(`mandates/${id}/authorise`, { script: ['APRO'] })).kind, 'authorized')
  assert.deepEqual(await post('clock', { advance: { hours: 1 } }), { ahora: '2026-01-31T16:00:00.000Z', steps: 1 })
  assert.deepEqual((await call('GET', '/__sim/clock')).body, { ahora: '2026-01-31T16:00:00.000Z' })
  const payment = payments()[0]?.id
  assert.equal((await post(`payments/${payment}/refund`, { amount: '50.25' })).amountC, '50.25')
  await post(`payments/${payment}/dispute`)
  await post(`payments/${payment}/resolve`, { outcome: 'won' })
  assert.equal((await post(`payments/${payment}/chargeback`)).status, 'new')
  await post(`mandates/${id}/pause`)
  await post(`mandates/${id}/resume`)
  await post(`mandates/${id}/card`, { holder: 'FUND' })
  await post(`mandates/${id}/script`, { script: ['OTHE'] })
  assert.deepEqual(await post(`mandates/${id}/charge`), { charged: true })
  assert.equal(payments()[1]?.statusDetail, 'cc_rejected_other_reason')
  assert.equal((await post(`mandates/${id}/cancel`)).status, 'cancelled')
  const waiting = await create()
  assert.equal((await post(`mandates/${waiting}/reject`)).kind, 'refused')
  assert.equal((await post('foreign-payment', { amount: '12.30' })).kind, 'foreign')
  const { body } = await call('POST', '/checkout/preferences', { items: [{ title: 'x', quantity: 1, unit_price: 5 }] })
  assert.equal((await post(`preferences/${body.id}/pay`, { holder: 'APRO' })).kind, 'paid')
  await post('clock', { set: '2026-05-01T00:00:00-06:00' })
  assert.equal(sim.now().toISOString(), '2026-05-01T06:00:00.000Z')
  await post('clock', { advance: { until: '2026-05-02T00:00:00-06:00' } })

  await post('settle')
  const deliveries = (await call('GET', '/__sim/deliveries')).body
  assert.equal(deliveries.length, received.length)
  await post(`deliveries/${deliveries[0].id}/replay`, { same_request_id: true })
  await post(`deliveries/${deliveries[0].id}/resend`, { query: 'data.id=otro' })
  await post('forge', { topic: 'payment', resourceId: '1', signing: { mode: 'none' } })
  await post('settle')
  assert.equal(received.length, deliveries.length + 3)

  const fault = await post('faults', { fault: 'latency', ms: 1 })
  assert.equal((await call('GET', '/__sim/faults')).body.length, 1)
  assert.deepEqual((await call('DELETE', `/__sim/faults/${fault.id}`)).body, [])
  await post('faults', { fault: 'latency', ms: 1 })
  assert.deepEqual((await call('DELETE', '/__sim/faults')).body, [])
  assert.equal((await post('settings', { ts_unit: 'ms' })).ts_unit, 'ms')
  assert.equal((await call('GET', '/__sim/settings')).body.debit_hour, 12)
  assert.equal((await post('account', { nickname: 'HORUX360' })).nickname, 'HORUX360')
  const tabs = await post('tabs', { name: 'test', tab: { url: 'http://localhost:3000/x', secret: SECRET } })
  assert.deepEqual(tabs.test, { url: 'http://localhost:3000/x' })

  const state = await call('GET', '/__sim/state')
  assert.equal(state.body.preapprovals.length, 2)
  assert.equal(state.body.payments[1].amountC, '650.50')
  assert.ok(!state.text.includes(SECRET))
  assert.ok((await call('GET', '/__sim/requests')).body.length > 0)
  await post('reset')
  assert.equal(sim.state.preapprovals.size, 0)
})

test('what it does not understand it refuses and says why', async (t) => {
  const { call, create } = await openSimulator(t)
  const id = await create()
  for (const [path, body] of [
    ['clock', { advance: { days: -1 } }],
    ['clock', { set: 'mañana' }],
    ['clock', '{'],
    ['faults', { fault: 'otra' }],
    ['faults', { fault: 'latency', cada: 3 }],
    ['faults', { fault: 'latency', probability: 2 }],
    ['settings', { otro: true }],
    ['settings', { debit_hour: 24 }],
    ['tabs', { name: 'x', tab: null }],
    ['foreign-payment', { amount: 12 }],
    ['forge', {}],
    [`mandates/${id}/fly`, {}],
    [`mandates/${id}/resume`, {}],
    [`mandates/${id}/card`, {}],
    ['payments/1/refund', { amount: '-1' }],
  ] as const) {
    const answer = await call('POST', `/__sim/${path}`, body)
    assert.equal(answer.status, 400, `${path} ${JSON.stringify(body)}`)
    assert.notEqual(answer.body.message, '')
  }
  for (const path of ['mandates/x/pause', 'payments/1/dispute', 'deliveries/0/replay', 'preferences/x/pay'])
    assert.equal((await call('POST', `/__sim/${path}`, {})).status, 404, path)
})
