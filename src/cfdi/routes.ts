import { zstdDecompressSync } from 'node:zlib'
import { z } from 'zod'
import type { EntitlementCache } from '../billing/entitlements/entitlement-cache.ts'
import type { Feature } from '../billing/plans/features.ts'
import type { TenantDatabases } from '../db/tenant-databases.ts'
import { type Rol, roles } from '../http/access.ts'
import { actingTenant } from '../http/principal.ts'
import type { App } from '../http/zod.ts'
import { toMovimientoIva } from '../taxes/answers.ts'
import { findMovimientosOf } from '../taxes/queries.ts'
import { cfdiNotFound } from './errors.ts'
import { findCfdi, findXml } from './find/queries.ts'
import { parseCfdi } from './read/parse.ts'
import { LIMITS } from './read/xml.ts'
import { CfdiDetalle, CfdiStored, CfdiUpload, CfdiUuid } from './schemas.ts'
import { storeCfdis } from './store/store-cfdis.ts'

interface CfdiDeps {
  tenants: TenantDatabases
  entitlements: Pick<EntitlementCache, 'get'>
}

/** CFDI of the active company. */
export const cfdiRoutes = (deps: CfdiDeps) => async (app: App) => {
  const { tenants, entitlements } = deps
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
      storeCfdis(db, rfc, [cfdi], { source: 'upload', limit }),
    )
    const seen = avisos.map(({ code, mensaje }) => ({ code, mensaje }))
    return { stored, repeated, ...(seen.length > 0 && { avisos: seen }) }
  })

  const detail = {
    summary: 'Un CFDI, sus relaciones, sus pagos y su efecto en IVA',
    tags,
    params: CfdiUuid,
    response: { 200: CfdiDetalle },
  }
  app.get('/api/cfdi/:uuid', { schema: detail, config: readers }, async (request) => {
    const { tenantId } = actingTenant(request.user)
    const { uuid } = request.params
    return tenants.use(tenantId, async (db) => {
      const found = await findCfdi(db, uuid)
      if (!found) throw cfdiNotFound()
      const movimientos = (await findMovimientosOf(db, uuid)).map(toMovimientoIva)
      // The query writes these names; the response schema holds it to them.
      return { ...found.cfdi, movimientos, creadoEn: found.creado_en } as z.input<typeof CfdiDetalle>
    })
  })

  const xml = {
    summary: 'El XML de un CFDI, tal como se recibió',
    tags,
    params: CfdiUuid,
    response: { 200: { content: { 'application/xml': { schema: z.instanceof(Buffer) } } } },
  }
  app.get('/api/cfdi/:uuid/xml', { schema: xml, config: readers }, async (request, reply) => {
    const { tenantId } = actingTenant(request.user)
    const { uuid } = request.params
    const compressed = await tenants.use(tenantId, (db) => findXml(db, uuid))
    if (!compressed) throw cfdiNotFound()
    // Somebody else wrote these bytes: a browser may keep them, and do nothing else with them.
    return reply
      .type('application/xml')
      .header('content-disposition', `attachment; filename="${uuid}.xml"`)
      .header('x-content-type-options', 'nosniff')
      .header('content-security-policy', "sandbox; default-src 'none'")
      .send(zstdDecompressSync(compressed))
  })
}

const XML = ['application/xml', 'text/xml']
const tags = ['CFDI']
const plan = { feature: 'cfdi_basic' satisfies Feature }
const readers = { acceso: { quien: 'empresa' as const, roles: roles as readonly Rol[] }, plan }
const writers = { acceso: { quien: 'empresa' as const, roles: ['admin', 'contador'] as readonly Rol[] }, plan }
