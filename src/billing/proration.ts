import { daysBetween, type Fecha } from '../fiscal/fecha.ts'
import type { Centavos } from '../fiscal/money.ts'
import type { Period } from './periods.ts'
import { roundHalfAway } from './prices.ts'

/** Two lines, each rounded once, because two lines are what the invoice shows (billing.md 4.4). */
export interface Proration {
  /** Days left of the period, that of the change included. */
  readonly remaining: number
  /** Days of the period. The factor of both lines is `remaining / days`. */
  readonly days: number
  /** What was paid and is not used: zero or negative. */
  readonly creditC: Centavos
  readonly chargeC: Centavos
  /** Above zero: to collect. Below: in favour of the customer. */
  readonly netC: Centavos
}

/**
 * A change to another plan within a paid period (billing.md 4.6). Prices are those charged for the whole period, IVA
 * inside; `on` is the day of the change in Mexico City.
 * @throws RangeError when the day is outside the period or a price is negative
 */
export function prorate({ oldC, newC, period, on }: Change): Proration {
  return prorated({ oldC, period, on }, (factor) => share(newC, factor))
}

/**
 * A change between monthly and yearly: the unused part of the running period is given back, that period ends, and a whole
 * new one begins `on` that day, which becomes the anchor (billing.md 4.6). `newC` is the price of the new period.
 * @throws RangeError when the day is outside the period or a price is negative
 */
export function intervalChange({ oldC, newC, period, on }: Change): Proration {
  return prorated({ oldC, period, on }, () => newC)
}

interface Change {
  readonly oldC: Centavos
  readonly newC: Centavos
  readonly period: Period
  readonly on: Fecha
}

interface Factor {
  readonly remaining: number
  readonly days: number
}

function prorated({ oldC, period, on }: Omit<Change, 'newC'>, charge: (factor: Factor) => Centavos): Proration {
  if (on < period.start || on >= period.end) throw new RangeError(`${on} is outside ${period.start}–${period.end}`)
  const factor = { remaining: daysBetween(on, period.end), days: daysBetween(period.start, period.end) }
  const creditC = -share(oldC, factor)
  const chargeC = charge(factor)
  if (creditC > 0n || chargeC < 0n) throw new RangeError('negative price')
  return { ...factor, creditC, chargeC, netC: creditC + chargeC }
}

const share = (priceC: Centavos, { remaining, days }: Factor): Centavos =>
  roundHalfAway(priceC * BigInt(remaining), BigInt(days))
