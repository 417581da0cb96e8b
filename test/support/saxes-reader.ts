import { SaxesParser } from 'saxes'

/** What an independent parser makes of a document: the judge that the product's own reader is held against. */
export interface Judged {
  readonly namespace: string
  readonly name: string
  readonly attributes: [name: string, value: string][]
  readonly children: Judged[]
}

/**
 * Reads with saxes, strictly. The content of an Addenda under the root must be well-formed and is left out, its prefixes
 * included. Namespaces are checked twice: by saxes itself outside of the addenda, and by looking them up here, so that what
 * they mean does not depend on it.
 * @throws Error when it is not well-formed
 */
export function judge(bytes: Uint8Array): Judged {
  const text = decode(bytes)
  const root = read(text)
  checkNamespaces(text)
  return root
}

function read(text: string): Judged {
  const parser = new SaxesParser({ xmlns: false, position: false, defaultXMLVersion: '1.0', forceXMLVersion: true })
  const open: { element: Judged | undefined; scope: ReadonlyMap<string, string> }[] = []
  let root: Judged | undefined
  let addenda = 0
  parser.on('error', fail)
  parser.on('doctype', () => fail(new Error('doctype')))
  parser.on('opentag', ({ name: tag, attributes: given }) => {
    const parent = open.at(-1)
    if (addenda > 0) return void open.push({ element: undefined, scope: new Map() })
    const attributes = Object.entries(given as Record<string, string>)
    const declared = attributes.filter(([name]) => name === 'xmlns' || name.startsWith('xmlns:'))
    const outer: ReadonlyMap<string, string> = parent?.scope ?? new Map([['xml', XML]])
    const scope =
      declared.length === 0 ? outer : new Map([...outer, ...declared.map(([n, uri]) => [n.slice(6), uri] as const)])
    const [local = '', prefix = ''] = tag.split(':').reverse()
    const namespace = scope.get(prefix)
    if (prefix !== '' && !namespace) fail(new Error('undeclared prefix'))
    const element: Judged = {
      namespace: namespace ?? '',
      name: local,
      attributes: attributes.filter(([name]) => name !== 'xmlns' && !name.includes(':')),
      children: [],
    }
    if (parent) parent.element?.children.push(element)
    else root = element
    open.push({ element, scope })
    if (open.length === 2 && local === 'Addenda' && element.namespace === root?.namespace) addenda = 2
  })
  parser.on('closetag', () => {
    if (open.length === addenda) addenda = 0
    open.pop()
  })
  parser.write(text).close()
  if (!root) throw new Error('no root')
  return root
}

function checkNamespaces(text: string): void {
  const parser = new SaxesParser({ xmlns: true, position: false, defaultXMLVersion: '1.0', forceXMLVersion: true })
  let depth = 0
  let addenda = 0
  let root = ''
  parser.on('error', (error) => {
    if (addenda === 0) fail(error)
  })
  parser.on('opentag', (tag) => {
    depth += 1
    if (depth === 1) root = tag.uri
    if (depth === 2 && addenda === 0 && tag.local === 'Addenda' && tag.uri === root) addenda = 2
  })
  parser.on('closetag', () => {
    if (depth === addenda) addenda = 0
    depth -= 1
  })
  parser.write(text).close()
}

const XML = 'http://www.w3.org/XML/1998/namespace'

function fail(error: Error): never {
  throw error
}

function decode(bytes: Uint8Array): string {
  const [a, b] = bytes
  const as = (encoding: string) => new TextDecoder(encoding, { fatal: true }).decode(bytes)
  if ((a === 0xff && b === 0xfe) || (a === 0x3c && b === 0)) return as('utf-16le')
  if ((a === 0xfe && b === 0xff) || (a === 0 && b === 0x3c)) return as('utf-16be')
  if (a === 0xef && b === 0xbb && bytes[2] === 0xbf) return as('utf-8')
  const head = Buffer.from(bytes.subarray(0, 200)).toString('latin1')
  const label = /^\s*<\?xml[^>]*?\sencoding\s*=\s*["']([\w.:-]+)["']/.exec(head)?.[1]?.toLowerCase() ?? 'utf-8'
  if (/^(utf-?8|(us-)?ascii)$/.test(label)) return as('utf-8')
  if (/^(iso-?8859-1|latin1|windows-1252|cp1252)$/.test(label)) return as('windows-1252')
  if (label === 'iso-8859-15') return as('iso-8859-15')
  throw new Error(`encoding ${label}`)
}
