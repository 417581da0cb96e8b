import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mercadoPagoUrl, setMercadoPagoUrl } from './base-url.ts'

test('an address can be set once, and again only the same', () => {
  assert.equal(mercadoPagoUrl(), 'https://api.mercadopago.com')
  assert.throws(() => setMercadoPagoUrl('http://simulador.example:8080'), RangeError)
  assert.equal(mercadoPagoUrl(), 'https://api.mercadopago.com')
  setMercadoPagoUrl('http://127.0.0.1:4010/')
  assert.equal(mercadoPagoUrl(), 'http://127.0.0.1:4010')
  setMercadoPagoUrl('http://127.0.0.1:4010')
  assert.throws(() => setMercadoPagoUrl('https://api.mercadopago.com'), /already at/)
  assert.equal(mercadoPagoUrl(), 'http://127.0.0.1:4010')
})
