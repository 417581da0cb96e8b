import { zstdDecompressSync } from 'node:zlib'
import type { Feature } from '../../billing/plans/features.ts'
import type { TenantDatabases } from '../../db/tenant-databases.ts'
import { type Rol, roles } from '../../http/access.ts'
import { actingTenant } from '../../http/principal.ts'
import type { App } from '../../http/zod.ts'
import { findXml } from '../detail/detail-queries.ts'
import { cfdiNotFound } from '../errors.ts'
import { CfdiUuid } from '../schemas.ts'
import { createSelloCheck } from './check-sello.ts'
import { SelloComprobado } from './schemas.ts'

/** What a CFDI of the active company proves by itself. */
export const selloRoutes = (deps: { tenants: TenantDatabases }) => async (app: App) => {
  const seals = createSelloCheck()

  const sello = {
    summary: 'Comprobar el sello de un CFDI contra el certificado que trae',
    tags: ['CFDI'],
    params: CfdiUuid,
    response: { 200: SelloComprobado },
  }
  app.get('/api/cfdi/:uuid/sello', { schema: sello, config: readers }, async (request) => {
    const { tenantId } = actingTenant(request.user)
    const { uuid } = request.params
    const compressed = await deps.tenants.use(tenantId, (db) => findXml(db, uuid))
    if (!compressed) throw cfdiNotFound()
    return { uuid, ...(await seals.check(tenantId, zstdDecompressSync(compressed))) }
  })
}

const readers = {
  acceso: { quien: 'empresa' as const, roles: roles as readonly Rol[] },
  plan: { feature: 'cfdi_basic' satisfies Feature },
}
