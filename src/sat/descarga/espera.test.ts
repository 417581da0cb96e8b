import assert from 'node:assert/strict'
import { test } from 'node:test'
import { esperaTras } from './espera.ts'

test('each failure doubles the wait, up to an hour, less up to a quarter', () => {
  const minutes = [1, 2, 4, 8, 16, 32, 60, 60]
  for (const [at, whole] of minutes.entries())
    for (let n = 0; n < 200; n++) {
      const found = esperaTras(at + 1, `solicitud ${n}`) / 60_000
      assert.ok(found > whole * 0.749 && found <= whole, `${found} of ${whole}`)
    }
  assert.ok(esperaTras(1e9, 'x') <= 3_600_000)
  assert.ok(esperaTras(0, 'x') <= 60_000)
})

test('those who failed together come back apart, and each at the same time however often it looks', () => {
  const all = Array.from({ length: 500 }, (_, n) => esperaTras(7, `solicitud ${n}`))
  assert.ok(new Set(all).size > 490)
  assert.equal(esperaTras(7, 'solicitud 3'), all[3])
})
