import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { ownFixture, sharedFixtures } from '../../../test/support/fixtures.ts'
import { clasifica } from './codigos.ts'
import { readAutentica, readFalla, readSolicita, readVerifica } from './respuestas.ts'

const TOKEN = /^eyJhbGciOiJodHRw[\w.-]+%26wrap_subject%3d3330303031303030303030333030303233363835$/
const ID = 'd49af78d-1c80-4221-a48d-345ace91626b'
const PACKAGES = (n: number) =>
  Array.from({ length: n }, (_, at) => `4e80345d-917f-40bb-a98f-4a73939343c5_0${at + 1}`).join(' ')

/** [file, what is read of it]: code, class and IdSolicitud. */
const SOLICITA: [string, ...string[]][] = [
  ['emitidos-response-5000.xml', '5000', 'aceptada', ID],
  ['folio-response-5000.xml', '5000', 'aceptada', ID],
  ['recibidos-response-5000.xml', '5000', 'aceptada', ID],
  ['own-recibidos-response-5000-mayusculas.xml', '5000', 'aceptada', ID.toUpperCase()],
  ['own-emitidos-response-300.xml', '300', 'token', ''],
  ['own-emitidos-response-301.xml', '301', 'parametros', ''],
  ['own-emitidos-response-301-fechas.xml', '301', 'parametros', ''],
  ['own-emitidos-response-302.xml', '302', 'sello', ''],
  ['own-emitidos-response-303.xml', '303', 'sello', ''],
  ['own-emitidos-response-304.xml', '304', 'credencial', ''],
  ['own-emitidos-response-305.xml', '305', 'credencial', ''],
  ['own-emitidos-response-404.xml', '404', 'transitoria', ''],
  ['own-emitidos-response-5001.xml', '5001', 'parametros', ''],
  ['own-emitidos-response-5002.xml', '5002', 'agotada', ''],
  ['own-emitidos-response-5005.xml', '5005', 'repetida', ''],
  ['own-emitidos-response-5006.xml', '5006', 'transitoria', ''],
  ['own-folio-response-5012.xml', '5012', 'no_descargable', ''],
  ['own-recibidos-response-301-cancelados.xml', '301', 'parametros', ''],
]

/** Code and class, EstadoSolicitud, CodigoEstadoSolicitud and its class, NumeroCFDIs, packages. */
const VERIFICA: [string, ...string[]][] = [
  ['own-response-0-300-token.xml', '300 token', '0', 'null null', '0', ''],
  ['own-response-0-404-sin-codigo.xml', '404 transitoria', '0', 'null null', '0', ''],
  ['own-response-0-5004.xml', '5004 desconocida', '0', 'null null', '0', ''],
  ['own-response-0-5011.xml', '5011 manana', '0', 'null null', '0', ''],
  ['own-response-1-aceptada.xml', '5000 aceptada', '1', '5000 aceptada', '0', ''],
  ['own-response-2-en-proceso.xml', '5000 aceptada', '2', '5000 aceptada', '0', ''],
  ['own-response-3-terminada-0-paquetes.xml', '5000 aceptada', '3', '5000 aceptada', '0', ''],
  [
    'own-response-3-terminada-1-paquete.xml',
    '5000 aceptada',
    '3',
    '5000 aceptada',
    '10',
    '4E80345D-917F-40BB-A98F-4A73939343C5_01',
  ],
  ['own-response-3-terminada-6-paquetes.xml', '5000 aceptada', '3', '5000 aceptada', '123456', PACKAGES(6)],
  ['response-3-terminada-2-paquetes.xml', '5000 aceptada', '3', '5000 aceptada', '12345', PACKAGES(2)],
  ['own-response-4-error.xml', '5000 aceptada', '4', '404 transitoria', '0', ''],
  ['own-response-5-rechazada-5002.xml', '5000 aceptada', '5', '5002 agotada', '0', ''],
  ['own-response-5-rechazada-5003-tope.xml', '5000 aceptada', '5', '5003 tope', '0', ''],
  ['own-response-5-rechazada-5005.xml', '5000 aceptada', '5', '5005 repetida', '0', ''],
  ['response-5-rechazada-5004.xml', '5000 aceptada', '5', '5004 vacia', '0', ''],
  ['own-response-6-vencida.xml', '5000 aceptada', '6', '5000 aceptada', '10', ''],
  ['own-response-estado-desconocido-9.xml', '5000 aceptada', '9', '5999 persona', '0', ''],
]

