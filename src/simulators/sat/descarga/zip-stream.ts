import { setImmediate as nextTurn } from 'node:timers/promises'
import { crc32, createDeflateRaw, deflateRawSync } from 'node:zlib'

/** A member whose content is made when its turn comes. */
export interface Miembro {
  readonly name: string
  /** Whole, or in pieces of text when it is too large for that. */
  content(): Buffer | Iterable<string>
  /** Says another checksum than its own. */
  badCrc?: boolean
}

/**
 * A ZIP archive as a stream: no more of it is in memory than one member and the directory. Sizes stand before the data,
 * as in the SAT's. Layout: APPNOTE.TXT 4.3, zip64 (4.3.14) for more than 65,534 members or 4 GiB.
 */
export async function* zipStream(members: Iterable<Miembro>): AsyncGenerator<Buffer> {
  const directory: Buffer[] = []
  let records: Buffer[] = []
  let pending: Buffer[] = []
  let pendingBytes = 0
  let at = 0
  let count = 0
  for (const member of members) {
    const name = Buffer.from(member.name)
    const { crc, bytes, packed, packedBytes } = await pack(member)
    const said = member.badCrc ? crc ^ 1 : crc
    records.push(record(name, { crc: said, bytes, packedBytes, at }))
    const parts = [header(name, { crc: said, bytes, packedBytes }), ...packed]
    const size = 30 + name.length + packedBytes
    at += size
    count += 1
    pending.push(...parts)
    pendingBytes += size
    if (pendingBytes >= CHUNK) {
      yield Buffer.concat(pending)
      // What zlib holds natively for each member is only given back when the event loop turns.
      await nextTurn()
      pending = []
      pendingBytes = 0
      // A small buffer keeps alive the whole slab it is cut from, and what zlib packed into lies beside it.
      directory.push(copied(records))
      records = []
    }
  }
  const index = Buffer.concat([...directory, ...records])
  yield Buffer.concat([...pending, index, end(count, at, index.length)])
}

const CHUNK = 64 * 1024

const copied = (parts: readonly Buffer[]) => {
  const out = Buffer.alloc(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) at += part.copy(out, at)
  return out
}

interface Packed {
  crc: number
  bytes: number
  packed: Buffer[]
  packedBytes: number
}

async function pack(member: Miembro): Promise<Packed> {
  const content = member.content()
  if (Buffer.isBuffer(content)) {
    const packed = deflateRawSync(content, { level: 1 })
    return { crc: crc32(content) >>> 0, bytes: content.length, packed: [packed], packedBytes: packed.length }
  }
  let crc = 0
  let bytes = 0
  const deflate = createDeflateRaw({ level: 1 })
  const packed: Buffer[] = []
  deflate.on('data', (chunk: Buffer) => packed.push(chunk))
  const ended = new Promise((resolve, reject) => deflate.on('end', resolve).on('error', reject))
  for (const piece of piecesOf(content)) {
    crc = crc32(piece, crc)
    bytes += piece.length
    if (!deflate.write(piece)) await new Promise((resolve) => deflate.once('drain', resolve))
  }
  deflate.end()
  await ended
  return { crc: crc >>> 0, bytes, packed, packedBytes: packed.reduce((sum, { length }) => sum + length, 0) }
}

function* piecesOf(lines: Iterable<string>): Iterable<Buffer> {
  let piece = ''
  for (const line of lines) {
    piece += line
    if (piece.length < CHUNK) continue
    yield Buffer.from(piece)
    piece = ''
  }
  if (piece !== '') yield Buffer.from(piece)
}

/** UTF-8 names; a date that every archive has: content must not depend on when it is packed. */
const FLAGS = 0x0800
const DATE = ((2026 - 1980) << 9) | (1 << 5) | 1

function header(
  name: Buffer,
  { crc, bytes, packedBytes }: { crc: number; bytes: number; packedBytes: number },
): Buffer {
  const out = Buffer.alloc(30)
  out.writeUInt32LE(0x04034b50, 0)
  out.writeUInt16LE(20, 4)
  out.writeUInt16LE(FLAGS, 6)
  out.writeUInt16LE(8, 8)
  out.writeUInt16LE(DATE, 12)
  out.writeUInt32LE(crc >>> 0, 14)
  out.writeUInt32LE(packedBytes, 18)
  out.writeUInt32LE(bytes, 22)
  out.writeUInt16LE(name.length, 26)
  return Buffer.concat([out, name])
}

function record(
  name: Buffer,
  { crc, bytes, packedBytes, at }: { crc: number; bytes: number; packedBytes: number; at: number },
): Buffer {
  const far = at > 0xfffffffe
  const out = Buffer.alloc(46)
  out.writeUInt32LE(0x02014b50, 0)
  out.writeUInt16LE(far ? 45 : 20, 4)
  out.writeUInt16LE(far ? 45 : 20, 6)
  out.writeUInt16LE(FLAGS, 8)
  out.writeUInt16LE(8, 10)
  out.writeUInt16LE(DATE, 14)
  out.writeUInt32LE(crc >>> 0, 16)
  out.writeUInt32LE(packedBytes, 20)
  out.writeUInt32LE(bytes, 24)
  out.writeUInt16LE(name.length, 28)
  out.writeUInt16LE(far ? 12 : 0, 30)
  out.writeUInt32LE(far ? 0xffffffff : at, 42)
  if (!far) return Buffer.concat([out, name])
  const extra = Buffer.alloc(12)
  extra.writeUInt16LE(1, 0)
  extra.writeUInt16LE(8, 2)
  extra.writeBigUInt64LE(BigInt(at), 4)
  return Buffer.concat([out, name, extra])
}

function end(count: number, at: number, bytes: number): Buffer {
  const far = count > 0xfffe || at + bytes > 0xfffffffe
  const long = Buffer.alloc(far ? 76 : 0)
  if (far) {
    long.writeUInt32LE(0x06064b50, 0)
    long.writeBigUInt64LE(44n, 4)
    long.writeUInt16LE(45, 12)
    long.writeUInt16LE(45, 14)
    long.writeBigUInt64LE(BigInt(count), 24)
    long.writeBigUInt64LE(BigInt(count), 32)
    long.writeBigUInt64LE(BigInt(bytes), 40)
    long.writeBigUInt64LE(BigInt(at), 48)
    long.writeUInt32LE(0x07064b50, 56)
    long.writeBigUInt64LE(BigInt(at + bytes), 64)
    long.writeUInt32LE(1, 72)
  }
  const out = Buffer.alloc(22)
  out.writeUInt32LE(0x06054b50, 0)
  out.writeUInt16LE(far ? 0xffff : count, 8)
  out.writeUInt16LE(far ? 0xffff : count, 10)
  out.writeUInt32LE(far ? 0xffffffff : bytes, 12)
  out.writeUInt32LE(far ? 0xffffffff : at, 16)
  return Buffer.concat([long, out])
}
