import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { ownFixture, sharedFixtures } from '../../../test/support/fixtures.ts'
import { type Respuesta, readRespuesta } from './respuesta.ts'

const fixture = (name: string) => ownFixture(`sat-ws/${name}`).toString()

const vigente: Respuesta = {
  estado: 'vigente',
  codigo: 'S',
  esCancelable: 'con_aceptacion',
  estatusCancelacion: null,
  efos: 'no_listado',
}
const nada = { esCancelable: null, estatusCancelacion: null, efos: 'desconocido' } as const

const ANSWERS: Record<string, Respuesta> = {
  'vigente-con-aceptacion': vigente,
  'vigente-sin-aceptacion': { ...vigente, esCancelable: 'sin_aceptacion' },
  'vigente-no-cancelable': { ...vigente, esCancelable: 'no_cancelable' },
  'vigente-en-proceso': { ...vigente, estatusCancelacion: 'en_proceso' },
  'vigente-solicitud-rechazada': { ...vigente, estatusCancelacion: 'solicitud_rechazada' },
  'vigente-emisor-en-efos': { ...vigente, efos: 'listado' },
  'sin-validacion-efos': { ...vigente, efos: 'desconocido' },
  'cancelado-con-aceptacion': { ...vigente, estado: 'cancelado', estatusCancelacion: 'con_aceptacion' },
  'cancelado-sin-aceptacion': {
    ...vigente,
    estado: 'cancelado',
    esCancelable: 'sin_aceptacion',
    estatusCancelacion: 'sin_aceptacion',
  },
  'cancelado-plazo-vencido': { ...vigente, estado: 'cancelado', estatusCancelacion: 'plazo_vencido' },
  'expresion-invalida-601': { estado: 'expresion_invalida', codigo: '601', ...nada },
  'no-encontrado-602': { estado: 'no_encontrado', codigo: '602', ...nada },
}

for (const [name, expected] of Object.entries(ANSWERS))
  test(`the answer ${name}`, () => {
    assert.deepEqual(readRespuesta(fixture(`estado-cfdi/own-response-${name}.xml`)), expected)
  })

test('the answer of another project, with its line breaks', (t) => {
  const folder = sharedFixtures(t)
  if (!folder) return
  const text = readFileSync(path.join(folder, 'sat-ws/estado-cfdi/response-vigente-solicitud-rechazada.xml'), 'utf8')
  const expected = { ...vigente, estatusCancelacion: 'solicitud_rechazada', efos: 'desconocido' }
  assert.deepEqual(readRespuesta(text), expected)
})

for (const [name, falla] of [
  ['200-cuerpo-vacio.xml', 'vacia'],
  ['200-html-en-vez-de-soap.html', 'html'],
  ['200-truncada.xml', 'malformada'],
  ['500-fault-action-not-supported.xml', 'fault'],
  ['500-fault-internal.xml', 'fault'],
  ['500-fault-invalid-security.xml', 'fault'],
  ['502-bad-gateway.html', 'html'],
  ['503-html-mantenimiento.html', 'html'],
] as const)
  test(`the failure ${name} is ${falla}`, () => {
    const read = readRespuesta(fixture(`fallas/own-${name}`))
    assert.ok('falla' in read)
    assert.equal(read.falla, falla)
    assert.ok(read.detalle.length > 0 && read.detalle.length <= 200)
  })

const answer = (fields: string) =>
  `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><ConsultaResponse><ConsultaResult>${fields}</ConsultaResult></ConsultaResponse></s:Body></s:Envelope>`
const S = '<CodigoEstatus>S - Comprobante obtenido satisfactoriamente.</CodigoEstatus>'

test('names without case and prefix, words without accents, case and blanks are read all the same', () => {
  const fields =
    '<b:codigoESTATUS> s - Comprobante obtenido  satisfactoriamente. </b:codigoESTATUS><b:ESTADO>CANCELADO</b:ESTADO>' +
    '<b:escancelable>CANCELABLE  CON ACEPTACION</b:escancelable><b:EstatusCancelacion>\n  Cancelado con aceptacion\n</b:EstatusCancelacion>' +
    '<b:validacionefos> 201 </b:validacionefos>'
  assert.deepEqual(readRespuesta(`\uFEFF${answer(fields)}`), {
    ...vigente,
    estado: 'cancelado',
    estatusCancelacion: 'con_aceptacion',
  })
})

