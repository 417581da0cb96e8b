import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Consulta, type ConsultaRango, huellaDe, operacionDe, parametrosDe } from './consulta.ts'
import { problemasDe } from './problemas.ts'

const RFC = 'EKU9003173C9'
const NOW = new Date('2026-11-28T18:00:00Z') // noon in Mexico City

const rango: ConsultaRango = {
  servicio: 'cfdi',
  direccion: 'recibidos',
  tipo: 'CFDI',
  desde: '2026-10-01T00:00:00',
  hasta: '2026-10-31T23:59:59',
  estado: 'Vigente',
}
const folio: Consulta = {
  servicio: 'cfdi',
  direccion: 'folio',
  tipo: 'CFDI',
  folio: '96623061-61FE-49DE-B298-C7156476AA8B',
}

const problemas = (change: object) => problemasDe({ ...rango, ...change } as Consulta, { rfc: RFC, now: NOW })

test('what is sent has the names of the service, in order, and nothing that is empty', () => {
  assert.deepEqual(Object.entries(parametrosDe({ ...rango, contrapartes: ['aaa010101aaa'] }, 'eku9003173c9')), [
    ['EstadoComprobante', 'Vigente'],
    ['FechaFinal', '2026-10-31T23:59:59'],
    ['FechaInicial', '2026-10-01T00:00:00'],
    ['RfcEmisor', 'AAA010101AAA'],
    ['RfcReceptor', RFC],
    ['RfcSolicitante', RFC],
    ['TipoSolicitud', 'CFDI'],
  ])
  const emitidos = { ...rango, direccion: 'emitidos', contrapartes: ['XAXX010101000', 'h&e951128469', 'XAXX010101000'] }
  assert.deepEqual(Object.entries(parametrosDe(emitidos as Consulta, RFC)), [
    ['EstadoComprobante', 'Vigente'],
    ['FechaFinal', '2026-10-31T23:59:59'],
    ['FechaInicial', '2026-10-01T00:00:00'],
    ['RfcEmisor', RFC],
    ['RfcReceptores', ['H&E951128469', 'XAXX010101000']],
    ['RfcSolicitante', RFC],
    ['TipoSolicitud', 'CFDI'],
  ])
  assert.deepEqual(parametrosDe(folio, RFC), { Folio: folio.folio.toLowerCase(), RfcSolicitante: RFC })
  assert.deepEqual([rango, { ...rango, direccion: 'emitidos' } as Consulta, folio].map(operacionDe), [
    'SolicitaDescargaRecibidos',
    'SolicitaDescargaEmitidos',
    'SolicitaDescargaFolio',
  ])
})

test('two requests have one fingerprint exactly when the SAT would take them for the same', () => {
  const backwards = Object.fromEntries(Object.entries(rango).reverse()) as unknown as Consulta
  const own = huellaDe(rango, RFC)
  assert.equal(own.length, 32)
  assert.deepEqual(huellaDe(backwards, 'eku9003173c9 '), own)
  assert.deepEqual(huellaDe({ ...rango, contrapartes: [] }, RFC), own)
  const others: Consulta[] = [
    { ...rango, servicio: 'retenciones' },
    { ...rango, direccion: 'emitidos' },
    { ...rango, tipo: 'Metadata' },
    { ...rango, desde: '2026-10-01T00:00:01' },
    { ...rango, hasta: '2026-10-31T23:59:58' },
    { ...rango, estado: 'Todos' },
    { ...rango, contrapartes: ['AAA010101AAA'] },
    { ...rango, tipoComprobante: 'I' },
    { ...rango, complemento: 'nomina12' },
    { ...rango, rfcACuentaTerceros: 'AAA010101AAA' },
    folio,
  ]
  const all = [rango, ...others].map((consulta) => huellaDe(consulta, RFC).toString('hex'))
  assert.equal(new Set([...all, huellaDe(rango, 'AAA010101AAA').toString('hex')]).size, all.length + 1)
})

