import type { EntitlementCache } from '../billing/entitlements/entitlement-cache.ts'
import type { Feature } from '../billing/plans/features.ts'
import type { Clock } from '../clock.ts'
import type { TenantDatabases } from '../db/tenant-databases.ts'
import type { Rol } from '../http/access.ts'
import { actingTenant } from '../http/principal.ts'
import type { App } from '../http/zod.ts'
import { parseCfdi } from './read/parse.ts'
import { LIMITS } from './read/xml.ts'
import { CfdiStored, CfdiUpload } from './schemas.ts'
import { storeCfdis } from './store/store-cfdis.ts'

interface CfdiDeps {
  clock: Clock
  tenants: TenantDatabases
  entitlements: Pick<EntitlementCache, 'get'>
}

/** CFDI that come in one by one. */
export const cfdiRoutes = (deps: CfdiDeps) => async (app: App) => {
  const { clock, tenants, entitlements } = deps
  app.addContentTypeParser(XML, { parseAs: 'buffer' }, (_request, body, done) => done(null, body))

  const upload = {
    summary: 'Registrar un CFDI (un XML 3.3 o 4.0)',
    tags,
    consumes: XML,
    body: CfdiUpload,
    response: { 200: CfdiStored },
  }
  // A little above what a CFDI may have: what is just too large is told so by its own code.
  const bodyLimit = LIMITS.bytes + 65_536
  app.post('/api/cfdi', { schema: upload, config: writers, bodyLimit }, async (request) => {
    const { tenantId, rfc } = actingTenant(request.user)
    const cfdi = parseCfdi(request.body)
    // The limit may be remembered; how many there are is counted where they are stored.
    const limit = (await entitlements.get(tenantId)).limits.cfdis
    const { stored, repeated, avisos } = await tenants.use(tenantId, (db) =>
      storeCfdis(db, rfc, [cfdi], { source: 'upload', limit, now: clock.now() }),
    )
    const seen = avisos.map(({ code, mensaje }) => ({ code, mensaje }))
    return { stored, repeated, ...(seen.length > 0 && { avisos: seen }) }
  })
}

const XML = ['application/xml', 'text/xml']
const tags = ['CFDI']
const plan = { feature: 'cfdi_basic' satisfies Feature }
const writers = { acceso: { quien: 'empresa' as const, roles: ['admin', 'contador'] as readonly Rol[] }, plan }
