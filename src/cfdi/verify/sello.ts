import { type KeyObject, verify } from 'node:crypto'
import { normalizeRfc } from '../../fiscal/rfc.ts'
import { complementosOf, TFD } from '../read/complementos.ts'
import { readDocument } from '../read/repair.ts'
import { childrenOf, type XmlElement } from '../read/xml.ts'
import { cadenaOriginal } from './cadena-original.ts'
import { type Certificado, readCertificado } from './certificado.ts'

/** What the seal of a document proves. */
export interface Sello {
  readonly estado: 'valido' | 'invalido' | 'no_verificable'
  readonly codigo: CodigoSello
  readonly mensaje: string
  /** The one in the document; null when it has none that can be read. */
  readonly certificado: Certificado | null
}

/** Every outcome there is, with its title. Promised to clients like the codes of warnings. */
export const SELLOS = {
  'sello.valido': 'El sello corresponde al documento y a su certificado',
  'sello.no_corresponde': 'El sello no corresponde al documento',
  'sello.sin_sello': 'El documento no trae sello',
  'sello.timbre_distinto': 'El timbre certifica otro sello',
  'sello.numero_certificado': 'El número de certificado no es el del certificado',
  'sello.rfc_certificado': 'El certificado es de otro RFC',
  'sello.certificado_no_vigente': 'El certificado no estaba vigente',
  'sello.sin_certificado': 'El documento no trae certificado',
  'sello.certificado_ilegible': 'El certificado no se puede leer',
  'sello.complemento_desconocido': 'Trae un complemento cuyo orden no se conoce',
  'sello.version': 'No se conoce la cadena original de esta versión',
} as const

export type CodigoSello = keyof typeof SELLOS

/**
 * Checks the seal of a CFDI 3.2, 3.3 or 4.0 or of a certificate of withholding: that the certificate in it signed exactly
 * this document, that it is the one the document names, that it is the issuer's, and that it was good when it was issued.
 * That SAT issued the certificate is not proved here; that the document exists, its state service says.
 * @throws AppError `cfdi.*` when the bytes are no XML that we read
 */
export function verifySello(xml: Uint8Array): Sello {
  const { root } = readDocument(xml)
  const names = NAMES[`${root.name} ${root.get('Version') ?? root.get('version')}`]
  const original = cadenaOriginal(root)
  if (!names || !original)
    return no('no_verificable', 'sello.version', 'No se conoce la cadena original de esta versión.')

  const sello = withoutBlanks(root.get(names.sello))
  if (!sello) return no('invalido', 'sello.sin_sello', 'El documento no trae sello.')
  const encoded = withoutBlanks(root.get(names.certificado))
  if (!encoded)
    return no('no_verificable', 'sello.sin_certificado', 'El documento no trae el certificado con que se selló.')
  const certificado = readCertificado(encoded)
  if (!certificado)
    return no('no_verificable', 'sello.certificado_ilegible', 'El certificado que trae el documento no se puede leer.')

  if (!isSealed(original.cadena, sello, certificado.publicKey)) {
    const [desconocido] = original.desconocidos
    // A seal that fits proves itself, whatever else is in the document. One that does not may miss what we cannot order.
    if (desconocido)
      return no(
        'no_verificable',
        'sello.complemento_desconocido',
        `No se conoce el orden de los datos del complemento ${shown(desconocido)}, y sin él no se puede comprobar el sello.`,
        certificado,
      )
    return no(
      'invalido',
      'sello.no_corresponde',
      'El sello no corresponde al documento: algo cambió después de sellarlo, o se selló con otro certificado.',
      certificado,
    )
  }
  const problem = problemOf(root, names, sello, certificado)
  if (problem) return no('invalido', ...problem, certificado)
  return { estado: 'valido', codigo: 'sello.valido', mensaje: `${SELLOS['sello.valido']}.`, certificado }
}

interface Names {
  readonly sello: string
  readonly certificado: string
  readonly numero: string
  readonly fecha: string
  readonly rfc: string
}

