import { z } from 'zod'
import type { Clock } from '../../clock.ts'
import type { TenantDatabases } from '../../db/tenant-databases.ts'
import { AppError } from '../../errors.ts'
import { fechaOf } from '../../fiscal/fecha.ts'
import { createPlaces } from '../../http/places.ts'
import type { App } from '../../http/zod.ts'
import { linkUnknown, tooManyDownloads } from './errors.ts'
import { folderOf } from './files.ts'
import { formats } from './formats.ts'
import { openLink, readToken } from './links.ts'
import { findRfc } from './queries.ts'
import { DescargaToken } from './schemas.ts'
import { DOWNLOAD_TIMEOUT_MS, serveFile } from './serve-file.ts'

interface DownloadDeps {
  tenants: TenantDatabases
  clock: Clock
  config: { filesPath: string }
}

/** What a link opens, for whoever has it. Its address is never logged: see request-log.ts and nginx. */
export const downloadRoutes =
  ({ tenants, clock, config }: DownloadDeps) =>
  async (app: App) => {
    const places = createPlaces({ perKey: 8, all: 200 })
    const bytes = { schema: z.instanceof(Buffer) }
    const download = {
      summary: 'Descargar una exportación',
      description: 'Acepta `Range` para continuar una descarga que se cortó.',
      tags: ['Exportaciones'],
      params: DescargaToken,
      response: {
        200: { content: { 'text/csv': bytes, 'application/zip': bytes, 'application/octet-stream': bytes } },
        206: { content: { 'application/octet-stream': bytes } },
      },
    }
    app.get(
      '/api/descargas/:token',
      {
        schema: download,
        config: { acceso: { quien: 'publico' as const }, flujo: true as const },
        handlerTimeout: DOWNLOAD_TIMEOUT_MS,
      },
      async (request, reply) => {
        const link = readToken(request.params.token)
        if (!link) throw linkUnknown()
        const { tenantId } = link
        const found = await tenants
          .use(tenantId, async (db) => ({ ...(await openLink(db, link, clock.now())), rfc: await findRfc(db) }))
          .catch(likeAnyWrongLink)
        const leave = places.take(tenantId)
        if (!leave) throw tooManyDownloads()
        if (reply.raw.closed) leave()
        else reply.raw.once('close', leave)
        const { extension, mime } = formats[found.formato]
        return serveFile(request, reply, {
          folder: folderOf(config.filesPath, tenantId),
          name: found.archivo,
          bytes: found.bytes,
          sha256: found.sha256,
          mime,
          shownAs: `CFDI ${found.rfc} ${fechaOf(found.corte)}.${extension}`,
        })
      },
    )
  }

/** A company that is not there, or was made up, is a link that is not there. */
function likeAnyWrongLink(error: unknown): never {
  const isUnknown = error instanceof AppError && (error.kind === 'not_found' || error.code.startsWith('tenant.'))
  throw isUnknown && error.kind !== 'unavailable' ? linkUnknown() : error
}
