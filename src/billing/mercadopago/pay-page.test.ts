import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pino } from 'pino'
import { startScriptedApi } from '../../../test/support/scripted-api.ts'
import { createPace } from '../../outbound/pace.ts'
import { setMercadoPagoUrl } from './base-url.ts'
import { createGateway } from './create-gateway.ts'
import { isPayPage } from './pay-page.ts'

const THEIRS = [
  'https://www.mercadopago.com.mx/subscriptions/checkout?preapproval_id=1',
  'https://mercadopago.com/x',
  'https://auth.mercadolibre.com.mx/login',
]
const NOT_THEIRS = [
  '',
  '/pagar',
  'javascript:alert(1)//mercadopago.com',
  'data:text/html,x',
  'http://www.mercadopago.com.mx/x',
  'https://mercadopago.com.mx.ejemplo.mx/x',
  'https://malmercadopago.com.mx/x',
  'https://www.mercadopago.com.mx@ejemplo.mx/x',
  'https://ana:clave@www.mercadopago.com.mx/x',
  'https://www.mercadopago.com.mx:8443/x',
  'https://ejemplo.mx/?www.mercadopago.com.mx',
  '//ejemplo.mx',
]
const OURS = 'http://127.0.0.1:8035/subscriptions/checkout?preapproval_id=1'

test('only pages of MercadoPago are, and those of a simulator only beside one', async (t) => {
  for (const page of THEIRS) assert.ok(isPayPage(page), page)
  for (const page of [...NOT_THEIRS, OURS]) assert.ok(!isPayPage(page), page)
  const api = await startScriptedApi(t)
  setMercadoPagoUrl(api.url)
  for (const page of [...THEIRS, OURS]) assert.ok(isPayPage(page), page)
  for (const page of [...NOT_THEIRS, 'https://127.0.0.1.ejemplo.mx/']) assert.ok(!isPayPage(page), page)

  const gateway = createGateway({
    accessToken: 'APP_USR-prueba',
    account: 'prueba',
    log: pino({ level: 'silent' }),
    pace: createPace({ intervalMs: 0 }),
  })
  const elsewhere = 'https://ejemplo.mx/pago'
  api.script({ json: { id: 'a1', status: 'pending', init_point: elsewhere } })
  assert.equal((await gateway.getPreapproval('a1')).initPoint, null, 'its news are read nevertheless')
  api.script({ json: { id: 'a1', status: 'pending', init_point: THEIRS[0] } })
  assert.equal((await gateway.getPreapproval('a1')).initPoint, THEIRS[0])
  api.script({ status: 201, json: { id: 'p1', init_point: elsewhere } })
  const preference = { title: 'Cambio', amountC: 10_000n, externalReference: 'up:1', payerEmail: 'ana@ejemplo.mx' }
  const ends = { backUrl: 'https://horux360.example/pago', expiresAt: new Date('2027-01-01T00:00:00Z') }
  await assert.rejects(gateway.createPreference({ ...preference, ...ends }), { kind: 'unavailable' })
})
