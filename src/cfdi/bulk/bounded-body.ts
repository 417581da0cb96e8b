import type { Readable } from 'node:stream'
import { uploadCut, uploadTooLarge, uploadTooSlow } from './errors.ts'

export interface BodyBounds {
  maxBytes: number
  /** Without a byte for so long it is given up. Time in which we ourselves are busy does not count. */
  idleMs: number
  /** In all: who drips holds a place. */
  totalMs: number
}

/**
 * The bytes of a request, which end in time and below a size. The connection is left as it is when they do not, so that
 * the refusal can still be sent over it.
 * @throws AppError `carga.too_large`, `carga.cut`; an error of status 408
 */
export async function* boundedBody(payload: Readable, bounds: BodyBounds): AsyncGenerator<Buffer> {
  const chunks = payload.iterator({ destroyOnReturn: false })
  const late = Promise.withResolvers<never>()
  late.promise.catch(() => undefined)
  const expire = () => late.reject(uploadTooSlow())
  const total = setTimeout(expire, bounds.totalMs)
  try {
    for (let bytes = 0; ; ) {
      // Only while we wait for the client: a chunk that is being written takes as long as the disk does.
      const idle = setTimeout(expire, bounds.idleMs)
      const { done, value } = await Promise.race([chunks.next(), late.promise]).finally(() => clearTimeout(idle))
      if (done) return
      bytes += (value as Buffer).length
      if (bytes > bounds.maxBytes) throw uploadTooLarge(bounds.maxBytes)
      yield value as Buffer
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw code === 'ECONNRESET' || code === 'ERR_STREAM_PREMATURE_CLOSE' ? uploadCut(error) : error
  } finally {
    clearTimeout(total)
  }
}
