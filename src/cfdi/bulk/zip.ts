import type { FileHandle } from 'node:fs/promises'
import { open } from 'node:fs/promises'
import { crc32, inflateRawSync } from 'node:zlib'
import type { AppError } from '../../errors.ts'
import { findDirectory, RECORD, readAt, readDirectory, type ZipRecord } from './zip-directory.ts'
import {
  memberCrc,
  memberEncrypted,
  memberMethod,
  memberRatio,
  memberSize,
  memberSymlink,
  memberTooLarge,
  memberUnreadable,
  zipDamaged,
  zipEmpty,
  zipTooLarge,
  zipTooMany,
} from './zip-errors.ts'
import { createZipIndex, type ZipIndex } from './zip-index.ts'
import { dataOffset, LOCAL_HEADER, piecesOfMember } from './zip-stream.ts'

export interface ZipLimits {
  /** Members, folders among them. */
  readonly entries: number
  /** Of all members together, unpacked. */
  readonly totalBytes: number
  /** Of one member, unpacked. */
  readonly entryBytes: number
  /** Unpacked to packed, of one member. */
  readonly ratio: number
}

/** What somebody uploads (reliability.md A2 row 11). */
export const UPLOAD_LIMITS: ZipLimits = {
  entries: 60_000,
  totalBytes: 2 * 1024 ** 3,
  entryBytes: 10 * 1024 ** 2,
  ratio: 200,
}

/** Packages of the SAT: as many CFDI as one request may bring, and members as large as those of anybody. */
export const SAT_LIMITS: ZipLimits = { ...UPLOAD_LIMITS, entries: 200_000, totalBytes: 8 * 1024 ** 3 }

export interface ZipEntry {
  /** As the archive has it: to show, through `shownName`, never to open. */
  readonly name: string
  /** Unpacked, as the archive says; what is read measures exactly this or is refused. */
  readonly bytes: number
  /** Why it is not read whatever its bytes are. */
  readonly refused: AppError | undefined
}

export interface Zip extends AsyncDisposable {
  /** How many there are, without folders. */
  readonly length: number
  /** The `i`-th in the order of the archive's index. @throws RangeError beyond the last */
  at(i: number): ZipEntry
  /** All of them. Of a large archive ask for one after the other: as objects they are more than its index. */
  readonly entries: readonly ZipEntry[]
  /** Of all entries, unpacked. */
  readonly bytes: number
  /** Bytes of a member, which have the size and the CRC that the archive says. @throws AppError `zip.*` of this member */
  read(entry: ZipEntry): Promise<Buffer>
  /** The same in pieces: only when they have ended without an error were they all, and right. */
  stream(entry: ZipEntry): AsyncGenerator<Buffer>
  close(): Promise<void>
}

/**
 * Opens an archive on disk. Only its index is read: how many members it has and how large they say to be is known, and
 * refused, before the first is unpacked; and none is unpacked beyond what it says.
 *
 * Our own reader (ADR 0014): yauzl checks neither CRC nor overlaps, and a stream for each of 50,000 small members costs
 * more than reading the CFDI in them.
 * @throws AppError `zip.*`: nothing of the archive is read
 */
export async function openZip(path: string, limits: ZipLimits = UPLOAD_LIMITS): Promise<Zip> {
  const file = await open(path, 'r')
  try {
    const { size } = await file.stat()
    if (size === 0) throw zipEmpty()
    return await index(file, size, limits)
  } catch (error) {
    await file.close()
    throw error
  }
}

