import assert from 'node:assert/strict'
import { test } from 'node:test'
import { reintentarEn } from './reintentos.ts'

const NOON = new Date('2026-02-10T18:00:00Z') // of Mexico City

test('what failed is asked for again the next night, then after three days, then each week; what was refused each week', () => {
  const days = (estado: 'fallida' | 'rechazada') =>
    [0, 1, 2, 3, 60].map((reintentos) => reintentarEn({ estado, reintentos }, NOON).toISOString())
  const [one, three, seven] = ['2026-02-11', '2026-02-13', '2026-02-17'].map((day) => `${day}T09:00:00.000Z`)
  assert.deepEqual(days('fallida'), [one, three, seven, seven, seven])
  assert.deepEqual(days('rechazada'), [seven, seven, seven, seven, seven])
})

test('the night is the one of Mexico City, also of what failed late in the evening', () => {
  const late = new Date('2026-02-11T05:30:00Z') // 23:30 of the 10th
  assert.equal(reintentarEn({ estado: 'fallida', reintentos: 0 }, late).toISOString(), '2026-02-11T09:00:00.000Z')
})
