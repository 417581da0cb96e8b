import { createPublicKey, generateKeyPairSync, type KeyObject, randomInt, sign } from 'node:crypto'

export interface EfirmaSpec {
  rfc: string
  /** RFC of who signs for a company; left out for persons (RFC of 13). */
  representante?: string
  nombre?: string
  kind?: 'FIEL' | 'CSD'
  validFrom?: Date
  validTo?: Date
  password?: string
  /** 20 digits. */
  serial?: string
  /** A key that exists already: a new one takes a quarter of a second. */
  privateKey?: KeyObject
}

/** An e.firma (or CSD) of a certification authority of our own, in the shape the SAT gives them (sat.md 4). */
export interface EfirmaFiles {
  rfc: string
  serial: string
  nombre: string
  /** DER. */
  cer: Buffer
  /** PKCS#8, PBES2 with 3DES and 2048 rounds. */
  key: Buffer
  password: string
  /** What the password protects, for tests that look whether it shows anywhere. */
  pkcs8: Buffer
  privateKey: KeyObject
}

export function makeEfirma(spec: EfirmaSpec): EfirmaFiles {
  const {
    rfc,
    representante = rfc.length === 12 ? 'VADA800927DJ3' : undefined,
    nombre = `EMPRESA DE PRUEBA ${rfc}`,
    kind = 'FIEL',
    validFrom = new Date('2024-01-01T00:00:00Z'),
    validTo = new Date('2046-01-01T00:00:00Z'),
    password = '12345678a',
    serial = `30001000000${String(randomInt(1e9)).padStart(9, '0')}`,
    privateKey = newKey(),
  } = spec
  const subject = name([
    [OID.commonName, nombre],
    [OID.name, nombre],
    [OID.organization, nombre],
    ...(kind === 'FIEL' ? ([[OID.country, 'MX']] as const) : []),
    [OID.uniqueIdentifier, representante ? `${rfc} / ${representante}` : rfc],
    [OID.serialNumber, representante ? ' / XEXX010101HNEXXXA4' : 'XEXX010101HNEXXXA4'],
    ...(kind === 'CSD' ? ([[OID.unit, 'Sucursal 1']] as const) : []),
  ])
  const publicKey = createPublicKey(privateKey).export({ type: 'spki', format: 'der' })
  const tbs = sequence(
    explicit(0, integer(Buffer.from([2]))),
    integer(Buffer.from(serial, 'latin1')),
    SHA256_WITH_RSA,
    ISSUER,
    sequence(time(validFrom), time(validTo)),
    subject,
    publicKey,
    explicit(3, sequence(...(kind === 'FIEL' ? FIEL_EXTENSIONS : CSD_EXTENSIONS))),
  )
  authority ??= newKey()
  const cer = sequence(tbs, SHA256_WITH_RSA, bits(sign('sha256', tbs, authority)))
  const key = privateKey.export({ type: 'pkcs8', format: 'der', cipher: 'des-ede3-cbc', passphrase: password })
  const pkcs8 = privateKey.export({ type: 'pkcs8', format: 'der' })
  return { rfc, serial, nombre, cer, key, password, pkcs8, privateKey }
}

/** The certificate, in DER, of who issues those of `makeEfirma`; of an impostor: of the same name, and another key. */
export function authorityCertificate({ impostor = false } = {}): Buffer {
  authority ??= newKey()
  const key = impostor ? newKey() : authority
  const tbs = sequence(
    explicit(0, integer(Buffer.from([2]))),
    integer(Buffer.from([1])),
    SHA256_WITH_RSA,
    ISSUER,
    sequence(time(new Date('2020-01-01T00:00:00Z')), time(new Date('2049-01-01T00:00:00Z'))),
    ISSUER,
    createPublicKey(key).export({ type: 'spki', format: 'der' }),
    explicit(3, sequence(extension('2.5.29.19', sequence(der(0x01, Buffer.from([0xff]))), true))),
  )
  return sequence(tbs, SHA256_WITH_RSA, bits(sign('sha256', tbs, key)))
}

const newKey = () => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey

let authority: KeyObject | undefined

// Just enough DER to write a certificate.

function der(tag: number, ...contents: Buffer[]): Buffer {
  const body = Buffer.concat(contents)
  if (body.length < 0x80) return Buffer.concat([Buffer.from([tag, body.length]), body])
  const hex = body.length.toString(16)
  const length = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex')
  return Buffer.concat([Buffer.from([tag, 0x80 | length.length]), length, body])
}

function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  const base128 = (value: number): number[] =>
    value < 0x80 ? [value] : [...base128(Math.floor(value / 0x80)).map((byte) => byte | 0x80), value % 0x80]
  return der(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]))
}

/** Of a number that is not negative. */
function integer(bytes: Buffer): Buffer {
  return der(0x02, (bytes[0] ?? 0) & 0x80 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes)
}

const sequence = (...parts: Buffer[]) => der(0x30, ...parts)
const explicit = (n: number, part: Buffer) => der(0xa0 | n, part)
const bits = (bytes: Buffer, unused = 0) => der(0x03, Buffer.from([unused]), bytes)
const NULL = der(0x05)

/** UTCTime until 2049, GeneralizedTime after (RFC 5280 4.1.2.5). */
function time(at: Date): Buffer {
  const digits = at.toISOString().replace(/\.\d+/, '').replace(/[-:T]/g, '')
  return at.getUTCFullYear() < 2050 ? der(0x17, Buffer.from(digits.slice(2))) : der(0x18, Buffer.from(digits))
}

function name(parts: readonly (readonly [string, string])[]): Buffer {
  return sequence(...parts.map(([type, value]) => der(0x31, sequence(oid(type), der(0x0c, Buffer.from(value))))))
}

const extension = (id: string, value: Buffer, critical = false) =>
  sequence(oid(id), ...(critical ? [der(0x01, Buffer.from([0xff]))] : []), der(0x04, value))

const OID = {
  commonName: '2.5.4.3',
  serialNumber: '2.5.4.5',
  country: '2.5.4.6',
  state: '2.5.4.8',
  organization: '2.5.4.10',
  unit: '2.5.4.11',
  name: '2.5.4.41',
  uniqueIdentifier: '2.5.4.45',
} as const

const SHA256_WITH_RSA = sequence(oid('1.2.840.113549.1.1.11'), NULL)

/** The name of the authority of the certificates in the fixtures: both are taken, or not, for the same reason. */
const ISSUER = name([
  [OID.commonName, 'AC DE PRUEBAS NO SAT'],
  [OID.organization, 'AUTORIDAD FICTICIA PARA PRUEBAS, S.A.'],
  [OID.unit, 'Pruebas automáticas'],
  [OID.country, 'MX'],
  [OID.state, 'CIUDAD DE MEXICO'],
  [OID.uniqueIdentifier, 'AAA010101AAA'],
])

const NOT_AUTHORITY = extension('2.5.29.19', sequence(), true)

const FIEL_EXTENSIONS = [
  NOT_AUTHORITY,
  // digitalSignature, nonRepudiation, dataEncipherment, keyAgreement
  extension('2.5.29.15', bits(Buffer.from([0b1101_1000]), 3)),
  extension('2.16.840.1.113730.1.1', bits(Buffer.from([0b1010_0000]), 5)),
  extension('2.5.29.37', sequence(oid('1.3.6.1.5.5.7.3.4'), oid('1.3.6.1.5.5.7.3.2'))),
]

const CSD_EXTENSIONS = [
  NOT_AUTHORITY,
  // digitalSignature, nonRepudiation
  extension('2.5.29.15', bits(Buffer.from([0b1100_0000]), 6)),
]
