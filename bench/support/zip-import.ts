import { setImmediate } from 'node:timers/promises'
import { openZip } from '../../src/cfdi/bulk/zip.ts'
import { parseCfdi } from '../../src/cfdi/read/parse.ts'
import { type Batch, startBatch } from '../../src/cfdi/store/batch.ts'
import { storeBatch } from '../../src/cfdi/store/store-cfdis.ts'
import type { TenantDb } from '../../src/db/databases.ts'

const BATCH = 500

/** A ZIP into a company's database: the next batch is made ready while PostgreSQL stores the one before. */
export async function importZip(db: TenantDb, rfc: string, file: string): Promise<number> {
  await using zip = await openZip(file)
  let stored = 0
  let storing: Promise<void> = Promise.resolve()
  for (let at = 0; at < zip.entries.length; at += BATCH) {
    const batch = await prepare(zip.entries.slice(at, at + BATCH))
    await storing
    storing = store(batch)
  }
  await storing
  return stored

  async function prepare(entries: typeof zip.entries): Promise<Batch> {
    const batch = startBatch(rfc, { source: 'bulk' })
    for (const entry of entries) {
      batch.add(parseCfdi(await zip.read(entry)))
      // So that answers of PostgreSQL are heard meanwhile.
      if (batch.size % 4 === 0) await setImmediate()
    }
    return batch.end()
  }

  async function store(batch: Batch): Promise<void> {
    const limit = { max: -1, mode: 'hard' } as const
    const answer = await db.transaction().execute((trx) => storeBatch(trx, batch, limit))
    stored += answer.stored.length
  }
}
