import { z } from 'zod'
import type { Feature } from '../../billing/plans/features.ts'
import type { Clock } from '../../clock.ts'
import type { CentralDb } from '../../db/databases.ts'
import type { TenantDatabases } from '../../db/tenant-databases.ts'
import { type Rol, roles } from '../../http/access.ts'
import { decodeCursor, encodeCursor, momento } from '../../http/cursor.ts'
import { actingTenant } from '../../http/principal.ts'
import { type EventStreams, STREAM_TIMEOUT_MS } from '../../http/sse.ts'
import type { App } from '../../http/zod.ts'
import type { Queue } from '../../queue/queue.ts'
import { toExportacion, toProgress } from './answers.ts'
import { exportEnded, exportNotFound } from './errors.ts'
import { mintLink } from './links.ts'
import { cancelExport, findExport, listExports } from './queries.ts'
import { requestExport } from './request-export.ts'
import {
  EnlaceDescarga,
  Exportacion,
  Exportaciones,
  ExportacionesPedidas,
  ExportacionId,
  ExportacionNueva,
} from './schemas.ts'

interface ExportDeps {
  central: CentralDb
  tenants: TenantDatabases
  queue: Queue
  clock: Clock
  config: { filesPath: string; publicUrl: string }
  events: EventStreams
}

/** Taking data out. Open to the admins of a blocked company too: the records are theirs. */
export const exportRoutes = (deps: ExportDeps) => async (app: App) => {
  const { tenants, clock, events, config } = deps

  const request = {
    summary: 'Exportar CFDI a un archivo',
    description: 'Se prepara en segundo plano, con los CFDI que había al comenzar.',
    tags,
    body: ExportacionNueva,
    response: { 202: Exportacion },
  }
  app.post('/api/cfdi/exportaciones', { schema: request, config: writers }, async ({ user, body, id, log }, reply) => {
    const { tenantId } = actingTenant(user)
    const row = await tenants.use(tenantId, (db) => requestExport(deps, db, body, { user, requestId: id, log }))
    reply.code(202).header('location', `/api/cfdi/exportaciones/${row.id}`)
    return toExportacion(row, clock.now())
  })

  const list = {
    summary: 'Exportaciones de mi empresa, de la más reciente a la más antigua',
    tags,
    querystring: ExportacionesPedidas,
    response: { 200: Exportaciones },
  }
  app.get('/api/cfdi/exportaciones', { schema: list, config: readers }, async ({ user, query }) => {
    const { tenantId } = actingTenant(user)
    const { limite, cursor } = query
    const [creadaEn, id] = cursor ? decodeCursor(cursor, LAST) : []
    const after = creadaEn !== undefined && id !== undefined ? { creadaEn, id } : undefined
    const rows = await tenants.use(tenantId, (db) => listExports(db, after, limite + 1))
    const shown = rows.slice(0, limite)
    const last = rows.length > limite ? shown.at(-1) : undefined
    const now = clock.now()
    return {
      datos: shown.map((row) => toExportacion(row, now)),
      siguiente: last ? encodeCursor([last.creada_en.toISOString(), last.id]) : null,
    }
  })

  const one = { summary: 'Una exportación', tags, params: ExportacionId, response: { 200: Exportacion } }
  app.get('/api/cfdi/exportaciones/:id', { schema: one, config: readers }, async ({ user, params }) => {
    const { tenantId } = actingTenant(user)
    return toExportacion(await find(tenantId, params.id), clock.now())
  })

  const progress = {
    summary: 'Avance de una exportación, en vivo',
    description:
      'Eventos `progreso` y, al terminar, `fin`; sus datos son la exportación. `Last-Event-ID` continúa donde se quedó; 204 dice que no habrá más. `reconectar` pide volver a conectarse.',
    tags,
    params: ExportacionId,
    response: { 200: { content: { 'text/event-stream': { schema: z.string() } } } },
  }
  app.get(
    '/api/cfdi/exportaciones/:id/eventos',
    { schema: progress, config: { ...readers, flujo: true as const }, handlerTimeout: STREAM_TIMEOUT_MS },
    async (request, reply) => {
      const { tenantId } = actingTenant(request.user)
      const read = async () => toProgress(await find(tenantId, request.params.id), clock.now())
      return events.open(request, reply, { company: tenantId, read })
    },
  )

  const cancel = {
    summary: 'Cancelar una exportación en curso',
    tags,
    params: ExportacionId,
    response: { 200: Exportacion },
  }
  app.post('/api/cfdi/exportaciones/:id/cancelar', { schema: cancel, config: writers }, async ({ user, params }) => {
    const { tenantId } = actingTenant(user)
    const row = await tenants.use(tenantId, async (db) => {
      const cancelled = await cancelExport(db, params.id, clock.now())
      if (cancelled) return cancelled
      const found = await findExport(db, params.id)
      if (!found) throw exportNotFound()
      // Asked twice: it is as was wanted.
      if (found.estado !== 'cancelada') throw exportEnded()
      return found
    })
    return toExportacion(row, clock.now())
  })

  const link = {
    summary: 'Enlace para descargar una exportación lista',
    description: 'Abre el archivo a quien lo tenga, sin iniciar sesión, hasta que vence. Cada vez es uno nuevo.',
    tags,
    params: ExportacionId,
    response: { 201: EnlaceDescarga },
  }
  const secretive = { ...writers, respuestaSecreta: true as const }
  app.post('/api/cfdi/exportaciones/:id/enlace', { schema: link, config: secretive }, async (request, reply) => {
    const { user, params, id } = request
    const { tenantId } = actingTenant(user)
    const { token, venceEn } = await tenants.use(tenantId, (db) =>
      mintLink(db, params.id, { user, requestId: id }, clock.now()),
    )
    reply.code(201)
    return { url: `${config.publicUrl}/api/descargas/${token}`, venceEn }
  })

  async function find(tenantId: string, id: string) {
    const row = await tenants.use(tenantId, (db) => findExport(db, id))
    if (!row) throw exportNotFound()
    return row
  }
}

const tags = ['Exportaciones']
const plan = { feature: 'cfdi_basic' satisfies Feature, siempre: 'exportar' as const }
const readers = { acceso: { quien: 'empresa' as const, roles: roles as readonly Rol[] }, plan }
const writers = { acceso: { quien: 'empresa' as const, roles: ['admin', 'contador'] as readonly Rol[] }, plan }
const LAST = z.tuple([momento, z.uuid()])
