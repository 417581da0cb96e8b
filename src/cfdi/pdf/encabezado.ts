import type { Cfdi } from '../read/comprobante.ts'
import type { XmlElement } from '../read/xml.ts'
import { childrenOf } from '../read/xml.ts'
import { conNombre, nombreDe } from './catalogos.ts'
import { cifra } from './cifras.ts'
import { ACCENT, GREY, type Hoja, RULE, type Style } from './hoja.ts'

/** Who issues to whom, what, when: the top of the first page. */
export function drawEncabezado(hoja: Hoja, cfdi: Cfdi, root: XmlElement): void {
  const { doc, left, width } = hoja
  doc.rect(left, hoja.y, width, 3).fill(ACCENT)
  const top = hoja.y + 10
  const split = width * 0.55
  const issuer = drawEmisor(hoja, cfdi, root, { x: left, y: top, width: split - 14 })
  const folio = drawFolio(hoja, cfdi, { x: left + split, y: top, width: width - split })
  hoja.y = Math.max(issuer, folio) + 6
  doc
    .moveTo(left, hoja.y)
    .lineTo(left + width, hoja.y)
    .lineWidth(0.6)
    .strokeColor(RULE)
    .stroke()
  hoja.y += 2
  drawReceptor(hoja, cfdi, root)
  drawDatos(hoja, cfdi, root)
}

/** What people call a document of each type. */
export const TITULOS: Readonly<Record<Cfdi['tipo'], string>> = {
  I: 'Factura',
  E: 'Nota de crédito',
  P: 'Recibo electrónico de pago',
  N: 'Recibo de nómina',
  T: 'Comprobante de traslado',
  R: 'Constancia de retenciones',
}

const TIPOS: Readonly<Record<Exclude<Cfdi['tipo'], 'R'>, string>> = {
  I: 'I Ingreso',
  E: 'E Egreso',
  P: 'P Pago',
  N: 'N Nómina',
  T: 'T Traslado',
}

const NAME: Style = { size: 12, bold: true, color: ACCENT }
const BODY: Style = { size: 8 }
const SMALL: Style = { size: 6.6, color: GREY }

/** As wide as the longest of the names beside the folio. */
const LABELS = 74

interface At {
  readonly x: number
  readonly y: number
  readonly width: number
}

function drawEmisor(hoja: Hoja, cfdi: Cfdi, root: XmlElement, at: At): number {
  const { emisor, lugarExpedicion } = cfdi
  const domicilio = domicilioOf(childrenOf(root, root.namespace, 'Emisor')[0])
  const name = emisor.nombre ?? emisor.rfc
  // The SAT allows three hundred letters.
  const style = name.length > 90 ? { ...NAME, size: 9 } : NAME
  let y = hoja.block(hoja.wrap(name, at.width, style, 9), at, style)
  const lines: [string, Style][] = [
    [`RFC ${emisor.rfc}`, { ...BODY, bold: true }],
    ...optional('Régimen fiscal: ', conNombre('regimen', emisor.regimen)),
    ...optional('Lugar de expedición: ', lugarExpedicion),
    ...optional('', domicilio),
  ]
  y += 2
  for (const [text, style] of lines) y = hoja.block(hoja.wrap(text, at.width, style, 4), { ...at, y }, style)
  return y
}

const optional = (label: string, value: string | null): [string, Style][] =>
  value === null ? [] : [[`${label}${value}`, BODY]]

