import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { listOf, queryOf } from './address.ts'
import { CfdiConsulta, CfdiFilter, COLUMNAS } from './schemas.ts'

const read = (query: string) => {
  const { limite, cursor, orden, ...filter } = CfdiConsulta.parse(Object.fromEntries(new URLSearchParams(query)))
  return { filter, orden }
}

const canonical = (query: string) => {
  const { filter, orden } = read(query)
  return queryOf(filter, orden)
}

test('a saved filter is the query of its address, and one filter has one', () => {
  for (const [typed, kept] of [
    ['', ''],
    [
      'q=N%C3%BA%C3%B1ez%20%26%20Cía&tipo=P,I,I&periodo=2026-03',
      'periodo=2026-03&tipo=I,P&q=N%C3%BA%C3%B1ez+%26+C%C3%ADa',
    ],
    ['montoMin=0100.50&montoMax=1000.00', 'montoMin=100.5&montoMax=1000'],
    ['montoMin=0.00&montoMax=000', 'montoMin=0&montoMax=0'],
    ['rfc=%20eku9003173c9', 'rfc=EKU9003173C9'],
    ['uuid=ABCD-12', 'uuid=abcd12'],
    ['sinRep=true&conAvisos=true&aviso=cfdi.b,cfdi.a', 'sinRep=true&conAvisos=true&aviso=cfdi.a,cfdi.b'],
    ['orden=-total,folio&limite=7&estado=vigente', 'estado=vigente&orden=-total,folio'],
    [
      'cuentaEn=2026-01&carga=5C1A1E63-0000-7000-8000-00000000C0DE',
      'cuentaEn=2026-01&carga=5c1a1e63-0000-7000-8000-00000000c0de',
    ],
  ] as const) {
    assert.equal(canonical(typed), kept)
    assert.equal(canonical(kept), kept, 'reading it again changes nothing')
    assert.deepEqual(read(kept), { ...read(typed), orden: read(kept).orden }, 'and it means the same')
  }
})

test('what is kept can be read back as the JSON of an export, too', () => {
  const filter = CfdiFilter.parse({ tipo: ['P', 'I'], periodo: '2026-03', sinRep: true, aviso: 'cfdi.a' })
  assert.equal(queryOf(filter), 'periodo=2026-03&tipo=I,P&sinRep=true&aviso=cfdi.a')
  assert.deepEqual(CfdiFilter.parse(Object.fromEntries(new URLSearchParams(queryOf(filter)))), filter)
})

test('a cursor belongs to its company, filter and order', () => {
  const { filter, orden } = read('tipo=I,P&orden=total')
  const own = listOf('a', filter, orden)
  assert.equal(listOf('a', read('tipo=P,I').filter, orden), own)
  for (const other of [
    listOf('b', filter, orden),
    listOf('a', filter),
    listOf('a', { ...filter, moneda: 'USD' }, orden),
  ])
    assert.notEqual(other, own)
})

test('the guide tells of every parameter and every column', () => {
  const guide = readFileSync(new URL('../../../docs/buscar-cfdi.md', import.meta.url), 'utf8')
  for (const name of [...Object.keys(CfdiConsulta.shape), ...COLUMNAS]) assert.ok(guide.includes(`\`${name}\``), name)
})
