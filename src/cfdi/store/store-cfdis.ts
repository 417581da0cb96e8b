import type { TenantDb, TenantTx } from '../../db/databases.ts'
import { sqlState } from '../../db/failures.ts'
import type { Direccion } from '../../taxes/movimiento.ts'
import { findConfiguracion } from '../../taxes/queries.ts'
import { recomputeIva } from '../../taxes/recompute.ts'
import { amountOutOfRange, cfdiForeign, cfdiLimitReached } from '../errors.ts'
import { movimientosOf } from '../flow/movimientos.ts'
import type { Cfdi } from '../read/comprobante.ts'
import { type Aviso, beyondLimit, bytesDiffer } from '../verify/avisos.ts'
import { type Source, toRows } from './cfdi-rows.ts'
import {
  countCfdis,
  findDifferent,
  findExpediente,
  insertCfdis,
  replaceMovimientos,
  type Semillas,
} from './store-queries.ts'

export interface Stored {
  /** Uuids that were new. */
  stored: string[]
  /** Uuids that were here already; what was here stays. */
  repeated: string[]
  avisos: Aviso[]
}

/** How many CFDI a company may have: -1 is any number. `soft` stores what is beyond and says so. */
export interface CfdiLimit {
  readonly max: number
  readonly mode: 'hard' | 'soft'
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
  { source, limit }: { source: Source; limit: CfdiLimit },
): Promise<Stored> {
  const byUuid = new Map(cfdis.toReversed().map((cfdi) => [cfdi.uuid, cfdi]))
  const distinct = [...byUuid.values()].toSorted((a, b) => (a.uuid < b.uuid ? -1 : 1))
  const unlike = cfdis
    .filter(({ uuid, xml }) => !Buffer.from(byUuid.get(uuid)!.xml).equals(xml))
    .map(({ uuid }) => uuid)
  // Hashing and compressing before the transaction: nobody waits for a lock meanwhile.
  const rows = distinct.map((cfdi) => toRows(cfdi, direccionOf(cfdi, rfc), source))
  try {
    return await db.transaction().execute(async (trx) => {
      const added = await insertCfdis(trx, rows)
      const repeated = rows.filter(({ uuid }) => !added.has(uuid))
      const beyond: Aviso[] = []
      if (added.size > 0) {
        beyond.push(...(await count(trx, added.size, limit)))
        await derive(trx, seedsOf(distinct.filter(({ uuid }) => added.has(uuid))))
      }
      const different = await findDifferent(trx, repeated)
      return {
        stored: cfdis.map(({ uuid }) => uuid).filter((uuid, i, all) => added.has(uuid) && all.indexOf(uuid) === i),
        repeated: repeated.map(({ uuid }) => uuid),
        avisos: [
          ...rows.filter(({ uuid }) => added.has(uuid)).flatMap(({ avisos }) => avisos),
          ...[...new Set([...unlike, ...different])].map(bytesDiffer),
          ...beyond,
        ],
      }
    })
  } catch (error) {
    // numeric overflow: rates and amounts are bounded each, but not what they make together.
    if (sqlState(error) === '22003') throw amountOutOfRange(error)
    throw error
  }
}

/**
 * Whose side of the CFDI the company is on. Of what it sends to itself it is the issuer.
 * @throws AppError `cfdi.foreign`
 */
export function direccionOf({ uuid, emisor, receptor }: Cfdi, rfc: string): Direccion {
  if (emisor.rfc === rfc) return 'emitido'
  if (receptor.rfc === rfc) return 'recibido'
  throw cfdiForeign(uuid, rfc)
}

/** After the insert, which a refusal takes back: what was here already takes no place. */
async function count(trx: TenantTx, added: number, { max, mode }: CfdiLimit): Promise<Aviso[]> {
  const { counted, total } = await countCfdis(trx, added, mode === 'soft' ? -1 : max)
  if (!counted) throw cfdiLimitReached(total, max)
  return mode === 'soft' && max >= 0 && total > max ? [beyondLimit(total, max)] : []
}

/** Derives the movements of documents anew and the months they change. The company's line is held by the caller. */
async function derive(trx: TenantTx, semillas: Semillas): Promise<void> {
  if (semillas.documentos.length === 0 && semillas.egresos.length === 0) return
  const { apertura, politicaEgresos } = await findConfiguracion(trx)
  const alcance = await findExpediente(trx, semillas)
  const periodos = await replaceMovimientos(trx, alcance, movimientosOf(alcance, politicaEgresos))
  await recomputeIva(trx, periodos, apertura)
}

function seedsOf(cfdis: readonly Cfdi[]): Semillas {
  const paid = cfdis
    .filter(({ tipo }) => tipo === 'P')
    .flatMap(({ pagos }) => pagos?.pagos ?? [])
    .flatMap(({ documentos }) => documentos.map(({ id }) => id))
  const uuids = (tipo: Cfdi['tipo']) => cfdis.filter((cfdi) => cfdi.tipo === tipo).map(({ uuid }) => uuid)
  return { documentos: [...new Set([...uuids('I'), ...paid])], egresos: uuids('E') }
}
