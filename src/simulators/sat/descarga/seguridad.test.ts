import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { efirmaIn, efirmaOf } from '../../../../test/support/efirma-de-prueba.ts'
import { makeEfirma } from '../../../../test/support/efirmas.ts'
import { sharedFixtures } from '../../../../test/support/fixtures.ts'
import { type SatWorldOptions, startSatWorld } from '../../../../test/support/sat-world.ts'
import type { Efirma } from '../../../fiel/efirma.ts'
import { type Parametros, parametrosDe } from '../../../sat/descarga/consulta.ts'
import { direccionDe } from '../../../sat/descarga/hosts.ts'
import { sobreAutentica, sobreDescarga, sobreSolicita, sobreVerifica } from '../../../sat/descarga/sobres.ts'
import { canonical } from './c14n.ts'
import { seeCertificate } from './certificates.ts'
import { signatureHolds, withoutLayout } from './signatures.ts'
import { type Elemento, elementsOf, parseXml } from './xml-tree.ts'

const RFC = 'EKU9003173C9'
const files = makeEfirma({ rfc: RFC })
const efirma = efirmaOf(files.cer, files.key, files.password)
const FIXTURES = path.resolve(import.meta.dirname, '../../../../test/fixtures/fiel')

/** Messages as they go over the wire, so that a test can send what our client would never. */
async function startWire(t: TestContext, options: SatWorldOptions = {}) {
  const time = { ms: Date.parse('2026-06-01T12:00:00Z') }
  const world = await startSatWorld(t, { clock: { now: () => new Date(time.ms) }, ...options })
  const send = async (url: string, accion: string, body: string, token?: string) => {
    const headers = {
      'content-type': 'text/xml;charset="utf-8"',
      soapaction: accion,
      ...(token !== undefined && { authorization: `WRAP access_token="${token}"` }),
    }
    const answer = await fetch(url, { method: 'POST', headers, body })
    return { status: answer.status, text: await answer.text() }
  }
  const login = async (
    who: Efirma,
    { at = time.ms, change = (body: string) => body, servicio = 'cfdi' as const } = {},
  ) => {
    const body = sobreAutentica(who, { created: new Date(at), expires: new Date(at + 300_000), tokenId: 'uuid-x' })
    const { url, accion } = direccionDe(world.sat.descargaUrl, servicio, 'autentica')
    const answer = await send(url, accion, change(body))
    return { ...answer, token: /<AutenticaResult>([^<]+)/.exec(answer.text)?.[1] ?? '' }
  }
  const verify = async (who: Efirma, token: string | undefined, change = (body: string) => body) => {
    const { url, accion } = direccionDe(world.sat.descargaUrl, 'cfdi', 'verifica')
    const { text } = await send(url, accion, change(sobreVerifica(who, UUID)), token)
    return codeOf(text)
  }
  const solicita = async (
    operacion: 'SolicitaDescargaEmitidos' | 'SolicitaDescargaRecibidos' | 'SolicitaDescargaFolio',
    parametros: Parametros,
    token?: string,
  ) => {
    const { url, accion } = direccionDe(world.sat.descargaUrl, 'cfdi', operacion)
    const { text } = await send(
      url,
      accion,
      sobreSolicita(efirma, operacion, parametros),
      token ?? (await login(efirma)).token,
    )
    return text
  }
  return { ...world, time, send, login, verify, solicita }
}

const UUID = '00000000-0000-4000-8000-000000000001'
const codeOf = (text: string) => /CodEstatus="(\w+)"/.exec(text)?.[1]

test('a token is for the one who signed, for five minutes, and only as it was given', async (t) => {
  const wire = await startWire(t)
  const { token, status } = await wire.login(efirma)
  assert.equal(status, 200)
  assert.match(token, new RegExp(`%26wrap_subject%3d${Buffer.from(files.serial).toString('hex')}$`))
  assert.equal(await wire.verify(efirma, token), '5004', 'good: the request is just unknown')
  assert.equal(await wire.verify(efirma, undefined), '300')
  assert.equal(await wire.verify(efirma, decodeURIComponent(token)), '300')
  assert.equal(await wire.verify(efirma, token.replace(/%26.*/, '')), '300')
  assert.equal(
    await wire.verify(
      efirma,
      token.replace(/.(?=%26)/, (c) => (c === 'A' ? 'B' : 'A')),
    ),
    '300',
  )
  const another = makeEfirma({ rfc: RFC, privateKey: files.privateKey })
  assert.equal(await wire.verify(efirmaOf(another.cer, another.key, another.password), token), '300')
  const { token: ofRetenciones } = await wire.login(efirma, { servicio: 'retenciones' as 'cfdi' })
  assert.equal(await wire.verify(efirma, ofRetenciones), '300')
  wire.time.ms += 5 * 60_000
  assert.equal(await wire.verify(efirma, token), '300')
})

