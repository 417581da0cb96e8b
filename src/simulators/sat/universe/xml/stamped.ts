import { sign } from 'node:crypto'
import type { Csd } from '../credentials.ts'
import type { Document } from '../document.ts'
import { comprobanteNode } from './comprobante.ts'
import { cadenaOf, type Node, node, write } from './node.ts'
import { retencionesNode } from './retenciones.ts'

/** Who seals and who stamps; without them the seals are there in name only, for loads whose size is what matters. */
export interface Sealers {
  csd: Csd
  pac: { rfc: string; csd: Csd } | undefined
}

/** The document sealed by its issuer and stamped by the PAC, in UTF-8: the same bytes every time. */
export function stamped(document: Document, { csd, pac }: Sealers): Buffer {
  const build = document.tipo === 'R' ? retencionesNode : comprobanteNode
  const sello = pac ? seal(cadenaOf(build(document, csd.numero)), csd) : UNSEALED
  const stamp = stampOf(document, sello, pac)
  const root = build(document, csd.numero, [stamp])
  const whole: Node = { ...root, attributes: { ...root.attributes, Sello: sello, Certificado: csd.certificado } }
  return Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>${write(whole)}`)
}

function stampOf(document: Document, sello: string, pac: Sealers['pac']): Node {
  const rfc = pac?.rfc ?? 'PAC190613I50'
  const numero = pac?.csd.numero ?? '30001000000500000000'
  const cadena = `||1.1|${document.uuid}|${document.timbrado}|${rfc}|${sello}|${numero}||`
  return node('tfd:TimbreFiscalDigital', {
    'xmlns:tfd': 'http://www.sat.gob.mx/TimbreFiscalDigital',
    Version: '1.1',
    UUID: document.uuid,
    FechaTimbrado: document.timbrado,
    RfcProvCertif: rfc,
    SelloCFD: sello,
    NoCertificadoSAT: numero,
    SelloSAT: pac ? seal(cadena, pac.csd) : UNSEALED,
  })
}

const seal = (cadena: string, { key }: Csd): string => sign('sha256', Buffer.from(cadena), key).toString('base64')

const UNSEALED = Buffer.alloc(256).toString('base64')