test('what the SAT takes has no problems', () => {
  for (const good of [
    {},
    { tipo: 'Metadata', estado: 'Todos' },
    { tipo: 'Metadata', estado: 'Cancelado' },
    { direccion: 'emitidos', estado: 'Todos', contrapartes: ['A&A010101AAA', 'XAXX010101000', 'XEXX010101000'] },
    { direccion: 'emitidos', contrapartes: ['AAA010101AAA', 'aaa010101aaa'], tipoComprobante: 'N' },
    { desde: '2026-10-01T00:00:00', hasta: '2026-10-01T00:00:01' },
    { desde: '2020-11-28T00:00:00' },
    { hasta: '2026-11-28T23:59:59' },
    { complemento: 'cartaporte20', rfcACuentaTerceros: 'AAA010101AAA' },
    { servicio: 'retenciones', complemento: 'planesderetiro11' },
  ])
    assert.deepEqual(problemas(good), [])
  assert.deepEqual(problemasDe(folio, { rfc: RFC, now: NOW }), [])
})

for (const [what, change, found] of [
  ['an instant', { hasta: rango.desde }, /debe ser anterior/],
  ['an end before its beginning', { desde: '2026-11-01T00:00:00' }, /debe ser anterior/],
  ['a day that no calendar has', { desde: '2026-02-30T00:00:00' }, /fecha inicial .* no es una fecha/],
  ['an hour that no day has', { hasta: '2026-10-31T24:00:00' }, /fecha final .* no es una fecha/],
  ['a zone', { hasta: '2026-10-31T23:59:59Z' }, /no es una fecha/],
  ['more than six years ago', { desde: '2020-11-27T23:59:59' }, /hace seis años \(2020-11-28T00:00:00\)/],
  ['what is yet to come', { desde: '2026-11-28T12:00:01', hasta: '2026-11-28T13:00:00' }, /todavía no llega/],
  ['an end far ahead', { hasta: '2026-11-29T12:00:01' }, /a más de un día/],
  ['received XML of all states', { estado: 'Todos' }, /solo entrega el XML de los vigentes/],
  ['received XML of cancelled', { estado: 'Cancelado' }, /solo entrega el XML de los vigentes/],
  ['two issuers', { contrapartes: ['AAA010101AAA', 'XAXX010101000'] }, /un emisor, y se dieron 2/],
  [
    'six receivers',
    { direccion: 'emitidos', contrapartes: [1, 2, 3, 4, 5, 6].map((n) => `AA${n}010101AA${n}`) },
    /hasta cinco receptores, y se dieron 6/,
  ],
  ['a counterpart without RFC', { contrapartes: ['nobody"<'] }, /contraparte \(NOBODY\?\?\) no es válido/],
  ['a third party without RFC', { rfcACuentaTerceros: '' }, /a cuenta de terceros \(\) no es válido/],
  ['a kind that is none', { tipoComprobante: 'X' }, /tipo de comprobante \(X\) no existe/],
  ['a kind of withholdings', { servicio: 'retenciones', tipoComprobante: 'I' }, /retenciones no tienen tipo/],
  ['a complement of withholdings', { complemento: 'dividendos' }, /conoce para CFDI/],
  ['a complement of CFDI', { servicio: 'retenciones', complemento: 'nomina12' }, /conoce para retenciones/],
  ['a type that is none', { tipo: 'PDF' }, /tipo de solicitud \(PDF\) no existe/],
  ['a state in digits', { estado: '1', tipo: 'Metadata' }, /estado \(1\) no existe/],
] as const)
  test(`${what} is refused before it is sent`, () => {
    const all = problemas(change).join(' ')
    assert.match(all, found)
  })

test('a folio must be one', () => {
  assert.match(problemasDe({ ...folio, folio: 'ABC' }, { rfc: RFC, now: NOW }).join(), /folio fiscal \(ABC\) no es/)
})

test('all that is wrong is told at once', () => {
  const all = problemasDe(
    { ...rango, estado: 'Todos', hasta: rango.desde, complemento: 'x', contrapartes: ['1', '2'] },
    { rfc: 'NOPE', now: NOW },
  )
  assert.equal(all.length, 7)
})

test('six years before 29 February begin on the first of March, and the day is that of Mexico City', () => {
  const at = (now: string, desde: string) =>
    problemasDe({ ...rango, desde, hasta: '2024-02-01T00:00:00' }, { rfc: RFC, now: new Date(now) })
  assert.equal(at('2024-02-29T18:00:00Z', '2018-03-01T00:00:00').length, 0)
  assert.equal(at('2024-02-29T18:00:00Z', '2018-02-28T23:59:59').length, 1)
  // Six in the morning of Greenwich is midnight here: before that it is still yesterday.
  assert.equal(at('2024-02-11T05:59:59Z', '2018-02-10T00:00:00').length, 0)
  assert.equal(at('2024-02-11T06:00:00Z', '2018-02-10T00:00:00').length, 1)
})
