import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rfcOfDatabase } from '../../fiscal/rfc.ts'
import { temporaryPassword } from '../temporary-password.ts'
import { retiredName, stepStates } from './operation.ts'

test('the name of a retired database tells RFC and second, fits into PostgreSQL, and is no name of a living one', () => {
  const name = retiredName('horux__n_yal850101ab1', new Date('2026-03-31T23:59:59.999Z'))
  assert.equal(name, 'horux_deleted__n_yal850101ab1_20260331235959')
  assert.ok(Buffer.byteLength(name) <= 63)
  assert.equal(rfcOfDatabase(name), undefined)
})

test('what the operator sees of the steps', () => {
  const states = (given: Pick<Parameters<typeof stepStates>[0], 'step' | 'state' | 'error'>) =>
    stepStates({ kind: 'provision', ...given }).map(({ estado }) => estado)
  const failed = { step: 'access', code: 'x', message: 'y' }
  assert.deepEqual(states({ step: '', state: 'queued', error: null }), Array(6).fill('pendiente'))
  assert.deepEqual(states({ step: 'role', state: 'running', error: null }), [
    'hecho',
    'en_curso',
    ...Array(4).fill('pendiente'),
  ])
  assert.deepEqual(states({ step: 'database', state: 'compensated', error: failed }), [
    'deshecho',
    'deshecho',
    'fallido',
    ...Array(3).fill('pendiente'),
  ])
  assert.deepEqual(states({ step: 'activate', state: 'succeeded', error: null }), Array(6).fill('hecho'))
})

test('a temporary password holds 80 bits of chance, in letters that are not mistaken', () => {
  const made = Array.from({ length: 2_000 }, temporaryPassword)
  assert.equal(new Set(made).size, made.length)
  const letters = new Set(made.join('').replaceAll('-', ''))
  for (const letter of '01ilo') assert.ok(!letters.has(letter), letter)
  const length = (made[0] ?? '').replaceAll('-', '').length
  assert.ok(length * Math.log2(letters.size) >= 80)
})
