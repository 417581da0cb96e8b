import assert from 'node:assert/strict'
import test from 'node:test'
import { alertaVence, isNews, vencimientoOf } from './expiry.ts'

/** 12:00 in Mexico City, which is UTC-6 the whole year. */
const END = new Date('2027-03-03T18:00:00Z')
const at = (text: string) => new Date(text)

test('thresholds are civil days of Mexico City', () => {
  for (const [now, expected] of [
    ['2027-01-01T05:59:59Z', undefined], // 31 December: 62 days
    ['2027-01-02T05:59:59Z', undefined], // 1 January, 23:59: 61 days
    ['2027-01-02T06:00:00Z', [60, 60]],
    ['2027-02-01T05:59:59Z', [31, 60]],
    ['2027-02-01T06:00:00Z', [30, 30]],
    ['2027-02-16T06:00:00Z', [15, 15]],
    ['2027-02-20T06:00:00Z', [11, 15]],
    ['2027-02-26T05:59:59Z', [6, 15]],
    ['2027-02-26T06:00:00Z', [5, 5]],
    ['2027-03-02T06:00:00Z', [1, 1]],
    ['2027-03-03T06:00:00Z', [0, 1]],
    ['2027-03-03T17:59:59.999Z', [0, 1]],
    ['2027-03-03T18:00:00Z', [0, 0]],
    ['2031-01-01T00:00:00Z', [0, 0]],
  ] as const) {
    const found = vencimientoOf(END, at(now))
    assert.deepEqual(found && [found.dias, found.umbral], expected, now)
  }
})

test('people hear of each threshold once, and after days without a worker only of the newest', () => {
  const news = (now: string, toldOn: string | null) => {
    const vencimiento = vencimientoOf(END, at(now))
    assert.ok(vencimiento)
    return isNews(END, vencimiento, toldOn)
  }
  assert.equal(news('2027-01-02T12:00:00Z', null), true)
  assert.equal(news('2027-01-02T12:00:00Z', '1970-01-01'), true)
  assert.equal(news('2027-01-03T12:00:00Z', '2027-01-02'), false)
  assert.equal(news('2027-02-01T12:00:00Z', '2027-01-31'), true)
  assert.equal(news('2027-02-27T12:00:00Z', '2027-01-10'), true)
  assert.equal(news('2027-02-28T12:00:00Z', '2027-02-27'), false)
  assert.equal(news('2027-03-02T12:00:00Z', '2027-03-01'), true)
  assert.equal(news('2027-03-03T12:00:00Z', '2027-03-02'), false)
  // Over since noon, and told at eight that it was the last day.
  assert.equal(news('2027-03-04T12:00:00Z', '2027-03-03'), true)
  assert.equal(news('2027-03-05T12:00:00Z', '2027-03-04'), false)
  assert.equal(news('2029-03-05T12:00:00Z', '2029-03-04'), false)
})

test('the alert gets worse as the end comes nearer, and is always the same one', () => {
  const vence = { credentialId: 'c1', rfc: 'EKU9003173C9', serial: '30001000000500003416', validTo: END }
  const alerta = (now: string) => {
    const vencimiento = vencimientoOf(END, at(now))
    assert.ok(vencimiento)
    return alertaVence(vence, vencimiento)
  }
  for (const [now, severidad, titulo] of [
    ['2027-01-02T12:00:00Z', 'aviso', /vence en 60 días/],
    ['2027-02-20T12:00:00Z', 'aviso', /vence en 11 días/],
    ['2027-02-26T12:00:00Z', 'alta', /vence en 5 días/],
    ['2027-03-02T12:00:00Z', 'alta', /vence mañana/],
    ['2027-03-03T12:00:00Z', 'alta', /vence hoy/],
    ['2027-03-04T12:00:00Z', 'critica', /venció/],
  ] as const) {
    const told = alerta(now)
    assert.deepEqual([told.codigo, told.clave, told.severidad], ['FIEL_VENCE', 'FIEL_VENCE:c1', severidad], now)
    assert.match(told.titulo, titulo)
    assert.match(told.mensaje, /3 de marzo de 2027/)
  }
})
