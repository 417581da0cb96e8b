import { Readable } from 'node:stream'
import { zstdDecompressSync } from 'node:zlib'
import { z } from 'zod'
import type { EntitlementCache } from '../../billing/entitlements/entitlement-cache.ts'
import type { Feature } from '../../billing/plans/features.ts'
import type { Clock } from '../../clock.ts'
import type { CentralDb } from '../../db/databases.ts'
import type { TenantDatabases } from '../../db/tenant-databases.ts'
import { type Rol, roles } from '../../http/access.ts'
import { decodeCursor, encodeCursor, momento } from '../../http/cursor.ts'
import { actingTenant } from '../../http/principal.ts'
import { type EventStreams, STREAM_TIMEOUT_MS } from '../../http/sse.ts'
import { type App, uuid } from '../../http/zod.ts'
import type { Queue } from '../../queue/queue.ts'
import { toCarga } from './answers.ts'
import { cancelCarga, retryCarga } from './control-carga.ts'
import { archivoNotFound, cargaNotFound } from './errors.ts'
import { findArchivos, findCarga, findQuarantined, listCargas, listResultados } from './queries.ts'
import { UPLOAD_TIMES } from './receive.ts'
import { resultadosCsv } from './resultados-csv.ts'
import {
  Carga,
  CargaArchivoId,
  CargaBody,
  CargaDetalle,
  CargaHecha,
  CargaId,
  CargaPagina,
  CargasQuery,
  ResultadoPagina,
  ResultadosCsvQuery,
  ResultadosQuery,
} from './schemas.ts'
import { publishSoon, uploadCarga } from './upload-carga.ts'
import { receiveUploads, UPLOAD_TYPES } from './uploads.ts'

export interface CargaDeps {
  config: { filesPath: string }
  clock: Clock
  central: CentralDb
  queue: Queue
  tenants: TenantDatabases
  entitlements: Pick<EntitlementCache, 'get'>
  events: EventStreams
  patienceMs: number
}

