import { createPrivateKey, type KeyObject } from 'node:crypto'
import { childrenOf, type Der, demand, integerOf, oidOf, readDer, TAG } from './der.ts'
import { contrasenaIncorrecta, llaveIlegible, llaveNoAdmitida } from './errors.ts'

/** What a file of DER is, from its outermost elements. */
export type Shape =
  | { kind: 'certificado' | 'pfx' | 'llave_sin_cifrar' | 'otra_cosa' }
  | { kind: 'llave_cifrada'; rounds: bigint | undefined }

/**
 * Looks at a file before anything is done with it. `rounds` is how often the password is hashed; undefined when it is
 * encrypted in a way that nobody gives an e.firma in.
 */
export function shapeOf(der: Buffer | undefined): Shape {
  try {
    return der ? look(der) : { kind: 'otra_cosa' }
  } catch {
    return { kind: 'otra_cosa' }
  }
}

/** OWASP asks for 1,300,000 of SHA-1 today, the SAT gives 2,048; each 100,000 hold this process up for 25 ms. */
export const MAX_ROUNDS = 100_000n

/**
 * Opens a PKCS#8 that was encrypted with `password`. The key stays in OpenSSL's memory.
 * @throws AppError `fiel.contrasena_incorrecta`, `fiel.llave_no_admitida`, `fiel.llave_ilegible`
 */
export function openPrivateKey(der: Buffer, password: Buffer): KeyObject {
  const { whole } = readDer(der)
  try {
    return createPrivateKey({ key: whole, format: 'der', type: 'pkcs8', passphrase: password })
  } catch (error) {
    const code = String((error as NodeJS.ErrnoException).code)
    // A wrong password ends in right padding once in 256 times: then what it opened is no key. The outside of the file has
    // been read by now, so this is about its inside.
    if (code === 'ERR_OSSL_BAD_DECRYPT' || code.startsWith('ERR_OSSL_ASN1_') || code === 'ERR_OSSL_UNSUPPORTED')
      throw contrasenaIncorrecta()
    if (code.startsWith('ERR_OSSL_EVP_')) throw llaveNoAdmitida()
    throw llaveIlegible()
  }
}

function look(der: Buffer): Shape {
  const [first, second] = childrenOf(readDer(der, TAG.sequence))
  if (first?.tag === TAG.integer) {
    // PKCS#12 says version 3; PKCS#8 and PKCS#1 say 0, an EC key 1.
    if (integerOf(first) === 3n) return { kind: 'pfx' }
    return { kind: 'llave_sin_cifrar' }
  }
  const inside = childrenOf(demand(first, TAG.sequence))
  if (inside[0]?.tag === TAG.oid && second?.tag === TAG.octetString)
    return { kind: 'llave_cifrada', rounds: roundsOf(inside) }
  return { kind: second?.tag === TAG.sequence ? 'certificado' : 'otra_cosa' }
}

/** PBES2 with PBKDF2, as the SAT does, or PKCS#12's 3DES. Not scrypt, whose file says how much memory it takes. */
function roundsOf([algorithm, parameters]: readonly Der[]): bigint | undefined {
  const fields = childrenOf(demand(parameters, TAG.sequence))
  const oid = oidOf(algorithm)
  if (oid === PBE_SHA1_3DES) return integerOf(fields[1])
  if (oid !== PBES2) return undefined
  const [kdf, options] = childrenOf(demand(fields[0], TAG.sequence))
  if (oidOf(kdf) !== PBKDF2) return undefined
  return integerOf(childrenOf(demand(options, TAG.sequence))[1])
}

const PBES2 = '1.2.840.113549.1.5.13'
const PBKDF2 = '1.2.840.113549.1.5.12'
const PBE_SHA1_3DES = '1.2.840.113549.1.12.1.3'
