import type { Centavos } from '../../../fiscal/money.ts'
import type { Concepto, Document, DocumentoPagado } from './document.ts'

/** A tax of a line or of a document. */
export interface Tax {
  readonly clase: 'traslado' | 'retencion'
  readonly impuesto: '001' | '002'
  /** Six decimals, or exento. */
  readonly tasa: string
  readonly base: Centavos
  readonly importe: Centavos
}

export interface Totals {
  readonly subtotal: Centavos
  readonly taxes: readonly Tax[]
  readonly trasladados: Centavos
  readonly retenidos: Centavos
  readonly total: Centavos
}

export const importeOf = ({ cantidad, valorUnitario }: Concepto): Centavos => BigInt(cantidad) * valorUnitario

/** Base times rate, half a centavo up. */
export const taxOn = (base: Centavos, tasa: string): Centavos => {
  const millionths = BigInt(tasa.replace('.', ''))
  return (2n * base * millionths + 1_000_000n) / 2_000_000n
}

export function taxesOf(concepto: Concepto): Tax[] {
  const base = importeOf(concepto)
  const { iva, retenciones = [] } = concepto
  const moved: Tax[] = iva
    ? [{ clase: 'traslado', impuesto: '002', tasa: iva, base, importe: iva === 'exento' ? 0n : taxOn(base, iva) }]
    : []
  const withheld = retenciones.map(
    ({ impuesto, tasa }): Tax => ({ clase: 'retencion', impuesto, tasa, base, importe: taxOn(base, tasa) }),
  )
  return [...moved, ...withheld]
}

/** Each tax of the document is the sum of that of its lines. */
export function totalsOf({ conceptos }: Pick<Document, 'conceptos'>): Totals {
  const lines = conceptos.flatMap(taxesOf)
  const taxes = [...Map.groupBy(lines, ({ clase, impuesto, tasa }) => `${clase}${impuesto}${tasa}`).values()].map(
    (same): Tax => ({ ...(same[0] as Tax), base: sum(same.map(({ base }) => base)), importe: sum(same.map(amount)) }),
  )
  const subtotal = sum(conceptos.map(importeOf))
  const trasladados = sum(taxes.filter(({ clase }) => clase === 'traslado').map(amount))
  const retenidos = sum(taxes.filter(({ clase }) => clase === 'retencion').map(amount))
  return { subtotal, taxes, trasladados, retenidos, total: subtotal + trasladados - retenidos }
}

/** What was paid of an invoice: its base and taxes, less what was withheld. */
export const paidOf = ({ base, iva, retenciones }: DocumentoPagado): Centavos =>
  base + iva - sum(retenciones.map(({ importe }) => importe))

/** In pesos: half a centavo up. `tipoCambio` has four decimals. */
export const inPesos = (amount: Centavos, tipoCambio = '1.0000'): Centavos =>
  (2n * amount * BigInt(tipoCambio.replace('.', '')) + 10_000n) / 20_000n

export const sum = (terms: readonly Centavos[]): Centavos => terms.reduce((total, term) => total + term, 0n)

/** As documents write it: `1234.50`. */
export const money = (amount: Centavos): string => {
  const digits = amount.toString().padStart(3, '0')
  return `${digits.slice(0, -2)}.${digits.slice(-2)}`
}

const amount = ({ importe }: Tax): Centavos => importe
