import { open } from 'node:fs/promises'
import path from 'node:path'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { exportExpired } from './errors.ts'

export interface ServedFile {
  readonly folder: string
  readonly name: string
  readonly bytes: number
  readonly sha256: Buffer
  readonly mime: string
  /** What a browser saves it as. */
  readonly shownAs: string
}

/** A large file over a slow line takes hours; who takes nothing of it for a minute is gone. */
export const DOWNLOAD_TIMEOUT_MS = 6 * 3_600_000
const SILENT_MS = 60_000

/**
 * Sends a file, or the part of it that is asked for (RFC 9110, 14.2: one range; of several all is sent). Read as fast as
 * it is taken. Others wrote what is in it: a browser may keep it, and do nothing else with it.
 */
export async function serveFile(request: FastifyRequest, reply: FastifyReply, file: ServedFile): Promise<FastifyReply> {
  const handle = await open(path.join(file.folder, file.name), 'r').catch((error: NodeJS.ErrnoException) => {
    // Between the look at its row and this one the sweep came by, or the operator did.
    throw error.code === 'ENOENT' ? exportExpired() : error
  })
  try {
    const { size } = await handle.stat()
    if (size !== file.bytes) throw new Error(`an export of ${file.bytes} bytes lies as ${size}`)
    const etag = `"${file.sha256.toString('hex')}"`
    const range = rangeOf(request, etag, size)
    reply.headers({
      'accept-ranges': 'bytes',
      etag,
      'content-disposition': dispositionOf(file.shownAs),
      'x-content-type-options': 'nosniff',
      'content-security-policy': "sandbox; default-src 'none'",
      'x-accel-buffering': 'no',
    })
    if (range === 'none') {
      await handle.close()
      return reply.code(416).header('content-range', `bytes */${size}`).header('content-length', 0).send()
    }
    const { start, end } = range ?? { start: 0, end: size - 1 }
    if (range) reply.code(206).header('content-range', `bytes ${start}-${end}/${size}`)
    reply.raw.setTimeout(SILENT_MS, () => reply.raw.destroy())
    return reply
      .type(file.mime)
      .header('content-length', end - start + 1)
      .send(handle.createReadStream({ start, end, highWaterMark: 256 * 1024 }))
  } catch (error) {
    await handle.close()
    throw error
  }
}

interface Range {
  start: number
  end: number
}

/** Undefined: all of it. `none`: nothing of the file is there. */
function rangeOf({ headers, method }: FastifyRequest, etag: string, size: number): Range | 'none' | undefined {
  const asked = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(String(headers.range ?? ''))
  const ifRange = headers['if-range']
  if (method !== 'GET' || !asked || (ifRange !== undefined && ifRange !== etag)) return undefined
  const [, from = '', to = ''] = asked
  if (from === '' && to === '') return undefined
  // `-500`: the last ones.
  if (from === '') return to === '0' ? 'none' : { start: Math.max(0, size - Number(to)), end: size - 1 }
  const start = Number(from)
  const end = to === '' ? size - 1 : Math.min(Number(to), size - 1)
  if (start >= size) return 'none'
  return end < start ? undefined : { start, end }
}

/** An RFC may have Ñ and &, which a header says in RFC 8187's way. */
function dispositionOf(name: string): string {
  const plain = name.replace(/[^A-Za-z0-9. -]/g, '_')
  return `attachment; filename="${plain}"; filename*=UTF-8''${encodeURIComponent(name)}`
}
