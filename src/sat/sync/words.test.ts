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