test('a wrong clock or seal is a fault of security, whoever has it', async (t) => {
  const wire = await startWire(t)
  for (const at of [wire.time.ms - 11 * 60_000, wire.time.ms + 6 * 60_000]) {
    const { status, text } = await wire.login(efirma, { at })
    assert.deepEqual([status, /a:InvalidSecurity/.test(text)], [500, true])
  }
  assert.equal((await wire.login(efirma, { at: wire.time.ms - 4 * 60_000 })).status, 200)
  const spoilt: ((body: string) => string)[] = [
    (body) => body.replace(/<u:Created>[^<]+/, (is) => is.replace('000Z', '001Z')),
    (body) => body.replace(/<SignatureValue>./, '<SignatureValue>!'),
    (body) => body.replace('URI="#_0"', 'URI="#_1"'),
    (body) => body.replace('URI="#uuid-x"', 'URI="#uuid-y"'),
    (body) => body.replace(/(BinarySecurityToken [^>]+>)[^<]+/, '$1AAAA'),
  ]
  for (const change of spoilt) assert.equal((await wire.login(efirma, { change })).status, 500)
})

test('login proves nothing: the services look at seal, certificate and taxpayer, in that order', async (t) => {
  const wire = await startWire(t)
  const of = (name: string) => efirmaIn(path.join(FIXTURES, name))
  const cases: [string, Efirma, string][] = [
    ['a CSD', of('own-csd-valid-2046-EKU9003173C9'), '305'],
    ['text in no known encoding', of('own-fiel-printablestring-con-utf8'), '305'],
    ['expired', of('own-fiel-expired-2023-EKU9003173C9'), '304'],
    ['not yet valid', of('own-fiel-not-yet-valid-2040-EKU9003173C9'), '304'],
    ['a person', of('own-fiel-valid-2046-XIQB891116QE4-fisica'), '5004'],
    ['an RFC with Ñ', of('own-fiel-rfc-con-enie-ONO120726RX3'), '5004'],
    ['an RFC with &', of('own-fiel-rfc-con-ampersand-H_E951128469'), '5004'],
  ]
  for (const [what, who, code] of cases) {
    const { token } = await wire.login(who)
    assert.equal(await wire.verify(who, token), code, what)
  }
  const { token } = await wire.login(efirma)
  assert.equal(await wire.verify(efirma, token, (body) => body.replace(UUID, `${UUID.slice(0, -1)}2`)), '302')
  assert.equal(await wire.verify(efirma, token, (body) => body.replace(/<Signature.*Signature>/, '')), '302')
  assert.equal(await wire.verify({ ...efirma, rfc: 'URE180429TM6' }, token), '303')
  wire.sat.revoca(files.serial)
  assert.equal(await wire.verify(efirma, token), '304')
  wire.sat.restituye(files.serial)
  assert.equal(await wire.verify(efirma, token), '5004')
  wire.sat.revoca(RFC)
  assert.equal(await wire.verify(efirma, token), '304')
})

test('what may not be asked is 301 with the reason, whatever else is wrong', async (t) => {
  const wire = await startWire(t)
  const { token } = await wire.login(efirma)
  const good = {
    servicio: 'cfdi',
    tipo: 'CFDI',
    desde: '2026-01-01T00:00:00',
    hasta: '2026-01-31T23:59:59',
    estado: 'Vigente',
  } as const
  const emitidos = parametrosDe({ ...good, direccion: 'emitidos' }, RFC)
  const recibidos = parametrosDe({ ...good, direccion: 'recibidos' }, RFC)
  const { EstadoComprobante: _, ...sinEstado } = recibidos
  const refused: [string, Parametros, RegExp][] = [
    ['Emitidos', { ...emitidos, FechaFinal: '2026-01-01T00:00:00' }, /fecha inicial es mayor o igual/],
    ['Emitidos', { ...emitidos, FechaInicial: '2020-05-31T23:59:59' }, /seis años/],
    ['Emitidos', { ...emitidos, FechaInicial: '2026-02-30T00:00:00' }, /formato de las fechas/],
    ['Emitidos', { ...emitidos, FechaInicial: '2026-01-01T00:00:00Z' }, /formato de las fechas/],
    ['Emitidos', { ...emitidos, EstadoComprobante: '1' }, /estado del comprobante/],
    ['Emitidos', { ...emitidos, RfcReceptor: RFC }, /RfcReceptor/],
    ['Emitidos', { ...emitidos, RfcEmisor: 'URE180429TM6' }, /RFC emisor/],
    ['Emitidos', { ...emitidos, RfcReceptores: Array(6).fill('URE180429TM6') }, /cinco/],
    ['Emitidos', { ...emitidos, TipoComprobante: 'X' }, /tipo de comprobante/],
    ['Emitidos', { ...emitidos, TipoSolicitud: 'PDF' }, /tipo de solicitud/],
    ['Recibidos', { ...recibidos, EstadoComprobante: 'Todos' }, /cancelados/],
    ['Recibidos', sinEstado, /cancelados/],
    ['Recibidos', { ...recibidos, RfcReceptor: 'URE180429TM6' }, /RFC receptor/],
    ['Folio', { RfcSolicitante: RFC, Folio: 'x' }, /folio/],
    ['Folio', { RfcSolicitante: RFC, Folio: UUID, TipoSolicitud: 'CFDI' }, /TipoSolicitud/],
    ['Folio', { RfcSolicitante: RFC.toLowerCase(), Folio: UUID }, /RFC solicitante/],
  ]
  wire.sat.revoca(RFC)
  for (const [name, parametros, words] of refused) {
    const text = await wire.solicita(`SolicitaDescarga${name}` as 'SolicitaDescargaFolio', parametros, token)
    assert.equal(codeOf(text), '301', JSON.stringify(parametros))
    assert.match(text, words)
  }
  assert.equal(codeOf(await wire.solicita('SolicitaDescargaEmitidos', emitidos, token)), '304', 'a good one')
  assert.equal(wire.sat.solicitudes().length, 0)
})

