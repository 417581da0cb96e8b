import type { ZipRecord } from './zip-directory.ts'
import { zipDamaged, zipOverlap } from './zip-errors.ts'
import { LOCAL_HEADER } from './zip-stream.ts'

/**
 * The lines of an archive's index, in columns. As objects the lines of a package of the SAT, which may be 200,000, took more
 * memory than all that is done with it: a line is made when somebody looks at it.
 */
export interface ZipIndex {
  readonly length: number
  add(record: ZipRecord): void
  at(i: number): ZipRecord
  /** Tells each member where the next begins, or the index does. @throws AppError `zip.overlap`, `zip.damaged` */
  close(end: number): void
}

/** `lines` and `nameBytes` are what the archive says, and may be wrong: with room for them it need not be copied as it grows. */
export function createZipIndex({ lines, nameBytes }: { lines: number; nameBytes: number }): ZipIndex {
  let columns = createColumns(Math.max(64, lines))
  let names = Buffer.allocUnsafeSlow(Math.max(1_024, Math.min(nameBytes, MOST_NAMES)))
  let named = 0
  let length = 0
  /** Where the index begins, once it is closed. */
  let filesEnd = 0
  /** Where the next member of each begins, of those that do not lie in the order of the index. */
  let ends: Float64Array | undefined

  function grow(): void {
    const larger = createColumns(columns.crcs.length * 2)
    for (const key of Object.keys(columns) as (keyof Columns)[]) larger[key].set(columns[key])
    columns = larger
  }

  function keepName(name: string): number {
    const bytes = Buffer.byteLength(name)
    if (named + bytes > names.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(names.length * 2, named + bytes))
      names.copy(larger, 0, 0, named)
      names = larger
    }
    names.write(name, named)
    named += bytes
    return named
  }

  const offsetOf = (i: number): number => columns.sizes[i * SIZES] ?? 0
  const endOf = (i: number): number => ends?.[i] ?? (i + 1 < length ? offsetOf(i + 1) : filesEnd)

  return {
    get length() {
      return length
    },
    add({ name, method, encrypted, crc, packed, bytes, offset, mode }) {
      if (length === columns.crcs.length) grow()
      const { sizes, crcs, methods, modes, flags, nameEnds } = columns
      sizes[length * SIZES] = offset
      sizes[length * SIZES + 1] = packed
      sizes[length * SIZES + 2] = bytes
      crcs[length] = crc
      methods[length] = method
      modes[length] = mode ?? 0
      flags[length] = (encrypted ? ENCRYPTED : 0) | (mode === undefined ? 0 : HAS_MODE)
      nameEnds[length] = keepName(name)
      length++
    },
    at(i) {
      const { sizes, crcs, methods, modes, flags, nameEnds } = columns
      const flag = flags[i] ?? 0
      return {
        offset: offsetOf(i),
        packed: sizes[i * SIZES + 1] ?? 0,
        bytes: sizes[i * SIZES + 2] ?? 0,
        end: endOf(i),
        crc: crcs[i] ?? 0,
        method: methods[i] ?? 0,
        encrypted: (flag & ENCRYPTED) !== 0,
        mode: flag & HAS_MODE ? modes[i] : undefined,
        name: names.toString('utf8', i === 0 ? 0 : nameEnds[i - 1], nameEnds[i]),
      }
    },
    close(end) {
      filesEnd = end
      const order = byOffset(length, offsetOf)
      if (order) ends = nextOf(order, offsetOf, end)
      for (let k = 0; k < length; k++) {
        const i = order?.[k] ?? k
        // The last one reaches into the index: it is none that two members share.
        if (offsetOf(i) + LOCAL_HEADER + (columns.sizes[i * SIZES + 1] ?? 0) > endOf(i))
          throw k === length - 1 ? zipDamaged() : zipOverlap()
      }
    },
  }
}

/** Offset, packed and unpacked size: of 64 bits in zip64. */
const SIZES = 3
const ENCRYPTED = 1
const HAS_MODE = 2
/** 40 bytes, which the SAT's are, of as many as a package may have, twice over: an index may claim any size. */
const MOST_NAMES = 16 * 1024 ** 2

const createColumns = (lines: number) => ({
  sizes: new Float64Array(lines * SIZES),
  crcs: new Uint32Array(lines),
  methods: new Uint16Array(lines),
  modes: new Uint16Array(lines),
  flags: new Uint8Array(lines),
  /** Where in the names its own ends. */
  nameEnds: new Uint32Array(lines),
})

type Columns = ReturnType<typeof createColumns>

function nextOf(order: Uint32Array, offsetOf: (i: number) => number, end: number): Float64Array {
  const ends = new Float64Array(order.length)
  for (let k = 0; k < order.length; k++)
    ends[order[k] as number] = k + 1 < order.length ? offsetOf(order[k + 1] as number) : end
  return ends
}

/** In the order of their places; undefined when they lie in it, as they mostly do. */
function byOffset(length: number, offsetOf: (i: number) => number): Uint32Array | undefined {
  let sorted = true
  for (let i = 1; i < length && sorted; i++) sorted = offsetOf(i - 1) <= offsetOf(i)
  if (sorted) return undefined
  return Uint32Array.from({ length }, (_, i) => i).sort((a, b) => offsetOf(a) - offsetOf(b))
}