const FALLAS: [string, string, RegExp][] = [
  ['own-200-cuerpo-vacio.xml', 'vacia', /empty/],
  ['own-200-html-en-vez-de-soap.html', 'html', /Request Rejected/],
  ['own-200-truncada.xml', 'malformada', /./],
  ['own-500-fault-action-not-supported.xml', 'contrato', /a:ActionNotSupported The message with Action/],
  ['own-500-fault-internal.xml', 'fault', /a:InternalServiceFault/],
  ['own-500-fault-invalid-security.xml', 'seguridad', /a:InvalidSecurity An error/],
  ['own-502-bad-gateway.html', 'html', /502 Bad Gateway/],
  ['own-503-html-mantenimiento.html', 'html', /Service Unavailable/],
]

const readersOf = () => [readAutentica, readSolicita, readVerifica, readFalla]

test('every answer to Solicita among the fixtures is read for what it says', (t) => {
  assertAll(sharedFixtures(t), 'solicitud', SOLICITA, (body) => {
    const found = readSolicita(body)
    if ('falla' in found) return [found.falla, found.detalle]
    assert.match(found.mensaje, /.{8,}/)
    return [found.codigo, clasifica('solicita', found.codigo), found.idSolicitud ?? '']
  })
})

test('every answer to Verifica among the fixtures is read for what it says', (t) => {
  assertAll(sharedFixtures(t), 'verificacion', VERIFICA, (body) => {
    const found = readVerifica(body)
    if ('falla' in found) return [found.falla, found.detalle]
    const { codigo, codigoEstado, estadoSolicitud, numeroCfdis, paquetes } = found
    const clase = codigoEstado === null ? null : clasifica('estado', codigoEstado)
    return [
      `${codigo} ${clasifica('verifica', codigo)}`,
      String(estadoSolicitud),
      `${codigoEstado} ${clase}`,
      String(numeroCfdis),
      paquetes.join(' '),
    ]
  })
})

test('the token is what the SAT gave, to the letter, with the time that it lives', (t) => {
  const folder = sharedFixtures(t)
  if (!folder) return
  const read = (name: string) => readAutentica(readFileSync(path.join(folder, 'sat-ws/autenticacion', name), 'utf8'))
  const found = read('response-with-token.xml')
  assert.ok('token' in found)
  assert.match(found.token, TOKEN)
  assert.equal(found.duraMs, 300_000)
  const refused = read('response-fault-invalid-security.xml')
  assert.ok('falla' in refused)
  assert.equal(refused.falla, 'seguridad')
})

for (const [name, falla, detalle] of FALLAS)
  test(`${name} is never an answer, whoever asked`, () => {
    const body = ownFixture(`sat-ws/fallas/${name}`).toString('utf8')
    for (const read of readersOf()) {
      const found = read(body)
      assert.ok('falla' in found)
      assert.equal(found.falla, falla)
      assert.match(found.detalle, detalle)
    }
  })

test('all fixtures of what comes instead of an answer are among these', (t) => {
  const folder = sharedFixtures(t)
  if (!folder) return
  assert.deepEqual(readdirSync(path.join(folder, 'sat-ws/fallas')).sort(), FALLAS.map(([name]) => name).sort())
})

const soap = (inner: string) => `<E:Envelope xmlns:E="e"><E:Body>${inner}</E:Body></E:Envelope>`

