import { X509Certificate } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

/** Certificates of who issues e.firmas. */
export type Authorities = readonly X509Certificate[]

/**
 * The certificates in the files of a folder, in DER or PEM, several in one file too; files whose names begin with a dot are none of them.
 * @throws Error in words for an operator: no such folder, nothing in it, or a file that is no certificate of an authority
 */
export function loadAuthorities(folder: string): Authorities {
  const files = readdirSync(folder, { withFileTypes: true }).filter(({ name }) => !name.startsWith('.'))
  const found = files.flatMap(({ name }) => read(path.join(folder, name)))
  if (found.length === 0) throw new Error(`FIEL_CA_PATH: ${folder} has no certificate`)
  return found
}

/** Whether one of them signed this certificate, in DER, and has the name that it says. */
export function isIssuedBy(authorities: Authorities, certificate: Buffer): boolean {
  const issued = new X509Certificate(certificate)
  return authorities.some((authority) => issued.checkIssued(authority) && issued.verify(authority.publicKey))
}

function read(file: string): X509Certificate[] {
  try {
    const bytes = readFileSync(file)
    const pems = bytes.toString('latin1').match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g)
    const certificates = (pems ?? [bytes]).map((one) => new X509Certificate(one))
    if (!certificates.every(({ ca }) => ca)) throw new Error('not of an authority')
    return certificates
  } catch (cause) {
    throw new Error(`FIEL_CA_PATH: ${file} is no certificate of an authority`, { cause })
  }
}
