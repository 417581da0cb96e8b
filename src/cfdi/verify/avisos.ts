import {
  compareDecimals,
  type Decimal,
  formatDecimal,
  subtract,
  sumDecimals,
  toCentavos,
  ZERO,
} from '../../fiscal/money.ts'
import type { Comprobante } from '../read/comprobante.ts'
import { IVA, importeOf } from '../read/impuestos.ts'

/** Something that does not fit inside a CFDI that is stored and counted all the same. */
export interface Aviso {
  readonly code:
    | 'cfdi.total_mismatch'
    | 'cfdi.taxes_mismatch'
    | 'cfdi.payment_mismatch'
    | 'cfdi.bytes_differ'
    | 'cfdi.beyond_limit'
  readonly mensaje: string
}

/**
 * What does not add up. The amounts as written are the ones that count: the SAT stamped them, and the company files
 * what it can prove. A centavo of difference is rounding.
 */
export function avisosOf(cfdi: Comprobante): Aviso[] {
  return [...totalAvisos(cfdi), ...taxAvisos(cfdi), ...paymentAvisos(cfdi)]
}

export const bytesDiffer = (uuid: string): Aviso => ({
  code: 'cfdi.bytes_differ',
  mensaje: `El CFDI ${uuid} ya estaba guardado con otro contenido. Se conserva el primero que llegó.`,
})

/** Of a plan that lets in more than it includes. */
export const beyondLimit = (total: number, max: number): Aviso => ({
  code: 'cfdi.beyond_limit',
  mensaje: `Tu empresa tiene ${total} CFDI y tu plan incluye ${max}.`,
})

function totalAvisos(cfdi: Comprobante): Aviso[] {
  if (cfdi.tipo === 'P' || cfdi.tipo === 'T') return []
  const { subtotal, descuento, total, impuestos, locales } = cfdi
  const sum = (clase: 'traslado' | 'retencion') =>
    sumDecimals(impuestos.filter((line) => line.clase === clase).map((line) => line.importe))
  const added = sumDecimals([subtotal, sum('traslado'), locales?.trasladados ?? ZERO])
  const taken = sumDecimals([descuento ?? ZERO, sum('retencion'), locales?.retenidos ?? ZERO])
  const expected = subtract(added, taken)
  if (isClose(expected, total)) return []
  return [
    aviso(
      'cfdi.total_mismatch',
      `El total dice ${formatDecimal(total)} y sus partes suman ${formatDecimal(expected)}.`,
    ),
  ]
}

function taxAvisos({ impuestos, totalTrasladados, totalRetenidos }: Comprobante): Aviso[] {
  const check = (written: Decimal | null, clase: 'traslado' | 'retencion', name: string): Aviso[] => {
    const sum = sumDecimals(impuestos.filter((line) => line.clase === clase).map((line) => line.importe))
    if (written === null || isClose(written, sum)) return []
    return [
      aviso(
        'cfdi.taxes_mismatch',
        `El total de impuestos ${name} dice ${formatDecimal(written)} y sus partes suman ${formatDecimal(sum)}.`,
      ),
    ]
  }
  return [...check(totalTrasladados, 'traslado', 'trasladados'), ...check(totalRetenidos, 'retencion', 'retenidos')]
}

/** The IVA of all payments in pesos, against what the receipt says in Totales. */
function paymentAvisos({ pagos }: Comprobante): Aviso[] {
  if (!pagos?.totales) return []
  const written = IVA_TOTALS.map((name) => pagos.totales?.[name] ?? ZERO)
  const counted = pagos.pagos.flatMap((pago) =>
    pago.documentos.map((documento) =>
      toCentavos([importeOf(documento.impuestos, 'traslado', IVA), pago.tipoCambio], [documento.equivalencia]),
    ),
  )
  const sum = { units: counted.reduce((total, one) => total + one, 0n), places: 2 }
  if (isClose(sumDecimals(written), sum)) return []
  return [
    aviso(
      'cfdi.payment_mismatch',
      `Los totales del pago dicen ${formatDecimal(sumDecimals(written))} de IVA y sus documentos suman ${formatDecimal(sum)}.`,
    ),
  ]
}

const IVA_TOTALS = ['TotalTrasladosImpuestoIVA16', 'TotalTrasladosImpuestoIVA8', 'TotalTrasladosImpuestoIVA0']

const CENTAVO: Decimal = { units: 1n, places: 2 }

function isClose(a: Decimal, b: Decimal): boolean {
  const difference = subtract(a, b)
  const size = difference.units < 0n ? { ...difference, units: -difference.units } : difference
  return compareDecimals(size, CENTAVO) <= 0
}

const aviso = (code: Aviso['code'], mensaje: string): Aviso => ({ code, mensaje })
