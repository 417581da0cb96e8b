import { type Centavos, formatCentavos, parseCentavos } from '../../fiscal/money.ts'
import { badRequest } from './refusal.ts'

/** A JSON number of the wire. Two decimals at most, as MercadoPago has it for MXN. @throws AppError */
export function centavosOf(value: unknown, field: string): Centavos {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw badRequest(`Invalid value for ${field}`)
  try {
    return parseCentavos(String(value))
  } catch (error) {
    if (error instanceof RangeError) throw badRequest(`Invalid value for ${field}, must have at most 2 decimals`)
    throw error
  }
}

/** The wire has JSON numbers for amounts; twelve digits and two decimals fit one exactly enough to print the same. */
export const amountOf = (centavos: Centavos): number => Number(formatCentavos(centavos))
