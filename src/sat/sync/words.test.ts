import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sinDescarga } from './words.ts'

test('who has nothing to do about a pause is not told to upload an e.firma', () => {
  const accion = (code: string) =>
    sinDescarga({ horasSinExito: 80, diasEnElSat: null, faltan: 0, pausa: { code, message: 'Por esto.' } })?.accion ??
    ''
  assert.match(accion('fiel.sin_llave'), /No tienes que hacer nada/)
  for (const code of ['fiel.vencida', 'fiel.ausente', 'fiel.con_problema', 'fiel.danada'])
    assert.match(accion(code), /Sube una e\.firma/, code)
  assert.match(accion('subscription_blocked'), /Revisa la pausa/)
})

test('of an e.firma that the SAT does not take any more it is told at once, of other pauses after days', () => {
  const told = (code: string, horasSinExito: number | null = null, faltan = 0) =>
    sinDescarga({ horasSinExito, diasEnElSat: null, faltan, pausa: { code, message: 'Por esto.' } })
  const revocada = told('fiel.con_problema')
  assert.equal(revocada?.mensaje, 'La descarga está detenida: Por esto.')
  assert.deepEqual(
    [revocada?.severidad, revocada?.accion],
    ['alta', 'Sube una e.firma vigente en Configuración › SAT.'],
  )
  assert.equal(told('subscription_read_only'), undefined)
  assert.match(told('subscription_read_only', 50)?.mensaje ?? '', /^La descarga está detenida desde hace 50 horas/)
  // What is told then is not the pause.
  assert.match(told('sat.falla_interna', null, 2)?.accion ?? '', /^Antes de declarar/)
})

test('of a range that did not come it is said when it is asked for again', () => {
  const told = (change: object) =>
    sinDescarga({ horasSinExito: null, diasEnElSat: null, faltan: 0, pausa: null, periodos: 1, ...change })?.mensaje
  assert.match(
    told({ otraVez: '2026-03-04' }) ?? '',
    /Lo pedimos otra vez desde la madrugada del 4 de marzo; si te urge, reintenta su solicitud/,
  )
  assert.match(told({ periodos: 3, otraVez: null }) ?? '', /^3 periodos .* Ya los estamos pidiendo otra vez\.$/)
  const pausa = { code: 'fiel.vencida', message: 'Venció.' }
  assert.match(told({ otraVez: '2026-03-04', pausa }) ?? '', /otra vez solo cuando la descarga siga\.$/)
})
