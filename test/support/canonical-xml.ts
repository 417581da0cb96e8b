import { type SaxesAttributeNS, SaxesParser, type SaxesTagNS } from 'saxes'

export interface XmlNode {
  readonly prefix: string
  readonly local: string
  readonly uri: string
  /** Declared on this very element: prefix ('' for the default one) → uri. */
  readonly declared: Readonly<Record<string, string>>
  readonly attributes: readonly SaxesAttributeNS[]
  readonly children: (XmlNode | string)[]
  readonly parent: XmlNode | null
}

/** A document as a tree, with the namespaces resolved. `dropSpace`: text of nothing but space is not kept. */
export function parseXml(text: string, { dropSpace = false } = {}): XmlNode {
  const parser = new SaxesParser({ xmlns: true, position: false })
  let root: XmlNode | null = null
  let open: XmlNode | null = null
  parser.on('error', (error) => {
    throw error
  })
  parser.on('opentag', (tag: SaxesTagNS) => {
    const attributes = Object.values(tag.attributes).filter((a) => a.prefix !== 'xmlns' && a.name !== 'xmlns')
    const { prefix, local, uri, ns } = tag
    const node: XmlNode = { prefix, local, uri, declared: { ...ns }, attributes, children: [], parent: open }
    if (open) open.children.push(node)
    else root = node
    open = node
  })
  parser.on('closetag', () => {
    open = open?.parent ?? null
  })
  const onText = (chunk: string) => {
    if (open && !(dropSpace && chunk.trim() === '')) open.children.push(chunk)
  }
  parser.on('text', onText)
  parser.on('cdata', onText)
  parser.write(text).close()
  if (!root) throw new Error('no root')
  return root
}

export function find(node: XmlNode, local: string): XmlNode | undefined {
  if (node.local === local) return node
  for (const child of node.children) {
    const found = typeof child === 'string' ? undefined : find(child, local)
    if (found) return found
  }
  return undefined
}

export const textOf = (node: XmlNode | undefined): string =>
  (node?.children ?? []).map((child) => (typeof child === 'string' ? child : textOf(child))).join('')

/** Canonical XML 1.0 of a whole document (its root): every declaration stays where it is, unless it repeats one above. */
export const canonical = (root: XmlNode): string => write(root, () => true, {}, new Set())

/** Exclusive canonical XML 1.0 of an element, without those in `without`: a prefix is declared where it is first used. */
export const exclusive = (apex: XmlNode, without: ReadonlySet<XmlNode> = new Set()): string =>
  write(
    apex,
    (prefix, node) => node.prefix === prefix || (prefix !== '' && node.attributes.some((a) => a.prefix === prefix)),
    {},
    without,
  )

function write(
  node: XmlNode,
  wanted: (prefix: string, node: XmlNode) => boolean,
  rendered: Readonly<Record<string, string>>,
  without: ReadonlySet<XmlNode>,
): string {
  const scope = inScope(node)
  const here = Object.keys(scope)
    .filter((prefix) => prefix !== 'xml' && wanted(prefix, node) && (rendered[prefix] ?? '') !== scope[prefix])
    .sort(byCodePoint)
  const declarations = here.map((p) => ` xmlns${p === '' ? '' : `:${p}`}="${escapeAttribute(scope[p] ?? '')}"`)
  const attributes = [...node.attributes]
    .sort((a, b) => byCodePoint(a.uri, b.uri) || byCodePoint(a.local, b.local))
    .map((a) => ` ${a.name}="${escapeAttribute(a.value)}"`)
  const name = node.prefix === '' ? node.local : `${node.prefix}:${node.local}`
  const now = { ...rendered, ...Object.fromEntries(here.map((prefix) => [prefix, scope[prefix] ?? ''])) }
  const content = node.children
    .filter((child) => typeof child === 'string' || !without.has(child))
    .map((child) => (typeof child === 'string' ? escapeText(child) : write(child, wanted, now, without)))
  return `<${name}${declarations.join('')}${attributes.join('')}>${content.join('')}</${name}>`
}

const inScope = (node: XmlNode): Record<string, string> =>
  node.parent ? { ...inScope(node.parent), ...node.declared } : { '': '', ...node.declared }

const byCodePoint = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))

const escapeText = (value: string): string =>
  value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('\r', '&#xD;')

const escapeAttribute = (value: string): string =>
  value
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('"', '&quot;')
    .replaceAll('\t', '&#x9;')
    .replaceAll('\n', '&#xA;')
    .replaceAll('\r', '&#xD;')
