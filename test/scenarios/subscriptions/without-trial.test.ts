import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type BillingWorld, ok, startBillingWorld } from '../../support/billing-world.ts'

let world: BillingWorld
const ending = new AsyncDisposableStack()
before(async () => {
  world = await startBillingWorld({ after: (end) => void ending.defer(end) })
})
after(() => ending.disposeAsync())

test('who begins without a trial has the company at once, and seven days to pay for it', async () => {
  const payer = await world.company({ prueba: false })
  const idler = await world.company({ prueba: false })
  const born = await payer.story()
  assert.deepEqual([born.estado, born.motivo, born.access, born.mails], ['pendiente_pago', 'alta', 'full', []])

  await world.advance({ days: 2 })
  await ok(
    world.product.staff.post(`/api/subscriptions/${payer.id}/mark-paid`, {
      importe: '650.00',
      fecha: '2027-01-06',
      referencia: 'SPEI 1',
      evidencia: { banco: 'Banco' },
    }),
  )
  const paid = await payer.story()
  // From the day of the payment: what went before was a courtesy of the short window.
  assert.deepEqual(paid.invoices, ['periodo:2027-01-06 paid 65000'])
  assert.deepEqual([paid.estado, paid.paidUntil, paid.mails], ['activa', '2027-02-06', ['pago_confirmado']])

  await world.advance({ days: 6 })
  const left = await idler.story()
  assert.deepEqual([left.estado, left.motivo, left.access], ['vencida', 'alta_abandonada', 'read_only'])
  assert.deepEqual(left.events, ['alta_sin_trial→pendiente_pago', 'fin_pendiente→vencida'])
  assert.deepEqual(left.mails, [])
  await world.advance({ days: 31 })
  assert.equal((await idler.story()).access, 'blocked')
})
