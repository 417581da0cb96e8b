import { compareDecimals, type Decimal, formatDecimal, ONE, subtract, sumDecimals, ZERO } from '../../fiscal/money.ts'
import type { Comprobante } from '../read/comprobante.ts'
import { IEPS, type Impuesto, ISR, IVA } from '../read/impuestos.ts'
import type { DocumentoPagado, Pago, Pagos } from '../read/pagos.ts'
import { type Aviso, avisoOf } from './codigos.ts'
import { taxesOf, taxName, wrongProduct } from './conceptos.ts'
import { CENTAVO, errorOf, halves, isWithin, over, smallest, times } from './tolerance.ts'

/** A payment receipt: each payment, what it settles, and the sums over all of them. */
export function pagoAvisos({ pagos, fecha }: Comprobante): Aviso[] {
  if (!pagos) return []
  const all = pagos.pagos
  return [
    ...avisoOf('cfdi.payment_mismatch', totalCases(pagos)),
    ...avisoOf('cfdi.payment_taxes', [...all.flatMap(taxCases), ...all.flatMap(lineCases)]),
    ...avisoOf('cfdi.payment_balance', all.flatMap(balanceCases)),
    ...avisoOf(
      'cfdi.payment_exceeded',
      all.flatMap((pago, n) => amountCases(pago, n, pagos.version)),
    ),
    // Days, not hours: payments are written at noon by convention.
    ...avisoOf(
      'cfdi.payment_in_future',
      all
        .filter((pago) => pago.fecha.slice(0, 10) > fecha.slice(0, 10))
        .map((pago) => `El pago dice ${pago.fecha} y su recibo se emitió antes, el ${fecha}.`),
    ),
  ]
}

/** Every total of Pagos 2.0 is the rounded sum, over the payments, of what ImpuestosP says times TipoCambioP. */
function totalCases({ totales, pagos }: Pagos): string[] {
  if (!totales) return []
  const each = pagos.map((pago) => ({ pago, lines: linesOf(pago) }))
  const tolerance = () => sumDecimals([CENTAVO, halves(2, pagos.length)])
  return TOTALES.flatMap(({ name, of }) => {
    const sum = sumDecimals(each.map(({ pago, lines }) => times(of(lines, pago), pago.tipoCambio)))
    const written = totales[name] ?? ZERO
    if (isWithin(written, sum, tolerance)) return []
    return [`${name} dice ${formatDecimal(written)} y los pagos suman ${formatDecimal(rounded(sum))}.`]
  })
}

const TOTALES: readonly { name: string; of: (lines: readonly Impuesto[], pago: Pago) => Decimal }[] = [
  ...(
    [
      ['IVA', IVA],
      ['ISR', ISR],
      ['IEPS', IEPS],
    ] as const
  ).map(([name, impuesto]) => ({
    name: `TotalRetenciones${name}`,
    of: (lines: readonly Impuesto[]) =>
      sumOf(lines, (line) => line.clase === 'retencion' && line.impuesto === impuesto, 'importe'),
  })),
  ...(['16', '8', '0'] as const).flatMap((rate) => {
    const tasa: Decimal = { units: BigInt(rate), places: 2 }
    const counts = (line: Impuesto) =>
      isIva(line) && line.factor === 'Tasa' && !!line.tasa && compareDecimals(line.tasa, tasa) === 0
    return [
      {
        name: `TotalTrasladosBaseIVA${rate}`,
        of: (lines: readonly Impuesto[]) => sumOf(lines, counts, 'base'),
      },
      {
        name: `TotalTrasladosImpuestoIVA${rate}`,
        of: (lines: readonly Impuesto[]) => sumOf(lines, counts, 'importe'),
      },
    ]
  }),
  {
    name: 'TotalTrasladosBaseIVAExento',
    of: (lines) => sumOf(lines, (line) => isIva(line) && line.factor === 'Exento', 'base'),
  },
  { name: 'MontoTotalPagos', of: (_, { monto }) => monto },
]

const isIva = (line: Impuesto) => line.clase === 'traslado' && line.impuesto === IVA

/** The taxes of a payment in its own currency: as it sums them itself, else those of its documents. */
const linesOf = (pago: Pago): readonly Impuesto[] => (pago.impuestos.length > 0 ? pago.impuestos : convertedOf(pago))

