import { zstdDecompressSync } from 'node:zlib'
import { z } from 'zod'
import type { Feature } from '../../billing/plans/features.ts'
import type { TenantDatabases } from '../../db/tenant-databases.ts'
import { type Rol, roles } from '../../http/access.ts'
import { decodeCursor, encodeCursor } from '../../http/cursor.ts'
import { actingTenant } from '../../http/principal.ts'
import type { App } from '../../http/zod.ts'
import { cfdiNotFound } from '../errors.ts'
import { CfdiUuid } from '../schemas.ts'
import { listConceptos } from './concepto-queries.ts'
import { existsCfdi, findXml } from './detail-queries.ts'
import { findDetail } from './find-detail.ts'
import { CfdiDetalle, Conceptos, ConceptosConsultados } from './schemas.ts'

/** One CFDI of the active company. */
export const documentoRoutes = (deps: { tenants: TenantDatabases }) => async (app: App) => {
  const { tenants } = deps

  const detail = {
    summary: 'Un CFDI completo: sus conceptos, lo que lo paga o corrige, su saldo y su efecto en IVA por mes',
    tags,
    params: CfdiUuid,
    response: { 200: CfdiDetalle },
  }
  app.get('/api/cfdi/:uuid', { schema: detail, config: readers }, async (request) => {
    const { tenantId } = actingTenant(request.user)
    return tenants.use(tenantId, (db) => findDetail(db, request.params.uuid))
  })

  const conceptos = {
    summary: 'Conceptos de un CFDI con sus impuestos, en su orden',
    tags,
    params: CfdiUuid,
    querystring: ConceptosConsultados,
    response: { 200: Conceptos },
  }
  app.get('/api/cfdi/:uuid/conceptos', { schema: conceptos, config: readers }, async (request) => {
    const { tenantId } = actingTenant(request.user)
    const { uuid } = request.params
    const { limite, cursor } = request.query
    const [after] = cursor ? decodeCursor(cursor, LAST) : []
    const found = await tenants.use(tenantId, async (db) => {
      if (!(await existsCfdi(db, uuid))) throw cfdiNotFound()
      return listConceptos(db, uuid, { after, limit: limite + 1 })
    })
    const datos = found.slice(0, limite)
    const last = datos.at(-1)
    return { datos, siguiente: found.length > limite && last ? encodeCursor([last.n]) : null }
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

const tags = ['CFDI']
const plan = { feature: 'cfdi_basic' satisfies Feature }
const readers = { acceso: { quien: 'empresa' as const, roles: roles as readonly Rol[] }, plan }
const LAST = z.tuple([z.int().min(0).max(2_147_483_647)])
