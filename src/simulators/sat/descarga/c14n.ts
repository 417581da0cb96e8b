import { type Elemento, isElemento } from './xml-tree.ts'

export const EXC_C14N = 'http://www.w3.org/2001/10/xml-exc-c14n#'

export interface C14nOptions {
  /** The element left out with all it holds: the signature in what it signs. */
  without?: Elemento
}

/**
 * Exclusive canonical XML 1.0 without comments of one element. A namespace is declared where it is first used, and
 * attributes stand by namespace and name.
 * Rule: https://www.w3.org/TR/xml-exc-c14n/ 3, over https://www.w3.org/TR/xml-c14n 2.
 */
export function canonical(element: Elemento, options: C14nOptions = {}): string {
  return write(element, {}, options)
}

function write(element: Elemento, rendered: Readonly<Record<string, string>>, options: C14nOptions): string {
  const used = new Set([element.prefix, ...element.attributes.flatMap(({ name }) => prefixesOf(name))])
  used.delete('xml')
  const declared: Record<string, string> = {}
  for (const prefix of used) {
    const uri = element.scope[prefix] ?? ''
    if ((rendered[prefix] ?? '') !== uri) declared[prefix] = uri
  }
  const namespaces = Object.keys(declared)
    .sort(byCodePoint)
    .map((prefix) => ` ${prefix === '' ? 'xmlns' : `xmlns:${prefix}`}="${escapeValue(declared[prefix] as string)}"`)
  const attributes = element.attributes
    .toSorted((a, b) => byCodePoint(a.uri, b.uri) || byCodePoint(a.local, b.local))
    .map(({ name, value }) => ` ${name}="${escapeValue(value)}"`)
  const inner = { ...rendered, ...declared }
  const children = element.children.map((child) => {
    if (isElemento(child)) return child === options.without ? '' : write(child, inner, options)
    return escapeText(child)
  })
  return `<${element.name}${namespaces.join('')}${attributes.join('')}>${children.join('')}</${element.name}>`
}

const prefixesOf = (name: string): string[] => (name.includes(':') ? [name.split(':')[0] as string] : [])

const byCodePoint = (a: string, b: string) => (a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b)))

const escapeText = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('\r', '&#xD;')

const escapeValue = (text: string) =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('"', '&quot;')
    .replaceAll('\t', '&#x9;')
    .replaceAll('\n', '&#xA;')
    .replaceAll('\r', '&#xD;')
