/** A document that another names, and how. */
export interface Nombrado {
  readonly tipo: string
  readonly uuid: string
}

/**
 * The documents that a credit note corrects, in its order, each once. One that takes the place of another (04) often
 * names nothing else, for CFDI 3.3 has room for one kind of relation: it corrects what the other did, or what that one
 * took the place of. `notas`: every credit note that may be named, with what it names.
 */
export function corregidosPor(uuid: string, notas: ReadonlyMap<string, readonly Nombrado[]>): string[] {
  const corregidos = new Set<string>()
  const notes = new Set([uuid])
  // Grows as it is walked, and takes each once: two that replace each other are no circle.
  for (const note of notes) {
    const named = notas.get(note) ?? []
    const saysItself = named.some(({ tipo }) => tipo !== SUSTITUCION)
    for (const one of named) {
      if (one.tipo !== SUSTITUCION || !notas.has(one.uuid)) corregidos.add(one.uuid)
      else if (!saysItself) notes.add(one.uuid)
    }
  }
  return [...corregidos]
}

const SUSTITUCION = '04'
