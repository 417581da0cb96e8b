import { createPrivateKey, type KeyObject } from 'node:crypto'
import { childrenOf, demand, integerOf, readDer, TAG } from './der.ts'
import * as no from './errors.ts'
import { type Scheme, schemeOf } from './key-scheme.ts'

/** What a file of DER is, from its outermost elements. */
export type Shape =
  | { kind: 'certificado' | 'pfx' | 'llave_sin_cifrar' | 'otra_cosa' }
  | { kind: 'llave_cifrada'; scheme: Scheme | undefined; encrypted: Buffer }

/** Looks at a file before anything is done with it. `scheme`: undefined where nobody gives an e.firma encrypted so. */
export function shapeOf(der: Buffer | undefined): Shape {
  try {
    return der ? look(der) : { kind: 'otra_cosa' }
  } catch {
    return { kind: 'otra_cosa' }
  }
}

/**
 * Opens a PKCS#8 that was encrypted with `password`. The key stays in OpenSSL's memory.
 * @throws AppError `fiel.contrasena_incorrecta`, `fiel.llave_no_admitida`, `fiel.llave_con_demasiadas_vueltas`,
 *   `fiel.llave_no_es_rsa`, `fiel.llave_de_tamano_invalido`, `fiel.llave_ilegible`
 */
export function openPrivateKey(
  der: Buffer,
  { scheme, encrypted }: Extract<Shape, { kind: 'llave_cifrada' }>,
  password: Buffer,
): KeyObject {
  if (!scheme) throw no.llaveNoAdmitida()
  if (scheme.rounds > scheme.maxRounds) throw no.llaveConDemasiadasVueltas()
  checkInside(scheme, encrypted, password)
  const { whole } = readDer(der)
  try {
    return createPrivateKey({ key: whole, format: 'der', type: 'pkcs8', passphrase: password })
  } catch (error) {
    const code = String((error as NodeJS.ErrnoException).code)
    if (code === 'ERR_OSSL_BAD_DECRYPT') throw no.contrasenaIncorrecta()
    if (code.startsWith('ERR_OSSL_EVP_')) throw no.llaveNoAdmitida()
    throw no.llaveIlegible()
  } finally {
    coverFreed(encrypted.length)
  }
}

/**
 * OpenSSL gives back the memory that it decrypted the key into as it is, and there it lies until somebody happens to write over
 * it (seen in one process of twenty-five). So we do: blocks of such sizes, from the same allocator, full of zeros. What it
 * reaches is up to the allocator; the key that is in use is wiped by OpenSSL itself.
 */
function coverFreed(bytes: number): void {
  const held: Buffer[] = []
  for (let size = bytes - 256; size <= bytes + 1_024; size += 16)
    for (let n = 0; n < 4; n++) held.push(Buffer.allocUnsafeSlow(Math.max(16, size)).fill(0))
}

/**
 * OpenSSL calculates with what it finds while it reads: a DSA key of 9 KB holds the process up for a minute, an RSA key whose
 * primes are longer than its modulus as long when it signs. So its first bytes are opened before: the form of a key and the
 * length of its modulus, nothing that is secret.
 */
function checkInside(scheme: Scheme, encrypted: Buffer, password: Buffer): void {
  const first = peek(scheme, encrypted, password)
  const head = first.toString('hex')
  first.fill(0)
  const [, short, length = short] = RSA_KEY.exec(head) ?? []
  if (length === undefined) throw SOME_KEY.test(head) ? no.llaveNoEsRsa() : no.contrasenaIncorrecta()
  const modulus = Number.parseInt(length, 16) - 1
  if (modulus < 256 || modulus > 512) throw no.llaveDeTamanoInvalido(modulus * 8)
  // The modulus, an exponent as long, five numbers half as long, and what is around them.
  if (encrypted.length > 4.5 * modulus + 256) throw no.llaveNoAdmitida()
}

function peek(scheme: Scheme, encrypted: Buffer, password: Buffer): Buffer {
  try {
    return scheme.peek(password, encrypted, HEAD_BYTES)
  } catch {
    throw no.llaveNoAdmitida()
  }
}

/** PKCS#8 with two primes, in DER, until the length of the modulus, which a zero precedes. */
const RSA_KEY = /^3082....020100300d06092a864886f70d01010105000482....3082....02010002(?:81(..)|82(....))00/
const SOME_KEY = /^30(?:82....|81..|..)02010[01]30/
const HEAD_BYTES = 48

function look(der: Buffer): Shape {
  const [first, second] = childrenOf(readDer(der, TAG.sequence))
  if (first?.tag === TAG.integer) {
    // PKCS#12 says version 3; PKCS#8 and PKCS#1 say 0, an EC key 1.
    if (integerOf(first) === 3n) return { kind: 'pfx' }
    return { kind: 'llave_sin_cifrar' }
  }
  const inside = childrenOf(demand(first, TAG.sequence))
  if (inside[0]?.tag === TAG.oid && second?.tag === TAG.octetString)
    return { kind: 'llave_cifrada', scheme: schemeOf(inside), encrypted: second.content }
  return { kind: second?.tag === TAG.sequence ? 'certificado' : 'otra_cosa' }
}
