import { zstdDecompressSync } from 'node:zlib'
import { z } from 'zod'
import type { Feature } from '../../billing/plans/features.ts'
import type { TenantDatabases } from '../../db/tenant-databases.ts'
import { type Rol, roles } from '../../http/access.ts'
import { actingTenant } from '../../http/principal.ts'
import type { App } from '../../http/zod.ts'
import { cfdiNotFound } from '../errors.ts'
import { CfdiUuid } from '../schemas.ts'
import { createPress } from './press.ts'
import { findPrintable } from './queries.ts'

/** A CFDI of the active company on paper. */
export const pdfRoutes = (deps: { tenants: TenantDatabases }) => async (app: App) => {
  // Two, so that whoever asks for a page does not wait behind one who asks for a thousand.
  const press = createPress()
  const largePress = createPress({ mostWaiting: 4 })
  app.addHook('onClose', async () => {
    await Promise.all([press.close(), largePress.close()])
  })

  const pdf = {
    summary: 'La representación impresa de un CFDI, en PDF tamaño carta',
    description: 'Dice CANCELADO cuando lo está. Uno demasiado grande para imprimirse al momento responde 422.',
    tags: ['CFDI'],
    params: CfdiUuid,
    response: { 200: { content: { 'application/pdf': { schema: z.instanceof(Buffer) } } } },
  }
  app.get('/api/cfdi/:uuid/pdf', { schema: pdf, config: readers }, async (request, reply) => {
    const { tenantId } = actingTenant(request.user)
    const { uuid } = request.params
    const found = await deps.tenants.use(tenantId, (db) => findPrintable(db, uuid))
    if (!found) throw cfdiNotFound()
    const xml = zstdDecompressSync(found.contenido)
    const printed = await (xml.length > LARGE ? largePress : press).print(xml, found.estado, LIMITS)
    // The words in it are somebody else's: a browser may keep them, and do nothing else with them.
    return reply
      .type('application/pdf')
      .header('content-disposition', `attachment; filename="${uuid}.pdf"`)
      .header('x-content-type-options', 'nosniff')
      .header('content-security-policy', "sandbox; default-src 'none'")
      .send(printed)
  })
}

/** Some hundred concepts. */
const LARGE = 256 * 1024

/** Together they end before the handler does, which has 15 s. */
const LIMITS = { timeoutMs: 8_000, patienceMs: 5_000 }

const readers = {
  acceso: { quien: 'empresa' as const, roles: roles as readonly Rol[] },
  plan: { feature: 'cfdi_basic' satisfies Feature },
}
