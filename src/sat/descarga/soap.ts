import { SaxesParser } from 'saxes'

/** Why an answer is none. */
export interface Falla {
  /**
   * `vacia`, `html`, `malformada` (not one whole SOAP message), `fault`: another try may bring an answer.
   * `seguridad`: it does not take our clock or our seal. `contrato`: it has no such operation, or does not read our message.
   * `ilegible`: a whole message, with nothing in it that we know.
   */
  readonly falla: 'vacia' | 'html' | 'malformada' | 'fault' | 'seguridad' | 'contrato' | 'ilegible'
  /** For the log: what it was, short. */
  readonly detalle: string
}

/** An element by its name, and attributes by theirs, without prefix and in lower case: the SAT has changed both. */
export interface Elemento {
  readonly nombre: string
  readonly atributos: ReadonlyMap<string, string>
  readonly hijos: readonly Elemento[]
  /** Its own, without the space around it. */
  readonly texto: string
}

/**
 * Reads a SOAP message whole, whatever came instead: a page of somebody's proxy, half an answer, a fault, which may come
 * with any HTTP status.
 */
export function readSoap(body: string): Elemento | Falla {
  const text = body.replace(/^\uFEFF/, '').trim()
  if (text === '') return { falla: 'vacia', detalle: 'an empty body' }
  if (/^(<!doctype\s+html|<html)/i.test(text)) return { falla: 'html', detalle: titleOf(text) }
  let envelope: Elemento
  try {
    envelope = readElements(text)
  } catch (error) {
    return { falla: 'malformada', detalle: error instanceof Error ? error.message.slice(0, 120) : 'not well-formed' }
  }
  const fault = elementOf(envelope, (nombre) => nombre === 'fault')
  return fault ? faultOf(fault) : envelope
}

/** The first element that `wanted` takes, in the order of the document. */
export function elementOf(element: Elemento, wanted: (nombre: string) => boolean): Elemento | undefined {
  if (wanted(element.nombre)) return element
  for (const child of element.hijos) {
    const found = elementOf(child, wanted)
    if (found) return found
  }
  return undefined
}

function faultOf(fault: Elemento): Falla {
  const textOf = (...names: string[]) => elementOf(fault, (nombre) => names.includes(nombre))?.texto ?? ''
  // SOAP 1.1, and what 1.2 would say.
  const code = textOf('faultcode', 'value')
  const detalle = `${code} ${textOf('faultstring', 'text')}`.trim().slice(0, 160)
  const name = code.slice(code.indexOf(':') + 1)
  return { falla: SECURITY.test(name) ? 'seguridad' : CONTRACT.test(name) ? 'contrato' : 'fault', detalle }
}

/** Of WS-Security 1.0, section 12. */
const SECURITY = /^(InvalidSecurity(Token)?|FailedAuthentication|FailedCheck|MessageExpired|SecurityTokenUnavailable)$/i
const CONTRACT = /^(ActionNotSupported|DeserializationFailed|DestinationUnreachable|MustUnderstand)$/i

/** @throws Error when it is not one whole document of ours */
function readElements(text: string): Elemento {
  const parser = new SaxesParser({ xmlns: false, position: false })
  const open: Growing[] = []
  let root: Growing | undefined
  let elements = 0
  parser.on('error', (error) => {
    throw error
  })
  parser.on('doctype', () => {
    throw new Error('a DOCTYPE')
  })
  parser.on('opentag', ({ name, attributes }) => {
    const nombre = localOf(name)
    if (open.length === 0 && nombre !== 'envelope') throw new Error(`no SOAP: its root is ${name.slice(0, 40)}`)
    if (open.length >= MOST_LEVELS || ++elements > MOST_ELEMENTS) throw new Error('too deep, or too much')
    const atributos = new Map(Object.entries(attributes).map(([key, value]) => [localOf(key), value]))
    const element: Growing = { nombre, atributos, hijos: [], texto: '' }
    open.at(-1)?.hijos.push(element)
    root ??= element
    open.push(element)
  })
  parser.on('closetag', () => {
    const element = open.pop()
    if (element) element.texto = element.texto.trim()
  })
  const onText = (chunk: string) => {
    const element = open.at(-1)
    if (element) element.texto += chunk
  }
  parser.on('text', onText)
  parser.on('cdata', onText)
  parser.write(text).close()
  if (!root) throw new Error('no element')
  return root
}

interface Growing extends Elemento {
  hijos: Growing[]
  texto: string
}

const localOf = (name: string): string => name.slice(name.indexOf(':') + 1).toLowerCase()

const MOST_LEVELS = 20
/** A request has some dozens of packages. */
const MOST_ELEMENTS = 20_000

const titleOf = (html: string): string =>
  (/<title>([^<]{0,100})/i.exec(html)?.[1] ?? 'a page without a title').replace(/\s+/g, ' ').trim()