test('what is no message of the service is a fault', async (t) => {
  const wire = await startWire(t)
  const { url, accion } = direccionDe(wire.sat.descargaUrl, 'cfdi', 'verifica')
  const old = 'http://DescargaMasivaTerceros.sat.gob.mx/ISolicitaDescargaService/SolicitaDescarga'
  assert.match((await wire.send(url, old, '<a/>')).text, /a:ActionNotSupported/)
  for (const body of ['', 'hola', '<!DOCTYPE a><a/>', '<a/>', sobreDescarga(efirma, `${UUID}_01`)])
    assert.deepEqual([(await wire.send(url, accion, body)).status], [500])
})

test('golden requests of another client hold, and are refused for what their certificate is', async (t) => {
  const shared = sharedFixtures(t)
  if (!shared) return
  const wire = await startWire(t)
  wire.time.ms = Date.parse('2019-08-01T03:38:19Z')
  const golden = (name: string) =>
    canonical(withoutLayout(parseXml(readFileSync(path.join(shared, 'sat-ws', name), 'utf8'))))
  const autentica = direccionDe(wire.sat.descargaUrl, 'cfdi', 'autentica')
  const answer = await wire.send(autentica.url, autentica.accion, golden('autenticacion/request.xml'))
  assert.equal(answer.status, 200)
  const token = /<AutenticaResult>([^<]+)/.exec(answer.text)?.[1] ?? ''
  const requests = [
    ['solicitud/emitidos-request.xml', 'SolicitaDescargaEmitidos'],
    ['solicitud/recibidos-request.xml', 'SolicitaDescargaRecibidos'],
    ['solicitud/folio-request.xml', 'SolicitaDescargaFolio'],
    ['verificacion/request.xml', 'verifica'],
    ['descarga/request.xml', 'descarga'],
  ] as const
  const theirs = /<AutenticaResult>([^<]+)/.exec(
    readFileSync(path.join(shared, 'sat-ws/autenticacion/response-with-token.xml'), 'utf8'),
  )?.[1]
  for (const [name, operacion] of requests) {
    const { url, accion } = direccionDe(wire.sat.descargaUrl, 'cfdi', operacion)
    const body = golden(name)
    assert.equal(
      codeOf((await wire.send(url, accion, body, token)).text),
      '305',
      `${name}: the SAT's own test certificate`,
    )
    assert.equal(codeOf((await wire.send(url, accion, body, theirs)).text), '300', `${name}: a token of the real SAT`)
    const spoilt = body.replace('EKU9003173C9"', 'EKU9003173C8"')
    assert.match(codeOf((await wire.send(url, accion, spoilt, token)).text) ?? '', /30[12]/, `${name}: changed`)
    assert.ok(holds(parseXml(body)), name)
  }
})

/** Whether the signature in a message is right, by the key of the certificate in it. */
function holds(root: Elemento): boolean {
  const [operation] = elementsOf(elementsOf(root)[1] as Elemento)
  const request = elementsOf(operation as Elemento)[0] as Elemento
  const signature = elementsOf(request).at(-1) as Elemento
  const { x509 } = seeCertificate(Buffer.from(certificateIn(signature), 'base64'), { authorities: [], names: [] })
  return signatureHolds(signature, operation as Elemento, x509.publicKey)
}

const certificateIn = (element: Elemento): string => /<X509Certificate>([^<]+)/.exec(canonical(element))?.[1] ?? ''
