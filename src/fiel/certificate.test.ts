import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { ownFixture, sharedFixtures } from '../../test/support/fixtures.ts'
import { AppError } from '../errors.ts'
import { claseOf, readCertificado } from './certificate.ts'

const cer = (folder: string) => readCertificado(ownFixture(`fiel/${folder}/cert.cer`))

test('a certificate says whose it is, who signs for them, its number and its time', () => {
  const company = cer('own-fiel-valid-2046-EKU9003173C9')
  assert.equal(company.rfc, 'EKU9003173C9')
  assert.equal(company.rfcRepresentante, 'VADA800927DJ3')
  assert.equal(company.nombre, 'ESCUELA KEMPER URGATE SA DE CV')
  assert.equal(company.serial, '30001000000999900001')
  assert.equal(company.serialDecimal, BigInt('0x3330303031303030303030393939393030303031').toString())
  assert.equal(company.validFrom.toISOString(), '2024-01-01T00:00:00.000Z')
  assert.equal(company.validTo.toISOString(), '2046-01-01T00:00:00.000Z')
  const person = cer('own-fiel-valid-2046-XIQB891116QE4-fisica')
  assert.equal(person.rfc, 'XIQB891116QE4')
  assert.equal(person.rfcRepresentante, null)
})

test('Ñ and & are read right, also where a string is mislabelled', () => {
  for (const folder of ['own-fiel-rfc-con-enie-ONO120726RX3', 'own-fiel-printablestring-con-utf8']) {
    assert.equal(cer(folder).rfc, 'OÑO120726RX3', folder)
    assert.equal(cer(folder).nombre, 'ORGÁNICOS ÑÁVEZ OSORIO SA DE CV', folder)
  }
  assert.equal(cer('own-fiel-rfc-con-ampersand-H_E951128469').rfc, 'H&E951128469')
})

test('the issuer is RFC 4514 text in the order of the certificate', () => {
  const { emisor } = cer('own-fiel-valid-2046-EKU9003173C9')
  assert.equal(
    emisor,
    'CN=AC DE PRUEBAS NO SAT,O=AUTORIDAD FICTICIA PARA PRUEBAS\\2c S.A.,OU=Pruebas automáticas,C=MX,ST=CIUDAD DE MEXICO,x500UniqueIdentifier=AAA010101AAA',
  )
})

test('issuer and serial number are those of the golden requests', (t) => {
  const shared = sharedFixtures(t)
  if (!shared) return
  const read = (name: string) => readFileSync(path.join(shared, name))
  const certificado = readCertificado(read('fiel/sat-test-fiel-EKU9003173C9/EKU9003173C9.cer'))
  for (const name of ['emitidos', 'recibidos', 'folio']) {
    const golden = read(`sat-ws/solicitud/${name}-request.xml`).toString('utf8')
    assert.ok(golden.includes(`<X509IssuerName>${certificado.emisor}</X509IssuerName>`), name)
    assert.ok(golden.includes(`<X509SerialNumber>${certificado.serialDecimal}</X509SerialNumber>`), name)
  }
  assert.equal(claseOf(certificado), 'fiel')
  assert.equal(claseOf(readCertificado(read('fiel/sat-test-csd-EKU9003173C9/EKU9003173C9.cer'))), 'csd')
  const latin = readCertificado(read('fiel/cert-only/00001000000413053762.cer'))
  assert.equal(latin.nombre, 'COMPAÑIA SANTA MARIA SA DE CV')
})

test('no byte that is changed or missing makes anything but a certificate or a refusal', () => {
  const whole = ownFixture('fiel/own-fiel-valid-2046-EKU9003173C9/cert.cer')
  const tryToRead = (bytes: Buffer) => {
    try {
      readCertificado(bytes)
    } catch (error) {
      assert.ok(error instanceof AppError, String(error))
    }
  }
  for (let at = 0; at < whole.length; at++) {
    assert.throws(() => readCertificado(whole.subarray(0, at)), AppError)
    for (const value of [0, 0x7f, 0x80, 0x84, 0xff]) {
      const changed = Buffer.from(whole)
      changed[at] = value
      tryToRead(changed)
    }
  }
})
