import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clasifica } from '../descarga/codigos.ts'
import { type EventoPaquete, transitionPaquete } from './machine-paquete.ts'
import type { Paquete } from './solicitud.ts'

const NOW = new Date('2026-02-10T18:00:00Z')
const descargando = (intentos: number): Paquete => ({
  id: '4e80345d-917f-40bb-a98f-4a73939343c5_01',
  estado: 'descargando',
  intentos,
  fallos: 0,
  venceEn: new Date('2026-02-13T18:00:00Z'),
})
const dice = (codigo: string, paquete: { bytes: number; sha256: string } | null = null): EventoPaquete => ({
  kind: 'descarga',
  respuesta: { codigo, mensaje: 'dijo', clase: clasifica('descarga', codigo), paquete },
})
const line = (intentos: number, evento: EventoPaquete) => {
  const { cambios, credencial, alarma } = transitionPaquete(descargando(intentos), evento, NOW)
  return [
    cambios.estado,
    cambios.intentos ?? '-',
    ...(credencial ? ['credencial'] : []),
    ...(alarma ? ['alarma'] : []),
  ].join(' ')
}

test('what each code of a download makes of a package, the first time and the second', () => {
  for (const [codigo, first, second] of [
    ['5000', 'pendiente 1', 'agotado -'], // and no package in it
    ['300', 'pendiente 0', 'pendiente 1'],
    ['301', 'ilegible - alarma', 'ilegible - alarma'],
    ['302', 'pendiente 0 credencial', 'pendiente 1 credencial'],
    ['303', 'pendiente 0 credencial', 'pendiente 1 credencial'],
    ['304', 'pendiente 0 credencial', 'pendiente 1 credencial'],
    ['305', 'pendiente 0 credencial', 'pendiente 1 credencial'],
    ['404', 'pendiente 0', 'pendiente 1'],
    ['5004', 'vencido -', 'vencido -'],
    ['5006', 'pendiente 0', 'pendiente 1'],
    ['5007', 'vencido -', 'vencido -'],
    ['5008', 'agotado -', 'agotado -'],
    ['5011', 'pendiente 0', 'pendiente 1'],
    ['5002', 'ilegible - alarma', 'ilegible - alarma'],
    ['9999', 'ilegible - alarma', 'ilegible - alarma'],
  ] as const) {
    assert.equal(line(1, dice(codigo)), first, codigo)
    assert.equal(line(2, dice(codigo)), second, codigo)
  }
})

test('a whole package is handed over at once', () => {
  const { cambios } = transitionPaquete(descargando(1), dice('5000', { bytes: 10, sha256: 'ab' }), NOW)
  assert.deepEqual([cambios.estado, cambios.siguienteEn], ['descargado', NOW])
})

test('a download that may have been counted is tried once more and then never; one that was not is as it was', () => {
  const fallo = (enviada: boolean): EventoPaquete => ({
    kind: 'fallo',
    enviada,
    codigo: 'sat.no_disponible',
    mensaje: '',
  })
  assert.equal(line(1, fallo(true)), 'pendiente 1')
  assert.equal(line(2, fallo(true)), 'agotado -')
  assert.equal(line(2, fallo(false)), 'pendiente 1')
  assert.equal(line(1, { kind: 'perdido' }), 'pendiente 1')
  assert.equal(line(2, { kind: 'perdido' }), 'agotado -')
  assert.equal(line(0, { kind: 'plazo' }), 'vencido -')
  const broken: EventoPaquete = { kind: 'ilegible', codigo: 'sat.paquete_ilegible', mensaje: '' }
  assert.equal(line(1, broken), 'pendiente 1')
  assert.equal(line(2, broken), 'ilegible -')
})
