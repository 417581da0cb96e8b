import { SaxesParser } from 'saxes'
import {
  badEncoding,
  doctype,
  emptyFile,
  notXml,
  tooDeep,
  tooLarge,
  tooManyAttributes,
  tooManyElements,
} from '../errors.ts'

/** An element with its namespace resolved. Attributes are those without a prefix: no CFDI datum has one. */
export interface XmlElement {
  readonly namespace: string
  readonly name: string
  readonly attributes: Readonly<Record<string, string>>
  readonly children: readonly XmlElement[]
  /** Text is not kept: CFDI say everything in attributes. */
  get(attribute: string): string | undefined
}

/** What an honest CFDI never comes near to. A file beyond any of these is refused before it costs anything. */
export const LIMITS = { bytes: 10 * 1_048_576, depth: 64, addendaDepth: 1_000, attributes: 128, elements: 200_000 }

/**
 * Reads an XML document as a tree, strictly: what is not well-formed is refused whole, so nothing is ever half read.
 *
 * A DOCTYPE is refused before its entities could mean anything. The content of an `Addenda` under the root is no SAT's
 * business: it must be well-formed, may be deep and may use prefixes that nobody declared, and is left out.
 * @throws AppError cfdi.empty, cfdi.not_xml, cfdi.doctype, cfdi.encoding, cfdi.too_large, cfdi.too_deep,
 * cfdi.too_many_attributes, cfdi.too_many_elements
 */
export function readXml(bytes: Uint8Array): XmlElement {
  if (bytes.length > LIMITS.bytes) throw tooLarge(LIMITS.bytes)
  const text = decode(bytes)
  if (text === '') throw emptyFile()

  // XML 1.0 whatever the declaration says: 1.1 would let control characters in by reference.
  const parser = new SaxesParser({ xmlns: false, position: true, defaultXMLVersion: '1.0', forceXMLVersion: true })
  const open: Open[] = []
  let root: XmlElement | undefined
  let elements = 0
  let attributes = 0
  let addendaFrom = 0 // depth of the Addenda we are in, 0 when outside

  parser.on('error', (error) => {
    throw malformed(enEspanol(error.message), parser)
  })
  parser.on('doctype', () => {
    throw doctype()
  })
  parser.on('opentagstart', () => {
    attributes = 0
    if (++elements > LIMITS.elements) throw tooManyElements(LIMITS.elements)
    const max = addendaFrom ? LIMITS.addendaDepth : LIMITS.depth
    if (open.length + 1 > max) throw tooDeep(max)
  })
  parser.on('attribute', () => {
    if (++attributes > LIMITS.attributes) throw tooManyAttributes(LIMITS.attributes)
  })
  parser.on('opentag', (tag) => {
    const parent = open.at(-1)
    if (addendaFrom) {
      open.push({ scope: parent?.scope, children: parent?.children ?? [] })
      return
    }
    const { element, scope } = resolve(tag.name, tag.attributes, parent?.scope, parser)
    const children = element.children as XmlElement[]
    if (parent) parent.children.push(element)
    else root = element
    open.push({ scope, children })
    if (open.length === 2 && element.name === 'Addenda' && element.namespace === root?.namespace) addendaFrom = 2
  })
  parser.on('closetag', () => {
    if (open.length === addendaFrom) addendaFrom = 0
    open.pop()
  })

  parser.write(text).close()
  if (!root) throw notXml('no tiene elementos')
  return root
}

/** The children with this name in this namespace, in the order of the document. */
export function childrenOf(element: XmlElement | undefined, namespace: string, name: string): XmlElement[] {
  return element?.children.filter((child) => child.name === name && child.namespace === namespace) ?? []
}

/** The child of the root with this name, where there may be one. */
export type OnlyChild = (name: string) => XmlElement | undefined

interface Open {
  scope: Scope | undefined
  children: XmlElement[]
}

/** The prefixes that one element declares; looked up from the innermost outwards. */
interface Scope {
  readonly declared: ReadonlyMap<string, string>
  readonly outer: Scope | undefined
  /** Answers of outer scopes: sixty-four of them are not walked again for every attribute. */
  readonly found: Map<string, string | undefined>
}

