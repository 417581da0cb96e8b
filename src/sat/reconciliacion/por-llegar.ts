import type { Clock } from '../../clock.ts'
import type { CentralDb } from '../../db/databases.ts'
import { findFiel } from '../../fiel/queries.ts'
import { huecos, inicioDe, type Rango } from '../sync/plan.ts'
import { coverage } from '../sync/plan-run.ts'
import { findOrden } from '../sync/run-queries.ts'
import type { Empresa } from '../sync/sync-deps.ts'
import type { Tramo } from './faltan-queries.ts'

/** Of when the XML that is not here is still to come: what is listed of it is not missing. */
export interface PorLlegar {
  /** No two of a kind overlap. */
  readonly tramos: readonly (Tramo & { readonly pedido: boolean })[]
  /** Nothing is asked for now: there is a pause, or no e.firma to ask with, of which no turn has noticed yet. */
  readonly enPausa: boolean
}

/**
 * Whatever was issued since history begins and no request for XML that has ended covers: lists are of today and XML of whole
 * days, so each morning some is listed that nobody asked for yet. Before history begins nothing is to come, nor of what is
 * too old for the SAT; what a request should have brought that came to nothing is missing, until it is asked for again.
 */
export async function findPorLlegar(
  { central, clock }: { central: CentralDb; clock: Clock },
  { tenantId, rfc }: { tenantId: string; rfc: string },
): Promise<PorLlegar> {
  const orden = await findOrden(central, tenantId)
  if (!orden) return { tramos: [], enPausa: false }
  const now = clock.now()
  const empresa: Empresa = { id: tenantId, rfc }
  const cubierto = await coverage(central, empresa, orden, now)
  const historia: Rango = { desde: inicioDe(orden.historiaDesde, now), hasta: SIEMPRE.hasta }
  const tramos = CLASES.flatMap(({ servicio, direccion }) => {
    const sinPedir = huecos(historia, cubierto(servicio, `${direccion}s`))
    const pedido = huecos(historia, [...cubierto(servicio, `${direccion}s`, { sinAbiertas: true }), ...sinPedir])
    return [
      ...sinPedir.map((rango) => ({ servicio, direccion, ...rango, pedido: false })),
      ...pedido.map((rango) => ({ servicio, direccion, ...rango, pedido: true })),
    ]
  })
  return { tramos, enPausa: orden.pausedCode !== null || !(await findFiel(central, tenantId)) }
}

/** All that is in none of them. */
export const fueraDe = (tramos: readonly Tramo[]): Tramo[] =>
  CLASES.flatMap((clase) =>
    huecos(
      SIEMPRE,
      tramos.filter((one) => one.servicio === clase.servicio && one.direccion === clase.direccion),
    ).map((rango) => ({ ...clase, ...rango })),
  )

const CLASES = (['cfdi', 'retenciones'] as const).flatMap((servicio) =>
  (['emitido', 'recibido'] as const).map((direccion) => ({ servicio, direccion })),
)

const SIEMPRE: Rango = { desde: '0001-01-01T00:00:00', hasta: '9999-12-31T23:59:58' }
