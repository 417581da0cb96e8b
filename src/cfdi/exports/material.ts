import type { TenantTx } from '../../db/databases.ts'
import type { Log } from '../../tenants/operations/saga.ts'
import type { Grupo } from '../find/totals-queries.ts'
import type { Consulta } from './consulta.ts'
import type { Output } from './output.ts'
import { type FilaEsencial, fetchFilas, openFilas } from './rows-queries.ts'

/** What a file is made of, and who is told how far it is. */
export interface Material {
  readonly trx: TenantTx
  readonly consulta: Consulta
  readonly rfc: string
  /** When the snapshot was taken, civil time `YYYY-MM-DDTHH:MM:SS`. */
  readonly corte: string
  readonly grupos: readonly Grupo[]
  readonly log: Pick<Log, 'error' | 'warn'>
  /** A further file that is thrown away at the end: what must be written last and is known first. */
  scratch(): Promise<Output>
  /** So many more are written. @throws when the export was cancelled or must stop here */
  advance(n: number): Promise<void>
}

export interface Format {
  readonly extension: string
  readonly mime: string
  /** A fair guess, by which the room on the disk is judged before anything is written. */
  readonly bytesPerRow: number
  write(output: Output, material: Material): Promise<void>
}

/** The rows of an export in its order. The next page is on its way while one is worked on. */
export async function* pagesOf<T extends FilaEsencial>(
  { trx, consulta }: Material,
  columns: 'todas' | 'esenciales',
): AsyncGenerator<T[]> {
  await openFilas(trx, consulta, columns)
  let next = fetchFilas<T>(trx, PAGE)
  try {
    for (;;) {
      const page = await next
      if (page.length === PAGE) {
        next = fetchFilas<T>(trx, PAGE)
        next.catch(() => undefined) // told to whoever asks for the page; until then it is nobody's
      }
      if (page.length > 0) yield page
      if (page.length < PAGE) return
    }
  } finally {
    // The transaction ends with nothing of it under way.
    await next.catch(() => undefined)
  }
}

/** Formatting a page takes some milliseconds, and nothing else runs meanwhile. */
const PAGE = 250
