import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ok, startBillingWorld } from '../../support/billing-world.ts'

test('a change of plan is paid through the account that asked for it, and through no other', async (t) => {
  const world = await startBillingWorld(t)
  const { central } = world.product.deps
  const company = await world.company()
  await company.payByCard()
  const asked = await ok(company.post('/api/suscripciones/mi-plan/cambiar', { plan: 'professional' }))
  const { cambio } = asked.json()
  const other = await ok(
    world.product.staff.post('/api/conectores-pago', {
      nombre: 'De prueba',
      tipo: 'simulador',
      accessToken: 'APP_USR-otra-cuenta-000001',
    }),
  )
  // As if the page had been made with another account, and this one had been paid under the same reference.
  const { id: connector_id } = other.json()
  await central.updateTable('plan_changes').set({ connector_id }).where('id', '=', cambio.id).execute()
  const page = [...world.simulator.state.preferences.values()].find(
    ({ externalReference }) => externalReference === `up:${cambio.id}`,
  )
  assert.equal(world.simulator.payPreference(page?.id ?? '').kind, 'paid')
  await world.settle()
  const mine = async () => (await company.get('/api/suscripciones/mi-suscripcion')).json()
  assert.equal((await mine()).plan.codigo, 'business')
  const { datos } = (await world.product.staff.get('/api/cobranza/bandeja?codigo=pago_sin_relacion')).json()
  assert.equal(datos.length, 1, 'a person looks at it')
})
