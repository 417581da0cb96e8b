import type { FileHandle } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { crc32, createInflateRaw } from 'node:zlib'
import { AppError } from '../../errors.ts'
import { readAt, type ZipRecord } from './zip-directory.ts'
import { memberCrc, memberSize, memberUnreadable, zipDamaged, zipOverlap } from './zip-errors.ts'

export const LOCAL_HEADER = 30

/** Where the bytes of a member begin, by its local header. @throws AppError `zip.damaged`, `zip.overlap` */
export function dataOffset(header: Buffer, { offset, packed, end }: ZipRecord): number {
  if (header.readUInt32LE(0) !== 0x04034b50) throw zipDamaged()
  const data = offset + LOCAL_HEADER + header.readUInt16LE(26) + header.readUInt16LE(28)
  // How long its local header is stands in itself only.
  if (data + packed > end) throw zipOverlap()
  return data
}

/**
 * A member in pieces of 64 KiB, for those that memory should not hold whole. It never gives more than the archive says the
 * member has; that it is all of it, and right, is only known when it ends without an error.
 * @throws AppError `zip.*`
 */
export async function* piecesOfMember(file: FileHandle, record: ZipRecord, deflated: boolean): AsyncGenerator<Buffer> {
  const data = dataOffset(await readAt(file, record.offset, LOCAL_HEADER), record)
  const packed = packedPieces(file, data, record.packed)
  let bytes = 0
  let crc = 0
  for await (const piece of deflated ? inflated(packed) : packed) {
    bytes += piece.length
    if (bytes > record.bytes) throw memberSize()
    crc = crc32(piece, crc)
    yield piece
  }
  if (bytes !== record.bytes) throw memberSize()
  if (crc !== record.crc) throw memberCrc()
}

async function* packedPieces(file: FileHandle, from: number, length: number): AsyncGenerator<Buffer> {
  for (let done = 0; done < length; done += PIECE) yield readAt(file, from + done, Math.min(PIECE, length - done))
}

const PIECE = 64 * 1024

async function* inflated(packed: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const inflate = createInflateRaw({ chunkSize: PIECE })
  const fed = pipeline(packed, inflate)
  fed.catch(() => undefined) // what goes wrong there is what the reading of it throws
  try {
    for await (const piece of inflate) yield piece as Buffer
  } catch (error) {
    throw error instanceof AppError ? error : isOfZlib(error) ? memberUnreadable(error) : error
  } finally {
    inflate.destroy()
    await fed.catch(() => undefined)
  }
}

const isOfZlib = (error: unknown) => /^Z_/.test((error as NodeJS.ErrnoException).code ?? '')
