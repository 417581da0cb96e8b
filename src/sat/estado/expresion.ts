import { totalCon10y6, totalSinCeros } from '../../cfdi/verify/total-impreso.ts'

/** What of a stored CFDI the SAT's state service is asked with. */
export interface Consultable {
  readonly uuid: string
  /** Of Comprobante. Certificates of withholding have no such service. */
  readonly version: string
  readonly rfcEmisor: string
  readonly rfcReceptor: string
  /** As numeric has it: digits, and a point with more of them. */
  readonly total: string
  /** The last eight characters of Sello, null where they are not known. */
  readonly selloFin: string | null
}

/**
 * The expression that the printed form of a CFDI carries in its QR code and the service takes (sat.md 3; Anexo 20, I.D).
 *
 * 3.3 and 4.0: the total with as many decimals as it has, one at least, and the end of the seal. 3.2: ten digits, a point
 * and six, and no seal. An RFC with & goes as it is: the service splits by names, not by that sign.
 */
export function expresionImpresa({ uuid, version, rfcEmisor, rfcReceptor, total, selloFin }: Consultable): string {
  const id = uuid.toUpperCase()
  const parts = [
    `re=${rfcEmisor}`,
    `rr=${rfcReceptor}`,
    `tt=${version === '3.2' ? totalCon10y6(total) : totalSinCeros(total)}`,
    `id=${id}`,
  ]
  // Without it the service answers too; with something that is no seal it would say that the expression is not valid.
  if (version !== '3.2' && selloFin !== null && BASE64.test(selloFin)) parts.push(`fe=${selloFin}`)
  return `?${parts.join('&')}`
}

/** The message as SOAP 1.1. */
export function envelopeOf(expresion: string): string {
  // What ends a CDATA section is divided between two of them.
  const cdata = expresion.replaceAll(']]>', ']]]]><![CDATA[>')
  return `<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:tem="http://tempuri.org/"><soapenv:Header/><soapenv:Body><tem:Consulta><tem:expresionImpresa><![CDATA[${cdata}]]></tem:expresionImpresa></tem:Consulta></soapenv:Body></soapenv:Envelope>`
}

export const SOAP_ACTION = 'http://tempuri.org/IConsultaCFDIService/Consulta'

const BASE64 = /^[A-Za-z0-9+/=]{8}$/
