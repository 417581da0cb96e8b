import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { createHash, verify, X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { canonical, exclusive, find, parseXml, textOf, type XmlNode } from '../../../test/support/canonical-xml.ts'
import { efirmaIn } from '../../../test/support/efirma-de-prueba.ts'
import { ownFixture, sharedFixtures } from '../../../test/support/fixtures.ts'
import type { Efirma } from '../../fiel/efirma.ts'
import { type Consulta, operacionDe, parametrosDe } from './consulta.ts'
import { sobreAutentica, sobreDescarga, sobreSolicita, sobreVerifica } from './sobres.ts'

const own = efirmaIn(path.resolve(import.meta.dirname, '../../../test/fixtures/fiel/own-fiel-valid-2046-EKU9003173C9'))
const ampersand = efirmaIn(
  path.resolve(import.meta.dirname, '../../../test/fixtures/fiel/own-fiel-rfc-con-ampersand-H_E951128469'),
)

const LOGIN = {
  created: new Date('2019-08-01T03:38:19Z'),
  expires: new Date('2019-08-01T03:43:19Z'),
  tokenId: 'uuid-cf6c80fb-00ae-44c0-af56-54ec65decbaa-1',
}
const RANGE = { servicio: 'cfdi', desde: '2019-01-01T00:00:00', hasta: '2019-01-01T00:04:00' } as const
const EMITIDOS: Consulta = { ...RANGE, direccion: 'emitidos', tipo: 'Metadata', estado: 'Todos' }
const RECIBIDOS: Consulta = {
  ...RANGE,
  direccion: 'recibidos',
  tipo: 'CFDI',
  estado: 'Vigente',
  contrapartes: ['AAA010101AAA'],
  tipoComprobante: 'N',
  complemento: 'nomina12',
  rfcACuentaTerceros: 'XXX01010199A',
}
const FOLIO: Consulta = {
  servicio: 'cfdi',
  direccion: 'folio',
  tipo: 'CFDI',
  folio: '96623061-61fe-49de-b298-c7156476aa8b',
}

const solicita = (efirma: Efirma, consulta: Consulta) =>
  sobreSolicita(efirma, operacionDe(consulta), parametrosDe(consulta, efirma.rfc))

/** By the name of the golden request. */
const MESSAGES: Readonly<Record<string, (efirma: Efirma) => string>> = {
  'autenticacion/request.xml': (efirma) => sobreAutentica(efirma, LOGIN),
  'solicitud/emitidos-request.xml': (efirma) => solicita(efirma, EMITIDOS),
  'solicitud/recibidos-request.xml': (efirma) => solicita(efirma, RECIBIDOS),
  'solicitud/folio-request.xml': (efirma) => solicita(efirma, FOLIO),
  'verificacion/request.xml': (efirma) => sobreVerifica(efirma, '3f30a4e1-af73-4085-8991-e4d97eef16bd'),
  'descarga/request.xml': (efirma) => sobreDescarga(efirma, '4e80345d-917f-40bb-a98f-4a73939343c5_01'),
}

for (const [name, make] of Object.entries(MESSAGES)) {
  test(`${name}: digest, signature and the whole message are those of the golden one, byte for byte`, (t) => {
    const fixtures = sharedFixtures(t)
    if (!fixtures) return
    const golden = parseXml(readFileSync(path.join(fixtures, 'sat-ws', name), 'utf8'), { dropSpace: true })
    const made = make(efirmaIn(path.join(fixtures, 'fiel/sat-test-fiel-EKU9003173C9')))
    for (const part of ['DigestValue', 'SignatureValue', 'X509IssuerName', 'X509SerialNumber'])
      assert.equal(textOf(find(parseXml(made), part)), textOf(find(golden, part)), part)
    assert.equal(made, canonical(golden))
  })

  test(`${name}: the same with an e.firma of our own is as it has been`, () => {
    const file = `sat-ws/sobres/own-${name.replace('/', '-')}`
    assert.equal(make(own), ownFixture(file).toString('utf8').trimEnd())
  })

  test(`${name}: somebody who reads it anew finds the signature good, also of an RFC with &`, () => {
    for (const efirma of [own, ampersand]) assertGood(make(efirma), efirma)
  })

  test(`${name}: libxml2 writes it as we do, and what it writes is what was signed`, (t) => {
    if (!has(t, 'xmllint')) return
    for (const efirma of [own, ampersand]) assertGood(make(efirma), efirma, exclusiveByXmllint)
  })
}

test('five receivers are five elements, before the signature', () => {
  const contrapartes = ['XAXX010101000', 'H&E951128469', 'AAA010101AAA', 'XEXX010101000', 'OÑO120726RX3']
  const made = solicita(own, { ...EMITIDOS, contrapartes })
  assertGood(made, own)
  const [receivers, signature] = (find(parseXml(made), 'solicitud')?.children ?? []) as XmlNode[]
  assert.equal(signature?.local, 'Signature')
  assert.deepEqual(
    receivers?.children.map((one) => textOf(one as XmlNode)),
    [...contrapartes].sort(),
  )
})

test('whatever is asked for is signed so that it verifies and arrives as it was', () => {
  const value = fc.string({ unit: 'binary' }).map((text) => text.replace(ILLEGAL, ''))
  const odd = fc.oneof(
    value,
    fc.constantFrom('&', '<', '>', '"', "'", '&amp;', ']]>', 'a\tb\nc\rd', 'Ñ&É', '\u{1F9FE}'),
  )
  const parametros = fc.record({
    Complemento: odd,
    RfcEmisor: odd,
    RfcReceptores: fc.array(
      odd.filter((text) => text !== ''),
      { maxLength: 5 },
    ),
    FechaInicial: odd,
  })
  fc.assert(
    fc.property(parametros, (given) => {
      const made = sobreSolicita(own, 'SolicitaDescargaEmitidos', given)
      const found = assertGood(made, own)
      const inner = find(found, 'solicitud')
      const attributes = Object.fromEntries((inner?.attributes ?? []).map(({ name, value }) => [name, value]))
      for (const name of ['Complemento', 'RfcEmisor', 'FechaInicial'] as const)
        assert.equal(attributes[name] ?? '', given[name])
      const receivers = find(found, 'RfcReceptores')?.children ?? []
      assert.deepEqual(
        receivers.map((one) => textOf(one as XmlNode)),
        given.RfcReceptores,
      )
    }),
    { numRuns: 150 },
  )
})

test('what no document may hold is refused and not sent', () => {
  for (const bad of ['\u0000', 'a\u0008', '\ufffe', '\ud800']) assert.throws(() => sobreVerifica(own, bad), RangeError)
})

test('one letter more, or another e.firma, and the signature is not good', () => {
  const made = MESSAGES['verificacion/request.xml']?.(own) ?? ''
  assert.throws(() => assertGood(made.replace('IdSolicitud="3', 'IdSolicitud="4'), own), /digest/)
  assert.throws(() => assertGood(made, ampersand), /signature/)
})

/** Reads and canonicalises it by other means, and checks digest and signature (sat.md 2.2). */
function assertGood(message: string, efirma: Efirma, c14n = exclusive): XmlNode {
  const document = parseXml(message)
  assert.equal(canonical(document), message, 'it is canonical as it is sent')
  const signature = find(document, 'Signature')
  const signedInfo = signature && find(signature, 'SignedInfo')
  assert.ok(signedInfo)
  const body = find(document, 'Body')?.children[0] as XmlNode
  const referred = find(document, 'Timestamp') ?? body
  const digest = createHash('sha1')
    .update(c14n(referred, new Set([signature])))
    .digest('base64')
  assert.equal(textOf(find(signedInfo, 'DigestValue')), digest, 'digest')
  const value = Buffer.from(textOf(find(signature, 'SignatureValue')), 'base64')
  const key = new X509Certificate(efirma.certificado.der).publicKey
  assert.ok(verify('sha1', Buffer.from(c14n(signedInfo)), key, value), 'signature')
  return document
}

/** Given a piece with more declared on it than it uses, so that leaving out is libxml2's work. */
function exclusiveByXmllint(apex: XmlNode, without: ReadonlySet<XmlNode> = new Set()): string {
  const [, name = '', rest = ''] = /^<([^\s>]+)(.*)$/s.exec(exclusive(apex, without)) ?? []
  const more = ['xmlns:q="urn:q"', 'xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"']
  const input = `<${name} ${more.join(' ')}${rest}`
  return execFileSync('xmllint', ['--exc-c14n', '-'], { input, encoding: 'utf8' })
}

/**
 * Only the login. The other requests refer to the whole document and digest one element of it, because that is what the
 * service does (sat.md 2.2): no tool that keeps to the standard finds those good.
 */
test('xmlsec1 finds the login good', (t) => {
  if (!has(t, 'xmlsec1')) return
  const folder = mkdtempSync(path.join(tmpdir(), 'xmlsec-'))
  t.after(() => rmSync(folder, { recursive: true }))
  for (const efirma of [own, ampersand]) {
    const [key, message] = [path.join(folder, 'key.pem'), path.join(folder, 'message.xml')]
    const { publicKey } = new X509Certificate(efirma.certificado.der)
    writeFileSync(key, publicKey.export({ type: 'spki', format: 'pem' }))
    writeFileSync(message, sobreAutentica(efirma, LOGIN))
    const verified = () =>
      execFileSync('xmlsec1', ['--verify', '--pubkey-pem', key, '--id-attr:Id', `${UTILITY}:Timestamp`, message], {
        stdio: 'pipe',
      })
    verified()
    writeFileSync(message, sobreAutentica(efirma, LOGIN).replace('03:43:19', '03:43:20'))
    assert.throws(verified)
  }
})

function has(t: TestContext, program: string): boolean {
  const found = spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0
  if (!found) t.skip(`${program} is not installed`)
  return found
}

const UTILITY = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd'

const ILLEGAL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Cs}/gu
