/**
 * The records of a ZIP archive (APPNOTE.TXT 6.3.10), little endian. Sizes of members are known when their records are
 * final, so there are no data descriptors: some readers, Excel's among them, refuse one thing or the other about those.
 */
export interface MemberRecord {
  readonly name: Buffer
  readonly method: Method
  readonly crc: number
  readonly packed: number
  readonly bytes: number
  /** Civil time `YYYY-MM-DDTHH:MM:SS`, of which the format keeps two seconds each. */
  readonly fecha: string
}

export const STORED = 0
export const DEFLATED = 8
export type Method = typeof STORED | typeof DEFLATED

/** Above it a number does not fit in its field: the field is full, and the number stands elsewhere (zip64). */
export const MOST_32 = 0xffff_ffff
export const MOST_16 = 0xffff

export function localHeader(member: MemberRecord): Buffer {
  const record = Buffer.alloc(30)
  record.writeUInt32LE(0x04034b50, 0)
  record.writeUInt16LE(20, 4)
  writeCommon(record, 6, member)
  return Buffer.concat([record, member.name])
}

/** Of a local header: where its CRC and the two sizes stand. */
export const SIZES_AT = 14

export function sizesOf({ crc, packed, bytes }: Pick<MemberRecord, 'crc' | 'packed' | 'bytes'>): Buffer {
  const record = Buffer.alloc(12)
  record.writeUInt32LE(crc, 0)
  record.writeUInt32LE(packed, 4)
  record.writeUInt32LE(bytes, 8)
  return record
}

/** The line of a member in the index of the archive; `at` is where its local header begins. */
export function centralRecord(member: MemberRecord, at: number): Buffer {
  const far = at >= MOST_32
  const record = Buffer.alloc(46)
  record.writeUInt32LE(0x02014b50, 0)
  record.writeUInt16LE((UNIX << 8) | (far ? 45 : 20), 4)
  record.writeUInt16LE(far ? 45 : 20, 6)
  writeCommon(record, 8, member)
  record.writeUInt16LE(far ? 12 : 0, 30)
  record.writeUInt32LE((0o100644 << 16) >>> 0, 38)
  record.writeUInt32LE(far ? MOST_32 : at, 42)
  if (!far) return Buffer.concat([record, member.name])
  const extra = Buffer.alloc(12)
  extra.writeUInt16LE(1, 0)
  extra.writeUInt16LE(8, 2)
  extra.writeBigUInt64LE(BigInt(at), 4)
  return Buffer.concat([record, member.name, extra])
}

/** The end of the archive: where its index is, in the form that holds more only where there is more. */
export function endRecords(index: { at: number; bytes: number; members: number }): Buffer {
  const { at, bytes, members } = index
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(Math.min(members, MOST_16), 8)
  end.writeUInt16LE(Math.min(members, MOST_16), 10)
  end.writeUInt32LE(Math.min(bytes, MOST_32), 12)
  end.writeUInt32LE(Math.min(at, MOST_32), 16)
  if (members < MOST_16 && at < MOST_32 && bytes < MOST_32) return end
  const end64 = Buffer.alloc(56)
  end64.writeUInt32LE(0x06064b50, 0)
  end64.writeBigUInt64LE(44n, 4)
  end64.writeUInt16LE((UNIX << 8) | 45, 12)
  end64.writeUInt16LE(45, 14)
  end64.writeBigUInt64LE(BigInt(members), 24)
  end64.writeBigUInt64LE(BigInt(members), 32)
  end64.writeBigUInt64LE(BigInt(bytes), 40)
  end64.writeBigUInt64LE(BigInt(at), 48)
  const locator = Buffer.alloc(20)
  locator.writeUInt32LE(0x07064b50, 0)
  locator.writeBigUInt64LE(BigInt(at + bytes), 8)
  locator.writeUInt32LE(1, 16)
  return Buffer.concat([end64, locator, end])
}

/** What the two records of a member have alike: from the flags to the length of the name. */
function writeCommon(record: Buffer, at: number, member: MemberRecord): void {
  const { name, method, crc, packed, bytes, fecha } = member
  record.writeUInt16LE(UTF8, at)
  record.writeUInt16LE(method, at + 2)
  record.writeUInt32LE(dosTime(fecha), at + 4)
  record.writeUInt32LE(crc, at + 8)
  record.writeUInt32LE(packed, at + 12)
  record.writeUInt32LE(bytes, at + 16)
  record.writeUInt16LE(name.length, at + 20)
}

const UNIX = 3
/** Names are UTF-8. */
const UTF8 = 0x0800

/** Date above time. Nothing before 1980 has one. */
function dosTime(fecha: string): number {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = fecha.split(/\D/).map(Number)
  if (year < 1980 || year > 2107) return (1 << 21) | (1 << 16)
  const date = ((year - 1980) << 9) | (month << 5) | day
  return ((date << 16) | (hour << 11) | (minute << 5) | (second >> 1)) >>> 0
}
