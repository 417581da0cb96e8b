import { SaxesParser } from 'saxes'

/** An element as it was written: names with their prefixes, declarations where they stood. */
export interface Elemento {
  readonly name: string
  readonly prefix: string
  readonly local: string
  readonly uri: string
  /** Without the declarations of namespaces. */
  readonly attributes: readonly Atributo[]
  /** In scope, by prefix; '' is the default one. */
  readonly scope: Readonly<Record<string, string>>
  readonly children: (Elemento | string)[]
}

export interface Atributo {
  readonly name: string
  readonly local: string
  readonly uri: string
  readonly value: string
}

/**
 * The root of a document. Comments and processing instructions are left out, which is what canonical XML without
 * comments makes of the ones a message of the SAT has: none.
 * @throws Error on what is not well-formed, and on a DOCTYPE
 */
export function parseXml(text: string): Elemento {
  const parser = new SaxesParser({ xmlns: true })
  const open: Elemento[] = []
  let root: Elemento | undefined
  parser.on('error', (error) => {
    throw error
  })
  parser.on('doctype', () => {
    throw new Error('DOCTYPE')
  })
  parser.on('opentag', ({ name, prefix, local, uri, attributes, ns }) => {
    if (open.length >= MOST_DEPTH) throw new Error('too deep')
    const parent = open.at(-1)
    const element: Elemento = {
      name,
      prefix,
      local,
      uri,
      attributes: Object.values(attributes)
        .filter((one) => one.prefix !== 'xmlns' && one.name !== 'xmlns')
        .map((one) => ({ name: one.name, local: one.local, uri: one.uri, value: one.value })),
      scope: { ...parent?.scope, ...ns },
      children: [],
    }
    parent?.children.push(element)
    root ??= element
    open.push(element)
  })
  parser.on('closetag', () => void open.pop())
  const onText = (chunk: string) => void open.at(-1)?.children.push(chunk)
  parser.on('text', onText)
  parser.on('cdata', onText)
  parser.write(text).close()
  if (!root) throw new Error('empty')
  return root
}

const MOST_DEPTH = 64

export const isElemento = (node: Elemento | string): node is Elemento => typeof node !== 'string'

export const elementsOf = ({ children }: Elemento): Elemento[] => children.filter(isElemento)

/** The one child of that name. @throws Error when it is not there, or there are two */
export function childOf(parent: Elemento, uri: string, local: string): Elemento {
  const found = elementsOf(parent).filter((one) => one.uri === uri && one.local === local)
  if (found.length !== 1) throw new Error(`${found.length} of ${local}`)
  return found[0] as Elemento
}

export const textOf = ({ children }: Elemento): string =>
  children
    .map((child) => (isElemento(child) ? textOf(child) : child))
    .join('')
    .trim()

export const attributeOf = ({ attributes }: Elemento, local: string): string | undefined =>
  attributes.find((one) => one.local === local)?.value
