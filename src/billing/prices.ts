import type { Centavos } from '../fiscal/money.ts'

/** Whether a price of a plan has its IVA inside, which is the default, or has it added (billing.md 4.5, Q3). */
export const taxModes = ['included', 'excluded'] as const
export type TaxMode = (typeof taxModes)[number]

/** The least and the most that a subscription of MercadoPago may charge in Mexico: 100.00 and 200,000.00 MXN (2.1). */
export const FLOOR_C: Centavos = 10_000n
export const CEILING_C: Centavos = 20_000_000n

/**
 * `numerator / denominator` as a whole number; a half goes away from zero (billing.md 4.4). Exact whatever the size.
 * @throws RangeError when the denominator is zero
 */
export function roundHalfAway(numerator: bigint, denominator: bigint): bigint {
  if (denominator === 0n) throw new RangeError('division by zero')
  const [above, below] = [magnitude(numerator), magnitude(denominator)]
  const rounded = (2n * above + below) / (2n * below)
  return numerator < 0n === denominator < 0n ? rounded : -rounded
}

/**
 * What is charged for a price, IVA inside. `rateBp` is the rate of IVA in basis points: 1600, or 800 in the border region.
 * What has a price per unit is charged per unit: three users at 85.00 are three times this of 85.00.
 * @throws RangeError on a negative price or a rate outside 0–10000
 */
export function chargedPrice(priceC: Centavos, { mode, rateBp }: { mode: TaxMode; rateBp: number }): Centavos {
  if (priceC < 0n) throw new RangeError('negative price')
  const rate = rateOf(rateBp)
  return mode === 'included' ? priceC : priceC + roundHalfAway(priceC * rate, WHOLE_BP)
}

/**
 * Base and IVA of an amount charged. Only the base is rounded and IVA is the rest, so that both always sum to what was
 * charged (billing.md 4.5). A price without IVA to which `chargedPrice` added it comes back as the base, to the centavo.
 * @throws RangeError on a negative amount, or a rate outside 0–10000
 */
export function splitTax(chargedC: Centavos, rateBp: number): { baseC: Centavos; ivaC: Centavos } {
  if (chargedC < 0n) throw new RangeError('a negative amount is not charged')
  const baseC = roundHalfAway(chargedC * WHOLE_BP, WHOLE_BP + rateOf(rateBp))
  return { baseC, ivaC: chargedC - baseC }
}

const WHOLE_BP = 10_000n

function rateOf(rateBp: number): bigint {
  if (!Number.isInteger(rateBp) || rateBp < 0 || rateBp > 10_000) throw new RangeError(`not a rate: ${rateBp}`)
  return BigInt(rateBp)
}

const magnitude = (value: bigint): bigint => (value < 0n ? -value : value)
