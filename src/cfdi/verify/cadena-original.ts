import type { XmlElement } from '../read/xml.ts'
import { BIENES } from './cadena/bienes.ts'
import { CARTA_PORTE } from './cadena/carta-porte.ts'
import { COMERCIO_EXTERIOR } from './cadena/comercio-exterior.ts'
import { COMPROBANTES, TIMBRES } from './cadena/comprobante.ts'
import { ENERGIA } from './cadena/energia.ts'
import { type Formato, type Paso, readFormatos } from './cadena/formato.ts'
import { PAGOS_Y_NOMINA } from './cadena/pagos-y-nomina.ts'
import { COMPLEMENTOS_DE_RETENCIONES } from './cadena/retenciones.ts'
import { VARIOS } from './cadena/varios.ts'

export interface CadenaOriginal {
  readonly cadena: string
  /** Complements whose data we do not know how to put in order: `{namespace}element`, each once. The cadena lacks them. */
  readonly desconocidos: readonly string[]
}

/** The text that the issuer sealed, `||…||`, or null for a document of a version that has no table. */
export function cadenaOriginal(root: XmlElement): CadenaOriginal | null {
  const version = root.get('Version') ?? root.get('version') ?? ''
  const pasos = FORMATOS.get(`${root.namespace} ${version}`)?.get(root.name)
  if (!pasos) return null
  const found: Found = { version, values: [], unknown: new Set() }
  walk(root, pasos, FORMATOS.get(`${root.namespace} ${version}`) as Formato, found)
  return { cadena: `||${found.values.join('|')}||`, desconocidos: [...found.unknown] }
}

/** What the PAC sealed: printed on every representation of a CFDI. Null when the stamp is of no known version. */
export function cadenaDelTimbre(timbre: XmlElement): string | null {
  const version = timbre.get('Version') ?? timbre.get('version') ?? ''
  const formato = SELLADOS.get(`${timbre.namespace} ${version}`)
  const pasos = formato?.get(timbre.name)
  if (!formato || !pasos) return null
  const found: Found = { version, values: [], unknown: new Set() }
  walk(timbre, pasos, formato, found)
  return `||${found.values.join('|')}||`
}

const FORMATOS = readFormatos(
  COMPROBANTES,
  PAGOS_Y_NOMINA,
  CARTA_PORTE,
  COMERCIO_EXTERIOR,
  ENERGIA,
  BIENES,
  VARIOS,
  COMPLEMENTOS_DE_RETENCIONES,
)
const SELLADOS = readFormatos(TIMBRES)
const TIMBRE = 'http://www.sat.gob.mx/TimbreFiscalDigital'

interface Found {
  readonly version: string
  readonly values: string[]
  readonly unknown: Set<string>
}

function walk(element: XmlElement, pasos: readonly Paso[], formato: Formato, found: Found): void {
  for (const paso of pasos)
    switch (paso.clase) {
      case 'atributo': {
        const value = element.get(paso.nombre)
        if (value !== undefined) found.values.push(collapsed(value))
        else if (!paso.opcional) found.values.push('')
        break
      }
      case 'hijos':
        for (const child of at(element, paso.camino)) own(child, paso.pasos, formato, found)
        break
      case 'descendientes': {
        const [first = '', ...rest] = paso.camino
        for (const one of below(element, first)) for (const child of at(one, rest)) own(child, null, formato, found)
        break
      }
      case 'todos':
        for (const child of element.children) complement(child, found)
    }
}

function own(element: XmlElement, pasos: readonly Paso[] | null, formato: Formato, found: Found): void {
  walk(element, pasos ?? formato.get(element.name) ?? [], formato, found)
}

function complement(element: XmlElement, found: Found): void {
  const formato = FORMATOS.get(`${element.namespace} ${found.version}`)
  const pasos = formato?.get(element.name)
  if (formato && pasos) walk(element, pasos, formato, found)
  // The stamp came after the seal.
  else if (element.namespace !== TIMBRE) found.unknown.add(`{${element.namespace}}${element.name}`)
}

/** The elements at the end of a path of names, all in the namespace of where it starts. */
function at(element: XmlElement, path: readonly string[]): XmlElement[] {
  return path.reduce<XmlElement[]>(
    (elements, name) =>
      elements.flatMap((one) =>
        one.children.filter((child) => child.name === name && child.namespace === element.namespace),
      ),
    [element],
  )
}

/** All descendants of that name in the namespace of where it starts, in the order of the document. */
function below(element: XmlElement, name: string, namespace = element.namespace): XmlElement[] {
  return element.children.flatMap((child) => [
    ...(child.name === name && child.namespace === namespace ? [child] : []),
    ...below(child, name, namespace),
  ])
}

// XPath's normalize-space: XML's four blanks and no others. A no-break space is a character like any.
const collapsed = (value: string): string => value.replace(/[ \t\r\n]+/g, ' ').replace(/^ | $/g, '')
