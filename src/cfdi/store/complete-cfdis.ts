import { setImmediate } from 'node:timers/promises'
import { zstdDecompressSync } from 'node:zlib'
import type { TenantDb } from '../../db/databases.ts'
import { AppError } from '../../errors.ts'
import { parseCfdi } from '../read/parse.ts'
import { writtenOf } from './batch.ts'
import { type CfdiRows, toRows } from './cfdi-rows.ts'
import type { Table } from './columns.ts'
import { completeHeaders, findIncomplete, type Incomplete, stillIncomplete } from './complete-queries.ts'
import { insertTables, lockLine } from './insert-queries.ts'
import { rederive } from './rederive.ts'

export interface Completed {
  completed: number
  /** Folios fiscales that cannot be read any more, as they cannot be searched. */
  unreadable: string[]
}

/**
 * Reads CFDI of an earlier release again, which kept only their header, and writes what it left out: concepts and their
 * taxes, payroll, warnings, what is searched. Nothing that is there is changed but what is derived of it: movements are
 * made again by the rules of today, or the next document that bears on a month would bring half of them in. A batch is a
 * commit, so it may be interrupted, and running it twice is harmless.
 */
export async function completeCfdis(
  db: TenantDb,
  { signal, batch = 200 }: { signal?: AbortSignal; batch?: number } = {},
): Promise<Completed> {
  const done: Completed = { completed: 0, unreadable: [] }
  for (let after: string | null = null; !signal?.aborted; ) {
    const found: Incomplete[] = await findIncomplete(db, after, batch)
    const last = found.at(-1)
    if (!last) return done
    after = last.uuid
    const documents: CfdiRows[] = []
    for (const one of found) {
      const document = readAgain(one)
      if (document) documents.push(document)
      else done.unreadable.push(one.uuid)
      if (documents.length % 8 === 0) await setImmediate()
    }
    done.completed += await complete(db, documents)
  }
  return done
}

async function complete(db: TenantDb, documents: readonly CfdiRows[]): Promise<number> {
  return db.transaction().execute(async (trx) => {
    await lockLine(trx)
    const still = await stillIncomplete(
      trx,
      documents.map(({ uuid }) => uuid),
    )
    const rest = documents.filter(({ uuid }) => still.has(uuid))
    if (rest.length === 0) return 0
    await completeHeaders(trx, rest)
    await insertTables(
      trx,
      writtenOf(rest).tables.filter(({ table }) => LACKING.has(table)),
    )
    await rederive(
      trx,
      rest.map(({ uuid }) => uuid),
    )
    return rest.length
  })
}

const LACKING: ReadonlySet<Table> = new Set<Table>([
  'cfdi_conceptos',
  'cfdi_impuestos',
  'cfdi_nominas',
  'cfdi_retenciones',
  'cfdi_busqueda',
])

function readAgain({ contenido, direccion }: Incomplete): CfdiRows | undefined {
  try {
    // By what way it came stands on its row and is not written again.
    return toRows(parseCfdi(zstdDecompressSync(contenido)), { direccion, cuentaTerceros: false }, { source: 'upload' })
  } catch (error) {
    if (error instanceof AppError) return undefined
    throw error
  }
}
