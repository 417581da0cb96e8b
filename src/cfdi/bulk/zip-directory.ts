import type { FileHandle } from 'node:fs/promises'
import { decodeName } from './shown-name.ts'
import { notZip, zipDamaged, zipSplit, zipTruncated } from './zip-errors.ts'

/** Where an archive has its index: APPNOTE.TXT 4.3.12 to 4.3.16. */
export interface ZipDirectory {
  offset: number
  bytes: number
  /** As it says; archives of more than 65,535 without zip64 say the rest of a division. */
  entries: number
}

/** A line of the index. */
export interface ZipRecord {
  readonly name: string
  readonly method: number
  readonly encrypted: boolean
  readonly crc: number
  readonly packed: number
  readonly bytes: number
  /** Of its local header. */
  readonly offset: number
  /** Rights and kind of file, when written on Unix. */
  readonly mode: number | undefined
  /** Where the next member begins: what this one must not reach. */
  end: number
}

/** Finds the index from the end of the file. @throws AppError `zip.not_zip`, `zip.truncated`, `zip.damaged`, `zip.split` */
export async function findDirectory(file: FileHandle, size: number): Promise<ZipDirectory> {
  const length = Math.min(size, END + 0xffff + 20)
  const tail = await readAt(file, size - length, length)
  const at = findEnd(tail)
  if (at === undefined) throw await kindOf(file, size)
  const end = tail.subarray(at)
  const disks = [end.readUInt16LE(4), end.readUInt16LE(6)]
  let directory = { offset: end.readUInt32LE(16), bytes: end.readUInt32LE(12), entries: end.readUInt16LE(10) }
  let before = size - length + at
  const locator = at >= LOCATOR ? tail.subarray(at - LOCATOR, at) : undefined
  if (locator?.readUInt32LE(0) === 0x07064b50) {
    const found = await readZip64End(file, locator, before)
    directory = found.directory
    before = found.at
  } else if (disks.some((disk) => disk !== 0)) throw zipSplit()
  // Exactly before its end record: bytes in between, or in front of the archive, are some other reader's archive.
  if (directory.offset + directory.bytes !== before) throw zipDamaged()
  return directory
}

/** The lines of the index, read in pieces: names and comments may make it as large as the file. */
export async function* readDirectory(file: FileHandle, { offset, bytes }: ZipDirectory): AsyncGenerator<ZipRecord> {
  const end = offset + bytes
  let piece = Buffer.alloc(0)
  let at = 0
  let next = offset
  const have = async (length: number) => {
    if (at + length <= piece.length) return
    const rest = piece.subarray(at)
    if (rest.length + (end - next) < length) throw zipDamaged()
    const more = await readAt(file, next, Math.min(end - next, Math.max(PIECE, length - rest.length)))
    next += more.length
    piece = Buffer.concat([rest, more])
    at = 0
  }
  while (at < piece.length || next < end) {
    // Awaited only where something is to be read: of 200,000 lines all but a few lie in memory.
    if (at + RECORD > piece.length) await have(RECORD)
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((field) => piece.readUInt16LE(at + field)) as [
      number,
      number,
      number,
    ]
    if (piece.readUInt32LE(at) !== 0x02014b50) throw zipDamaged()
    const length = RECORD + nameLength + extraLength + commentLength
    if (at + length > piece.length) await have(length)
    const line = piece.subarray(at, at + RECORD + nameLength + extraLength)
    at += length
    yield recordOf(line, nameLength)
  }
}

/** @throws AppError `zip.truncated` where the file ends before */
export async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafeSlow(length)
  for (let done = 0; done < length; ) {
    const { bytesRead } = await file.read(buffer, done, length - done, position + done)
    if (bytesRead === 0) throw zipTruncated()
    done += bytesRead
  }
  return buffer
}

const END = 22
const LOCATOR = 20
const ZIP64_END = 56
/** A line of the index without its name, extra field and comment. */
export const RECORD = 46
const PIECE = 256 * 1024
const LONGEST_NAME = 2048
const MAX32 = 0xffffffff
const MADE_ON_UNIX = [3, 19]

