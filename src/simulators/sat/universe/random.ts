import { createHash } from 'node:crypto'

/** A source of numbers that gives the same ones for the same labels, in any process. Not for secrets. */
export interface Random {
  /** Whole, both ends included. */
  int(from: number, to: number): number
  pick<T>(list: readonly T[]): T
  /** Upper case. */
  hex(digits: number): string
}

/** xoshiro128**, begun with the SHA-256 of the labels. */
export function createRandom(...labels: readonly (string | number)[]): Random {
  const hash = createHash('sha256').update(labels.join('\u0000')).digest()
  let [a, b, c, d] = [hash.readInt32LE(0), hash.readInt32LE(4), hash.readInt32LE(8), hash.readInt32LE(12)]
  const next = (): number => {
    const result = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0
    const t = b << 9
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= t
    d = rotate(d, 11)
    return result
  }
  const int = (from: number, to: number) => from + Math.floor((next() / 2 ** 32) * (to - from + 1))
  return {
    int,
    pick<T>(list: readonly T[]) {
      return list[int(0, list.length - 1)] as T
    },
    hex: (digits) =>
      Array.from({ length: digits }, () => int(0, 15).toString(16))
        .join('')
        .toUpperCase(),
  }
}

const rotate = (value: number, by: number): number => (value << by) | (value >>> (32 - by))

/** The folio fiscal of these labels: a version 4 UUID in upper case. */
export function uuidOf(...labels: readonly (string | number)[]): string {
  const hex = createHash('sha256')
    .update(`uuid\u0000${labels.join('\u0000')}`)
    .digest('hex')
  const variant = ((Number.parseInt(hex.slice(16, 17), 16) & 3) | 8).toString(16)
  const groups = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `4${hex.slice(13, 16)}`,
    variant + hex.slice(17, 20),
    hex.slice(20, 32),
  ]
  return groups.join('-').toUpperCase()
}
