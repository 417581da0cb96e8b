import type { XmlElement } from '../read/xml.ts'

export interface Dato {
  /** `Figura Transporte` of `FiguraTransporte`. */
  readonly nombre: string
  /** `Tipo Ubicación: Origen · RFC Remitente Destinatario: …` */
  readonly valores: string
}

/**
 * All that an element and those below it say in attributes, one line for each that says anything: so that a complement without a
 * drawing of its own is printed whole. `most` lines; the last one tells how many elements are left to the XML.
 */
export function datosDe(element: XmlElement, most: number): Dato[] {
  const lines: Dato[] = []
  let left = 0
  const waiting = [element]
  for (let one = waiting.pop(); one; one = waiting.pop()) {
    for (const child of one.children.toReversed()) waiting.push(child)
    const values = Object.entries(one.attributes).filter(([, value]) => value !== '')
    if (values.length === 0) continue
    if (lines.length >= most) left++
    else
      lines.push({
        nombre: enPalabras(one.name),
        valores: values.map(([name, value]) => `${enPalabras(name)}: ${value}`).join(' · '),
      })
  }
  if (left > 0) lines.push({ nombre: 'Hay más', valores: `otros ${left} elementos están en el XML` })
  return lines
}

/** `RFCRemitenteDestinatario` → `RFC Remitente Destinatario`. */
export function enPalabras(name: string): string {
  const words = name
    .replace(/([a-zñ\d])([A-ZÑ])/g, '$1 $2')
    .replace(/([A-ZÑ]+)([A-ZÑ][a-zñ])/g, '$1 $2')
    .replaceAll('_', ' ')
    .replace(/\p{L}+/gu, (word) => ACCENTED.get(word.toLowerCase())?.replace(/^./, word.charAt(0)) ?? word)
  return words.slice(0, 1).toUpperCase() + words.slice(1)
}

// Names of XML have none.
const ACCENTED: ReadonlyMap<string, string> = new Map(
  'ubicación versión descripción mercancía mercancías código número país dirección información póliza configuración identificación operación razón vehículo emisión expedición autorización artículo región línea crédito débito federación educación institución población categoría año días almacén'
    .split(' ')
    .map((word) => [
      word
        .normalize('NFD')
        .replace(/[\u0300\u0301]/g, '')
        .normalize('NFC'),
      word,
    ]),
)
