import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { authorityCertificate, makeEfirma } from '../../test/support/efirmas.ts'
import { fielForm } from '../../test/support/fiel-form.ts'
import { ownFixture } from '../../test/support/fixtures.ts'
import { startProduct } from '../../test/support/product.ts'
import { isIssuedBy, loadAuthorities } from './authorities.ts'
import { checkFiel, type Partes } from './check-fiel.ts'

const OWN = authorityCertificate()
const IMPOSTOR = authorityCertificate({ impostor: true })

function folderOf(t: TestContext, files: Readonly<Record<string, string | Buffer>>): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'horux-autoridades-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  for (const [name, content] of Object.entries(files)) writeFileSync(path.join(folder, name), content)
  return folder
}

/** Whether or not the authorities are at hand. */
function refusedAsUnreadable(partes: Partes): void {
  const esperado = { rfc: 'EKU9003173C9', now: new Date('2026-05-04T12:00:00Z'), pruebas: true }
  for (const autoridades of [[new X509Certificate(OWN)], null])
    assert.throws(() => checkFiel(partes, { ...esperado, autoridades }), { code: 'fiel.certificado_ilegible' })
}

test('a certificate is of the authority whose name it says and whose signature it has', () => {
  const { cer } = makeEfirma({ rfc: 'EKU9003173C9' })
  const of = (...ders: Buffer[]) =>
    isIssuedBy(
      ders.map((der) => new X509Certificate(der)),
      new X509Certificate(cer),
    )
  assert.deepEqual([of(OWN), of(IMPOSTOR, OWN), of(IMPOSTOR), of()], [true, true, false, false])
  // Signed as it was, and changed afterwards.
  const changed = Buffer.from(cer)
  changed.write('X', changed.indexOf('EMPRESA DE PRUEBA'))
  assert.equal(isIssuedBy([new X509Certificate(OWN)], new X509Certificate(changed)), false)
})

test('a folder of authorities is read whole, in DER or PEM, or not at all', (t) => {
  const pems = [OWN, IMPOSTOR].map((der) => new X509Certificate(der).toString()).join('')
  assert.equal(loadAuthorities(folderOf(t, { 'ac.cer': OWN, 'dos.pem': pems, '.DS_Store': 'x' })).length, 3)
  const { cer } = makeEfirma({ rfc: 'EKU9003173C9' })
  for (const files of [
    {},
    { 'leeme.txt': 'hola' },
    { 'ac.cer': OWN, 'efirma.cer': cer },
    { 'ac.cer': OWN.subarray(9) },
    { 'una-y-media.pem': pems.slice(0, -40) },
    { 'media-y-una.pem': `${pems.slice(0, 400)}\n${pems}` },
  ])
    assert.throws(() => loadAuthorities(folderOf(t, files)), /FIEL_CA_PATH/)
  assert.throws(() => loadAuthorities('/no/hay'), /ENOENT/)
})

test('a certificate that carries a real one inside is told by its own signature', () => {
  const real = makeEfirma({ rfc: 'AAA010101AAA' })
  const nombre = `EMPRESA\n${new X509Certificate(real.cer).toString()}`
  const forged = makeEfirma({ rfc: 'EKU9003173C9', nombre, privateKey: real.privateKey })
  forged.cer.fill(0, forged.cer.length - 9)
  const partes = { certificado: forged.cer, llave: real.key, contrasena: Buffer.from(real.password) }
  refusedAsUnreadable(partes)
})

test('what we can read and OpenSSL cannot is no certificate', () => {
  const { cer, key, password } = makeEfirma({ rfc: 'EKU9003173C9' })
  const algorithm = cer.indexOf(Buffer.from('300d06092a864886f70d0101010500', 'hex'))
  cer[algorithm] = 0x31
  const partes = { certificado: cer, llave: key, contrasena: Buffer.from(password) }
  refusedAsUnreadable(partes)
})

test('where the authorities are at hand, an e.firma that only says their name is refused', async (t) => {
  const env = { FIEL_CA_PATH: folderOf(t, { 'ac.cer': OWN }) }
  const product = await startProduct(t, { env })
  const company = await product.createTenant({ rfc: 'EKU9003173C9' })
  // Of the same name, and signed by another key.
  const set = 'fiel/own-fiel-valid-2046-EKU9003173C9'
  const certificate = new X509Certificate(ownFixture(`${set}/cert.cer`))
  assert.equal(certificate.issuer, new X509Certificate(OWN).subject)
  const refused = await company.send('POST', '/api/fiel', fielForm())
  assert.deepEqual([refused.statusCode, refused.json().code], [422, 'fiel.emisor_no_verificado'])
  const { cer, key } = makeEfirma({ rfc: company.rfc })
  const taken = await company.send('POST', '/api/fiel', fielForm({ certificado: cer, llave: key }))
  assert.equal(taken.statusCode, 201, taken.body)
})
