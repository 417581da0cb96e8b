import type { TenantDb, TenantTx } from '../../db/databases.ts'
import { sqlState } from '../../db/failures.ts'
import { amountOutOfRange, cfdiLimitReached } from '../errors.ts'
import { type CfdiLimit, umbralOf } from '../limit/cfdi-limit.ts'
import { tellLimitOf } from '../limit/tell-limit.ts'
import type { Cfdi } from '../read/comprobante.ts'
import { type Aviso, beyondLimit, bytesDiffer } from '../verify/avisos.ts'
import { type Batch, prepareBatch, writtenOf } from './batch.ts'
import type { CfdiRows, Origen, XmlRow } from './cfdi-rows.ts'
import { countCfdis, findStored, insertCfdis, insertEvidence, lockLine } from './insert-queries.ts'
import { derive } from './rederive.ts'
import type { Semillas } from './store-queries.ts'

export interface StoredBatch {
  /** Uuids that were new, in the order they were given. */
  stored: string[]
  /** Uuids that were here already; what was here stays. */
  repeated: string[]
  /** Uuids that the plan has no place for. Only with `partial`. */
  beyond: string[]
  /** What does not fit in them. Without uuid it is of the whole company. */
  avisos: (Aviso & { uuid: string | null })[]
  /** How many CFDI the company has now. */
  total: number
}

/** What a company may have, and when it is: the commit that fills a plan tells of it. */
interface Terms {
  readonly limit: CfdiLimit
  readonly now: Date
}

/**
 * Stores CFDI of the company `rfc` and brings their months up to date, all in one commit. The result never depends on
 * the order in which CFDI arrive: every document that a new one bears on is derived again from all that is stored.
 * @throws AppError `cfdi.foreign` when one of them is neither issued nor received by `rfc` (nothing is stored then);
 * `cfdi.amount_out_of_range`; payment_required `limit_reached` when they do not all fit, and none is stored
 */
export async function storeCfdis(
  db: TenantDb,
  rfc: string,
  cfdis: readonly Cfdi[],
  { limit, now, ...from }: Origen & Terms,
): Promise<StoredBatch> {
  const batch = prepareBatch(cfdis, rfc, from)
  return db.transaction().execute((trx) => storeBatch(trx, batch, { limit, now }))
}

/**
 * Stores a batch in the caller's transaction, of which it should be the first thing: it takes the company's line, and
 * keeps it until the commit. With `partial` what does not fit the plan is left out, the last ones first. A plan that is
 * nearly full, or no longer, is told of in the same commit; to all others that costs nothing.
 * @throws AppError `cfdi.amount_out_of_range`; payment_required `limit_reached` without `partial`
 */
export async function storeBatch(
  trx: TenantTx,
  batch: Batch,
  { limit, now, partial = false }: Terms & { partial?: boolean },
): Promise<StoredBatch> {
  try {
    const { cfdis: before, limitTold } = await lockLine(trx)
    const known = await findStored(trx, batch.given)
    const repeated = batch.given.filter((uuid) => known.has(uuid))
    const fresh = batch.given.filter((uuid) => !known.has(uuid))
    const places = limit.max < 0 || limit.mode === 'soft' ? fresh.length : Math.max(0, limit.max - before)
    if (fresh.length > places && !partial) throw cfdiLimitReached(before, limit.max)
    const stored = fresh.slice(0, places)
    const added = new Set(stored)
    const rows = batch.documents.filter(({ uuid }) => added.has(uuid))
    if (rows.length > 0) {
      await insertCfdis(trx, rows.length === batch.documents.length ? batch.all : writtenOf(rows))
      await countCfdis(trx, rows.length)
      await derive(trx, seedsOf(rows))
    }
    const total = before + rows.length
    if (rows.length > 0 && (limitTold || umbralOf(limit, total) !== undefined))
      await tellLimitOf(trx, { limit, stored: total }, now)
    const unlike = unlikeOf(batch, known, added)
    if (unlike.length > 0) {
      const proofs = unlike.map((xml) => ({ xml, aviso: bytesDiffer(xml.uuid) }))
      await insertEvidence(trx, proofs, batch.origen)
    }
    const isBeyond = limit.mode === 'soft' && limit.max >= 0 && total > limit.max && rows.length > 0
    return {
      stored,
      repeated,
      beyond: fresh.slice(places),
      avisos: [
        ...rows.flatMap(({ uuid, avisos }) => avisos.map((aviso) => ({ ...aviso, uuid }))),
        ...[...new Set(unlike.map((xml) => xml.uuid))].map((uuid) => ({ ...bytesDiffer(uuid), uuid })),
        ...(isBeyond ? [{ ...beyondLimit(total, limit.max), uuid: null }] : []),
      ],
      total,
    }
  } catch (error) {
    // numeric overflow: rates and amounts are bounded each, but not what they make together.
    if (sqlState(error) === '22003') throw amountOutOfRange(error)
    throw error
  }
}

/** Other bytes of documents that are here than the ones that stay. */
function unlikeOf(batch: Batch, known: ReadonlyMap<string, string>, added: ReadonlySet<string>): XmlRow[] {
  const came = new Map(batch.documents.map(({ uuid, xml }) => [uuid, xml]))
  return [...came.values(), ...batch.others].filter(({ uuid, sha256 }) => {
    const kept = known.get(uuid) ?? (added.has(uuid) ? came.get(uuid)?.sha256 : sha256)
    return kept !== sha256
  })
}

function seedsOf(rows: readonly CfdiRows[]): Semillas {
  const uuids = (tipo: Cfdi['tipo']) => rows.filter(({ semilla }) => semilla.tipo === tipo).map(({ uuid }) => uuid)
  const paid = rows.flatMap(({ semilla }) => (semilla.tipo === 'P' ? semilla.pagados : []))
  return { documentos: [...new Set([...uuids('I'), ...paid])], egresos: uuids('E') }
}
