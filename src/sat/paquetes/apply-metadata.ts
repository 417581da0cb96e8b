import { lockLine } from '../../cfdi/store/insert-queries.ts'
import { crashpoint } from '../../crashpoint.ts'
import type { TenantDb, TenantTx } from '../../db/databases.ts'
import { putSustitutos } from '../estado/cancelado-queries.ts'
import { LO_SUSTITUYE, PEDIR_SUSTITUTO } from '../estado/cancelado-recibido.ts'
import { changeEstados } from '../estado/change-estados.ts'
import { insertHechos, lockCfdis } from '../estado/queries.ts'
import { type Discrepancia, findDiscrepancias, findOutOfStep, lockAsked, setFechas } from './queries.ts'

/**
 * Brings CFDI that are here in step with what the newest list says of them, when it knows more than the last answer about
 * each: state, months, alert and history in the caller's transaction, which holds the company's line.
 * @returns those that changed
 */
export async function applyMetadata(trx: TenantTx, uuids: readonly string[], now: Date): Promise<string[]> {
  const seen = (await findDiscrepancias(trx, uuids, now)).map(({ uuid }) => uuid)
  if (seen.length === 0) return []
  await lockCfdis(trx, seen)
  await lockAsked(trx, seen)
  // Again: somebody may have written an answer about one of them until it was ours.
  const found = (await findDiscrepancias(trx, seen, now)).map((one) => ({
    ...one,
    conocidoEn: later(one.conocidoEn, now),
  }))
  if (found.length === 0) return []
  await insertHechos(trx, found.map(hechoOf))
  const isDated = ({ era, estado }: Discrepancia) => era === estado
  await setFechas(trx, found.filter(isDated))
  await changeEstados(
    trx,
    found.filter((one) => !isDated(one)),
    { now },
  )
  return found.map(({ uuid }) => uuid)
}

/**
 * All of them: a document may come after the list that says it was cancelled, by any way. It is asked for at the end of
 * each package, by each turn of the state service and before it is told what is missing, so whoever dies before it leaves
 * that to the next.
 * @returns how many changed
 */
export async function applyKnownStates(db: TenantDb, now: Date): Promise<number> {
  let changed = 0
  for (;;) {
    const uuids = await findOutOfStep(db, now, AT_ONCE)
    if (uuids.length === 0) break
    const done = await db.transaction().execute(async (trx) => {
      await lockLine(trx)
      return applyMetadata(trx, uuids, now)
    })
    crashpoint('sat.conocidos.applied')
    if (done.length === 0) break
    changed += done.length
  }
  // An invoice is often cancelled before the one that takes its place has come.
  await putSustitutos(db, { pedir: PEDIR_SUSTITUTO, dicho: LO_SUSTITUYE, now })
  return changed
}

const AT_ONCE = 500

/** What was learnt later never stands before what was learnt earlier, whatever the clock did between. */
const later = (known: Date | null, now: Date): Date => (known !== null && known > now ? known : now)

function hechoOf(one: Discrepancia & { conocidoEn: Date }) {
  const { uuid, era, estado, fechaCancelacion, listadoEn, efos, detalle, conocidoEn } = one
  // What lists do not say stays as it was said last: the next answer that says the same is then no news.
  const said = era === estado ? detalle : { efos: efos ?? 'desconocido', estatusCancelacion: null }
  return {
    uuid_fiscal: uuid,
    estado,
    conocido_en: conocidoEn,
    fuente: 'metadata' as const,
    ocurrio_en: estado === 'cancelado' ? fechaCancelacion : null,
    detalle: { ...said, listadoEn },
  }
}
