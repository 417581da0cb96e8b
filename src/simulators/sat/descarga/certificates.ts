import { X509Certificate } from 'node:crypto'

/** What the simulated SAT sees in a certificate, and why it would not take it. */
export interface CertificadoVisto {
  readonly x509: X509Certificate
  readonly rfc: string
  /** 20 digits. */
  readonly serial: string
  /** Hexadecimal, as tokens carry it. */
  readonly serialHex: string
  /** 305: a CSD, another authority, or text in no known encoding. */
  readonly invalid: string | undefined
}

export interface Trust {
  /** Authorities whose signature is verified. */
  readonly authorities: readonly X509Certificate[]
  /** Names (CN) of authorities that are believed by name, because nobody has their certificate: those of test fixtures. */
  readonly names: readonly string[]
}

/** @throws Error on what is no certificate at all */
export function seeCertificate(der: Buffer, trust: Trust): CertificadoVisto {
  const x509 = new X509Certificate(der)
  const fields = fieldsOf(x509.subject)
  const rfc = (fields.get('x500UniqueIdentifier') ?? '').split('/')[0]?.trim().toUpperCase() ?? ''
  const serial = Buffer.from(x509.serialNumber, 'hex').toString('latin1')
  return { x509, rfc, serial, serialHex: x509.serialNumber.toLowerCase(), invalid: invalidity() }

  function invalidity(): string | undefined {
    if (!isTrusted(x509, trust)) return 'unknown authority'
    if (!/^\d{20}$/.test(serial)) return 'serial number'
    if (rfc === '') return 'no RFC'
    if (fields.has('OU') || !(x509.keyUsage ?? []).includes(CLIENT_AUTH)) return 'not an e.firma'
    // UTF-8 under a tag that promises ASCII: what the SAT issued in May 2023 and its service answers 305 to.
    if (/[ÃÂ][\u0080-\u00bf]/.test(x509.subject)) return 'encoding'
    return undefined
  }
}

/** 304 at `now`. */
export const isExpired = ({ x509 }: CertificadoVisto, now: Date): boolean =>
  now < x509.validFromDate || now > x509.validToDate

const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2'

function isTrusted(x509: X509Certificate, { authorities, names }: Trust): boolean {
  if (names.includes(fieldsOf(x509.issuer).get('CN') ?? '')) return true
  return authorities.some((authority) => x509.checkIssued(authority) && x509.verify(authority.publicKey))
}

function fieldsOf(name: string): Map<string, string> {
  return new Map(
    name.split('\n').map((line) => {
      const at = line.indexOf('=')
      return [line.slice(0, at), line.slice(at + 1)]
    }),
  )
}
