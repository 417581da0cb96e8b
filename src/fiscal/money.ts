/** Whole centavos of a peso. The only form in which amounts are added up. */
export type Centavos = bigint

/** An exact decimal number, `units / 10^places`: an amount in any currency, a rate, an exchange rate. */
export interface Decimal {
  readonly units: bigint
  readonly places: number
}

/**
 * Reads the decimal notation of CFDI, nothing else: digits, one point, no sign, no exponent, no thousands, no spaces.
 * `.16` and `5.` are read, as programs write them. `digits` bounds the whole part and `places` the decimals, and a text
 * of more than a hundred characters is no number of anybody's, whatever its zeros.
 * @throws RangeError when `text` is not such a number
 */
export function parseDecimal(text: string, { digits = 12, places = 6 } = {}): Decimal {
  // Before anything else: dropping zeros takes the square of their number, and one attribute may be ten megabytes.
  const match = text.length <= 100 ? DECIMAL.exec(text) : null
  if (!match) throw new RangeError(`not a decimal: ${text.slice(0, 40)}`)
  // Zeros that say nothing are dropped before counting: some programs write 0.1600000000 or 00012.50.
  const whole = (match[1] ?? '').replace(/^0+/, '')
  const decimals = (match[2] ?? match[3] ?? '').replace(LAST_ZEROS, '')
  if (whole.length > digits || decimals.length > places) throw new RangeError(`too many digits: ${text.slice(0, 40)}`)
  return { units: BigInt(whole + decimals || '0'), places: decimals.length }
}

/** `1234.5` and never `1234.50` or `1.2345e3`: equal numbers have equal texts. */
export function formatDecimal({ units, places }: Decimal): string {
  const sign = units < 0n ? '-' : ''
  const digits = (units < 0n ? -units : units).toString().padStart(places + 1, '0')
  const decimals = places === 0 ? '' : digits.slice(-places).replace(LAST_ZEROS, '')
  return sign + digits.slice(0, digits.length - places) + (decimals && `.${decimals}`)
}

export const ZERO: Decimal = { units: 0n, places: 0 }
export const ONE: Decimal = { units: 1n, places: 0 }

export function sumDecimals(terms: readonly Decimal[]): Decimal {
  let places = 0
  for (const term of terms) if (term.places > places) places = term.places
  let units = 0n
  for (const term of terms) units += scaled(term, places)
  return { units, places }
}

export function subtract(a: Decimal, b: Decimal): Decimal {
  return sumDecimals([a, { units: -b.units, places: b.places }])
}

/** Below, at or above zero when `a` is below, equal to or above `b`. */
export function compareDecimals(a: Decimal, b: Decimal): number {
  const places = Math.max(a.places, b.places)
  const difference = scaled(a, places) - scaled(b, places)
  return difference < 0n ? -1 : difference > 0n ? 1 : 0
}

export const isZero = (value: Decimal): boolean => value.units === 0n

/**
 * The product of `factors` over the product of `divisors`, in centavos, exact until one rounding at the end: half a
 * centavo goes away from zero. `toCentavos([importeDR, tipoCambioP], [equivalenciaDR])` is one tax line in pesos.
 * @throws RangeError when a divisor is zero
 */
export function toCentavos(factors: readonly Decimal[], divisors: readonly Decimal[] = []): Centavos {
  let above = 100n
  let below = 1n
  for (const { units, places } of factors) {
    above *= units
    below *= 10n ** BigInt(places)
  }
  for (const { units, places } of divisors) {
    if (units === 0n) throw new RangeError('division by zero')
    below *= units
    above *= 10n ** BigInt(places)
  }
  if (below < 0n) [above, below] = [-above, -below]
  const doubled = 2n * (above < 0n ? -above : above) + below
  const rounded = doubled / (2n * below)
  return above < 0n ? -rounded : rounded
}

export const fromCentavos = (centavos: Centavos): Decimal => ({ units: centavos, places: 2 })

/** `1234.50`, `-0.07`: always two places, as money leaves the API. */
export function formatCentavos(centavos: Centavos): string {
  const digits = (centavos < 0n ? -centavos : centavos).toString().padStart(3, '0')
  return `${centavos < 0n ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`
}

/** `1,234.50` of `1234.5`: as people read it. Two decimals at least, and as many more as say something. Without a sign. */
export function withThousands(amount: string): string {
  const [whole = '', rest = ''] = amount.split('.')
  const decimals = rest.replace(LAST_ZEROS, '').padEnd(2, '0')
  return `${whole.replace(/\B(?=(\d{3})+$)/g, ',')}.${decimals}`
}

/**
 * Reads what `formatCentavos` writes and what PostgreSQL sends for numeric: a sign, and no more than two decimals that
 * say something.
 * @throws RangeError
 */
export function parseCentavos(text: string): Centavos {
  const negative = text.startsWith('-')
  const { units, places } = parseDecimal(negative ? text.slice(1) : text, { digits: 40, places: 2 })
  const centavos = units * 10n ** BigInt(2 - places)
  return negative ? -centavos : centavos
}

/**
 * The whole pesos to pay, in centavos. Taxes are worked out with fractions of a peso and only the payment is rounded.
 * Exactly 50 centavos goes DOWN: CFF art. 20 sends 1–50 to the lower peso and 51–99 to the upper.
 * @throws RangeError on a negative amount: a balance in favor is not paid and keeps its centavos
 */
export function roundToPesos(centavos: Centavos): Centavos {
  if (centavos < 0n) throw new RangeError('a negative amount is not paid')
  const rest = centavos % 100n
  return centavos - rest + (rest > 50n ? 100n : 0n)
}

const DECIMAL = /^(?:(\d+)(?:\.(\d*))?|\.(\d+))$/
const LAST_ZEROS = /0+$/

const scaled = ({ units, places }: Decimal, to: number): bigint =>
  to === places ? units : units * 10n ** BigInt(to - places)
