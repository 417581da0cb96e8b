import { type Decimal, formatDecimal, sumDecimals, ZERO } from '../../fiscal/money.ts'
import type { Comprobante } from '../read/comprobante.ts'
import type { Concepto, Impuesto } from '../read/impuestos.ts'
import { type Aviso, avisoOf } from './codigos.ts'
import { errorOf, errorOfQuantity, halves, isWithin, placesOf, smallest, times } from './tolerance.ts'

/** What the lines say, each by itself and together, against what the document says. */
export function conceptoAvisos(cfdi: Comprobante): Aviso[] {
  const { tipo, conceptos, moneda, version } = cfdi
  if (tipo === 'P' || tipo === 'R' || conceptos.lineas.length === 0) return []
  const unit = smallest(moneda)
  return [
    // A transfer says 0 in its document, whatever its goods are worth.
    ...(tipo === 'T' ? [] : sumAvisos(cfdi, unit)),
    ...avisoOf(
      'cfdi.concept_mismatch',
      conceptos.lineas.flatMap((linea, n) => productCases(linea, n, unit)),
    ),
    ...avisoOf(
      'cfdi.concept_tax_mismatch',
      conceptos.lineas.flatMap((linea, n) => taxCases(linea, n, unit)),
    ),
    // 3.2 says taxes of the document only.
    ...(version === '3.2' || tipo === 'T' ? [] : documentTaxAvisos(cfdi, unit)),
  ]
}

function sumAvisos({ subtotal, descuento, conceptos }: Comprobante, unit: Decimal): Aviso[] {
  const importes = sumDecimals(conceptos.lineas.map((linea) => linea.importe))
  const descuentos = sumDecimals(conceptos.lineas.map((linea) => linea.descuento ?? ZERO))
  const written = descuento ?? ZERO
  return [
    ...(isWithin(importes, subtotal, unit)
      ? []
      : avisoOf('cfdi.subtotal_mismatch', [
          `El subtotal dice ${formatDecimal(subtotal)} y los conceptos suman ${formatDecimal(importes)}.`,
        ])),
    ...(isWithin(descuentos, written, unit)
      ? []
      : avisoOf('cfdi.discount_mismatch', [
          `El descuento dice ${formatDecimal(written)} y los de los conceptos suman ${formatDecimal(descuentos)}.`,
        ])),
  ]
}

function productCases({ cantidad, valorUnitario, importe }: Concepto, n: number, unit: Decimal): string[] {
  if (!cantidad || !valorUnitario) return []
  const product = times(cantidad, valorUnitario)
  const tolerance = () => {
    const [ec, ev] = [errorOfQuantity(cantidad), errorOf(valorUnitario)]
    return sumDecimals([times(magnitude(cantidad), ev), times(magnitude(valorUnitario), ec), times(ec, ev), unit])
  }
  if (isWithin(product, importe, tolerance)) return []
  return [
    `El importe del concepto ${n + 1} dice ${formatDecimal(importe)}, y ${formatDecimal(cantidad)} por ${formatDecimal(valorUnitario)} son ${formatDecimal(product)}.`,
  ]
}

/** Discounts of 3.2 are concepts below zero: an error has no sign. */
const magnitude = ({ units, places }: Decimal): Decimal => ({ units: units < 0n ? -units : units, places })

function taxCases({ impuestos }: Concepto, n: number, unit: Decimal): string[] {
  return impuestos.flatMap((line) => {
    const expected = wrongProduct(line, unit)
    if (!expected || !line.base || !line.tasa) return []
    return [
      `El impuesto ${line.impuesto} del concepto ${n + 1} dice ${formatDecimal(line.importe)}, y ${formatDecimal(line.base)} por ${formatDecimal(line.tasa)} son ${formatDecimal(expected)}.`,
    ]
  })
}

/** What base × rate is, when the amount of the line is not that. */
export function wrongProduct({ base, tasa, importe, factor }: Impuesto, unit: Decimal): Decimal | null {
  if (!base || !tasa || factor === 'Exento') return null
  const product = times(base, tasa)
  // Half of the sixth place of the rate too: two thirds of 16 % are 0.106666… and written 0.106666 or 0.106667.
  const tolerance = () => sumDecimals([times(errorOf(base), tasa), times(base, RATE_ERROR), unit])
  return isWithin(product, importe, tolerance) ? null : product
}

const RATE_ERROR: Decimal = { units: 1n, places: 6 }

/** Each tax of the document is the rounded sum of that of its concepts. */
function documentTaxAvisos({ impuestos, conceptos }: Comprobante, unit: Decimal): Aviso[] {
  const own = taxesOf(impuestos)
  const lines = taxesOf(conceptos.impuestos)
  const cases = [...new Set([...own.keys(), ...lines.keys()])].flatMap((key) => {
    const parts = (lines.get(key) ?? []).map(({ importe }) => importe)
    const written = sumDecimals((own.get(key) ?? []).map(({ importe }) => importe))
    const sum = sumDecimals(parts)
    // Written in cents, lines were rounded each and the document may have been worked out from its whole base.
    if (isWithin(written, sum, () => sumDecimals([unit, halves(placesOf(parts), parts.length)]))) return []
    const name = taxName((own.get(key) ?? lines.get(key))?.[0])
    return [`${name} del comprobante dice ${formatDecimal(written)} y sus conceptos suman ${formatDecimal(sum)}.`]
  })
  return avisoOf('cfdi.taxes_of_concepts', cases)
}

/** By tax and rate. Withholdings of a document are summed over their rates. */
export const taxesOf = (lines: readonly Impuesto[]): Map<string, Impuesto[]> =>
  Map.groupBy(lines, ({ clase, impuesto, factor, tasa }) =>
    clase === 'retencion' ? `R${impuesto}` : `T${impuesto}${factor}${tasa ? `${tasa.units}/${tasa.places}` : ''}`,
  )

/** `La retención de 001`, `El traslado de 002 (Tasa 0.16)`. */
export function taxName(line: Impuesto | undefined): string {
  if (!line) return 'El impuesto'
  const { clase, impuesto, factor, tasa } = line
  return clase === 'retencion'
    ? `La retención de ${impuesto}`
    : `El traslado de ${impuesto} (${factor}${tasa ? ` ${formatDecimal(tasa)}` : ''})`
}
