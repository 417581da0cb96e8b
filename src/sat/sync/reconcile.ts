import { lockLine } from '../../cfdi/store/insert-queries.ts'
import { crashpoint } from '../../crashpoint.ts'
import type { TenantDb } from '../../db/databases.ts'
import type { Consulta, Servicio } from '../descarga/consulta.ts'
import { applyKnownStates } from '../paquetes/apply-metadata.ts'
import { type Faltante, findFaltantes, markPedidos } from '../paquetes/faltantes-queries.ts'
import { earlierCivil, laterCivil, plusSeconds } from './civil.ts'
import { MISSING } from './limits.ts'
import { type Direccion, type Planeada, porMes, prioridadDe, xml } from './plan.ts'
import { insertSolicitudes } from './request-queries.ts'
import type { Corrida } from './run-queries.ts'
import type { Empresa, SyncDeps } from './sync-deps.ts'

/**
 * Asks again for the XML that lists name and that did not come: documents that were stamped after their day was asked for,
 * and whatever else got lost on the way. Few one by one, first by folio and then by the second they were issued in; many by
 * month. Each a few times, days apart; what does not come then is told. What nobody asked for yet is not missing.
 * @returns how many requests were written
 */
export async function reconcile(
  { central, clock }: Pick<SyncDeps, 'central' | 'clock'>,
  db: TenantDb,
  { empresa, run, asked }: { empresa: Empresa; run: Corrida; asked: (missing: Faltante) => boolean },
): Promise<number> {
  const now = clock.now()
  await applyKnownStates(db, now)
  const askedBefore = new Date(now.getTime() - MISSING.restMs)
  const found = await findFaltantes(db, { limit: MISSING.atOnce, askedBefore, now, mostAsked: MISSING.most })
  const missing = found.filter(asked)
  if (missing.length === 0) return 0
  const nuevas = missing.length <= MISSING.singly ? missing.map(singly) : together(missing)
  const quien = { tenantId: empresa.id, jobId: run.id, rfc: empresa.rfc }
  const written = await central.transaction().execute((trx) => insertSolicitudes(trx, quien, nuevas, now))
  crashpoint('sat.reconcile.written')
  const uuids = missing.map(({ uuid }) => uuid)
  await db.transaction().execute(async (trx) => {
    await lockLine(trx)
    await markPedidos(trx, uuids, now)
  })
  return written
}

/** The first time by its folio, which says why when it cannot be had; then in other words, for those are spent. */
function singly({ uuid, servicio, direccion, fechaEmision, pedidos }: Faltante): Nueva {
  if (pedidos === 0)
    return { prioridad: HIGHEST, consulta: { servicio, direccion: 'folio', tipo: 'CFDI', folio: uuid } }
  const rango = { desde: fechaEmision, hasta: plusSeconds(fechaEmision, pedidos) }
  return { prioridad: HIGHEST, consulta: xml(servicio, plural(direccion), rango) }
}

function together(missing: readonly Faltante[]): Planeada[] {
  const ranges = new Map<string, { servicio: Servicio; direccion: Direccion; desde: string; hasta: string }>()
  for (const { servicio, direccion, fechaEmision } of missing) {
    const key = `${servicio} ${direccion} ${fechaEmision.slice(0, 7)}`
    const known = ranges.get(key)
    ranges.set(key, {
      servicio,
      direccion: plural(direccion),
      desde: known ? earlierCivil(known.desde, fechaEmision) : fechaEmision,
      hasta: known ? laterCivil(known.hasta, fechaEmision) : fechaEmision,
    })
  }
  return [...ranges.values()].flatMap(({ servicio, direccion, ...rango }) =>
    porMes(rango).map((tramo) => {
      const consulta = xml(servicio, direccion, tramo)
      return { consulta, prioridad: prioridadDe(consulta) }
    }),
  )
}

interface Nueva {
  readonly consulta: Consulta
  readonly prioridad: number
}

const plural = (direccion: Faltante['direccion']): Direccion => (direccion === 'emitido' ? 'emitidos' : 'recibidos')

/** Few, and somebody waits for them. */
const HIGHEST = 1_000_000
