import { z } from 'zod'
import type { Feature } from '../../billing/plans/features.ts'
import type { Clock } from '../../clock.ts'
import type { CentralDb } from '../../db/databases.ts'
import type { TenantDatabases } from '../../db/tenant-databases.ts'
import { isFecha, limitsOf } from '../../fiscal/periodo.ts'
import { type Rol, roles } from '../../http/access.ts'
import { decodeCursor, encodeCursor } from '../../http/cursor.ts'
import { actingTenant } from '../../http/principal.ts'
import { type App, uuidFiscal } from '../../http/zod.ts'
import { listDiferencias } from './diferencias-queries.ts'
import { findPorLlegar, fueraDe } from './por-llegar.ts'
import { DiferenciasFilter, DiferenciasSat } from './schemas.ts'
import { toDiferencia } from './words.ts'

/** What is not the same here and in the lists of the SAT, one by one. */
export const reconciliacionRoutes =
  ({ central, tenants, clock }: { central: CentralDb; tenants: TenantDatabases; clock: Clock }) =>
  async (app: App) => {
    const list = {
      summary:
        'CFDI que faltan, que vienen en camino, que sobran o que difieren de las listas del SAT, del más reciente al más antiguo',
      tags: ['SAT'],
      querystring: DiferenciasFilter,
      response: { 200: DiferenciasSat },
    }
    app.get('/api/sat/diferencias', { schema: list, config: readers }, async (request) => {
      const { tenantId, rfc } = actingTenant(request.user)
      const { limite, cursor, periodo, ...filtro } = request.query
      const [fechaEmision, uuid, direccion] = cursor ? decodeCursor(cursor, LAST) : []
      const after = fechaEmision && uuid && direccion ? { fechaEmision, uuid, direccion } : undefined
      const porLlegar = await findPorLlegar({ central, clock }, { tenantId, rfc })
      const tramos = filtro.tipo === 'por_llegar' ? porLlegar.tramos : fueraDe(porLlegar.tramos)
      const which = { ...filtro, tramos, ...(periodo && limitsOf(periodo)) }
      const rows = await tenants.use(tenantId, (db) => listDiferencias(db, which, { after, limit: limite + 1 }))
      const shown = rows.slice(0, limite)
      const last = rows.length > limite ? shown.at(-1) : undefined
      return {
        datos: shown.map((row) => toDiferencia(row, porLlegar, clock.now())),
        siguiente: last ? encodeCursor([last.fechaEmision, last.uuid, last.direccion]) : null,
      }
    })
  }

const plan = { feature: 'xml_sat' satisfies Feature }
const readers = { acceso: { quien: 'empresa' as const, roles: roles as readonly Rol[] }, plan }
const LAST = z.tuple([z.string().refine(isFecha), uuidFiscal, z.enum(['emitido', 'recibido'])])
