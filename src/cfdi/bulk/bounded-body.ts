import { IncomingMessage } from 'node:http'
import { finished, type Readable } from 'node:stream'
import { uploadCut, uploadTooLarge, uploadTooSlow } from './errors.ts'

export interface BodyBounds {
  maxBytes: number
  /** Without a byte for so long it is given up. Time in which we ourselves are busy does not count. */
  idleMs: number
  /** In all: who drips holds a place. */
  totalMs: number
}

/**
 * The bytes of a request, which end in time and below a size. A chunk is there until the next one is asked for: then its
 * memory is given back. The connection is left as it is when they do not end well, so that the refusal can still be sent
 * over it.
 * @throws AppError `carga.too_large`, `carga.cut`; an error of status 408
 */
export async function* boundedBody(payload: Readable, bounds: BodyBounds): AsyncGenerator<Buffer> {
  const chunks = chunksOf(payload)
  const late = Promise.withResolvers<never>()
  late.promise.catch(() => undefined)
  const expire = () => late.reject(uploadTooSlow())
  const total = setTimeout(expire, bounds.totalMs)
  try {
    for (let bytes = 0; ; ) {
      // Only while we wait for the client: a chunk that is being written takes as long as the disk does.
      const idle = setTimeout(expire, bounds.idleMs)
      const chunk = await Promise.race([chunks.next(), late.promise]).finally(() => clearTimeout(idle))
      if (!chunk) return
      bytes += chunk.length
      if (bytes > bounds.maxBytes) throw uploadTooLarge(bounds.maxBytes)
      yield chunk
      if (payload instanceof IncomingMessage) giveBack(chunk)
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw code === 'ECONNRESET' || code === 'ERR_STREAM_PREMATURE_CLOSE' ? uploadCut(error) : error
  } finally {
    clearTimeout(total)
    chunks.leave()
  }
}

/**
 * Frees a chunk that the HTTP parser made for us, now. What lies outside of the heap does not hurry the collector: 200 MB
 * went through with a few thousand small objects, and all of it stayed until the next collection, which did not come.
 * Chunks of anything but a connection belong to somebody, and those of a pool to many.
 */
function giveBack({ buffer, byteLength }: Buffer): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0)
}

/**
 * Chunk by chunk, as they came. Not the stream's own iterator: when several wait it puts them together into a new one, and
 * those that it was made of nobody can give back.
 */
function chunksOf(payload: Readable) {
  // Mostly one: it stops the flow, and what was on its way comes all the same.
  const waiting: Buffer[] = []
  let over: { error: unknown } | undefined
  let wake = () => {}
  const onData = (chunk: Buffer) => {
    payload.pause()
    waiting.push(chunk)
    wake()
  }
  const unwatch = finished(payload, { writable: false }, (error) => {
    over = { error }
    wake()
  })
  payload.pause().on('data', onData)
  return {
    async next(): Promise<Buffer | undefined> {
      while (waiting.length === 0 && !over) {
        const news = Promise.withResolvers<void>()
        wake = news.resolve
        payload.resume()
        await news.promise
      }
      const first = waiting.shift()
      if (!first && over?.error) throw over.error
      return first
    },
    leave() {
      unwatch()
      payload.off('data', onData)
    },
  }
}
