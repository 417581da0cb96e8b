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
  let capacity = Math.max(64, lines)
  let numbers = new Float64Array(capacity * NUMBERS)
  let names = Buffer.alloc(Math.max(1_024, Math.min(nameBytes, MOST_NAMES)))
  let named = 0
  let length = 0

  function grow(): void {
    capacity *= 2
    const larger = new Float64Array(capacity * NUMBERS)
    larger.set(numbers)
    numbers = larger
  }

  function keepName(name: string): number {
    const bytes = Buffer.byteLength(name)
    if (named + bytes > names.length) {
      const larger = Buffer.alloc(Math.max(names.length * 2, named + bytes))
      names.copy(larger, 0, 0, named)
      names = larger
    }
    names.write(name, named)
    named += bytes
    return named
  }

  const get = (i: number, column: number): number => numbers[i * NUMBERS + column] ?? 0

  return {
    get length() {
      return length
    },
    add({ name, method, encrypted, crc, packed, bytes, offset, mode, end }) {
      if (length === capacity) grow()
      const line = [offset, packed, bytes, end, crc, method, Number(encrypted), mode ?? NO_MODE, keepName(name)]
      numbers.set(line, length * NUMBERS)
      length++
    },
    at(i) {
      const mode = get(i, 7)
      return {
        offset: get(i, 0),
        packed: get(i, 1),
        bytes: get(i, 2),
        end: get(i, 3),
        crc: get(i, 4),
        method: get(i, 5),
        encrypted: get(i, 6) === 1,
        mode: mode === NO_MODE ? undefined : mode,
        name: names.toString('utf8', i === 0 ? 0 : get(i - 1, 8), get(i, 8)),
      }
    },
    close(end) {
      const order = byOffset(length, (i) => get(i, 0))
      for (let k = 0; k < length; k++) {
        const i = order ? (order[k] as number) : k
        const next = k + 1 < length ? get(order ? (order[k + 1] as number) : k + 1, 0) : end
        numbers[i * NUMBERS + 3] = next
        // The last one reaches into the index: it is none that two members share.
        if (get(i, 0) + LOCAL_HEADER + get(i, 1) > next) throw k === length - 1 ? zipDamaged() : zipOverlap()
      }
    },
  }
}

const NUMBERS = 9
/** 40 bytes, which the SAT's are, of as many as a package may have, twice over: an index may claim any size. */
const MOST_NAMES = 16 * 1024 ** 2
const NO_MODE = -1

/** In the order of their places; undefined when they lie in it, as they mostly do. */
function byOffset(length: number, offsetOf: (i: number) => number): Uint32Array | undefined {
  let sorted = true
  for (let i = 1; i < length && sorted; i++) sorted = offsetOf(i - 1) <= offsetOf(i)
  if (sorted) return undefined
  return Uint32Array.from({ length }, (_, i) => i).sort((a, b) => offsetOf(a) - offsetOf(b))
}
