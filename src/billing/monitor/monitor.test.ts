import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startProduct } from '../../../test/support/product.ts'
import { monitorBilling } from './monitor.ts'

test('whoever has not spoken with MercadoPago does not say that it is back', async (t) => {
  const { deps } = await startProduct(t, { worker: false })
  const now = deps.clock.now().getTime()
  const health = {
    connectorId: 'c',
    account: 'c',
    breaker: 'closed',
    consecutiveFailures: 0,
    calls: 1,
    failures: 0,
  } as const
  const look = async (...gateways: { unreachableSince: Date | null; lastAnswerAt: Date | null }[]) => {
    const stats = () => gateways.map((one) => ({ ...health, ...one }))
    const { findings } = await monitorBilling({ ...deps, gateways: { stats } })
    const alerts = await deps.central.selectFrom('billing_alerts').select(['code', 'resolved_at']).execute()
    return { findings, open: alerts.flatMap(({ code, resolved_at }) => (resolved_at ? [] : [code])) }
  }
  const away = { unreachableSince: new Date(now - 31 * 60_000), lastAnswerAt: null }
  const failing = { unreachableSince: new Date(now - 60_000), lastAnswerAt: null }
  const fresh = { unreachableSince: null, lastAnswerAt: null }
  const back = { unreachableSince: null, lastAnswerAt: new Date(now) }
  const isAway = { findings: ['mercadopago_fuera'], open: ['mercadopago_fuera'] }
  assert.deepEqual(await look(), { findings: [], open: [] })
  assert.deepEqual(await look(away), isAway)
  assert.deepEqual(await look(), isAway, 'horux billing monitor, which asks nobody')
  assert.deepEqual(await look(fresh), isAway, 'a worker that has just begun')
  assert.deepEqual(await look(failing, back), isAway, 'one that begun anew has not failed for half an hour')
  assert.deepEqual(await look(back), { findings: [], open: [] })
})
