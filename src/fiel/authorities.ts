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

/**
 * Whether one of them signed this certificate and has the name that it says. One that has expired still tells: what the SAT
 * issued before then stays valid, and who is believed is the choice of whoever filled the folder.
 */
export const isIssuedBy = (authorities: Authorities, certificate: X509Certificate): boolean =>
  authorities.some((authority) => certificate.checkIssued(authority) && certificate.verify(authority.publicKey))

function read(file: string): X509Certificate[] {
  try {
    const bytes = readFileSync(file)
    // One without its end too, which then is no certificate.
    const pems = bytes.toString('latin1').match(/-----BEGIN CERTIFICATE-----[^-]*(?:-----END CERTIFICATE-----)?/g)
    const certificates = (pems ?? [bytes]).map((one) => new X509Certificate(one))
    if (!certificates.every(({ ca }) => ca)) throw new Error('not of an authority')
    return certificates
  } catch (cause) {
    throw new Error(`FIEL_CA_PATH: ${file} is no certificate of an authority`, { cause })
  }
}