/** Loads of many files, of the active company. */
export const cargaRoutes = (deps: CargaDeps) => async (app: App) => {
  const { tenants, events } = deps
  const uploads = receiveUploads(app, deps.config)

  const bulk = {
    summary: 'Subir muchos CFDI: XML y ZIP en un formulario, o un solo ZIP',
    description:
      'Hasta 200 MB y 60,000 archivos. Hasta 100 archivos se responde con los resultados; con más, 202 y la carga sigue en segundo plano. Los mismos archivos otra vez son la misma carga.',
    tags,
    consumes: [...UPLOAD_TYPES],
    body: CargaBody,
    response: { 200: CargaHecha, 202: Carga },
  }
  const { preParsing, preValidation } = uploads
  const options = {
    config: { ...writers, cuerpoLargo: true as const },
    preParsing,
    preValidation,
    handlerTimeout: UPLOAD_TIMES.totalMs + 60_000,
  }
  app.post('/api/cfdi/bulk', { schema: bulk, ...options }, async (request, reply) => {
    const { tenantId, rfc } = actingTenant(request.user)
    const { userId, email } = request.user
    const upload = { id: uploads.take(request), files: request.body.archivos, rfc, by: { userId, email } }
    const { carga, resultados } = await uploadCarga({ ...deps, log: request.log }, tenantId, upload)
    const answer = toCarga(carga)
    if (carga.estado === 'recibida' || carga.estado === 'procesando')
      return reply.code(202).header('location', `/api/cfdi/cargas/${carga.id}`).send(answer)
    return reply.code(200).send({ ...answer, ...(resultados && { resultados }) })
  })

  const list = {
    summary: 'Cargas, de la más reciente a la más antigua',
    tags,
    querystring: CargasQuery,
    response: { 200: CargaPagina },
  }
  app.get('/api/cfdi/cargas', { schema: list, config: readers }, async (request) => {
    const { tenantId } = actingTenant(request.user)
    const { limite, cursor, fuente } = request.query
    const [creadaEn, id] = cursor ? decodeCursor(cursor, LAST_CARGA) : []
    const after = creadaEn !== undefined && id !== undefined ? { creadaEn: new Date(creadaEn), id } : undefined
    const rows = await tenants.use(tenantId, (db) => listCargas(db, { after, fuente, limit: limite + 1 }))
    const last = rows.length > limite ? rows[limite - 1] : undefined
    return {
      datos: rows.slice(0, limite).map(toCarga),
      siguiente: last ? encodeCursor([last.creadaEn.toISOString(), last.id]) : null,
    }
  })

  const detail = {
    summary: 'Una carga: sus archivos y cómo va',
    tags,
    params: CargaId,
    response: { 200: CargaDetalle },
  }
  app.get('/api/cfdi/cargas/:id', { schema: detail, config: readers }, async (request) => {
    const { tenantId } = actingTenant(request.user)
    const { id } = request.params
    return tenants.use(tenantId, async (db) => {
      const carga = await findCarga(db, id)
      const uploaded = await findArchivos(db, id, 200)
      if (!carga || !uploaded) throw cargaNotFound()
      const archivos = uploaded.archivos.map(({ sha256: _, ...archivo }) => archivo)
      return {
        ...toCarga(carga),
        archivos,
        totalArchivos: uploaded.count,
        conArchivos: carga.archivosBorradosEn === null,
      }
    })
  })

  const results = {
    summary: 'Qué fue de cada archivo de una carga',
    tags,
    params: CargaId,
    querystring: ResultadosQuery,
    response: { 200: ResultadoPagina },
  }
  app.get('/api/cfdi/cargas/:id/resultados', { schema: results, config: readers }, async (request) => {
    const { tenantId } = actingTenant(request.user)
    const { id } = request.params
    const { limite, cursor, estado } = request.query
    const [from] = cursor ? decodeCursor(cursor, NEXT_RESULTADO) : [0]
    const rows = await tenants.use(tenantId, async (db) => {
      if (!(await findCarga(db, id))) throw cargaNotFound()
      return listResultados(db, id, { estado, from, limit: limite + 1 })
    })
    const next = rows[limite]
    return { datos: rows.slice(0, limite), siguiente: next ? encodeCursor([next.n]) : null }
  })

  const csv = {
    summary: 'Qué fue de cada archivo de una carga, en CSV',
    tags,
    params: CargaId,
    querystring: ResultadosCsvQuery,
    response: { 200: { content: { 'text/csv': { schema: z.instanceof(Readable) } } } },
  }
  const long = { config: readers, handlerTimeout: 120_000 }
  app.get('/api/cfdi/cargas/:id/resultados.csv', { schema: csv, ...long }, async (request, reply) => {
    const { tenantId } = actingTenant(request.user)
    const { id } = request.params
    const { estado } = request.query
    if (!(await tenants.use(tenantId, (db) => findCarga(db, id)))) throw cargaNotFound()
    return reply
      .type('text/csv; charset=utf-8')
      .header('content-disposition', `attachment; filename="carga-${id}.csv"`)
      .send(Readable.from(resultadosCsv(tenants, tenantId, { id, estado }), { objectMode: false }))
  })

  const archivo = {
    summary: 'Un archivo en cuarentena, tal como llegó',
    tags,
    params: CargaArchivoId,
    response: { 200: { content: { 'application/octet-stream': { schema: z.instanceof(Buffer) } } } },
  }
  app.get(
    '/api/cfdi/cargas/:id/resultados/:n/archivo',
    { schema: archivo, config: readers },
    async (request, reply) => {
      const { tenantId } = actingTenant(request.user)
      const { id, n } = request.params
      const found = await tenants.use(tenantId, (db) => findQuarantined(db, id, n))
      if (!found) throw archivoNotFound()
      // A stranger's bytes under a stranger's name: kept as a file, and never shown as a page.
      const name = found.archivo.slice(found.archivo.lastIndexOf('/') + 1)
      return reply
        .type('application/octet-stream')
        .header(
          'content-disposition',
          `attachment; filename="archivo-${n}.xml"; filename*=UTF-8''${encodeRfc5987(name)}`,
        )
        .header('x-content-type-options', 'nosniff')
        .header('content-security-policy', "sandbox; default-src 'none'")
        .send(zstdDecompressSync(found.contenido))
    },
  )

  const live = {
    summary: 'Cómo va una carga, en vivo (Server-Sent Events)',
    description:
      'Eventos `progreso` y al final `fin`, cada uno con la carga en JSON. Con `Last-Event-ID` sigue donde se quedó.',
    tags,
    params: CargaId,
    response: { 200: { content: { 'text/event-stream': { schema: z.any() } } }, 204: z.null() },
  }
  const stream = { config: { ...readers, flujo: true as const }, handlerTimeout: STREAM_TIMEOUT_MS }
  app.get('/api/cfdi/cargas/:id/eventos', { schema: live, ...stream }, async (request, reply) => {
    const { tenantId } = actingTenant(request.user)
    const { id } = request.params
    const read = async () => {
      const carga = await tenants.use(tenantId, (db) => findCarga(db, id))
      if (!carga) throw cargaNotFound()
      const datos = toCarga(carga)
      const final = datos.estado !== 'recibida' && datos.estado !== 'procesando'
      return { secuencia: BigInt(carga.secuencia), final, datos }
    }
    return events.open(request, reply, { company: tenantId, read })
  })

  const control = { tags, params: CargaId, response: { 200: Carga } }
  const cancel = { ...control, summary: 'Detener una carga: lo guardado se queda' }
  app.post('/api/cfdi/cargas/:id/cancelar', { schema: cancel, config: writers }, async (request) => {
    const { tenantId } = actingTenant(request.user)
    const { id } = request.params
    return tenants.use(tenantId, async (db) => {
      await cancelCarga(deps, db, id)
      return toCarga(await demandCarga(db, id))
    })
  })

  const retry = {
    ...control,
    summary: 'Seguir una carga detenida, y reintentar lo que quedó fuera del límite o en cuarentena',
    response: { 202: Carga },
  }
  app.post('/api/cfdi/cargas/:id/reintentar', { schema: retry, config: writers }, async (request, reply) => {
    const { tenantId } = actingTenant(request.user)
    const { id } = request.params
    const carga = await tenants.use(tenantId, async (db) => {
      await retryCarga(db, id)
      await publishSoon({ ...deps, log: request.log }, db)
      return demandCarga(db, id)
    })
    return reply.code(202).header('location', `/api/cfdi/cargas/${id}`).send(toCarga(carga))
  })
}

async function demandCarga(...[db, id]: Parameters<typeof findCarga>) {
  const carga = await findCarga(db, id)
  if (!carga) throw cargaNotFound()
  return carga
}

/** RFC 5987: what `encodeURIComponent` leaves and a header value may not have. */
const encodeRfc5987 = (text: string) =>
  encodeURIComponent(text).replace(/['()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)

const tags = ['Cargas de CFDI']
const plan = { feature: 'cfdi_basic' satisfies Feature }
const readers = { acceso: { quien: 'empresa' as const, roles: roles as readonly Rol[] }, plan }
const writers = { acceso: { quien: 'empresa' as const, roles: ['admin', 'contador'] as readonly Rol[] }, plan }
const LAST_CARGA = z.tuple([momento, uuid])
const NEXT_RESULTADO = z.tuple([
  z
    .int()
    .min(0)
    .max(2 ** 31 - 1),
])
