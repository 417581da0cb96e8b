import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { demo } from '../../scripts/seed.ts'
import { formatCentavos } from '../../src/fiscal/money.ts'
import { createUniverse } from '../../src/simulators/sat/universe/create-universe.ts'

const root = path.join(import.meta.dirname, '..', '..')
const guide = readFileSync(path.join(root, 'docs', 'demostracion-sat.md'), 'utf8')

test('the sums that the guide publishes are those of the plan, and its taxpayers are there', () => {
  const universe = createUniverse()
  const rows = [...guide.matchAll(/^\| (20\d\d-\d\d) \| (\S+) \| (\S+) \| (\S+) \| (\S+) \|$/gm)]
  assert.equal(rows.length, 19)
  for (const [, mes = '', ...published] of rows) {
    const { trasladado, acreditable, ...plan } = universe.resumen(demo.rfc, mes, '2027-06-01T00:00:00')
    const iva = (rates: typeof trasladado) => rates.iva16 + rates.iva8
    const credited = iva(acreditable) - plan.ivaDe69b - plan.retenidoATerceros + plan.retenidoMesAnterior
    const sums = [iva(trasladado), credited, plan.noAcreditable + plan.ivaDe69b, plan.retenidoATerceros]
    assert.deepEqual(published, sums.map(formatCentavos), mes)
  }
  const named = [...guide.matchAll(/^\| `([A-ZÑ&\d]{12,13})` \|/gm)].map(([, rfc]) => rfc)
  assert.deepEqual(named.sort(), universe.contribuyentes.map(({ rfc }) => rfc).sort())
})