for (const [code, efos] of [
  ['100', 'listado'],
  ['101', 'listado'],
  ['104', 'listado'],
  ['102', 'no_listado'],
  ['103', 'no_listado'],
  ['200', 'no_listado'],
  ['201', 'no_listado'],
  ['', 'desconocido'],
  ['105', 'desconocido'],
  ['No', 'desconocido'],
] as const)
  test(`ValidacionEFOS ${code || 'empty'} is ${efos}`, () => {
    const read = readRespuesta(answer(`${S}<Estado>Vigente</Estado><ValidacionEFOS>${code}</ValidacionEFOS>`))
    assert.ok('efos' in read)
    assert.equal(read.efos, efos)
  })

for (const [what, fields] of [
  ['a state that nobody knows', `${S}<Estado>Suspendido</Estado>`],
  ['no state', S],
  ['no code', '<Estado>Vigente</Estado>'],
  [
    'a refusal with a state',
    '<CodigoEstatus>N - 602: Comprobante no encontrado.</CodigoEstatus><Estado>Cancelado</Estado>',
  ],
  ['a refusal that nobody knows', '<CodigoEstatus>N - 603: Otra cosa.</CodigoEstatus><Estado>No Encontrado</Estado>'],
  ['__proto__', `${S}<Estado>__proto__</Estado>`],
  ['constructor', `${S}<Estado>constructor</Estado>`],
] as const)
  test(`${what} says nothing about the CFDI`, () => {
    const read = readRespuesta(answer(fields))
    assert.ok('falla' in read, JSON.stringify(read))
    assert.equal(read.falla, 'ilegible')
  })

for (const [what, text] of [
  ['two states', answer(`${S}<Estado>Vigente</Estado><Estado>Cancelado</Estado>`)],
  ['two results', answer('').replace('</ConsultaResponse>', '<ConsultaResult/></ConsultaResponse>')],
  ['a DOCTYPE', `<!DOCTYPE a [<!ENTITY b "Vigente">]>${answer(`${S}<Estado>&b;</Estado>`)}`],
  ['no SOAP', `<Estado>Vigente</Estado>`],
  ['no result', answer('').replace(/<ConsultaResult>.*<\/ConsultaResult>/, '')],
  ['JSON', '{"Estado":"Vigente"}'],
  ['elements without end', '<a>'.repeat(10_000)],
] as const)
  test(`${what} is not one of its messages`, () => {
    const read = readRespuesta(text)
    assert.ok('falla' in read, JSON.stringify(read))
    assert.equal(read.falla, 'malformada')
  })

test('a word without an end is none of its words, whatever it begins with', () => {
  const marks = answer(`<CodigoEstatus>S - x</CodigoEstatus><Estado>Vigente${'\u0301\u0327'.repeat(15_000)}</Estado>`)
  const blanks = answer(`<CodigoEstatus>S - x</CodigoEstatus><Estado>Vigente${' '.repeat(5_000)}</Estado>`)
  for (const text of [marks, blanks]) {
    const read = readRespuesta(text)
    assert.ok('falla' in read && read.falla === 'ilegible', JSON.stringify(read))
  }
})

test('half an answer is never taken for a whole one, wherever it is cut', () => {
  const whole = fixture('estado-cfdi/own-response-cancelado-con-aceptacion.xml').trim()
  for (let n = 0; n < whole.length; n++) assert.ok('falla' in readRespuesta(whole.slice(0, n)), `${n}`)
})

test('whatever comes is read without an exception', () => {
  const whole = fixture('estado-cfdi/own-response-vigente-en-proceso.xml')
  const parts = fc.array(fc.oneof(fc.constantFrom(...whole.split(/(?=<)/)), fc.string()))
  fc.assert(
    fc.property(parts, (some) => void readRespuesta(some.join(''))),
    { numRuns: 2_000 },
  )
})
