import { crc32, deflateRawSync } from 'node:zlib'

/** A member of an archive of our own making; what it says of itself may be a lie. */
export interface ZipMember {
  name: string | Buffer
  data?: string | Buffer
  stored?: boolean
  says?: { bytes?: number; packed?: number; crc?: number; offset?: number; method?: number }
  flags?: number
  /** Unix rights and kind. */
  mode?: number
  /** Sizes and place in the extra field of zip64. */
  zip64?: boolean
}

export interface ArchiveOptions {
  /** With the end record of zip64. */
  zip64?: boolean
  says?: { entries?: number; directoryOffset?: number; directoryBytes?: number }
  comment?: string
  before?: Buffer
}

/** A ZIP, byte by byte. */
export function zipArchive(members: readonly ZipMember[], options: ArchiveOptions = {}): Buffer {
  const local: Buffer[] = [options.before ?? Buffer.alloc(0)]
  const index: Buffer[] = []
  let at = local[0]?.length ?? 0
  for (const member of members) {
    const name = Buffer.from(member.name)
    const data = Buffer.from(member.data ?? '')
    const packed = member.stored ? data : deflateRawSync(data)
    const { says = {}, flags = 0x800, zip64 = false } = member
    const method = says.method ?? (member.stored ? 0 : 8)
    const crc = says.crc ?? crc32(data)
    const sizes = { packed: says.packed ?? packed.length, bytes: says.bytes ?? data.length, offset: says.offset ?? at }

    const header = Buffer.alloc(30)
    header.writeUInt32LE(0x04034b50, 0)
    header.writeUInt16LE(20, 4)
    header.writeUInt16LE(flags, 6)
    header.writeUInt16LE(method, 8)
    header.writeUInt32LE(crc, 14)
    header.writeUInt32LE(zip64 ? 0xffffffff : sizes.packed, 18)
    header.writeUInt32LE(zip64 ? 0xffffffff : sizes.bytes, 22)
    header.writeUInt16LE(name.length, 26)
    local.push(header, name, packed)
    at += header.length + name.length + packed.length

    const extra = zip64 ? longSizes(sizes) : Buffer.alloc(0)
    const record = Buffer.alloc(46)
    record.writeUInt32LE(0x02014b50, 0)
    record.writeUInt16LE(member.mode === undefined ? 20 : (3 << 8) | 20, 4)
    record.writeUInt16LE(20, 6)
    record.writeUInt16LE(flags, 8)
    record.writeUInt16LE(method, 10)
    record.writeUInt32LE(crc, 16)
    record.writeUInt32LE(zip64 ? 0xffffffff : sizes.packed, 20)
    record.writeUInt32LE(zip64 ? 0xffffffff : sizes.bytes, 24)
    record.writeUInt16LE(name.length, 28)
    record.writeUInt16LE(extra.length, 30)
    record.writeUInt32LE(((member.mode ?? 0) << 16) >>> 0, 38)
    record.writeUInt32LE(zip64 ? 0xffffffff : sizes.offset, 42)
    index.push(record, name, extra)
  }
  const directory = Buffer.concat(index)
  return Buffer.concat([...local, directory, ...ends(members.length, at, directory.length, options)])
}

function longSizes(sizes: { bytes: number; packed: number; offset: number }): Buffer {
  const extra = Buffer.alloc(28)
  extra.writeUInt16LE(1, 0)
  extra.writeUInt16LE(24, 2)
  extra.writeBigUInt64LE(BigInt(sizes.bytes), 4)
  extra.writeBigUInt64LE(BigInt(sizes.packed), 12)
  extra.writeBigUInt64LE(BigInt(sizes.offset), 20)
  return extra
}

function ends(
  count: number,
  offset: number,
  bytes: number,
  { zip64, says = {}, comment = '' }: ArchiveOptions,
): Buffer[] {
  const entries = says.entries ?? count
  const directoryOffset = says.directoryOffset ?? offset
  const directoryBytes = says.directoryBytes ?? bytes
  const long = Buffer.alloc(76)
  long.writeUInt32LE(0x06064b50, 0)
  long.writeBigUInt64LE(44n, 4)
  long.writeBigUInt64LE(BigInt(entries), 24)
  long.writeBigUInt64LE(BigInt(entries), 32)
  long.writeBigUInt64LE(BigInt(directoryBytes), 40)
  long.writeBigUInt64LE(BigInt(directoryOffset), 48)
  long.writeUInt32LE(0x07064b50, 56)
  long.writeBigUInt64LE(BigInt(offset + bytes), 64)
  long.writeUInt32LE(1, 72)
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(zip64 ? 0xffff : entries & 0xffff, 8)
  end.writeUInt16LE(zip64 ? 0xffff : entries & 0xffff, 10)
  end.writeUInt32LE(zip64 ? 0xffffffff : directoryBytes, 12)
  end.writeUInt32LE(zip64 ? 0xffffffff : directoryOffset, 16)
  end.writeUInt16LE(Buffer.byteLength(comment), 20)
  return [...(zip64 ? [long] : []), end, Buffer.from(comment)]
}
