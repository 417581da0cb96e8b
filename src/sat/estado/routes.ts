import { z } from 'zod'
import type { Feature } from '../../billing/plans/features.ts'
import { cfdiNotFound } from '../../cfdi/errors.ts'
import type { Clock } from '../../clock.ts'
import type { TenantDb } from '../../db/databases.ts'
import type { TenantDatabases } from '../../db/tenant-databases.ts'
import { type Rol, roles } from '../../http/access.ts'
import { decodeCursor, encodeCursor, momento } from '../../http/cursor.ts'
import { actingTenant } from '../../http/principal.ts'
import type { App } from '../../http/zod.ts'
import { createAskNow } from './ask-now.ts'
import type { EstadoSat } from './client.ts'
import { findEstado, listHechos } from './history-queries.ts'
import { CfdiEstado, CfdiHistorial, CfdiUuid, HistorialFilter } from './schemas.ts'

interface EstadoDeps {
  tenants: TenantDatabases
  clock: Clock
  estadoSat: EstadoSat
}

/** The state of a CFDI at the SAT: now, and what was learnt of it. */
export const estadoSatRoutes = (deps: EstadoDeps) => async (app: App) => {
  const { tenants } = deps
  const askNow = createAskNow(deps)

  const ask = {
    summary: 'Preguntar ahora al SAT el estado de un CFDI',
    tags,
    params: CfdiUuid,
    response: { 200: CfdiEstado },
  }
  app.post('/api/cfdi/:uuid/estado', { schema: ask, config: writers }, async (request) => {
    const { tenantId } = actingTenant(request.user)
    const { uuid } = request.params
    return tenants.use(tenantId, async (db) => {
      await askNow(db, uuid)
      return { uuid, ...(await estadoOf(db, uuid)) }
    })
  })

  const history = {
    summary: 'Qué se ha sabido del estado de un CFDI, de lo último a lo primero',
    tags,
    params: CfdiUuid,
    querystring: HistorialFilter,
    response: { 200: CfdiHistorial },
  }
  app.get('/api/cfdi/:uuid/historial', { schema: history, config: readers }, async (request) => {
    const { tenantId } = actingTenant(request.user)
    const { uuid } = request.params
    const { limite, cursor } = request.query
    const [conocidoEn, id] = cursor ? decodeCursor(cursor, LAST) : []
    const after = conocidoEn !== undefined && id !== undefined ? { conocidoEn, id } : undefined
    return tenants.use(tenantId, async (db) => {
      const estado = await estadoOf(db, uuid)
      const rows = await listHechos(db, uuid, { after, limit: limite + 1 })
      const shown = rows.slice(0, limite)
      const last = rows.length > limite ? shown.at(-1) : undefined
      return {
        uuid,
        ...estado,
        datos: shown.map(({ id: _id, ...hecho }) => hecho),
        siguiente: last ? encodeCursor([last.conocidoEn.toISOString(), last.id]) : null,
      }
    })
  })
}

async function estadoOf(db: TenantDb, uuid: string) {
  const found = await findEstado(db, uuid)
  if (!found) throw cfdiNotFound()
  return found
}

const tags = ['CFDI']
const plan = { feature: 'cfdi_basic' satisfies Feature }
const readers = { acceso: { quien: 'empresa' as const, roles: roles as readonly Rol[] }, plan }
const writers = { acceso: { quien: 'empresa' as const, roles: ['admin', 'contador'] as readonly Rol[] }, plan }
const LAST = z.tuple([momento, z.string().regex(/^\d{1,18}$/)])
