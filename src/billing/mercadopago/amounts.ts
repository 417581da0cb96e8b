import { type Centavos, formatCentavos } from '../../fiscal/money.ts'

/**
 * Centavos of an amount as MercadoPago writes it: a number or a text, `650`, `24.5`, `"24.50"`. A hundred times it must
 * be whole within 1e-6, which forgives what doubles cannot hold (`0.1 + 0.2`) and not a fraction of a centavo (billing.md 4.1).
 * @throws RangeError on anything else: 10.005 is an error and not 10.01
 */
export function centavosOf(amount: unknown): Centavos {
  const pesos = typeof amount === 'string' && /^\d{1,12}(\.\d{1,6})?$/.test(amount) ? Number(amount) : amount
  if (typeof pesos !== 'number' || !(pesos >= 0)) throw new RangeError(`not an amount: ${String(amount).slice(0, 40)}`)
  const centavos = Math.round(pesos * 100)
  if (!Number.isSafeInteger(centavos) || Math.abs(pesos * 100 - centavos) > 1e-6)
    throw new RangeError(`not whole centavos: ${String(amount).slice(0, 40)}`)
  return BigInt(centavos)
}

/** The number of pesos, at most two decimals, that goes into a request. Exact for all that MercadoPago takes. */
export const pesosOf = (amountC: Centavos): number => Number(formatCentavos(amountC))
