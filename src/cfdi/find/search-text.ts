import type { Cfdi } from '../read/comprobante.ts'
import { fold } from './fold.ts'

export interface SearchText {
  /** Issuer and receiver. */
  nombres: string
  /** These, RFCs, folio fiscal, serie and folio, and every distinct concept. */
  texto: string
}

/** Most bytes of `texto`. What goes beyond is not searched: an invoice of 5,000 concepts would weigh more than all others. */
export const MAX_TEXTO = 65_536

/**
 * What a CFDI is found by, for `cfdi_busqueda`. Its parts stand on lines of their own: words that are typed together are
 * looked for within one part.
 */
export function searchTextOf(cfdi: Cfdi): SearchText {
  const nombres = [...new Set([cfdi.emisor.nombre, cfdi.receptor.nombre].map(folded))].filter(Boolean).join('\n')
  const parts = new Set<string>()
  let room = MAX_TEXTO
  for (const part of partsOf(cfdi)) {
    if (part === '' || parts.has(part)) continue
    const cost = Buffer.byteLength(part) + 1
    if (cost > room) break
    parts.add(part)
    room -= cost
  }
  return { nombres, texto: [...parts].join('\n') }
}

function* partsOf(cfdi: Cfdi): Generator<string> {
  const { uuid, serie, folio, emisor, receptor } = cfdi
  // Without its dashes: a fragment may reach over them.
  yield uuid.replaceAll('-', '')
  // F-123 is typed as F123, F 123 and F-123; the last two fold to the same.
  if (serie !== null && folio !== null) {
    yield folded(`${serie}${folio}`)
    yield folded(`${serie} ${folio}`)
  } else yield folded(serie ?? folio)
  for (const { rfc, nombre } of [emisor, receptor]) {
    yield folded(rfc)
    yield folded(nombre)
  }
  const seen = new Set<string>()
  for (const { descripcion, noIdentificacion } of cfdi.conceptos.lineas)
    for (const text of [descripcion, noIdentificacion]) {
      // Folding is what costs, and five thousand lines are often one.
      if (text === null || seen.has(text)) continue
      seen.add(text)
      yield folded(text)
    }
}

/** SAT allows 1,000 characters in a description. */
const folded = (text: string | null): string => (text === null ? '' : fold(text.slice(0, 1_000)))
