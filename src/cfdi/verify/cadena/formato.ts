/**
 * What enters the cadena original of a document, and in which order, as SAT's style sheets have it (looked up in
 * phpcfdi/resources-sat-xml, April 2026). A table is a text:
 *
 *     namespace version…
 *       Element: Required Optional? >Child >Group/Child(Inline Attributes?) >//Descendant >*
 *
 * A required attribute that is absent leaves its place empty; an optional one that is absent leaves none. `>Child` are all
 * children of that name, each as its own line says, or as said in parentheses; `>//` goes to any depth; `>*` are all
 * children, each by the table of its own namespace. What is not named here is not sealed. Long lines go on further in.
 */
export type Formato = ReadonlyMap<string, readonly Paso[]>

export type Paso =
  | { readonly clase: 'atributo'; readonly nombre: string; readonly opcional: boolean }
  | { readonly clase: 'hijos'; readonly camino: readonly string[]; readonly pasos: readonly Paso[] | null }
  | { readonly clase: 'descendientes'; readonly camino: readonly string[] }
  | { readonly clase: 'todos' }

/** Tables by `namespace version`. @throws Error when a table is not written as it should */
export function readFormatos(...tables: readonly string[]): Map<string, Formato> {
  const formatos = new Map<string, Formato>()
  for (const table of tables) {
    let nodes = new Map<string, readonly Paso[]>()
    for (const line of joined(table)) {
      if (!line.startsWith(' ')) {
        const [namespace, ...versiones] = line.split(' ')
        if (versiones.length === 0) throw new Error(`no version: ${line}`)
        nodes = new Map()
        for (const version of versiones) formatos.set(`${namespace} ${version}`, nodes)
        continue
      }
      const colon = line.indexOf(':')
      nodes.set(line.slice(0, colon).trim(), pasosOf(line.slice(colon + 1)))
    }
  }
  return formatos
}

/** One line each: what is further in than an element goes on with the line before. */
function joined(table: string): string[] {
  const lines: string[] = []
  for (const line of table.split('\n').filter((text) => text.trim() !== ''))
    if (line.startsWith('    ')) lines.push(`${lines.pop()} ${line.trim()}`)
    else lines.push(line)
  return lines
}

function pasosOf(text: string): Paso[] {
  const pasos = [...text.matchAll(PASO)].map((match): Paso => {
    const [, attribute, optional, depth, child, inline] = match
    if (attribute) return { clase: 'atributo', nombre: attribute, opcional: optional === '?' }
    if (child === '*') return { clase: 'todos' }
    const camino = (child ?? '').split('/')
    if (depth) return { clase: 'descendientes', camino }
    return { clase: 'hijos', camino, pasos: inline === undefined ? null : pasosOf(inline) }
  })
  const rest = text.replace(PASO, '').trim()
  if (rest !== '') throw new Error(`not understood in a table: ${rest}`)
  return pasos
}

const PASO = /([\p{L}\w]+)(\??)(?=\s|$)|>(\/\/)?([\p{L}\w/]+|\*)(?:\(([^)]*)\))?(?=\s|$)/gu
