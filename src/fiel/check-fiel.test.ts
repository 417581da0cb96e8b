import assert from 'node:assert/strict'
import { createCipheriv, pbkdf2Sync, randomBytes, X509Certificate } from 'node:crypto'
import { existsSync, globSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { makeEfirma } from '../../test/support/efirmas.ts'
import { ownFixture, sharedFixtures } from '../../test/support/fixtures.ts'
import { AppError } from '../errors.ts'
import { checkFiel, type Esperado, openFiel, type Partes } from './check-fiel.ts'

const EKU = 'EKU9003173C9'
const NOW = new Date('2026-06-01T12:00:00Z')
const ESPERADO: Esperado = { rfc: EKU, now: NOW, pruebas: true, autoridades: null }
const OWN = 'own-fiel-valid-2046-EKU9003173C9'
const RAROS = 'own-raros'
const own = (name: string) => ownFixture(`fiel/${name}`)

/** What is said of three files: the code of the refusal, or `sí`. */
function verdict(partes: Partes, esperado: Partial<Esperado> = {}): string {
  try {
    checkFiel(partes, { ...ESPERADO, ...esperado })
    return 'sí'
  } catch (error) {
    assert.ok(error instanceof AppError, String(error))
    assert.ok(error.mensaje.length > 30)
    return error.code
  }
}

const valid = () => ({
  certificado: own(`${OWN}/cert.cer`),
  llave: own(`${OWN}/key.key`),
  contrasena: Buffer.from('12345678a'),
})

/** Each set of ours: for which company, and what is said of it. */
const SETS: Record<string, [rfc: string, verdict: string]> = {
  [OWN]: [EKU, 'sí'],
  'own-fiel-valid-2046-XIQB891116QE4-fisica': ['XIQB891116QE4', 'sí'],
  'own-fiel-rfc-con-enie-ONO120726RX3': ['OÑO120726RX3', 'sí'],
  'own-fiel-printablestring-con-utf8': ['OÑO120726RX3', 'sí'],
  'own-fiel-rfc-con-ampersand-H_E951128469': ['H&E951128469', 'sí'],
  'own-csd-valid-2046-EKU9003173C9': [EKU, 'fiel.es_csd'],
  'own-fiel-expired-2023-EKU9003173C9': [EKU, 'fiel.vencida'],
  'own-fiel-not-yet-valid-2040-EKU9003173C9': [EKU, 'fiel.aun_no_vigente'],
  'own-raros/llave-de-otro-certificado': [EKU, 'fiel.no_son_pareja'],
}

/** Each odd file of ours in the place that its name says, with the rest of a good e.firma. */
const ODD: Record<string, string> = {
  'certificado-basura-al-final.cer': 'sí',
  'certificado.pem.cer': 'sí',
  'certificado.base64.cer': 'sí',
  'certificado-ec-p256.cer': 'fiel.llave_no_es_rsa',
  'certificado-rsa-1024.cer': 'fiel.llave_de_tamano_invalido',
  'certificado-es-la-llave.cer': 'fiel.certificado_es_llave',
  'certificado-serie-no-ascii.cer': 'fiel.certificado_sin_serie',
  'certificado-sin-x500UniqueIdentifier.cer': 'fiel.certificado_sin_rfc',
  'certificado-truncado.cer': 'fiel.certificado_ilegible',
  'llave-aes256.key': 'sí',
  'llave-pbes1-sha1-3des.key': 'sí',
  'llave-pem-cifrada.pem': 'sí',
  'llave-basura.key': 'fiel.llave_ilegible',
  'llave-truncada.key': 'fiel.llave_ilegible',
  'llave-vacia.key': 'fiel.archivo_vacio',
  'llave-pkcs1-sin-cifrar.key': 'fiel.llave_sin_cifrar',
  'llave-pkcs8-sin-cifrar.key': 'fiel.llave_sin_cifrar',
  'llave-iter-10-millones.key': 'fiel.llave_con_demasiadas_vueltas',
}

test('every fixture of ours has its verdict', () => {
  const folder = path.resolve(import.meta.dirname, '../../test/fixtures/fiel')
  const files = globSync('**/*.{cer,key,pem}', { cwd: folder })
  const told = [
    ...Object.keys(SETS).flatMap((set) => [`${set}/cert.cer`, `${set}/key.key`]),
    ...Object.keys(ODD).map((name) => `${RAROS}/${name}`),
  ]
  assert.deepEqual(files.sort(), told.sort())
  for (const [set, [rfc, expected]] of Object.entries(SETS)) {
    const partes = { certificado: own(`${set}/cert.cer`), llave: own(`${set}/key.key`) }
    const contrasena = existsSync(path.join(folder, set, 'password.txt')) ? own(`${set}/password.txt`) : Buffer.alloc(0)
    assert.equal(verdict({ ...partes, contrasena }, { rfc }), expected, set)
  }
  for (const [name, expected] of Object.entries(ODD)) {
    const parte = name.startsWith('llave') ? 'llave' : 'certificado'
    assert.equal(verdict({ ...valid(), [parte]: own(`${RAROS}/${name}`) }), expected, name)
  }
})

test('what the SAT made for tests has its verdict too', (t) => {
  const shared = sharedFixtures(t)
  if (!shared) return
  const read = (name: string) => readFileSync(path.join(shared, 'fiel', name))
  const set = (certificado: string, llave: string) => ({
    certificado: read(certificado),
    llave: read(llave),
    contrasena: Buffer.from('12345678a'),
  })
  const eku = set('sat-test-fiel-EKU9003173C9/EKU9003173C9.cer', 'sat-test-fiel-EKU9003173C9/EKU9003173C9.key')
  assert.equal(verdict(eku), 'sí')
  assert.equal(verdict(eku, { pruebas: false }), 'fiel.emisor_de_pruebas')
  const csd = set('sat-test-csd-EKU9003173C9/EKU9003173C9.cer', 'sat-test-csd-EKU9003173C9/EKU9003173C9.key')
  assert.equal(verdict(csd), 'fiel.es_csd')
  assert.equal(verdict({ ...eku, llave: csd.llave }), 'fiel.no_son_pareja')

  const old = 'sat-test-fiel-AAA010101AAA-expired-2021'
  const aaa = set(`${old}/certificate.cer`, `${old}/private_key.key`)
  const then = { rfc: 'AAA010101AAA', now: new Date('2020-01-01T00:00:00Z') }
  assert.equal(verdict(aaa, { rfc: 'AAA010101AAA' }), 'fiel.vencida')
  for (const [certificado, llave, expected] of [
    ['certificate.cer', 'private_key.key', 'sí'],
    ['certificate.cer.pem', 'private_key.key', 'sí'],
    ['certificate.cer', 'private_key_protected.key.pem', 'fiel.llave_ilegible'], // PKCS#1 under a cipher of its own
    ['certificate.cer', 'private_key.key.pem', 'fiel.llave_sin_cifrar'],
  ] as const)
    assert.equal(verdict(set(`${old}/${certificado}`, `${old}/${llave}`), then), expected, `${certificado} ${llave}`)

  const sello = 'sat-test-csd-AAA010101AAA-expired-2021'
  for (const name of ['certificate.cer', 'certificate.cer.pem', 'certificate.cer.plain', 'all_in_one.pem'])
    assert.equal(verdict({ ...aaa, certificado: read(`${sello}/${name}`) }, then), 'fiel.es_csd', name)
  for (const name of ['credential_protected.pfx', 'credential_unprotected.pfx']) {
    assert.equal(verdict({ ...aaa, certificado: read(`${sello}/${name}`) }, then), 'fiel.es_pfx', name)
    assert.equal(verdict({ ...aaa, llave: read(`${sello}/${name}`) }, then), 'fiel.es_pfx', name)
  }
  const pac = { ...eku, certificado: read('cert-only/00001000000708361114.cer') }
  assert.equal(verdict(pac, { pruebas: false }), 'fiel.es_csd')
  const broken = { ...eku, certificado: read('cert-only/certificate-with-error.pem') }
  assert.equal(verdict(broken), 'fiel.certificado_ilegible')
})

test('each thing that is not right is told by its own name', () => {
  const good = valid()
  const big = Buffer.alloc(10 * 1024 + 1, 'x')
  const stranger = Buffer.from(good.certificado.toString('latin1').replaceAll('PRUEBAS', 'NINGUNA'), 'latin1')
  const cases: [string, Partes, Partial<Esperado>?][] = [
    ['fiel.archivo_grande', { ...good, certificado: big }],
    ['fiel.archivo_grande', { ...good, llave: big }],
    ['fiel.contrasena_larga', { ...good, contrasena: Buffer.alloc(257, 'x') }],
    ['fiel.archivo_vacio', { ...good, contrasena: Buffer.alloc(0) }],
    ['fiel.archivos_intercambiados', { ...good, certificado: good.llave, llave: good.certificado }],
    ['fiel.llave_es_certificado', { ...good, llave: good.certificado }],
    ['fiel.certificado_ilegible', { ...good, certificado: Buffer.from('hola') }],
    ['fiel.llave_ilegible', { ...good, llave: Buffer.from('hola') }],
    ['fiel.contrasena_incorrecta', { ...good, contrasena: Buffer.from('12345678A') }],
    ['fiel.contrasena_incorrecta', { ...good, contrasena: Buffer.from('12345678a ') }],
    ['fiel.rfc_distinto', good, { rfc: 'XIA190128J61' }],
    ['fiel.emisor_de_pruebas', good, { pruebas: false }],
    ['fiel.emisor_desconocido', { ...good, certificado: stranger }],
    ['fiel.aun_no_vigente', good, { now: new Date('2023-12-31T23:49:59Z') }],
    ['sí', good, { now: new Date('2023-12-31T23:50:00Z') }],
    ['sí', good, { now: new Date('2045-12-31T23:49:59Z') }],
    ['fiel.por_vencer', good, { now: new Date('2045-12-31T23:50:00Z') }],
    ['fiel.vencida', good, { now: new Date('2046-01-01T00:00:00Z') }],
  ]
  for (const [expected, partes, esperado] of cases) assert.equal(verdict(partes, esperado), expected)
})

test('one wrong password in 256 opens to bytes that are no key, and is told as the others are', () => {
  const good = valid()
  for (let i = 0; i < 1500; i++)
    assert.equal(verdict({ ...good, contrasena: Buffer.from(`otra ${i}`) }), 'fiel.contrasena_incorrecta')
})

test('the first thing that is wrong is told, and nothing is opened before the cheap ones are right', () => {
  const csd = own('own-csd-valid-2046-EKU9003173C9/cert.cer')
  const wrong = { ...valid(), certificado: csd, contrasena: Buffer.from('no') }
  assert.equal(verdict(wrong, { rfc: 'XIA190128J61' }), 'fiel.es_csd')
  assert.equal(verdict({ ...valid(), contrasena: Buffer.from('no') }, { rfc: 'XIA190128J61' }), 'fiel.rfc_distinto')
  const expired = own('own-fiel-expired-2023-EKU9003173C9/cert.cer')
  assert.equal(verdict({ ...valid(), certificado: expired, llave: Buffer.from('no') }), 'fiel.vencida')
})

test('a key that takes two seconds to open is refused in less than 50 ms', () => {
  const slow = { ...valid(), llave: own(`${RAROS}/llave-iter-10-millones.key`) }
  verdict(slow) // what is only slow the first time is not its doing
  const start = performance.now()
  assert.equal(verdict(slow), 'fiel.llave_con_demasiadas_vueltas')
  assert.ok(performance.now() - start < 50)
})

test('a key of numbers that take a minute to calculate with is refused before anybody does', () => {
  const { n = '', e = '' } = new X509Certificate(own(`${OWN}/cert.cer`)).publicKey.export({ format: 'jwk' })
  const number = (bytes: number) => {
    const digits = randomBytes(bytes)
    digits[0] = 0x7f
    digits[bytes - 1] = 1
    return digits
  }
  const rsa = (long: number) =>
    pkcs8(
      RSA,
      sequence(
        integer(Buffer.alloc(1)),
        integer(Buffer.concat([Buffer.alloc(1), Buffer.from(n, 'base64url')])),
        integer(Buffer.from(e, 'base64url')),
        integer(number(256)),
        ...[1, 2, 3, 4, 5].map(() => integer(number(long))),
      ),
    )
  const dsa = (bytes: number) =>
    pkcs8(
      sequence(DSA, sequence(integer(number(bytes)), integer(number(32)), integer(Buffer.from([2])))),
      integer(number(bytes)),
    )
  const cases: [string, Buffer][] = [
    ['fiel.llave_no_es_rsa', dsa(4000)],
    ['fiel.llave_no_admitida', rsa(1700)],
    ['fiel.no_son_pareja', rsa(128)],
    ['fiel.contrasena_incorrecta', Buffer.alloc(64)],
  ]
  for (const [expected, inside] of cases) {
    const start = performance.now()
    assert.equal(verdict({ ...valid(), llave: encrypted(inside, '12345678a') }), expected)
    // Generous: on this path nothing is opened, and the shortest of them took seconds.
    assert.ok(performance.now() - start < 1000, expected)
  }
})

test('certificates that are both or neither of e.firma and CSD say what speaks for each', () => {
  const { cer, key } = makeEfirma({ rfc: EKU })
  const contrasena = Buffer.from('12345678a')
  // clientAuth (…3.2) becomes something else (…3.9): no OU, and no client either.
  const oid = Buffer.from('06082b06010505070302', 'hex')
  const neither = Buffer.from(cer)
  neither[neither.indexOf(oid) + oid.length - 1] = 9
  assert.equal(verdict({ certificado: neither, llave: key, contrasena }), 'fiel.tipo_contradictorio')
})

test('what no name has is left out of it', () => {
  const { cer, key } = makeEfirma({ rfc: EKU, nombre: 'UNA\0 EMPRESA\n', representante: 'VADA800927DJ3\0' })
  const read = checkFiel({ certificado: cer, llave: key, contrasena: Buffer.from('12345678a') }, ESPERADO)
  assert.deepEqual([read.nombre, read.rfcRepresentante], ['UNA  EMPRESA', 'VADA800927DJ3'])
})

test('nothing that was given is changed, whatever is said of it', () => {
  for (const llave of [
    own(`${OWN}/key.key`),
    own(`${RAROS}/llave-pem-cifrada.pem`),
    own(`${RAROS}/llave-basura.key`),
  ]) {
    const partes = { ...valid(), llave }
    const before = Object.values(partes).map((bytes) => bytes.toString('hex'))
    verdict(partes)
    assert.deepEqual(
      Object.values(partes).map((bytes) => bytes.toString('hex')),
      before,
    )
  }
})

test('what was accepted opens again, in whichever form it came', () => {
  for (const llave of [own(`${OWN}/key.key`), own(`${RAROS}/llave-pem-cifrada.pem`), own(`${RAROS}/llave-aes256.key`)])
    for (const name of [
      `${OWN}/cert.cer`,
      `${RAROS}/certificado.pem.cer`,
      `${RAROS}/certificado-basura-al-final.cer`,
    ]) {
      const { certificado, key } = openFiel({ ...valid(), llave, certificado: own(name) })
      assert.equal(certificado.rfc, EKU)
      assert.equal(key.asymmetricKeyType, 'rsa')
      assert.deepEqual(certificado.der, own(`${OWN}/cert.cer`), 'without what was around it')
    }
})

// Just enough DER to write keys that nobody should have.

function der(tag: number, ...contents: Buffer[]): Buffer {
  const body = Buffer.concat(contents)
  const length = Buffer.from([0x82, body.length >> 8, body.length & 0xff])
  return Buffer.concat([Buffer.from([tag]), body.length < 0x80 ? Buffer.from([body.length]) : length, body])
}

const sequence = (...parts: Buffer[]) => der(0x30, ...parts)
const integer = (bytes: Buffer) => der(0x02, bytes)
const octets = (bytes: Buffer) => der(0x04, bytes)
const pkcs8 = (algorithm: Buffer, key: Buffer) => sequence(integer(Buffer.alloc(1)), algorithm, octets(key))

const RSA = Buffer.from('300d06092a864886f70d0101010500', 'hex')
const DSA = Buffer.from('06072a8648ce380401', 'hex')
const PBES2 = Buffer.from('06092a864886f70d01050d', 'hex')
const PBKDF2 = Buffer.from('06092a864886f70d01050c', 'hex')
const TRIPLE_DES = Buffer.from('06082a864886f70d0307', 'hex')

function encrypted(inside: Buffer, password: string): Buffer {
  const [salt, iv] = [randomBytes(8), randomBytes(8)]
  const cipher = createCipheriv('des-ede3-cbc', pbkdf2Sync(password, salt, 2048, 24, 'sha1'), iv)
  const derivation = sequence(PBKDF2, sequence(octets(salt), integer(Buffer.from([8, 0]))))
  const scheme = sequence(PBES2, sequence(derivation, sequence(TRIPLE_DES, octets(iv))))
  return sequence(scheme, octets(Buffer.concat([cipher.update(inside), cipher.final()])))
}