function drawFolio(hoja: Hoja, cfdi: Cfdi, at: At): number {
  const { tipo, version, serie, folio, uuid, fecha, fechaTimbrado, noCertificado } = cfdi
  const title: Style = { size: 12, bold: true }
  let y = hoja.block(hoja.wrap(TITULOS[tipo], at.width, title), at, title, 'right')
  const numero = [serie, folio].filter((part) => part !== null).join(' ')
  const number: Style = { size: 10, bold: true, color: ACCENT }
  if (numero) y = hoja.block(hoja.wrap(numero, at.width, number, 3), { ...at, y }, number, 'right')
  const lines: [string, string | null][] = [
    ['Folio fiscal (UUID)', uuid.toUpperCase()],
    ['Fecha de emisión', fecha.replace('T', ' ')],
    ['Fecha de certificación', fechaTimbrado.replace('T', ' ')],
    ['Certificado del emisor', noCertificado],
    ['Tipo y versión', tipo === 'R' ? `Retenciones ${version}` : `${TIPOS[tipo]} · CFDI ${version}`],
  ]
  y += 3
  for (const [label, value] of lines) {
    if (value === null) continue
    const style: Style = { size: 7.4 }
    const drawn = hoja.wrap(value, at.width - LABELS, style, 2)
    hoja.put(label, at.x, y + 0.6, SMALL)
    y = hoja.block(drawn, { x: at.x + LABELS, y, width: at.width - LABELS }, style, 'right')
  }
  return y
}

function drawReceptor(hoja: Hoja, cfdi: Cfdi, root: XmlElement): void {
  const { receptor, tipo, retencion } = cfdi
  const node = childrenOf(root, root.namespace, 'Receptor')[0]
  hoja.heading(tipo === 'N' ? 'Receptor (trabajador)' : 'Receptor')
  const style: Style = { size: 9, bold: true }
  const lines = hoja.wrap(receptor.nombre ?? receptor.rfc, hoja.width - 8, style, 6)
  hoja.y = hoja.block(lines, { x: hoja.left + 4, y: hoja.y, width: hoja.width }, style) + 2
  hoja.pairs([
    ['RFC', receptor.rfc],
    ['Uso del CFDI', conNombre('uso', receptor.usoCfdi)],
    ['Régimen fiscal', conNombre('regimen', receptor.regimen)],
    ['Domicilio fiscal', node?.get('DomicilioFiscalReceptor') ?? domicilioOf(node)],
    ['Residencia fiscal', node?.get('ResidenciaFiscal')],
    ['Registro de identidad fiscal', node?.get('NumRegIdTrib') ?? retencion?.numRegIdTrib],
    ['Nacionalidad', retencion?.nacionalidad],
  ])
}

function drawDatos(hoja: Hoja, cfdi: Cfdi, root: XmlElement): void {
  const { moneda, tipoCambio, formaPago, metodoPago, informacionGlobal: global, tipo } = cfdi
  const node = childrenOf(root, root.namespace, 'Emisor')[0]
  hoja.y += 2
  hoja.pairs([
    ['Moneda', tipo === 'P' || tipo === 'T' || tipo === 'R' ? null : moneda],
    ['Tipo de cambio', tipoCambio && moneda !== 'MXN' ? cifra(tipoCambio, 4) : null],
    ['Forma de pago', conNombre('forma', formaPago)],
    ['Método de pago', conNombre('metodo', metodoPago)],
    ['Condiciones de pago', cfdi.condicionesDePago],
    ['Exportación', cfdi.exportacion === '01' ? null : conNombre('exportacion', cfdi.exportacion)],
    ['Cuenta de pago', root.get('NumCtaPago')],
    ['Confirmación', cfdi.confirmacion],
    ['Operación a través de (fac. atr. adquirente)', node?.get('FacAtrAdquirente')],
    ['Factura global', global && conNombre('periodicidad', global.periodicidad)],
    ['Periodo', global && [global.meses && nombreDe('meses', global.meses), global.anio].filter(Boolean).join(' ')],
  ])
  const { relacionados } = cfdi
  if (relacionados.length === 0) return
  hoja.heading('CFDI relacionados')
  for (const { tipoRelacion, uuids } of relacionados) {
    const style: Style = { size: 7.2, bold: true }
    hoja.paragraph(conNombre('relacion', tipoRelacion) ?? '', style)
    hoja.paragraph(uuids.map((uuid) => uuid.toUpperCase()).join(', '), { size: 7.2 })
  }
}

/** 3.2 gives addresses: `Calle 1, Colonia, …`. */
function domicilioOf(node: XmlElement | undefined): string | null {
  const home = node?.children.find(({ name }) => name === 'DomicilioFiscal' || name === 'Domicilio')
  return home ? Object.values(home.attributes).filter(Boolean).join(', ') : null
}
