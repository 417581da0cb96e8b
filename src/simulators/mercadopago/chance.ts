/** What keeps the generator's place. Same seed, same draws: the same history. */
interface Generator {
  random: number
  serial: number
}

/** From 0 to less than 1 (mulberry32). */
export function draw(generator: Generator): number {
  generator.random = (generator.random + 0x6d2b79f5) >>> 0
  let mixed = generator.random
  mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
}

export function drawHex(generator: Generator, digits: number): string {
  return Array.from({ length: digits }, () => Math.floor(draw(generator) * 16).toString(16)).join('')
}

export function drawUuid(generator: Generator): string {
  const hex = drawHex(generator, 32)
  const variant = '89ab'[Math.floor(draw(generator) * 4)]
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20)}`
}

/** Another order of the same items; never the one they had, as long as there are two. */
export function shuffled<T>(generator: Generator, items: readonly T[]): T[] {
  const other = [...items]
  for (let i = other.length - 1; i > 0; i--) {
    const j = Math.floor(draw(generator) * (i + 1))
    ;[other[i], other[j]] = [other[j] as T, other[i] as T]
  }
  return other.every((item, i) => item === items[i]) ? other.reverse() : other
}

/** Ids of one kind start with the same digits, so that a person sees in a log what a number is. */
const FIRST = {
  payment: 134_000_000_000,
  instalment: 7_015_000_000,
  refund: 2_310_000_000,
  chargeback: 217_000_000_000_000,
  event: 119_000_000_000,
  payer: 2_090_000_000,
  card: 9_650_000_000,
  delivery: 0,
  due: 0,
  fault: 0,
} as const

export function nextId(generator: Generator, kind: keyof typeof FIRST): string {
  generator.serial += 1
  return String(FIRST[kind] + generator.serial)
}