async function index(file: FileHandle, size: number, limits: ZipLimits): Promise<Zip> {
  const directory = await findDirectory(file, size)
  if (directory.entries > limits.entries) throw zipTooMany(limits.entries)
  const nameBytes = directory.bytes - directory.entries * RECORD
  const lines = createZipIndex({ lines: directory.entries, nameBytes })
  /** Of the members in the index; undefined as long as none of them is a folder. */
  let places: number[] | undefined
  let bytes = 0
  for await (const record of readDirectory(file, directory)) {
    if (lines.length === limits.entries) throw zipTooMany(limits.entries)
    bytes += record.bytes
    if (bytes > limits.totalBytes) throw zipTooLarge(limits.totalBytes)
    if (isFolder(record)) places ??= Array.from({ length: lines.length }, (_, i) => i)
    else places?.push(lines.length)
    lines.add(record)
  }
  // Writers without zip64 count modulo 65,536.
  if (lines.length !== directory.entries && lines.length % 65_536 !== directory.entries) throw zipDamaged()
  // Members that share bytes are how a small archive unpacks to a large one within every other limit.
  lines.close(directory.offset)

  const windows = windowsOf(file, directory.offset)
  const close = () => file.close()
  const length = places?.length ?? lines.length
  const at = (i: number): ZipEntry => {
    if (!Number.isInteger(i) || i < 0 || i >= length) throw new RangeError(`there is no member ${i}`)
    return new Member(lines, places?.[i] ?? i, limits)
  }
  return {
    length,
    at,
    get entries() {
      return Array.from({ length }, (_, i) => at(i))
    },
    bytes,
    close,
    [Symbol.asyncDispose]: close,
    async read(entry) {
      const { record } = entry as Member
      const refused = refusalOf(record, limits)
      if (refused) throw refused
      return unpack(record, await windows(record))
    },
    async *stream(entry) {
      const { record } = entry as Member
      const refused = refusalOf(record, limits)
      if (refused) throw refused
      yield* piecesOfMember(file, record, record.method === DEFLATED)
    },
  }
}

/** A place in the index, and no more. */
class Member implements ZipEntry {
  readonly lines: ZipIndex
  readonly i: number
  readonly limits: ZipLimits
  constructor(lines: ZipIndex, i: number, limits: ZipLimits) {
    this.lines = lines
    this.i = i
    this.limits = limits
  }
  get record(): ZipRecord {
    return this.lines.at(this.i)
  }
  get name(): string {
    return this.record.name
  }
  get bytes(): number {
    return this.record.bytes
  }
  get refused(): AppError | undefined {
    return refusalOf(this.record, this.limits)
  }
}

function refusalOf(record: ZipRecord, limits: ZipLimits): AppError | undefined {
  if (record.encrypted) return memberEncrypted()
  if (record.mode !== undefined && (record.mode & S_IFMT) === S_IFLNK) return memberSymlink()
  if (record.method !== STORED && record.method !== DEFLATED) return memberMethod(record.method)
  if (record.bytes > limits.entryBytes) return memberTooLarge(limits.entryBytes)
  if (record.packed > limits.entryBytes * 2) return memberSize()
  if (record.bytes > record.packed * limits.ratio) return memberRatio(limits.ratio)
  return undefined
}

const STORED = 0
const DEFLATED = 8
const S_IFMT = 0o170000
const S_IFLNK = 0o120000

const isFolder = ({ name, bytes }: ZipRecord) => bytes === 0 && /[/\\]$/.test(name)

/**
 * The packed bytes of members. They mostly lie one after the other in the order of the index, so one read of the disk
 * serves all that fit in its window.
 */
function windowsOf(file: FileHandle, end: number): (record: ZipRecord) => Promise<Buffer> {
  let start = 0
  let window: Buffer = Buffer.alloc(0)

  const bytesAt = async (from: number, length: number): Promise<Buffer> => {
    if (from < start || from + length > start + window.length) {
      // An index that jumps back and forth would have a whole window read for each of its members.
      const goesOn = from >= start && from <= start + window.length + NEARBY
      // A new buffer, never the old one over: what was cut from it may still be in use.
      window = await readAt(file, from, Math.max(length, Math.min(goesOn ? WINDOW : NEARBY, end - from)))
      start = from
    }
    return window.subarray(from - start, from - start + length)
  }

  return async (record) => {
    const header = await bytesAt(record.offset, LOCAL_HEADER)
    return bytesAt(dataOffset(header, record), record.packed)
  }
}

/** Of a hundred members or so: a larger one outlives them, and is then garbage for long. */
const WINDOW = 256 * 1024
const NEARBY = 16 * 1024

function unpack({ method, bytes, crc }: ZipRecord, packed: Buffer): Buffer {
  // Copied: kept as it is, a small CFDI would hold its whole window in memory.
  const data = method === STORED ? Buffer.from(packed) : inflate(packed, bytes)
  if (data.length !== bytes) throw memberSize()
  if (crc32(data) !== crc) throw memberCrc()
  return data
}

function inflate(packed: Buffer, bytes: number): Buffer {
  try {
    // All in one piece, and one byte more to see one that lies: pieces of 16 KiB would be three times what a CFDI is.
    return inflateRawSync(packed, { maxOutputLength: Math.max(1, bytes), chunkSize: Math.max(64, bytes + 1) })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw memberSize()
    throw memberUnreadable(error)
  }
}
