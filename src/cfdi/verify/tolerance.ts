import { compareDecimals, type Decimal, subtract, ZERO } from '../../fiscal/money.ts'

// How far two amounts of a CFDI may lie apart and still say the same. SAT's rule (Anexo 20, guía de llenado) takes half
// of the last written place of each factor as its error and then rounds outwards to the places of the currency.

/** The smallest amount of a currency: what rounding may leave between two amounts that were rounded each. */
export const smallest = (moneda: string): Decimal => (WHOLE.has(moneda) ? PESO : CENTAVO)

export const CENTAVO: Decimal = { units: 1n, places: 2 }

/** `tolerance` may be a function: most amounts are equal, and then nobody asks for it. */
export function isWithin(a: Decimal, b: Decimal, tolerance: Decimal | (() => Decimal)): boolean {
  if (a.units === b.units && a.places === b.places) return true
  const { units, places } = subtract(a, b)
  if (units === 0n) return true
  const most = typeof tolerance === 'function' ? tolerance() : tolerance
  return compareDecimals({ units: units < 0n ? -units : units, places }, most) <= 0
}

export const times = (a: Decimal, b: Decimal): Decimal => ({ units: a.units * b.units, places: a.places + b.places })

/** `a / b` with places enough that what is cut off decides nothing. */
export function over(a: Decimal, b: Decimal, places = 12): Decimal {
  if (b.units === 0n) throw new RangeError('division by zero')
  return { units: (a.units * 10n ** BigInt(b.places + places)) / (b.units * 10n ** BigInt(a.places)), places }
}

/** `count` times half of one unit of the last of `places`. */
export const halves = (places: number, count = 1): Decimal => ({ units: 5n * BigInt(count), places: places + 1 })

/**
 * The error of a written amount. Trailing zeros are not kept, so `86.20` is 86.2 here: money is taken to have two places
 * at least. SAT would let a price of 86 be anything from 85.5 to 86.5; nobody who writes so means it.
 */
export const errorOf = ({ places }: Decimal, least = 2): Decimal => halves(Math.max(places, least))

/** Of a quantity: a whole one was counted and has none. */
export const errorOfQuantity = (quantity: Decimal): Decimal => (quantity.places === 0 ? ZERO : halves(quantity.places))

/** Most places that any of these uses: how exactly the issuer writes. */
export const placesOf = (values: readonly Decimal[]): number =>
  values.reduce((most, { places }) => Math.max(most, places), 2)

const PESO: Decimal = { units: 1n, places: 0 }

// c_Moneda: currencies without decimals.
const WHOLE: ReadonlySet<string> = new Set(
  'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF'.split(' '),
)
