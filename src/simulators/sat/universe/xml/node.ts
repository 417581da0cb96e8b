/** An element as it will be written. */
export interface Node {
  readonly name: string
  readonly attributes: Readonly<Record<string, string | undefined>>
  readonly children: readonly Node[]
}

export const node = (
  name: string,
  attributes: Node['attributes'] = {},
  children: readonly (Node | undefined)[] = [],
): Node => ({ name, attributes, children: children.filter((child) => child !== undefined) })

/** A node that is there when it has something inside. */
export const group = (name: string, children: readonly (Node | undefined)[]): Node | undefined => {
  const made = node(name, {}, children)
  return made.children.length > 0 ? made : undefined
}

export function write({ name, attributes, children }: Node): string {
  const open = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${escaped(value as string)}"`)
    .join('')
  return children.length === 0 ? `<${name}${open}/>` : `<${name}${open}>${children.map(write).join('')}</${name}>`
}

const escaped = (text: string): string => text.replace(SPECIAL, (char) => ENTITIES[char] as string)

const SPECIAL = /[&<>"\n\r\t]/g
const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\n': '&#10;',
  '\r': '&#13;',
  '\t': '&#9;',
}

/**
 * The cadena original. Our documents write their attributes in the order in which they are sealed, and their elements too:
 * but for the taxes of the document, where each total comes behind its lines.
 */
export const cadenaOf = (root: Node): string => `||${valuesOf(root).map(collapsed).join('|')}||`

function valuesOf({ name, attributes, children }: Node): string[] {
  const own = (keys: readonly string[]) => keys.flatMap((key) => attributes[key] ?? [])
  if (name === 'tfd:TimbreFiscalDigital') return []
  if (name === 'cfdi:Impuestos' && 'TotalImpuestosTrasladados' in attributes)
    return [
      ...children.filter((child) => child.name === 'cfdi:Retenciones').flatMap(valuesOf),
      ...own(['TotalImpuestosRetenidos']),
      ...children.filter((child) => child.name === 'cfdi:Traslados').flatMap(valuesOf),
      ...own(['TotalImpuestosTrasladados']),
    ]
  const sealed = Object.keys(attributes).filter((key) => !UNSEALED.has(key) && !key.includes(':'))
  return [...own(sealed), ...children.flatMap(valuesOf)]
}

const UNSEALED: ReadonlySet<string> = new Set(['Sello', 'Certificado'])

const collapsed = (value: string): string => value.replace(/[ \t\r\n]+/g, ' ').replace(/^ | $/g, '')