function convertedOf({ documentos }: Pago): Impuesto[] {
  return documentos.flatMap(({ impuestos, equivalencia }) => {
    if (compareDecimals(equivalencia, ONE) === 0) return impuestos
    return impuestos.map((line) => ({
      ...line,
      base: line.base && over(line.base, equivalencia),
      importe: over(line.importe, equivalencia),
    }))
  })
}

function sumOf(lines: readonly Impuesto[], counts: (line: Impuesto) => boolean, what: 'base' | 'importe'): Decimal {
  return sumDecimals(lines.filter(counts).map((line) => line[what] ?? ZERO))
}

/** What the payment says of its taxes against what its documents say. */
function taxCases(pago: Pago, n: number): string[] {
  if (pago.impuestos.length === 0) return []
  const own = taxesOf(pago.impuestos)
  const parts = taxesOf(convertedOf(pago))
  return [...new Set([...own.keys(), ...parts.keys()])].flatMap((key) => {
    const written = sumDecimals((own.get(key) ?? []).map(({ importe }) => importe))
    const sum = sumDecimals((parts.get(key) ?? []).map(({ importe }) => importe))
    if (isWithin(written, sum, () => sumDecimals([CENTAVO, ...errorsOf(pago)]))) return []
    const name = taxName((own.get(key) ?? parts.get(key))?.[0])
    return [
      `${name} del pago ${n + 1} dice ${formatDecimal(written)} y sus documentos suman ${formatDecimal(rounded(sum))}.`,
    ]
  })
}

/** Half of the last place of every tax of every document, in the currency of the payment. */
const errorsOf = ({ documentos }: Pago): Decimal[] =>
  documentos.flatMap(({ impuestos, equivalencia }) =>
    impuestos.map((line) => over(errorOf(line.importe), equivalencia)),
  )

function lineCases({ documentos }: Pago): string[] {
  return documentos.flatMap(({ id, moneda, impuestos }) =>
    impuestos.flatMap((line) => {
      const expected = wrongProduct(line, smallest(moneda))
      if (!expected || !line.base || !line.tasa) return []
      return [
        `El impuesto ${line.impuesto} del documento ${id} dice ${formatDecimal(line.importe)}, y ${formatDecimal(line.base)} por ${formatDecimal(line.tasa)} son ${formatDecimal(expected)}.`,
      ]
    }),
  )
}

function balanceCases({ documentos }: Pago): string[] {
  return documentos.flatMap(({ id, moneda, saldoAnterior, pagado, saldoInsoluto }) => {
    if (!saldoAnterior || !saldoInsoluto) return []
    const expected = subtract(saldoAnterior, pagado)
    if (isWithin(expected, saldoInsoluto, smallest(moneda))) return []
    return [
      `El saldo insoluto de ${id} dice ${formatDecimal(saldoInsoluto)}, y ${formatDecimal(saldoAnterior)} menos lo pagado ${formatDecimal(pagado)} son ${formatDecimal(expected)}.`,
    ]
  })
}

/**
 * What is settled, in the currency of the payment, does not exceed it. Each amount may be lower by the rounding of itself
 * and of its rate, as SAT's guide works out the lower limit.
 */
function amountCases({ monto, moneda, documentos }: Pago, n: number, version: Pagos['version']): string[] {
  if (documentos.length === 0) return []
  // TipoCambioDR of Pagos 1.0 is 1 for documents in pesos whatever the payment is in: it converts nothing.
  if (version === '1.0' && documentos.some((documento) => documento.moneda !== moneda)) return []
  const low = documentos.map(lowest)
  if (isWithin(monto, sumDecimals(low), smallest(moneda))) return []
  const sum = sumDecimals(low)
  if (subtract(monto, sum).units > 0n) return []
  const said = sumDecimals(documentos.map(({ pagado, equivalencia }) => over(pagado, equivalencia)))
  return [
    `El pago ${n + 1} es de ${formatDecimal(monto)} y a sus documentos se aplican ${formatDecimal(rounded(said))}.`,
  ]
}

function lowest({ pagado, equivalencia }: DocumentoPagado): Decimal {
  if (compareDecimals(equivalencia, ONE) === 0) return pagado
  return over(subtract(pagado, errorOf(pagado)), sumDecimals([equivalencia, errorOf(equivalencia, 4)]))
}

/** For the sentence: a person compares centavos. */
function rounded({ units, places }: Decimal): Decimal {
  if (places <= 2) return { units, places }
  const scale = 10n ** BigInt(places - 2)
  const half = units < 0n ? -scale / 2n : scale / 2n
  return { units: (units + half) / scale, places: 2 }
}
