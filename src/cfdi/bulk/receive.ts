import { createHash } from 'node:crypto'
import { open, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import type { Readable } from 'node:stream'
import { boundaryOf, readParts } from '../../http/multipart.ts'
import { boundedBody } from './bounded-body.ts'
import { makeRoom, onDisk, syncFolder } from './disk.ts'
import { noBoundary, nothingSent, tooManyFiles, unknownField, uploadTooLarge } from './errors.ts'
import { shownName } from './shown-name.ts'
import { UPLOAD_LIMITS } from './zip.ts'

/** A file as it lies on the disk, under its hash. */
export interface ReceivedFile {
  /** To show. */
  nombre: string
  bytes: number
  sha256: string
}

export interface UploadBody {
  payload: Readable
  contentType: string
  /** As the client says, when it does. */
  contentLength: number | undefined
}

/** What nginx lets through. */
export const MAX_UPLOAD = 200 * 1024 ** 2

/** An honest upload of 200 MB takes minutes; one that stands still is given up at once. */
export const UPLOAD_TIMES = { idleMs: 30_000, totalMs: 3_600_000 }

/**
 * Writes the files of a body into a new folder as they arrive, each under its SHA-256, and returns when they are there to
 * stay. When anything fails nothing is left.
 * @throws AppError `carga.*`, `request.multipart`, `request.invalid`
 */
export async function receive(
  { payload, contentType, contentLength }: UploadBody,
  folder: string,
  times = UPLOAD_TIMES,
): Promise<ReceivedFile[]> {
  if (contentLength !== undefined && contentLength > MAX_UPLOAD) throw uploadTooLarge(MAX_UPLOAD)
  await makeRoom(folder, contentLength ?? MAX_UPLOAD)
  const body = boundedBody(payload, { maxBytes: MAX_UPLOAD, ...times })
  try {
    const writer = createWriter(folder)
    const isForm = /^multipart\/form-data/i.test(contentType)
    if (isForm) await writeParts(body, contentType, writer)
    else await writer.write(UNNAMED, body)
    const files = await writer.finish()
    // A form may bring an empty file, which is told of; a body without a byte is none.
    if (files.length === 0 || (!isForm && files[0]?.bytes === 0)) throw nothingSent()
    return files
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw error
  } finally {
    // What nobody reads to its end would keep its clocks.
    void body.return(undefined)
  }
}

const UNNAMED = 'carga.zip'

async function writeParts(body: AsyncIterable<Buffer>, contentType: string, writer: Writer): Promise<void> {
  const boundary = boundaryOf(contentType)
  if (boundary === undefined) throw noBoundary()
  for await (const part of readParts(body, boundary)) {
    if (part.filename === undefined || !FIELDS.includes(part.name ?? '')) throw unknownField(shownName(part.name ?? ''))
    await writer.write(part.filename, part.body)
  }
}

const FIELDS = ['archivos', 'archivos[]']

type Writer = ReturnType<typeof createWriter>

function createWriter(folder: string) {
  const files: ReceivedFile[] = []
  const closing = new Set<Promise<void>>()
  let failed: { error: unknown } | undefined
  let parts = 0

  async function write(name: string, body: AsyncIterable<Buffer>): Promise<void> {
    if (parts >= UPLOAD_LIMITS.entries) throw tooManyFiles(UPLOAD_LIMITS.entries)
    parts++
    const pieces = body[Symbol.asyncIterator]()
    const first = await pieces.next()
    // A form without a file chosen sends one without a name and without bytes.
    if (first.done && name === '') return
    const temporary = path.join(folder, `${files.length}.parte`)
    const hash = createHash('sha256')
    let bytes = 0
    const handle = await onDisk(() => open(temporary, 'wx', 0o600))
    try {
      for (let next = first; !next.done; next = await pieces.next()) {
        hash.update(next.value)
        bytes += next.value.length
        await onDisk(() => writeAll(handle, next.value))
      }
    } catch (error) {
      await handle.close()
      throw error
    }
    const sha256 = hash.digest('hex')
    files.push({ nombre: shownName(name), bytes, sha256 })
    await rename(temporary, path.join(folder, sha256))
    // The disk is waited for at the end, and while there are not too many: small files would otherwise wait in turn.
    const closed = onDisk(() => handle.datasync())
      .finally(() => handle.close())
      .catch((error: unknown) => {
        failed ??= { error }
      })
      .finally(() => closing.delete(closed))
    closing.add(closed)
    if (closing.size >= 16) await Promise.race(closing)
    if (failed) throw failed.error
  }

  return {
    write,
    async finish(): Promise<ReceivedFile[]> {
      await Promise.all(closing)
      if (failed) throw failed.error
      await onDisk(() => syncFolder(folder))
      return files
    },
  }
}

async function writeAll(handle: Awaited<ReturnType<typeof open>>, piece: Buffer): Promise<void> {
  for (let at = 0; at < piece.length; ) at += (await handle.write(piece, at)).bytesWritten
}
