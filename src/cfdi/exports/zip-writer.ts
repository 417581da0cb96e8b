import { once } from 'node:events'
import { promisify } from 'node:util'
import { crc32, createDeflateRaw, deflateRaw, deflateRawSync } from 'node:zlib'
import type { Output } from './output.ts'
import {
  centralRecord,
  DEFLATED,
  endRecords,
  localHeader,
  type MemberRecord,
  type Method,
  MOST_32,
  SIZES_AT,
  STORED,
  sizesOf,
} from './zip-records.ts'

/**
 * Writes a ZIP archive of any size in the memory of one member: what the index will say is kept in a second file until
 * the end. zip64 where it is needed and only there (more than 65,534 members, more than 4 GiB before one).
 */
export interface ZipWriter {
  readonly members: number
  add(name: string, fecha: string, packed: Packed): Promise<void>
  /** A member of unknown length, packed as it comes. One at a time; nothing else is added until it has ended. */
  begin(name: string, fecha: string): Promise<Member>
  /** Writes the index. The outputs stay open. */
  end(): Promise<void>
}

export interface Member {
  /** Before it is packed. */
  readonly bytes: number
  write(piece: string | Uint8Array): Promise<void>
  end(): Promise<void>
}

/** A member that is ready to be written: packing is what takes time, and several can be packed at once. */
export interface Packed {
  readonly method: Method
  readonly crc: number
  readonly bytes: number
  readonly data: Uint8Array
}

/** A member may not be larger: Excel does not open archives whose members need zip64. */
export const MOST_BYTES = MOST_32 - 1

/** Up to here handing it to another thread costs more than doing it: half of what an archive of CFDI took. */
export const SMALL = 65_536
const LEVEL = { level: 6 }

export async function pack(bytes: Uint8Array, { alreadyDense = false } = {}): Promise<Packed> {
  const known = { crc: crc32(bytes), bytes: bytes.length }
  if (alreadyDense) return { ...known, method: STORED, data: bytes }
  const data = bytes.length <= SMALL ? deflateRawSync(bytes, LEVEL) : await deflate(bytes, LEVEL)
  return data.length < bytes.length ? { ...known, method: DEFLATED, data } : { ...known, method: STORED, data: bytes }
}

export function createZip(output: Output, index: Output): ZipWriter {
  let members = 0

  const note = async (record: MemberRecord, at: number) => {
    await index.write(centralRecord(record, at))
    members++
  }

  return {
    get members() {
      return members
    },
    async add(name, fecha, { data, ...known }) {
      const record = { ...known, packed: data.length, name: Buffer.from(name), fecha }
      const at = output.position
      await output.write(localHeader(record))
      await output.write(data)
      await note(record, at)
    },
    async begin(name, fecha) {
      const at = output.position
      const unknown = { name: Buffer.from(name), fecha, method: DEFLATED, crc: 0, packed: 0, bytes: 0 } as const
      await output.write(localHeader(unknown))
      return packAsItComes(output, async (sizes) => {
        await output.patch(at + SIZES_AT, sizesOf(sizes))
        await note({ ...unknown, ...sizes }, at)
      })
    },
    async end() {
      const at = output.position
      for await (const chunk of index.read()) await output.write(chunk)
      await output.write(endRecords({ at, bytes: output.position - at, members }))
    },
  }
}

function packAsItComes(output: Output, done: (sizes: { crc: number; packed: number; bytes: number }) => Promise<void>) {
  // Rows of a sheet repeat themselves so much that the fastest level packs them to a tenth.
  const stream = createDeflateRaw({ level: 3 })
  let crc = 0
  let bytes = 0
  let packed = 0
  const copying = (async () => {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      packed += chunk.length
      await output.write(chunk)
    }
  })()
  copying.catch((error: Error) => stream.destroy(error)) // whoever writes or ends it is told
  return {
    get bytes() {
      return bytes
    },
    async write(piece: string | Uint8Array) {
      const buffer = typeof piece === 'string' ? Buffer.from(piece) : piece
      bytes += buffer.length
      if (bytes > MOST_BYTES) throw new RangeError('a member of the archive is too large')
      crc = crc32(buffer, crc)
      if (!stream.write(buffer)) await Promise.race([once(stream, 'drain'), copying])
    },
    async end() {
      stream.end()
      await copying
      await done({ crc, packed, bytes })
    },
  }
}

const deflate = promisify(deflateRaw)
