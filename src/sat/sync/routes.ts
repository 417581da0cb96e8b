import { z } from 'zod'
import type { Feature } from '../../billing/plans/features.ts'
import type { TenantDatabases } from '../../db/tenant-databases.ts'
import { findFiel } from '../../fiel/queries.ts'
import { type Rol, roles } from '../../http/access.ts'
import { decodeCursor, encodeCursor, momento } from '../../http/cursor.ts'
import { actingTenant, type Principal } from '../../http/principal.ts'
import { type App, uuid } from '../../http/zod.ts'
import { findPorLlegar } from '../reconciliacion/por-llegar.ts'
import { resumirDiferencias } from '../reconciliacion/resumir.ts'
import { toCorrida, toSincronizacion, toSolicitud } from './answers.ts'
import { solicitudDesconocida } from './errors.ts'
import { findDemora } from './find-demora.ts'
import { countHoles } from './hole-queries.ts'
import { findAvance, findListada, listPaquetes, listSolicitudes } from './list-queries.ts'
import { inicioDe } from './plan.ts'
import { requestRun } from './request-run.ts'
import { retryRequest } from './retry-request.ts'
import { findLastRun, findOrden } from './run-queries.ts'
import {
  CorridaSat,
  SincronizacionPedida,
  SincronizacionSat,
  SolicitudesFilter,
  SolicitudesSat,
  SolicitudId,
  SolicitudSat,
} from './schemas.ts'
import type { SyncDeps } from './sync-deps.ts'

interface SatDeps extends Pick<SyncDeps, 'central' | 'clock' | 'queue'> {
  tenants: TenantDatabases
}

/** The synchronisation of the active company with the SAT: how it stands, what was asked, and asking now. */
export const satRoutes = (deps: SatDeps) => async (app: App) => {
  const { central, tenants } = deps

  const show = {
    summary: 'Cómo va la sincronización con el SAT: siguiente corrida, pausa, avance y qué falta',
    tags,
    response: { 200: SincronizacionSat },
  }
  app.get('/api/sat/sync', { schema: show, config: readers }, async (request) => {
    const { tenantId, rfc } = actingTenant(request.user)
    const [orden, fiel, run] = [
      await findOrden(central, tenantId),
      await findFiel(central, tenantId),
      await findLastRun(central, tenantId),
    ]
    const corrida = run && { run, avance: await findAvance(central, run.id) }
    const { tramos } = await findPorLlegar(deps, { tenantId, rfc })
    const diferencias = await tenants.use(tenantId, (db) => resumirDiferencias(db, tramos))
    const desde = orden && inicioDe(orden.historiaDesde, deps.clock.now())
    const periodosConFalla = desde === undefined ? 0 : await countHoles(central, tenantId, desde)
    const demora = await findDemora(central, tenantId, deps.clock.now())
    return toSincronizacion({ orden, fiel, corrida, periodosConFalla, demora, diferencias })
  })

  const ask = {
    summary: 'Sincronizar ahora; con `desde`, llegar más atrás',
    tags,
    body: SincronizacionPedida,
    response: { 202: CorridaSat },
  }
  app.post('/api/sat/sync', { schema: ask, config: writers }, async (request, reply) => {
    const tenantId = await entered(request.user)
    const { userId, email } = request.user
    await requestRun(deps, tenantId, { desde: request.body.desde, by: { userId, email } })
    const run = await findLastRun(central, tenantId)
    if (!run) throw new Error('a run that was ordered is not there')
    reply.code(202)
    return toCorrida(run, await findAvance(central, run.id))
  })

  const list = {
    summary: 'Solicitudes al SAT con sus paquetes, de la más reciente a la más antigua',
    tags,
    querystring: SolicitudesFilter,
    response: { 200: SolicitudesSat },
  }
  app.get('/api/sat/solicitudes', { schema: list, config: readers }, async (request) => {
    const tenantId = await entered(request.user)
    const { limite, cursor, ...filtro } = request.query
    const [creadaEn, id] = cursor ? decodeCursor(cursor, LAST) : []
    const after = creadaEn !== undefined && id !== undefined ? { creadaEn: new Date(creadaEn), id } : undefined
    const rows = await listSolicitudes(central, tenantId, filtro, { after, limit: limite + 1 })
    const shown = rows.slice(0, limite)
    const ids = shown.map((row) => row.id)
    const paquetes = await listPaquetes(central, ids)
    const last = rows.length > limite ? shown.at(-1) : undefined
    return {
      datos: shown.map((row) => toSolicitud(row, paquetes)),
      siguiente: last ? encodeCursor([last.creadaEn.toISOString(), last.id]) : null,
    }
  })

  const one = {
    summary: 'Una solicitud al SAT, con sus paquetes',
    tags,
    params: SolicitudId,
    response: { 200: SolicitudSat },
  }
  app.get('/api/sat/solicitudes/:id', { schema: one, config: readers }, async (request) => {
    const tenantId = await entered(request.user)
    return solicitudOf(tenantId, request.params.id)
  })

  const again = {
    summary: 'Reintentar una solicitud que falló o que el SAT rechazó',
    tags,
    params: SolicitudId,
    response: { 202: SolicitudSat },
  }
  app.post('/api/sat/solicitudes/:id/reintentar', { schema: again, config: writers }, async (request, reply) => {
    const tenantId = await entered(request.user)
    const { userId, email } = request.user
    const id = await retryRequest(deps, tenantId, request.params.id, { userId, email })
    reply.code(202)
    return solicitudOf(tenantId, id)
  })

  /** What is asked here is in the central database, which keeps nobody out: a suspended company is refused all the same. */
  async function entered(user: Principal): Promise<string> {
    const { tenantId } = actingTenant(user)
    await tenants.use(tenantId, async () => undefined)
    return tenantId
  }

  async function solicitudOf(tenantId: string, id: string) {
    const row = await findListada(central, tenantId, id)
    if (!row) throw solicitudDesconocida()
    return toSolicitud(row, await listPaquetes(central, [id]))
  }
}

const tags = ['SAT']
const plan = { feature: 'xml_sat' satisfies Feature }
const readers = { acceso: { quien: 'empresa' as const, roles: roles as readonly Rol[] }, plan }
const writers = { acceso: { quien: 'empresa' as const, roles: ['admin', 'contador'] as readonly Rol[] }, plan }
const LAST = z.tuple([momento, uuid])