// Namespaces are resolved here and not by saxes, which copies a table per element and looks up every attribute through
// all of them: 20,000 levels took it seconds. Here only elements that declare something cost something.
function resolve(tag: string, given: Record<string, string>, outer: Scope | undefined, parser: SaxesParser) {
  let declared: Map<string, string> | undefined
  let prefixed: string[] | undefined
  const attributes: Record<string, string> = Object.create(null)
  for (const name in given) {
    const value = given[name]!
    if (name === 'xmlns') {
      declared ??= new Map()
      declared.set('', value)
    } else if (!name.includes(':')) {
      attributes[name] = value
    } else if (name.startsWith('xmlns:')) {
      declared ??= new Map()
      declared.set(name.slice(6), value)
      if (value === '') throw malformed(`el prefijo ${name.slice(6)} se declara vacío`, parser)
    } else {
      prefixed ??= []
      prefixed.push(name)
    }
  }
  const scope: Scope | undefined = declared ? { declared, outer, found: new Map() } : outer
  for (const name of prefixed ?? []) {
    const prefix = name.slice(0, name.indexOf(':'))
    if (prefix !== 'xml' && lookUp(scope, prefix) === undefined) throw undeclared(prefix, parser)
  }

  const colon = tag.indexOf(':')
  const prefix = colon < 0 ? '' : tag.slice(0, colon)
  const name = colon < 0 ? tag : tag.slice(colon + 1)
  if (name === '' || name.includes(':') || colon === 0) throw malformed(`el nombre ${tag} no es válido`, parser)
  const namespace = lookUp(scope, prefix)
  if (namespace === undefined && prefix !== '') throw undeclared(prefix, parser)
  const element: XmlElement = {
    namespace: namespace ?? '',
    name,
    attributes,
    children: [],
    get: (attribute) => attributes[attribute],
  }
  return { element, scope }
}

function lookUp(scope: Scope | undefined, prefix: string): string | undefined {
  if (!scope) return undefined
  const declared = scope.declared.get(prefix)
  if (declared !== undefined) return declared
  if (scope.found.has(prefix)) return scope.found.get(prefix)
  const outer = lookUp(scope.outer, prefix)
  scope.found.set(prefix, outer)
  return outer
}

// What saxes says, for the person who must find the place. The parser's own words would be English on a Spanish screen.
function enEspanol(message: string): string {
  const text = message.replace(/^\d+:\d+: /, '').replace(/\.$/, '')
  const detail = text.includes(': ') ? ` ${text.slice(text.indexOf(': ') + 2)}` : ''
  for (const [english, spanish] of SENTENCES) if (text.startsWith(english)) return spanish + detail
  return 'la sintaxis no es correcta'
}

const SENTENCES: readonly [english: string, spanish: string][] = [
  ['unclosed tag', 'está cortado o mal cerrado el elemento'],
  ['unexpected end', 'está cortado'],
  ['unexpected close tag', 'se cierra un elemento que no estaba abierto:'],
  ['unmatched closing tag', 'se cierra un elemento que no estaba abierto:'],
  ['duplicate attribute', 'hay un atributo repetido:'],
  ['disallowed character', 'hay un carácter que XML no permite'],
  ['undefined entity', 'hay una entidad que no está definida'],
  ['text data outside of root node', 'hay texto fuera del comprobante'],
  ['document must contain a root element', 'no tiene elementos'],
]

const malformed = (reason: string, { line, column }: SaxesParser) => notXml(reason, { line, column })

const undeclared = (prefix: string, parser: SaxesParser) => malformed(`el prefijo ${prefix} no está declarado`, parser)

/** Bytes to text: by byte-order mark, else by what the declaration says, else UTF-8. Never with replaced characters. */
function decode(bytes: Uint8Array): string {
  const [a, b, c] = bytes
  if (a === 0xff && b === 0xfe) return decodeAs('utf-16le', bytes)
  if (a === 0xfe && b === 0xff) return decodeAs('utf-16be', bytes)
  if (a === 0xef && b === 0xbb && c === 0xbf) return decodeAs('utf-8', bytes)
  if (a === 0x3c && b === 0x00) return decodeAs('utf-16le', bytes)
  if (a === 0x00 && b === 0x3c) return decodeAs('utf-16be', bytes)
  const head = Buffer.from(bytes.subarray(0, 200)).toString('latin1')
  const label = /^\s*<\?xml[^>]*?\sencoding\s*=\s*["']([\w.:-]+)["']/.exec(head)?.[1]?.toLowerCase() ?? 'utf-8'
  const encoding = ENCODINGS.get(label)
  if (!encoding) throw badEncoding(`el archivo dice estar en ${label} y no lo está, o no se admite`)
  return decodeAs(encoding, bytes)
}

// UTF-16 is not here: a file that says so and has neither its mark nor its shape is in something else.
const ENCODINGS: ReadonlyMap<string, string> = new Map([
  ...['utf-8', 'utf8', 'us-ascii', 'ascii'].map((label) => [label, 'utf-8'] as const),
  // What calls itself ISO-8859-1 is windows-1252 in practice, and the same where both are defined.
  ...['iso-8859-1', 'iso8859-1', 'latin1', 'windows-1252', 'cp1252'].map((label) => [label, 'windows-1252'] as const),
  ['iso-8859-15', 'iso-8859-15'],
])

function decodeAs(encoding: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes)
  } catch (error) {
    if (error instanceof TypeError) throw badEncoding(`hay bytes que no son ${encoding}`)
    throw error
  }
}
