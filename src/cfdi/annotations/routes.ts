import { z } from 'zod'
import type { Feature } from '../../billing/plans/features.ts'
import type { Clock } from '../../clock.ts'
import type { TenantDatabases } from '../../db/tenant-databases.ts'
import { type Rol, roles } from '../../http/access.ts'
import { decodeCursor, encodeCursor } from '../../http/cursor.ts'
import { actingTenant } from '../../http/principal.ts'
import type { App } from '../../http/zod.ts'
import { cfdiNotFound } from '../errors.ts'
import { CfdiUuid } from '../schemas.ts'
import { annotate } from './annotate.ts'
import { toAnotacion, toVigentes } from './answers.ts'
import { findAnotable, listAnotaciones } from './queries.ts'
import { Anotaciones, AnotacionesPedidas, Anotado, HistorialConsultado } from './schemas.ts'

/** What people know of a CFDI and it does not say. */
export const anotacionRoutes = (deps: { tenants: TenantDatabases; clock: Clock }) => async (app: App) => {
  const { tenants, clock } = deps

  const put = {
    summary: 'Anotar un CFDI: fecha real de pago, parte deducible, destino del IVA, o excluirlo con su motivo',
    tags,
    params: CfdiUuid,
    body: AnotacionesPedidas,
    response: { 200: Anotado },
  }
  app.put('/api/cfdi/:uuid/anotaciones', { schema: put, config: writers }, async (request) => {
    const { tenantId } = actingTenant(request.user)
    const { uuid } = request.params
    const { userId, email, vista } = request.user
    const autor = { userId, email, esPlataforma: vista !== null }
    const vigentes = await tenants.use(tenantId, (db) => annotate(db, uuid, request.body, { autor, now: clock.now() }))
    return { uuid, vigentes: toVigentes(vigentes) }
  })

  const history = {
    summary: 'Historial de anotaciones de un CFDI, de la más reciente a la más antigua',
    tags,
    params: CfdiUuid,
    querystring: HistorialConsultado,
    response: { 200: Anotaciones },
  }
  app.get('/api/cfdi/:uuid/anotaciones', { schema: history, config: readers }, async (request) => {
    const { tenantId } = actingTenant(request.user)
    const { uuid } = request.params
    const { limite, cursor } = request.query
    const [after] = cursor ? decodeCursor(cursor, LAST) : []
    const rows = await tenants.use(tenantId, async (db) => {
      if (!(await findAnotable(db, uuid))) throw cfdiNotFound()
      return listAnotaciones(db, uuid, { after, limit: limite + 1 })
    })
    const shown = rows.slice(0, limite)
    const last = shown.at(-1)
    return {
      datos: shown.map(toAnotacion),
      siguiente: rows.length > limite && last ? encodeCursor([last.id]) : null,
    }
  })
}

const tags = ['CFDI']
const plan = { feature: 'cfdi_basic' satisfies Feature }
const readers = { acceso: { quien: 'empresa' as const, roles: roles as readonly Rol[] }, plan }
const writers = { acceso: { quien: 'empresa' as const, roles: ['admin', 'contador'] as readonly Rol[] }, plan }
const LAST = z.tuple([z.string().regex(/^\d{1,18}$/)])
