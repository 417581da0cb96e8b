import { cfdiLimitReached } from '../errors.ts'
import type { CfdiLimit } from '../limit/cfdi-limit.ts'
import type { CfdiRows } from '../store/cfdi-rows.ts'
import type { StoredBatch } from '../store/store-cfdis.ts'
import { type Aviso, beyondLimit, bytesDiffer } from '../verify/avisos.ts'
import type { Resultado } from './queries.ts'
import type { Verdict } from './verdict.ts'

/** A file that was read: a CFDI of the company, or what it is instead. */
export interface ReadFile {
  readonly n: number
  readonly archivo: string
  readonly uuid: string | null
  readonly document?: CfdiRows | undefined
  readonly verdict?: Verdict | undefined
  /** Of what is to be kept in quarantine. */
  readonly bytes?: Uint8Array | undefined
}

/**
 * What became of each file of a batch. Of several with one folio fiscal the first is the new one. `hashes` has those of
 * what is stored under the folios fiscales that came with other bytes.
 */
export function resultsOf(
  files: readonly ReadFile[],
  stored: StoredBatch,
  limit: CfdiLimit,
  hashes: ReadonlyMap<string, string>,
): Resultado[] {
  const isNew = new Set(stored.stored)
  const isBeyond = new Set(stored.beyond)
  const warned = new Set(limit.mode === 'soft' && limit.max >= 0 ? last(stored.stored, stored.total - limit.max) : [])
  const avisos = Map.groupBy(stored.avisos, ({ uuid }) => uuid)
  return files.map(({ n, archivo, uuid, document, verdict }) => {
    const file = { n, archivo, uuid }
    if (!document || uuid === null) return { ...file, ...(verdict as Verdict) }
    if (isBeyond.has(uuid)) {
      const { code, mensaje } = cfdiLimitReached(stored.total, limit.max)
      return { ...file, estado: 'rechazado', codigo: code, mensaje }
    }
    if (!isNew.delete(uuid)) {
      const differs = hashes.has(uuid) && hashes.get(uuid) !== document.xml.sha256
      return { ...file, estado: 'repetido', ...warning(differs ? [bytesDiffer(uuid)] : []) }
    }
    const own = (avisos.get(uuid) ?? []).filter(({ code }) => code !== bytesDiffer(uuid).code)
    const company = warned.has(uuid) ? [beyondLimit(stored.total, limit.max)] : []
    return { ...file, estado: 'nuevo', ...warning([...own, ...company]) }
  })
}

/** Folios fiscales of which something else came than is stored. */
export const differing = ({ avisos }: StoredBatch): string[] =>
  avisos.flatMap(({ code, uuid }) => (uuid !== null && code === bytesDiffer(uuid).code ? [uuid] : []))

const last = (uuids: readonly string[], count: number) => uuids.slice(Math.max(0, uuids.length - Math.max(0, count)))

/** The first one, and how many more there are: the document has them all. */
function warning([first, ...more]: readonly Aviso[]): Pick<Resultado, 'codigo' | 'mensaje'> {
  if (!first) return { codigo: null, mensaje: null }
  const rest = more.length === 0 ? '' : more.length === 1 ? ' Y otro aviso.' : ` Y otros ${more.length} avisos.`
  return { codigo: first.code, mensaje: first.mensaje + rest }
}
