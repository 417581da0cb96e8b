import assert from 'node:assert/strict'
import test from 'node:test'
import { corregidosPor, type Nombrado } from './sustitucion.ts'

const of = (uuid: string, notas: Record<string, string[]>) =>
  corregidosPor(
    uuid,
    new Map(
      Object.entries(notas).map(([nota, named]): [string, Nombrado[]] => [
        nota,
        named.map((text) => ({ tipo: text.slice(0, 2), uuid: text.slice(3) })),
      ]),
    ),
  )

test('a credit note corrects what it names, or what the one did whose place it takes', () => {
  assert.deepEqual(of('e1', { e1: ['01 f1', '03 f2', '01 f1'] }), ['f1', 'f2'])
  assert.deepEqual(of('e2', { e1: ['01 f1'], e2: ['04 e1'] }), ['f1'])
  assert.deepEqual(of('e3', { e1: ['01 f1'], e2: ['04 e1'], e3: ['04 e2'] }), ['f1'])
  assert.deepEqual(of('e2', { e1: ['01 f1'], e2: ['04 e1', '01 f2'] }), ['f2'], 'what it says itself holds')
  assert.deepEqual(of('e2', { e1: ['01 f1'], e0: ['01 f0'], e2: ['04 e1', '04 e0'] }), ['f1', 'f0'])
})

test('one that is not here, and an invoice, stay named; a circle ends', () => {
  assert.deepEqual(of('e2', { e2: ['04 e1'] }), ['e1'])
  assert.deepEqual(of('e2', { e2: ['04 f1'] }), ['f1'])
  assert.deepEqual(of('e1', { e1: ['04 e2'], e2: ['04 e1'] }), [])
  assert.deepEqual(of('e1', { e1: ['04 e1', '01 f1'] }), ['f1'])
  assert.deepEqual(of('e9', {}), [])
  const chain = Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`e${i}`, [`04 e${i + 1}`]]))
  assert.deepEqual(of('e0', { ...chain, e20000: ['01 f1'] }), ['f1'])
})
