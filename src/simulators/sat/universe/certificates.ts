import { createCipheriv, createPublicKey, type KeyObject, pbkdf2Sync, sign } from 'node:crypto'
import { bits, boolean, explicit, ia5, integer, nil, octets, oid, printable, sequence, set, time, utf8 } from './der.ts'
import { createRandom } from './random.ts'

/** Whom a certificate is made out to. */
export interface Titular {
  readonly rfc: string
  readonly nombre: string
  /** Of a company: RFC and CURP of whose hand signs. Of a person the CURP is its own. */
  readonly representante?: string
  readonly curp: string
}

export type Clase = 'fiel' | 'csd' | 'ac'

export interface CertificateSpec {
  readonly clase: Clase
  readonly titular: Titular
  /** Twenty digits. */
  readonly serial: string
  readonly publicKey: KeyObject
  /** `YYYY-MM-DDTHH:MM:SSZ`. */
  readonly desde: string
  readonly hasta: string
  /** Whose key signs it: the authority, which signs its own as well. */
  readonly issuer: KeyObject
}

/**
 * An X.509 certificate in DER, in the shape that the SAT gives to an e.firma or to a CSD (sat.md 4), issued by a test
 * authority that says of itself that it is not the SAT. The same spec gives the same bytes.
 */
export function makeCertificate(spec: CertificateSpec): Buffer {
  const { clase, titular, serial, desde, hasta } = spec
  const tbs = sequence(
    explicit(0, integer(2)),
    integer(Buffer.from(serial, 'latin1')),
    SHA256_RSA,
    name(AUTHORITY),
    sequence(time(desde), time(hasta)),
    name(clase === 'ac' ? AUTHORITY : subject(clase, titular)),
    createPublicKey(spec.publicKey).export({ type: 'spki', format: 'der' }),
    explicit(3, sequence(...EXTENSIONS[clase])),
  )
  return sequence(tbs, SHA256_RSA, bits(sign('sha256', tbs, spec.issuer)))
}

/** Encrypted as the SAT's own program does: PBES2, PBKDF2-HMAC-SHA1 with 2048 rounds, 3DES-CBC. */
export function encryptKey(key: KeyObject, password: string, label: string): Buffer {
  const random = createRandom('pbes2', label)
  const salt = Buffer.from(random.hex(16), 'hex')
  const iv = Buffer.from(random.hex(16), 'hex')
  const cipher = createCipheriv('des-ede3-cbc', pbkdf2Sync(password, salt, ROUNDS, 24, 'sha1'), iv)
  const plain = key.export({ type: 'pkcs8', format: 'der' })
  const kdf = sequence(oid('1.2.840.113549.1.5.12'), sequence(octets(salt), integer(ROUNDS)))
  const scheme = sequence(oid('1.2.840.113549.3.7'), octets(iv))
  const pbes2 = sequence(oid('1.2.840.113549.1.5.13'), sequence(kdf, scheme))
  return sequence(pbes2, octets(Buffer.concat([cipher.update(plain), cipher.final()])))
}

const ROUNDS = 2048

/** Type, value and how it is written. */
type Field = readonly [type: string, value: Buffer]

const CN = '2.5.4.3'
const O = '2.5.4.10'
const OU = '2.5.4.11'
const C = '2.5.4.6'
const NAME = '2.5.4.41'
const SERIAL_NUMBER = '2.5.4.5'
const UNIQUE_IDENTIFIER = '2.5.4.45'
const EMAIL = '1.2.840.113549.1.9.1'

const AUTHORITY: readonly Field[] = [
  [CN, utf8('AC de pruebas Horux (no es el SAT)')],
  [O, utf8('SERVICIO DE ADMINISTRACION TRIBUTARIA (SIMULADO)')],
  [OU, utf8('Simulador de desarrollo')],
  [C, printable('MX')],
]

function subject(clase: 'fiel' | 'csd', { rfc, nombre, representante, curp }: Titular): Field[] {
  const who = nombre.replace(/\s+/g, ' ')
  return [
    [CN, utf8(who)],
    [NAME, utf8(who)],
    [O, utf8(who)],
    ...(clase === 'fiel'
      ? ([
          [C, printable('MX')],
          [EMAIL, ia5('pruebas@horux.example')],
        ] as const)
      : []),
    [UNIQUE_IDENTIFIER, utf8(representante ? `${rfc} / ${representante}` : rfc)],
    [SERIAL_NUMBER, printable(representante ? ` / ${curp}` : curp)],
    ...(clase === 'csd' ? ([[OU, utf8('Matriz')]] as const) : []),
  ]
}

const name = (fields: readonly Field[]): Buffer =>
  sequence(...fields.map(([type, value]) => set(sequence(oid(type), value))))

const SHA256_RSA = sequence(oid('1.2.840.113549.1.1.11'), nil())

const extension = (id: string, value: Buffer, critical = false): Buffer =>
  sequence(oid(id), ...(critical ? [boolean(true)] : []), octets(value))

const NOT_AN_AUTHORITY = extension('2.5.29.19', sequence(), true)
const KEY_USAGE = '2.5.29.15'

const EXTENSIONS: Readonly<Record<Clase, readonly Buffer[]>> = {
  fiel: [
    NOT_AN_AUTHORITY,
    // digitalSignature, nonRepudiation, dataEncipherment, keyAgreement
    extension(KEY_USAGE, bits(Buffer.from([0b1101_1000]), 3)),
    // Netscape's: client and e-mail
    extension('2.16.840.1.113730.1.1', bits(Buffer.from([0b1010_0000]), 5)),
    // emailProtection, clientAuth
    extension('2.5.29.37', sequence(oid('1.3.6.1.5.5.7.3.4'), oid('1.3.6.1.5.5.7.3.2'))),
  ],
  csd: [NOT_AN_AUTHORITY, extension(KEY_USAGE, bits(Buffer.from([0b1100_0000]), 6))],
  // keyCertSign, cRLSign
  ac: [
    extension('2.5.29.19', sequence(boolean(true)), true),
    extension(KEY_USAGE, bits(Buffer.from([0b0000_0110]), 1), true),
  ],
}
