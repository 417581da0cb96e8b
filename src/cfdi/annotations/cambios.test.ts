import assert from 'node:assert/strict'
import test from 'node:test'
import { type Anotable, cambiosDe, type EnVigor } from './cambios.ts'

const HOY = '2026-06-15'
const recibida: Anotable = {
  tipo: 'I',
  direccion: 'recibido',
  cuentaTerceros: false,
  metodoPago: 'PUE',
  fecha: '2026-06-10T10:00:00',
}
const motivo = 'banco'
const vigente = (valor: string | null, por = motivo): EnVigor => ({ valor, motivo: por })

const code = (pedido: object, documento: Partial<Anotable> = {}) => {
  try {
    cambiosDe({ motivo, ...pedido }, { ...recibida, ...documento }, {}, HOY)
    return null
  } catch (error) {
    return (error as { code: string }).code
  }
}

test('only what changes becomes a line', () => {
  const of = (pedido: object, vigentes: Parameters<typeof cambiosDe>[2]) =>
    cambiosDe({ motivo, ...pedido }, recibida, vigentes, HOY)
  assert.deepEqual(of({ porcentajeDeducible: '50' }, {}), [
    { campo: 'porcentaje_deducible', valor: '50.00', mueve: true },
  ])
  assert.deepEqual(of({ porcentajeDeducible: '50.0' }, { porcentaje_deducible: vigente('50.00') }), [])
  assert.deepEqual(of({ porcentajeDeducible: '0' }, {}), [
    { campo: 'porcentaje_deducible', valor: '0.00', mueve: true },
  ])
  assert.deepEqual(of({ excluir: true }, { excluir: vigente('true', 'otro motivo') }), [
    { campo: 'excluir', valor: 'true', mueve: false },
  ])
  assert.deepEqual(of({ excluir: false, destinoIva: null, fechaPago: null, porcentajeDeducible: null }, {}), [])
  assert.deepEqual(of({ excluir: false }, { excluir: vigente('true') }), [
    { campo: 'excluir', valor: null, mueve: true },
  ])
  assert.deepEqual(of({ fechaPago: null }, { fecha_pago: vigente(null, 'otro motivo') }), [])
  assert.deepEqual(of({}, {}), [])
})

test('a day of payment is from a year before the invoice until today, in Mexico City', () => {
  assert.equal(code({ fechaPago: '2026-06-15' }), null)
  assert.equal(code({ fechaPago: '2026-06-16' }), 'anotacion.fecha_pago_futura')
  assert.equal(code({ fechaPago: '2025-06-09' }), null)
  assert.equal(code({ fechaPago: '2025-06-08' }), 'anotacion.fecha_pago_lejana')
  assert.equal(code({ fechaPago: '2026-06-15' }, { fecha: '2026-07-01T00:00:00' }), null, 'issued after it was paid')
  assert.equal(code({ fechaPago: '2026-06-15' }, { metodoPago: null }), null)
})

test('which document takes which annotation', () => {
  assert.equal(code({ fechaPago: HOY }, { tipo: 'E' }), null)
  assert.equal(code({ fechaPago: HOY }, { tipo: 'P', metodoPago: null }), 'anotacion.fecha_pago_no_aplica')
  assert.equal(code({ fechaPago: HOY }, { metodoPago: 'PPD' }), 'anotacion.fecha_pago_no_aplica')
  assert.equal(code({ porcentajeDeducible: '8.5' }, { tipo: 'P' }), null)
  assert.equal(code({ porcentajeDeducible: '8.5' }, { direccion: 'emitido' }), 'anotacion.solo_recibidos')
  assert.equal(code({ destinoIva: 'exento' }, { direccion: 'emitido' }), 'anotacion.solo_recibidos')
  assert.equal(code({ excluir: true }, { direccion: 'emitido' }), null)
  for (const tipo of ['N', 'T', 'R']) assert.equal(code({ excluir: true }, { tipo }), 'anotacion.tipo')
  assert.equal(code({ excluir: true }, { direccion: 'emitido', cuentaTerceros: true }), 'anotacion.de_terceros')
  assert.equal(code({ excluir: null, fechaPago: null }, { tipo: 'N', cuentaTerceros: true }), null)
})