const CFDI: Names = { sello: 'Sello', certificado: 'Certificado', numero: 'NoCertificado', fecha: 'Fecha', rfc: 'Rfc' }
const NAMES: Readonly<Record<string, Names>> = {
  'Comprobante 4.0': CFDI,
  'Comprobante 3.3': CFDI,
  'Comprobante 3.2': {
    sello: 'sello',
    certificado: 'certificado',
    numero: 'noCertificado',
    fecha: 'fecha',
    rfc: 'rfc',
  },
  'Retenciones 2.0': { ...CFDI, fecha: 'FechaExp', rfc: 'RfcE' },
  'Retenciones 1.0': { ...CFDI, certificado: 'Cert', numero: 'NumCert', fecha: 'FechaExp', rfc: 'RFCEmisor' },
}

// SHA-1 until 2017, of 3.2 and Retenciones 1.0. Which of the two fits is told by the seal alone.
const isSealed = (cadena: string, sello: string, key: KeyObject): boolean =>
  ['sha256', 'sha1'].some((hash) => verify(hash, Buffer.from(cadena), key, Buffer.from(sello, 'base64')))

/** What is wrong with a seal that does belong to the document. */
function problemOf(
  root: XmlElement,
  names: Names,
  sello: string,
  certificado: Certificado,
): [CodigoSello, string] | undefined {
  const numero = root.get(names.numero)?.trim()
  if (numero !== certificado.numero)
    return [
      'sello.numero_certificado',
      `El documento dice sellarse con el certificado ${shown(numero ?? '')} y trae el ${shown(certificado.numero)}.`,
    ]
  const emisor = childrenOf(root, root.namespace, 'Emisor')[0]
  const rfc = normalizeRfc(emisor?.get(names.rfc) ?? '')
  if (!certificado.rfcs.includes(rfc) && !isSealedForAnother(root, emisor))
    return [
      'sello.rfc_certificado',
      `El emisor es ${shown(rfc)} y el certificado es de ${shown(certificado.rfcs[0] ?? 'nadie')}.`,
    ]
  const fecha = root.get(names.fecha)?.slice(0, 19) ?? ''
  if (!wasValid(fecha, certificado))
    return [
      'sello.certificado_no_vigente',
      `Se emitió el ${shown(fecha)} y el certificado vale del ${day(certificado.desde)} al ${day(certificado.hasta)}.`,
    ]
  const timbre = complementosOf(root).flatMap((node) => childrenOf(node, TFD, 'TimbreFiscalDigital'))[0]
  const stamped = withoutBlanks(timbre?.get('SelloCFD') ?? timbre?.get('selloCFD'))
  if (stamped && stamped !== sello)
    return ['sello.timbre_distinto', 'El timbre fiscal certifica un sello que no es el del documento.']
  return undefined
}

/** Sealed by who is not the issuer, as the rules let: by the acquirer's provider, or by the SAT in its own portal. */
function isSealedForAnother(root: XmlElement, emisor: XmlElement | undefined): boolean {
  if (emisor?.get('FacAtrAdquirente')) return true
  return complementosOf(root).some((node) => node.children.some(({ namespace }) => BY_OTHERS.has(namespace)))
}

const BY_OTHERS: ReadonlySet<string> = new Set([
  'http://www.sat.gob.mx/registrofiscal',
  'http://www.sat.gob.mx/psgecfd',
])

/** `fecha` is civil time in a zone that nobody wrote, five to eight hours behind: good in one of them is good. */
function wasValid(fecha: string, { desde, hasta }: Certificado): boolean {
  const asUtc = Date.parse(`${fecha}Z`)
  return asUtc + 8 * HOUR >= desde.getTime() && asUtc + 5 * HOUR <= hasta.getTime()
}

const HOUR = 3_600_000

const no = (
  estado: 'invalido' | 'no_verificable',
  codigo: CodigoSello,
  mensaje: string,
  certificado: Certificado | null = null,
): Sello => ({ estado, codigo, mensaje, certificado })

const withoutBlanks = (text: string | undefined): string => text?.replace(/\s+/g, '') ?? ''

const day = (date: Date): string => date.toISOString().slice(0, 10)

/** From the file, for a screen: short, and nothing that is not seen. */
const shown = (text: string): string => text.slice(0, 120).replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Cs}]/gu, '�')