/** The last end record whose comment does not reach beyond the file; a line break or so may follow it. */
function findEnd(tail: Buffer): number | undefined {
  for (let at = tail.length - END; at >= 0; at--)
    if (tail.readUInt32LE(at) === 0x06054b50 && at + END + tail.readUInt16LE(at + 20) <= tail.length) return at
  return undefined
}

async function kindOf(file: FileHandle, size: number) {
  const begins = size >= 4 ? (await readAt(file, 0, 4)).readUInt32LE(0) : 0
  return begins === 0x04034b50 ? zipTruncated() : begins === 0x08074b50 ? zipSplit() : notZip()
}

async function readZip64End(file: FileHandle, locator: Buffer, locatorEnd: number) {
  const at = count(locator.readBigUInt64LE(8))
  if (locator.readUInt32LE(16) > 1) throw zipSplit()
  if (at + ZIP64_END > locatorEnd - LOCATOR) throw zipDamaged()
  const end = await readAt(file, at, ZIP64_END)
  if (end.readUInt32LE(0) !== 0x06064b50) throw zipDamaged()
  const [entries, bytes, offset] = [32, 40, 48].map((field) => count(end.readBigUInt64LE(field))) as [
    number,
    number,
    number,
  ]
  return { at, directory: { offset, bytes, entries } }
}

function recordOf(line: Buffer, nameLength: number): ZipRecord {
  const flags = line.readUInt16LE(8)
  const name = line.subarray(RECORD, RECORD + nameLength)
  const sizes = zip64Of(line, line.subarray(RECORD + nameLength))
  return {
    name: decodeName(endOf(name), (flags & 0x800) !== 0),
    method: line.readUInt16LE(10),
    // Bit 0, strong encryption, hidden headers, and the method of AES.
    encrypted: (flags & 0x2041) !== 0 || line.readUInt16LE(10) === 99,
    crc: line.readUInt32LE(16),
    ...sizes,
    mode: MADE_ON_UNIX.includes(line[5] ?? 0) ? line.readUInt16LE(40) : undefined,
    end: 0,
  }
}

/** What is shown of a name, and says what the file is. A thousand names of 64 kB would be kept for nothing. */
function endOf(name: Buffer): Buffer {
  if (name.length <= LONGEST_NAME) return name
  const end = name.subarray(-LONGEST_NAME)
  // Not in the middle of a character of UTF-8.
  return end.subarray(
    Math.max(
      0,
      end.subarray(0, 4).findIndex((byte) => (byte & 0xc0) !== 0x80),
    ),
  )
}

/** Sizes and place of a member, of 32 bits or, where these are full, of 64 in its extra field 1. */
function zip64Of(line: Buffer, extra: Buffer): { bytes: number; packed: number; offset: number } {
  const short = { bytes: line.readUInt32LE(24), packed: line.readUInt32LE(20), offset: line.readUInt32LE(42) }
  if (short.bytes !== MAX32 && short.packed !== MAX32 && short.offset !== MAX32) return short
  const long = extraField(extra, 1)
  let at = 0
  const next = (value: number) => {
    if (value !== MAX32) return value
    if (!long || at + 8 > long.length) throw zipDamaged()
    at += 8
    return count(long.readBigUInt64LE(at - 8))
  }
  return { bytes: next(short.bytes), packed: next(short.packed), offset: next(short.offset) }
}

function extraField(extra: Buffer, id: number): Buffer | undefined {
  for (let at = 0; at + 4 <= extra.length; ) {
    const length = extra.readUInt16LE(at + 2)
    if (extra.readUInt16LE(at) === id) return extra.subarray(at + 4, at + 4 + length)
    at += 4 + length
  }
  return undefined
}

/** Sums of them must stay exact. */
function count(value: bigint): number {
  if (value > 2n ** 50n) throw zipDamaged()
  return Number(value)
}
