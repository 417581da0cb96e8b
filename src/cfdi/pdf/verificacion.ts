import { formatDecimal } from '../../fiscal/money.ts'
import { RFC_EXTRANJERO } from '../../fiscal/rfc.ts'
import type { Cfdi } from '../read/comprobante.ts'
import { totalCon10y6, totalSinCeros } from '../verify/total-impreso.ts'

/**
 * The address that the QR code of a printed CFDI carries (Anexo 20, I.D): whoever reads it sees what the SAT says of the
 * document. Certificates of withholding have a page of their own, and name a foreigner by the number of his country.
 *
 * Written as an address must be: an `&` inside an RFC would end it, and a `+` of the seal would be read as a blank.
 */
export function direccionDeVerificacion(cfdi: Cfdi): string {
  const { uuid, version, tipo, emisor, receptor, total, sello } = cfdi
  const old = version === '3.2' || version === '1.0'
  const parts = [
    `id=${uuid.toUpperCase()}`,
    `re=${encodeURIComponent(emisor.rfc)}`,
    receptorOf(cfdi, receptor.rfc),
    `tt=${old ? totalCon10y6(formatDecimal(total)) : totalSinCeros(formatDecimal(total))}`,
  ]
  const end = sello?.slice(-8) ?? ''
  // Something that is no seal is left out: without it the document is found too.
  if (!old && BASE64.test(end)) parts.push(`fe=${end.replaceAll('+', '%2B')}`)
  return `${tipo === 'R' ? RETENCIONES : CFDI}?${parts.join('&')}`
}

/** The address of the second QR code, which Carta Porte 3.0 and later ask for. */
export function direccionDeCartaPorte(carta: { idCcp: string; fechaOrigen: string; fechaTimbrado: string }): string {
  const { idCcp, fechaOrigen, fechaTimbrado } = carta
  const parts = [['IdCCP', idCcp] as const, ['FechaOrig', fechaOrigen] as const, ['FechaTimb', fechaTimbrado] as const]
  return `${CARTA_PORTE}?${parts.map(([name, value]) => `${name}=${encodeURIComponent(value.toWellFormed()).replaceAll('%3A', ':')}`).join('&')}`
}

const BASE64 = /^[A-Za-z0-9+/=]{8}$/
const CFDI = 'https://verificacfdi.facturaelectronica.sat.gob.mx/default.aspx'
const RETENCIONES = 'https://prodretencionverificacion.clouda.sat.gob.mx/'
const CARTA_PORTE = 'https://verificacfdi.facturaelectronica.sat.gob.mx/verificaccp/default.aspx'

function receptorOf({ tipo, retencion }: Cfdi, rfc: string): string {
  const foreign = tipo === 'R' && rfc === RFC_EXTRANJERO ? retencion?.numRegIdTrib : null
  // Twenty positions, filled with zeros.
  return foreign
    ? `nr=${encodeURIComponent(foreign.toWellFormed().padStart(20, '0'))}`
    : `rr=${encodeURIComponent(rfc)}`
}