test('prefixes and the case of names are the choice of the SAT', () => {
  const found = readVerifica(
    soap(`<x:RESPUESTA xmlns:x="x"><x:verificaSOLICITUDdescargaRESULT codestatus="5000" ESTADOSOLICITUD=" 3 "
      x:CodigoEstadoSolicitud="5000" numeroCfdis="2" mensaje="Ñandú &amp; compañía">
      <x:IDSPAQUETES><![CDATA[A_01]]></x:IDSPAQUETES><x:IdsPaquetes/><IdsPaquetes> A_01 </IdsPaquetes><IdsPaquetes>A_02</IdsPaquetes>
      </x:verificaSOLICITUDdescargaRESULT></x:RESPUESTA>`),
  )
  assert.deepEqual(found, {
    codigo: '5000',
    mensaje: 'Ñandú & compañía',
    estadoSolicitud: 3,
    codigoEstado: '5000',
    numeroCfdis: 2,
    paquetes: ['A_01', 'A_02'],
  })
})

for (const [what, body] of [
  ['no result', soap('<SolicitaDescargaEmitidosResponse/>')],
  ['a result without a code', soap('<SolicitaDescargaEmitidosResult IdSolicitud="a"/>')],
  ['what was taken and has no number', soap('<SolicitaDescargaEmitidosResult CodEstatus="5000" Mensaje="x"/>')],
  ['a number that is none', soap('<SolicitaDescargaEmitidosResult CodEstatus="5000" IdSolicitud="../&#10;x"/>')],
])
  test(`${what} is a whole message that we do not understand`, () => {
    const found = readSolicita(body ?? '')
    assert.ok('falla' in found)
    assert.equal(found.falla, 'ilegible')
  })

test('a token that no header could hold is none, and is not shown', () => {
  for (const token of ['secre to', 'secre"to', 'secre\nto', 'secre\u00f1to', 's'.repeat(20_000)]) {
    const found = readAutentica(soap(`<AutenticaResult>${token}</AutenticaResult>`))
    assert.ok('falla' in found)
    assert.deepEqual(found, { falla: 'ilegible', detalle: 'a token that is none' })
  }
})

test('a DOCTYPE, two roots, depth and floods are not read', () => {
  const bodies = [
    `<!DOCTYPE a [<!ENTITY x "y">]>${soap('&x;')}`,
    soap('') + soap(''),
    soap('<a>'.repeat(50) + '</a>'.repeat(50)),
    soap('<a/>'.repeat(30_000)),
    '<Sobre/>',
    '{"codigo": 5000}',
    'upstream connect error',
  ]
  for (const body of bodies)
    for (const read of readersOf()) {
      const found = read(body)
      assert.ok('falla' in found)
      assert.equal(found.falla, 'malformada')
    }
})

test('half an answer is never one, wherever it was cut', () => {
  const whole = soap('<SolicitaDescargaFolioResult CodEstatus="5000" IdSolicitud="abc" Mensaje="x"/>')
  for (let at = 0; at < whole.length; at++) assert.ok('falla' in readSolicita(whole.slice(0, at)), `cut at ${at}`)
  assert.ok(!('falla' in readSolicita(whole)))
})

test('whatever comes, something is said of it and nothing is thrown', () => {
  const piece = fc.constantFrom(
    '<',
    '>',
    '/',
    '"',
    '=',
    '&',
    'AutenticaResult',
    's:Envelope',
    ' CodEstatus',
    'ñ',
    '\0',
    ']]>',
  )
  fc.assert(
    fc.property(fc.array(fc.oneof(piece, fc.string()), { maxLength: 30 }), (pieces) => {
      for (const read of readersOf()) assert.ok(read(pieces.join('')))
    }),
    { numRuns: 300 },
  )
})

function assertAll(
  fixtures: string | undefined,
  folder: string,
  table: readonly (readonly [string, ...string[]])[],
  read: (body: string) => readonly string[],
): void {
  if (!fixtures) return
  const at = path.join(fixtures, 'sat-ws', folder)
  const answers = readdirSync(at).filter((name) => name.includes('response'))
  assert.deepEqual(table.map(([name]) => name).sort(), answers.sort(), 'each has a verdict here')
  for (const [name, ...verdict] of table)
    assert.deepEqual(read(readFileSync(path.join(at, name), 'utf8')), verdict, name)
}
