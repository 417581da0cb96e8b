import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ok, startBillingWorld } from '../../support/billing-world.ts'

test('a blocked company finds no other way to what it may not use, and no way out of being blocked', async (t) => {
  const world = await startBillingWorld(t)
  const { staff, app } = world.product
  const company = await world.company()
  const other = await world.company()
  await ok(company.get('/api/cfdi'))
  await ok(staff.post(`/api/subscriptions/${company.id}/suspender`, { motivo: 'Fraude' }))

  const authorization = `Bearer ${company.token}`
  const ways = [
    ['GET', '/api/cfdi'],
    ['HEAD', '/api/cfdi'],
    ['GET', '/api/cfdi/'],
    ['GET', '//api/cfdi'],
    ['GET', '/api//cfdi'],
    ['GET', '/API/CFDI'],
    ['GET', '/api/./cfdi'],
    ['GET', '/api/uso/../cfdi'],
    ['GET', '/api/uso/%2e%2e/cfdi'],
    ['GET', '/api/%63fdi'],
    ['GET', '/api/cfdi;a=b'],
    ['GET', '/api/cfdi%2f'],
    ['GET', '/api/cfdi%00'],
    ['GET', '/api/cfdi?limite=1'],
    ['POST', '/api/cfdi'],
    ['OPTIONS', '/api/cfdi'],
  ] as const
  const disguises: Record<string, string>[] = [
    {},
    { 'x-http-method-override': 'GET' },
    { 'x-original-url': '/api/uso/resumen', 'x-rewrite-url': '/api/uso/resumen' },
    { 'x-view-tenant': other.rfc },
    { 'x-view-tenant': other.id },
  ]
  for (const [method, url] of ways)
    for (const disguise of disguises) {
      const answer = await app.inject({ method, url, headers: { authorization, ...disguise } })
      assert.ok(answer.statusCode >= 400, `${method} ${url} ${JSON.stringify(disguise)} ${answer.statusCode}`)
    }

  // Cancelling frees nobody: what staff holds is not read for thirty days as what ended by itself.
  const mine = async () => (await company.get('/api/suscripciones/mi-suscripcion')).json()
  await ok(company.post('/api/suscripciones/cancelar', {}))
  assert.deepEqual([(await mine()).estado, (await mine()).access], ['cancelada', 'blocked'])
  const pay = await company.post('/api/checkout/iniciar', { correoPagador: company.admin.email })
  assert.deepEqual([pay.statusCode, pay.json().code], [409, 'checkout.held_by_staff'])
  for (const [method, url] of [
    ['PATCH', '/api/suscripciones/reanudar'],
    ['PATCH', '/api/suscripciones/pausar'],
    ['POST', '/api/suscripciones/deshacer-cancelacion'],
    ['POST', '/api/suscripciones/mi-plan/cambiar'],
  ] as const) {
    const body = url.endsWith('cambiar') ? { plan: 'starter' } : url.endsWith('pausar') ? {} : undefined
    const answer = await company.send(method, url, body && { body })
    assert.equal(answer.statusCode, 409, `${url} ${answer.body}`)
  }
  const { aplicado } = (
    await ok(
      staff.post(`/api/subscriptions/${company.id}/mark-paid`, {
        importe: '650.00',
        fecha: '2027-01-04',
        referencia: 'SPEI 1',
      }),
    )
  ).json()
  assert.equal(aplicado, 'credito')
  assert.equal((await mine()).access, 'blocked')
  assert.equal((await company.get('/api/cfdi')).json().code, 'subscription_blocked')
})
