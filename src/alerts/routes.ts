import { z } from 'zod'
import type { Feature } from '../billing/plans/features.ts'
import type { Clock } from '../clock.ts'
import type { TenantDatabases } from '../db/tenant-databases.ts'
import { type Rol, roles } from '../http/access.ts'
import { decodeCursor, encodeCursor, momento } from '../http/cursor.ts'
import { actingTenant } from '../http/principal.ts'
import type { App } from '../http/zod.ts'
import { uuid } from '../http/zod.ts'
import { toAlerta } from './answers.ts'
import { changeAlerta } from './change-alert.ts'
import { countAlertas, listAlertas } from './queries.ts'
import { Alerta, AlertaId, Alertas, AlertasConsultadas, CambioDeAlerta } from './schemas.ts'

/** What may cost the active company money, and what to do about it. */
export const alertaRoutes = (deps: { tenants: TenantDatabases; clock: Clock }) => async (app: App) => {
  const { tenants, clock } = deps

  const list = {
    summary: 'Alertas de la empresa, de la más reciente a la más antigua',
    tags,
    querystring: AlertasConsultadas,
    response: { 200: Alertas },
  }
  app.get('/api/alertas', { schema: list, config: readers }, async (request) => {
    const { tenantId } = actingTenant(request.user)
    const { limite, cursor, ...filtro } = request.query
    const [creadaEn, id] = cursor ? decodeCursor(cursor, LAST) : []
    const after = creadaEn !== undefined && id !== undefined ? { creadaEn: new Date(creadaEn), id } : undefined
    const now = clock.now()
    const { rows, conteos } = await tenants.use(tenantId, async (db) => ({
      rows: await listAlertas(db, { ...filtro, now }, { after, limit: limite + 1 }),
      conteos: await countAlertas(db, { ...filtro, now }),
    }))
    const shown = rows.slice(0, limite)
    const last = shown.at(-1)
    return {
      datos: shown.map((row) => toAlerta(row, now)),
      siguiente: rows.length > limite && last ? encodeCursor([last.creada_en.toISOString(), last.id]) : null,
      conteos,
    }
  })

  const change = {
    summary: 'Marcar una alerta como leída, o posponerla con su motivo',
    tags,
    params: AlertaId,
    body: CambioDeAlerta,
    response: { 200: Alerta },
  }
  app.patch('/api/alertas/:id', { schema: change, config: writers }, async (request) => {
    const { tenantId } = actingTenant(request.user)
    const { userId, email, vista } = request.user
    const autor = { userId, email, esPlataforma: vista !== null, requestId: request.id }
    const now = clock.now()
    const row = await tenants.use(tenantId, (db) => changeAlerta(db, request.params.id, request.body, { autor, now }))
    return toAlerta(row, now)
  })
}

const tags = ['Alertas']
const plan = { feature: 'alertas' satisfies Feature }
const readers = { acceso: { quien: 'empresa' as const, roles: roles as readonly Rol[] }, plan }
const writers = { acceso: { quien: 'empresa' as const, roles: ['admin', 'contador'] as readonly Rol[] }, plan }
const LAST = z.tuple([momento, uuid])
