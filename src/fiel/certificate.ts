import { normalizeRfc } from '../fiscal/rfc.ts'
import { childrenOf, type Der, DerError, demand, integerOf, oidOf, readDer, TAG, textOf, timeOf } from './der.ts'
import type { Certificado } from './efirma.ts'
import { certificadoIlegible, certificadoSinRfc, certificadoSinSerie } from './errors.ts'

/** A certificate as it is read before anybody decides whether it will do. */
export interface CertificadoLeido extends Certificado {
  /** What it is by the two signs that the SAT's certificates differ in. */
  readonly senales: { readonly sucursal: string | null; readonly autenticaCliente: boolean }
  readonly autoridad: { readonly nombre: string; readonly organizacion: string }
}

export type Clase = 'fiel' | 'csd' | 'contradictoria'

/** An e.firma has no OU and may authenticate a client; a CSD is the other way around. */
export function claseOf({ senales: { sucursal, autenticaCliente } }: CertificadoLeido): Clase {
  if (sucursal === null && autenticaCliente) return 'fiel'
  return sucursal !== null && !autenticaCliente ? 'csd' : 'contradictoria'
}

/**
 * Reads an X.509 certificate of the SAT from DER. Bytes behind its end are left out of `der`.
 *
 * Its subject: `x500UniqueIdentifier` holds the RFC and, after ` / `, that of the legal representative. Its serial
 * number is twenty bytes that are ASCII digits (sat.md 4). The signature of its issuer is not verified here.
 * @throws AppError `fiel.certificado_ilegible`, `fiel.certificado_sin_rfc`, `fiel.certificado_sin_serie`
 */
export function readCertificado(bytes: Buffer): CertificadoLeido {
  try {
    return read(bytes)
  } catch (error) {
    throw error instanceof DerError ? certificadoIlegible(error) : error
  }
}

function read(bytes: Buffer): CertificadoLeido {
  const certificate = readDer(bytes, TAG.sequence)
  const [tbs] = childrenOf(certificate)
  const fields = childrenOf(demand(tbs, TAG.sequence))
  const versioned = fields[0]?.tag === VERSION ? fields.slice(1) : fields
  const [serialNumber, , issuer, validity, subject] = versioned
  const extensions = versioned.find(({ tag }) => tag === EXTENSIONS)
  const issued = nameOf(demand(issuer, TAG.sequence))
  const owner = nameOf(demand(subject, TAG.sequence))
  const [from, to] = childrenOf(demand(validity, TAG.sequence))

  const serialDecimal = integerOf(serialNumber).toString()
  const serial = demand(serialNumber).content.toString('latin1')
  if (!/^[0-9]{20}$/.test(serial)) throw certificadoSinSerie()
  const [rfc = '', representante] = (fieldOf(owner, 'x500UniqueIdentifier') ?? '').split('/').map(normalizeRfc)
  if (rfc === '') throw certificadoSinRfc()

  return {
    der: certificate.whole,
    rfc,
    nombre: fieldOf(owner, 'CN') ?? fieldOf(owner, 'name') ?? fieldOf(owner, 'O') ?? rfc,
    rfcRepresentante: representante || null,
    serial,
    serialDecimal,
    emisor: issued.map(({ type, shown }) => `${type}=${shown}`).join(','),
    validFrom: timeOf(from),
    validTo: timeOf(to),
    senales: { sucursal: fieldOf(owner, 'OU'), autenticaCliente: purposesOf(extensions).includes(CLIENT_AUTH) },
    autoridad: { nombre: fieldOf(issued, 'CN') ?? '', organizacion: fieldOf(issued, 'O') ?? '' },
  }
}

const VERSION = 0xa0
const EXTENSIONS = 0xa3
const EXT_KEY_USAGE = '2.5.29.37'
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2'

interface Attribute {
  type: string
  value: string
  shown: string
}

/** In the order of the certificate: the SAT wants its issuer so, and not in the reverse order of RFC 4514. */
function nameOf(name: Der): Attribute[] {
  return childrenOf(name).flatMap((set) =>
    childrenOf(set).map((pair) => {
      const [type, content] = childrenOf(pair)
      const oid = oidOf(type)
      const known = NAMES[oid]
      const text = textOf(demand(content))
      // A database keeps no zero in a text, and nobody's name has one.
      const value = text.replace(/\p{Cc}/gu, ' ').trim()
      if (known) return { type: known, value, shown: escapeName(text) }
      return { type: oid, value, shown: `#${demand(content).whole.toString('hex')}` }
    }),
  )
}

const NAMES: Readonly<Record<string, string>> = {
  '2.5.4.3': 'CN',
  '2.5.4.4': 'SN',
  '2.5.4.5': 'serialNumber',
  '2.5.4.6': 'C',
  '2.5.4.7': 'L',
  '2.5.4.8': 'ST',
  '2.5.4.9': 'street',
  '2.5.4.10': 'O',
  '2.5.4.11': 'OU',
  '2.5.4.12': 'title',
  '2.5.4.17': 'postalCode',
  '2.5.4.41': 'name',
  '2.5.4.42': 'GN',
  '2.5.4.45': 'x500UniqueIdentifier',
  '1.2.840.113549.1.9.1': 'emailAddress',
  '1.2.840.113549.1.9.2': 'unstructuredName',
  '0.9.2342.19200300.100.1.1': 'UID',
  '0.9.2342.19200300.100.1.25': 'DC',
}

/** RFC 4514 section 2.4, with pairs of hexadecimal digits: the form that the SAT's service is known to take. */
function escapeName(text: string): string {
  return text.replace(/^[ #]|[\\"+,;<=>]| $/g, (char) => `\\${char.charCodeAt(0).toString(16).padStart(2, '0')}`)
}

const fieldOf = (name: readonly Attribute[], type: string) => name.find((one) => one.type === type)?.value || null

function purposesOf(extensions: Der | undefined): string[] {
  if (!extensions) return []
  for (const extension of childrenOf(readDer(extensions.content, TAG.sequence))) {
    const [id, ...more] = childrenOf(extension)
    if (oidOf(id) !== EXT_KEY_USAGE) continue
    const value = demand(more.at(-1), TAG.octetString)
    return childrenOf(readDer(value.content, TAG.sequence)).map(oidOf)
  }
  return []
}
