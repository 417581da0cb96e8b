import { type Decimal, parseDecimal, ZERO } from '../../fiscal/money.ts'

/**
 * `parseDecimal` for the amounts that CFDI are full of, several times as fast: digits and a point, few enough to be counted
 * exactly by a number. Whatever is anything else is left to `parseDecimal` itself, so both always say the same.
 * @throws RangeError
 */
export function readDecimal(text: string, places: number): Decimal {
  const length = text.length
  if (length === 0 || length > 15) return parseDecimal(text, { places })
  let value = 0
  let point = -1
  // As far as the last decimal that is not zero: the ones behind it say nothing.
  let units = 0
  let decimals = 0
  for (let i = 0; i < length; i++) {
    const digit = text.charCodeAt(i) - 0x30
    if (digit >= 0 && digit <= 9) {
      value = value * 10 + digit
      if (digit !== 0 && point >= 0) {
        units = value
        decimals = i - point
      }
    } else if (digit === -2 && point < 0 && i > 0) {
      point = i
      units = value
    } else {
      return parseDecimal(text, { places })
    }
  }
  if (point < 0) units = value
  if ((point < 0 ? length : point) > 12 || decimals > places) return parseDecimal(text, { places })
  if (units === 0) return ZERO
  return { units: bigintOf(units), places: decimals }
}

/** `BigInt` of a whole number below 2^53, without the call into the engine: the halves are laid side by side and read as one. */
function bigintOf(units: number): bigint {
  HALVES[LOW] = units
  HALVES[1 - LOW] = units / 4_294_967_296
  return WHOLE[0]!
}

const WHOLE = new BigUint64Array(1)
const HALVES = new Uint32Array(WHOLE.buffer)
WHOLE[0] = 1n
const LOW = HALVES[0] === 1 ? 0 : 1
