import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ok, startBillingWorld } from '../../../test/support/billing-world.ts'

test('people of a month are asked for once, by the plan of that time, also when a smaller plan comes later', async (t) => {
  const { product, advance, company } = await startBillingWorld(t)
  const a = await company({ plan: 'business' })
  await a.member('contador')
  await a.member('visor')
  const pay = async (fecha: string, referencia: string, importe: string) =>
    ok(
      product.staff.post(`/api/subscriptions/${a.id}/mark-paid`, {
        importe,
        fecha,
        referencia,
        evidencia: { banco: 'Banco' },
      }),
    )
  const owed = async () => (await a.get('/api/suscripciones/mi-suscripcion')).json().porPagar?.importe as string
  const seats = async () => {
    const { central } = product.deps
    const rows = await central
      .selectFrom('invoice_lines as l')
      .innerJoin('invoices as i', 'i.id', 'l.invoice_id')
      .select(['l.period_start', 'l.amount_c'])
      .where('i.subscription_id', '=', a.subscriptionId)
      .where('l.kind', '=', 'seats')
      .orderBy('l.period_start')
      .execute()
    return rows.map((row) => `${row.period_start} ${row.amount_c}`)
  }
  // Three people, three included: two months without any beyond the plan.
  await pay('2027-01-04', 'uno', '650.00')
  await advance({ until: new Date('2027-02-17T18:00:00Z') })
  await pay('2027-02-17', 'dos', await owed())
  await advance({ until: new Date('2027-03-20T18:00:00Z') })
  await pay('2027-03-20', 'tres', await owed())
  assert.deepEqual(await seats(), [])

  // Starter includes one: what runs now closes under it, what is over does not.
  await ok(a.post('/api/suscripciones/mi-plan/cambiar', { plan: 'starter' }))
  await advance({ until: new Date('2027-04-20T18:00:00Z') })
  await pay('2027-04-20', 'cuatro', await owed())
  // 350.00 + 2 × 85.00 − 280.64 of the change.
  assert.equal((await a.story()).invoices.at(-1), 'periodo:2027-04-18 paid 23936')
  assert.deepEqual(await seats(), ['2027-03-18 17000'])
})
