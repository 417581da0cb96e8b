import { z } from 'zod'
import type { Feature } from '../../billing/plans/features.ts'
import type { TenantDatabases } from '../../db/tenant-databases.ts'
import { type Rol, roles } from '../../http/access.ts'
import { decodeCursor, encodeCursor } from '../../http/cursor.ts'
import { JsonText } from '../../http/json-text.ts'
import { actingTenant } from '../../http/principal.ts'
import type { App } from '../../http/zod.ts'
import { listOf } from './address.ts'
import { listCfdis } from './list-queries.ts'
import { CfdiConsulta, CfdiFilter, CfdiPagina, CfdiTotales } from './schemas.ts'
import { totalesOf } from './totales.ts'
import { sumCfdis } from './totals-queries.ts'

/** Finding CFDI of the active company. */
export const findRoutes = (deps: { tenants: TenantDatabases }) => async (app: App) => {
  const { tenants } = deps

  const list = {
    summary: 'CFDI de mi empresa, del más reciente al más antiguo o como lo pidas',
    tags,
    querystring: CfdiConsulta,
    response: { 200: CfdiPagina },
  }
  app.get('/api/cfdi', { schema: list, config: readers }, async (request) => {
    const { tenantId } = actingTenant(request.user)
    const { limite, cursor, orden, ...filter } = request.query
    const own = listOf(tenantId, filter, orden)
    const [, after] = cursor === undefined ? [] : decodeCursor(cursor, z.tuple([z.literal(own), z.guid()]))
    const { datos, last } = await tenants.use(tenantId, (db) => listCfdis(db, filter, { orden, after, limit: limite }))
    const siguiente = last === undefined ? null : encodeCursor([own, last])
    return new JsonText<z.input<typeof CfdiPagina>>(`{"datos":${datos},"siguiente":${JSON.stringify(siguiente)}}`)
  })

  const totals = {
    summary: 'Cuántos CFDI encuentra un filtro y cuánto suman, en pesos',
    tags,
    querystring: CfdiFilter,
    response: { 200: CfdiTotales },
  }
  app.get('/api/cfdi/totales', { schema: totals, config: readers }, async (request) => {
    const { tenantId } = actingTenant(request.user)
    return totalesOf(await tenants.use(tenantId, (db) => sumCfdis(db, request.query)))
  })
}

const tags = ['CFDI']
const plan = { feature: 'cfdi_basic' satisfies Feature }
const readers = { acceso: { quien: 'empresa' as const, roles: roles as readonly Rol[] }, plan }
