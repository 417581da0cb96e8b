import { type Decimal, formatDecimal } from '../../fiscal/money.ts'

/** `1,234.50`: with thousands, `least` decimals and as many more as the document has. */
export function cifra(value: Decimal, least = 2): string {
  const text = formatDecimal(value)
  const [, sign = '', whole = '', decimals = ''] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text) ?? []
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',')
  const padded = decimals.padEnd(least, '0')
  return `${sign}${grouped}${padded && `.${padded}`}`
}

/** `16%` of 0.16, `1.25%` of 0.0125. */
export function porcentaje({ units, places }: Decimal): string {
  return `${formatDecimal({ units: units * 100n, places })}%`
}
