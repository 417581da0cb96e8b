import { type KeyObject, X509Certificate } from 'node:crypto'
import { normalizeRfc } from '../../fiscal/rfc.ts'

/** A certificate of SAT, as it comes in the CFDI that was sealed with it. */
export interface Certificado {
  /** The twenty digits that a CFDI calls NoCertificado. */
  readonly numero: string
  /** Of whom it is, in every reading of its bytes. */
  readonly rfcs: readonly string[]
  readonly titular: string | null
  /** Who says that it issued it. Not proved: SAT's own certificates are not at hand. */
  readonly autoridad: string | null
  readonly desde: Date
  readonly hasta: Date
  readonly publicKey: KeyObject
}

/** Reads the base64 of an attribute, null when it is no certificate that could have sealed anything. */
export function readCertificado(base64: string): Certificado | null {
  // SAT's are of two kilobytes. Whoever writes the file chooses how large a key we would work with.
  const certificate = base64.length <= 20_000 ? parse(base64) : null
  if (certificate?.publicKey.asymmetricKeyType !== 'rsa') return null
  const { subject, issuer, serialNumber, validFromDate, validToDate, publicKey } = certificate
  const unique = fieldOf(subject, 'x500UniqueIdentifier')?.split('/')[0]
  return {
    // Twenty bytes that are ASCII digits: hex 33303030… is 3000….
    numero: Buffer.from(serialNumber, 'hex').toString('latin1'),
    // Of May 2023 there are some whose UTF-8 is said to be something else: Ñ comes out as two characters.
    rfcs: unique ? [unique, Buffer.from(unique, 'latin1').toString('utf8')].map(normalizeRfc) : [],
    titular: fieldOf(subject, 'CN'),
    autoridad: fieldOf(issuer, 'CN'),
    desde: validFromDate,
    hasta: validToDate,
    publicKey,
  }
}

function parse(base64: string): X509Certificate | null {
  try {
    return new X509Certificate(Buffer.from(base64, 'base64'))
  } catch {
    return null // OpenSSL's words for whatever the bytes are
  }
}

/** One line per field, `name=value`, with a backslash before what is special. */
function fieldOf(name: string, field: string): string | null {
  const line = name.split('\n').find((text) => text.startsWith(`${field}=`))
  return (
    line
      ?.slice(field.length + 1)
      .replace(/\\(.)/g, '$1')
      .trim() || null
  )
}
