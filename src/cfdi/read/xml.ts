import { emptyFile, notXml, tooLarge } from '../errors.ts'
import { toUtf8 } from './decode.ts'
import { Tokens } from './tokens.ts'

/** An element with its namespace resolved. Attributes are those without a prefix: no CFDI datum has one. */
export interface XmlElement {
  readonly namespace: string
  readonly name: string
  readonly children: readonly XmlElement[]
  /** Text is not kept: CFDI say everything in attributes. */
  get(attribute: string): string | undefined
  /** All of them, in the order they are written. Made anew at every call. */
  readonly attributes: Readonly<Record<string, string>>
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
  const source = toUtf8(bytes)
  if (source.length === 0) throw emptyFile()
  const root = new Tokens(source, LIMITS).read()
  if (!root) throw notXml('no tiene elementos')
  return root
}

/** The children with this name in this namespace, in the order of the document. */
export function childrenOf(element: XmlElement | undefined, namespace: string, name: string): readonly XmlElement[] {
  let found: XmlElement[] | undefined
  for (const child of element?.children ?? NONE) {
    if (child.name !== name || child.namespace !== namespace) continue
    if (found) found.push(child)
    else found = [child]
  }
  return found ?? NONE
}

const NONE: readonly XmlElement[] = []

/** The child of the root with this name, where there may be one. */
export type OnlyChild = (name: string) => XmlElement | undefined
