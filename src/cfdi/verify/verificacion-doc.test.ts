import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import test from 'node:test'
import { AVISOS } from './codigos.ts'
import { SELLOS } from './sello.ts'

const ROOT = path.resolve(import.meta.dirname, '../../..')
const read = (file: string) => readFileSync(path.join(ROOT, file), 'utf8')

test('docs/verificacion.md has a row for every code, and none that does not exist', () => {
  const refusals = [...read('src/cfdi/errors.ts').matchAll(/'(cfdi\.[a-z_]+|limit_reached)'/g)].map(
    ([, code]) => code ?? '',
  )
  const [, union = ''] =
    /export type Reparacion =([^\n]*(?:\n {2}\|[^\n]*)*)/.exec(read('src/cfdi/read/repair.ts')) ?? []
  const repairs = [...union.matchAll(/'([a-z_]+)'/g)].map(([, code]) => code ?? '')
  assert.ok(refusals.length > 20 && repairs.length >= 5)
  const codes = new Set([...Object.keys(AVISOS), ...refusals, ...repairs, ...Object.keys(SELLOS)])
  const rows = [...read('docs/verificacion.md').matchAll(/^\| `([\w.]+)` \|/gm)].map(([, code]) => code ?? '')
  assert.deepEqual(rows.toSorted(), [...codes].sort())
})
