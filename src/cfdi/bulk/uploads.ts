import { rm } from 'node:fs/promises'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { uuidv7 } from 'uuidv7'
import { demandAdmission } from '../../http/admission.ts'
import { actingTenant } from '../../http/principal.ts'
import type { App } from '../../http/zod.ts'
import { folderOf } from './disk.ts'
import { uploadCut, uploadTooLarge } from './errors.ts'
import { MAX_UPLOAD, receive, UPLOAD_TIMES } from './receive.ts'
import { ReceivedBody } from './schemas.ts'
import { createUploadPlaces } from './upload-places.ts'

export interface Uploads {
  /** Of a route that takes files: who may send now, and what becomes of a body that is refused. */
  preParsing: (
    request: FastifyRequest,
    reply: FastifyReply,
    payload: NodeJS.ReadableStream,
  ) => Promise<NodeJS.ReadableStream>
  preValidation: (request: FastifyRequest) => Promise<void>
  /**
   * The id that a received load was given. Its folder is the caller's from now on.
   * @throws AppError `carga.cut` when its client has left
   */
  take(request: FastifyRequest): string
}

/**
 * Takes bodies of files to the disk before anything else sees the request: `request.body` is a `ReceivedBody`. Whatever
 * ends the request before its handler takes it (a refusal, an answer kept from before, a client that left) takes the files
 * away too.
 */
export function receiveUploads(app: App, { filesPath, times = UPLOAD_TIMES }: UploadOptions): Uploads {
  const enter = createUploadPlaces()
  const uploads = new WeakMap<FastifyRequest, Upload>()

  app.addContentTypeParser([...UPLOAD_TYPES], async (request: FastifyRequest, payload: NodeJS.ReadableStream) => {
    const upload = uploads.get(request)
    if (!upload) return undefined // of a route that takes no files: it says so itself
    const { 'content-type': contentType = '' } = request.headers
    try {
      const body = { payload: payload as typeof request.raw, contentType, contentLength: lengthOf(request) }
      return new ReceivedBody(await receive(body, upload.folder, times))
    } catch (error) {
      // Not thrown here: the framework would close the connection under an answer that the client has yet to read.
      upload.failed = error
      return new ReceivedBody([])
    }
  })

  return {
    async preParsing(request, reply, payload) {
      const { tenantId } = actingTenant(request.user)
      lingerOver(request, reply)
      if ((lengthOf(request) ?? 0) > MAX_UPLOAD) throw uploadTooLarge(MAX_UPLOAD)
      const leave = enter(tenantId)
      const id = uuidv7()
      const upload: Upload = {
        id,
        folder: folderOf(filesPath, tenantId, id),
        failed: undefined,
        taken: false,
        gone: false,
      }
      uploads.set(request, upload)
      const gone = () => {
        leave()
        upload.gone = true
        if (!upload.taken)
          rm(upload.folder, { recursive: true, force: true }).catch((err: unknown) =>
            request.log.warn({ err }, 'files of a refused upload stay for the sweep'),
          )
      }
      if (reply.raw.closed) gone()
      else reply.raw.once('close', gone)
      return payload
    },
    async preValidation(request) {
      const failed = uploads.get(request)?.failed
      if (failed !== undefined) throw failed
      await demandAdmission(request)
    },
    take(request) {
      const upload = uploads.get(request)
      if (!upload) throw new Error('nothing was received with this request')
      // Its files went with it.
      if (upload.gone) throw uploadCut()
      upload.taken = true
      return upload.id
    },
  }
}

export interface UploadOptions {
  filesPath: string
  /** For tests: nobody waits 30 s. */
  times?: typeof UPLOAD_TIMES
}

export const UPLOAD_TYPES = ['multipart/form-data', 'application/zip', 'application/x-zip-compressed'] as const

interface Upload {
  id: string
  folder: string
  failed: unknown
  taken: boolean
  gone: boolean
}

function lengthOf({ headers }: FastifyRequest): number | undefined {
  const length = headers['content-length']
  return length === undefined ? undefined : Number(length)
}

/**
 * A refusal that comes before the end of the body: what still arrives is thrown away for a moment, so that the client
 * reads why, instead of a connection that was reset; then it is cut.
 */
function lingerOver({ raw }: FastifyRequest, reply: FastifyReply): void {
  reply.raw.once('finish', () => {
    if (raw.complete !== false || raw.destroyed) return
    const cut = setTimeout(() => raw.socket?.destroy(), LINGER_MS)
    raw.once('close', () => clearTimeout(cut))
  })
}

const LINGER_MS = 2_000
