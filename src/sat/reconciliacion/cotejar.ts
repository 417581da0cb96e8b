import { type Clock, mexicoCityTime } from '../../clock.ts'
import { crashpoint } from '../../crashpoint.ts'
import type { CentralDb, TenantDb, TenantTx } from '../../db/databases.ts'
import { bringToFront } from '../estado/turn-queries.ts'
import { findListaPedida, findListasPedidas, type ListaPedida } from './central-queries.ts'
import {
  clearSobrantes,
  findLecturaDeLista,
  findListas,
  findListasLeidas,
  findLlegados,
  putLista,
  putSobrantesDe,
  putSobrantesDesde,
  type Sobrante,
  saveLlegados,
} from './cotejo-queries.ts'

interface CotejoDeps {
  central: CentralDb
  clock: Clock
}

/** Holds what is here against a list of whose packages one was just read. Again is harmless. */
export async function cotejarLista({ central, clock }: CotejoDeps, db: TenantDb, solicitudId: string): Promise<void> {
  const lista = await findListaPedida(central, db.tenantId, solicitudId)
  if (lista) await cotejar(db, lista, clock.now())
}

/**
 * Holds what is left against the lists of a run that has ended: those that have no package because they have no row, those
 * whose reader died, and CFDI that came after the lists that should name them.
 */
export async function cotejarCorrida(
  { central, clock }: CotejoDeps,
  db: TenantDb,
  { jobId }: { jobId: string },
): Promise<void> {
  const pedidas = await findListasPedidas(central, db.tenantId, jobId)
  const leidas = await findListasLeidas(
    db,
    pedidas.map(({ solicitudId }) => solicitudId),
  )
  for (const lista of pedidas) if (!leidas.has(lista.solicitudId)) await cotejar(db, lista, clock.now())
  await cotejarLlegados(db, clock.now())
}

/**
 * What a list covers that was read whole, and no list names, is one too many. One that was not read whole, or not yet,
 * accuses nobody.
 */
export async function cotejar(db: TenantDb, pedida: ListaPedida, now: Date): Promise<void> {
  if (!(await wasReadWhole(db, pedida, now))) return
  const timbradoHasta = mexicoCityTime(new Date(pedida.listadaEn.getTime() - LISTING_MS))
  const lista = { ...pedida, timbradoHasta }
  await db.transaction().execute(async (trx) => {
    await putLista(trx, lista, now)
    await askSoon(trx, await putSobrantesDe(trx, lista, now), now)
  })
  crashpoint('sat.cotejo.lista')
}

/**
 * Holds CFDI that came since the last time against what lists said before, and forgets what lists named meanwhile. What a
 * first synchronisation brings is more than one statement may read, and goes list by list.
 */
export async function cotejarLlegados(db: TenantDb, now: Date, { pocos = 20_000 } = {}): Promise<void> {
  const { desde, hasta, muchos } = await findLlegados(db, pocos)
  const put = (found: (trx: TenantTx) => Promise<Sobrante[]>) =>
    db.transaction().execute(async (trx) => askSoon(trx, await found(trx), now))
  if (muchos) for (const lista of await findListas(db, now)) await put((trx) => putSobrantesDe(trx, lista, now, desde))
  else await put((trx) => putSobrantesDesde(trx, desde, now))
  await saveLlegados(db, hasta)
  crashpoint('sat.cotejo.llegados')
  await clearSobrantes(db)
}

/**
 * Every row that the SAT says it has was read, or says whose it is; and it has what earlier lists had, because what was
 * stamped once stays listed: should the SAT say that a full month is empty, nobody in it is accused. A time after now was
 * written under a clock that went wrong.
 */
async function wasReadWhole(db: TenantDb, pedida: ListaPedida, now: Date): Promise<boolean> {
  if (pedida.listadaEn > now) return false
  const { leida, renglones, anonimos, omite } = await findLecturaDeLista(db, pedida)
  return leida && !anonimos && !omite && renglones >= (pedida.numeroCfdis ?? 0)
}

/** The state service decides, and nothing else does: that no list names a CFDI is no state. */
async function askSoon(trx: TenantTx, sobrantes: readonly Sobrante[], now: Date): Promise<void> {
  const uuids = sobrantes.flatMap(({ uuid, consultable }) => (consultable ? [uuid] : []))
  if (uuids.length > 0) await bringToFront(trx, uuids.slice(0, MOST_IN_FRONT), now)
}

/**
 * How long the SAT may take to list what was stamped. No rule says it; three days is the longest that it ordinarily takes for
 * anything (sat.md 0.4). To wait costs nothing, and a list that is behind must accuse no document.
 */
const LISTING_MS = 72 * 3_600_000

/** More would keep the open months waiting; the rest is asked for in its turn. */
const MOST_IN_FRONT = 1_000
