import { z } from 'zod'
import type { Feature } from '../billing/plans/features.ts'
import type { TenantDatabases } from '../db/tenant-databases.ts'
import { type Rol, roles } from '../http/access.ts'
import { decodeCursor, encodeCursor } from '../http/cursor.ts'
import { actingTenant } from '../http/principal.ts'
import type { App } from '../http/zod.ts'
import { toIvaDelMes, toMovimientoIva } from './answers.ts'
import { listMovimientos } from './queries.ts'
import { readMonth } from './read-month.ts'
import { DetalleConsultado, DetalleIva, fechaCfdi, IvaDelMes, MesConsultado } from './schemas.ts'

/** Taxes of the active company. */
export const impuestosRoutes = (deps: { tenants: TenantDatabases }) => async (app: App) => {
  const { tenants } = deps

  const month = {
    summary: 'IVA de un mes',
    tags,
    querystring: MesConsultado,
    response: { 200: IvaDelMes },
  }
  app.get('/api/impuestos/iva', { schema: month, config: readers }, async (request) => {
    const { tenantId } = actingTenant(request.user)
    const { calculadoEn, ...mes } = await tenants.use(tenantId, (db) => readMonth(db, request.query))
    return toIvaDelMes(mes, calculadoEn)
  })

  const detail = {
    summary: 'Movimientos de IVA de un mes, con la regla por la que cuentan o no',
    tags,
    querystring: DetalleConsultado,
    response: { 200: DetalleIva },
  }
  app.get('/api/impuestos/iva/detalle', { schema: detail, config: readers }, async (request) => {
    const { tenantId } = actingTenant(request.user)
    const { limite, cursor, direccion, ...filter } = request.query
    const [fecha, uuid, n] = cursor ? decodeCursor(cursor, LAST) : []
    const after = fecha !== undefined && uuid !== undefined && n !== undefined ? { fecha, uuid, n } : undefined
    const side = direccion && SIDES[direccion]
    const rows = await tenants.use(tenantId, (db) =>
      listMovimientos(db, { ...filter, direccion: side, after, limit: limite + 1 }),
    )
    const datos = rows.slice(0, limite).map(toMovimientoIva)
    const last = datos.at(-1)
    return { datos, siguiente: rows.length > limite && last ? encodeCursor([last.fecha, last.uuid, last.n]) : null }
  })
}

const tags = ['Impuestos']
const readers = {
  acceso: { quien: 'empresa' as const, roles: roles as readonly Rol[] },
  plan: { feature: 'iva_isr' satisfies Feature },
}
const LAST = z.tuple([fechaCfdi, z.guid(), z.int().min(0).max(2_147_483_647)])
const SIDES = { emitidos: 'emitido', recibidos: 'recibido' } as const
