import {
  compareDecimals,
  type Decimal,
  formatDecimal,
  isZero,
  subtract,
  sumDecimals,
  ZERO,
} from '../../fiscal/money.ts'
import type { Comprobante } from '../read/comprobante.ts'
import { type Aviso, avisoOf } from './codigos.ts'
import { CENTAVO, isWithin, smallest } from './tolerance.ts'

/** The document's own sums: its total, and the totals of its taxes. */
export function totalAvisos(cfdi: Comprobante): Aviso[] {
  if (cfdi.tipo === 'R') return [] // a certificate of withholding has an amount of its own, and no total
  if (cfdi.tipo === 'P' || cfdi.tipo === 'T') return [...zeroAvisos(cfdi), ...currencyAvisos(cfdi)]
  return [...sumAvisos(cfdi), ...taxAvisos(cfdi), ...currencyAvisos(cfdi)]
}

function zeroAvisos({ tipo, subtotal, total }: Comprobante): Aviso[] {
  const what = tipo === 'P' ? 'recibo de pago' : 'traslado'
  const say = (name: string, value: Decimal) =>
    isZero(value) ? [] : [`Un ${what} (tipo ${tipo}) debe llevar 0 en ${name} y dice ${formatDecimal(value)}.`]
  return avisoOf('cfdi.not_zero', [...say('el total', total), ...say('el subtotal', subtotal)])
}

function currencyAvisos({ tipo, moneda, tipoCambio }: Comprobante): Aviso[] {
  const cases: string[] = []
  if (tipo === 'P' && moneda !== 'XXX')
    cases.push(`Un recibo de pago (tipo P) debe llevar XXX en su moneda y dice ${moneda}.`)
  if (tipo !== 'P' && tipo !== 'T' && moneda === 'XXX')
    cases.push(`Sólo los recibos de pago y los traslados llevan XXX en su moneda, y este es de tipo ${tipo}.`)
  if (moneda === 'XXX' && tipoCambio && !isZero(tipoCambio) && compareDecimals(tipoCambio, UNO) !== 0)
    cases.push(`La moneda XXX no lleva tipo de cambio y este dice ${formatDecimal(tipoCambio)}.`)
  return avisoOf('cfdi.currency_xxx', cases)
}

function sumAvisos({ subtotal, descuento, total, impuestos, locales, moneda, complementos }: Comprobante): Aviso[] {
  const sum = (clase: 'traslado' | 'retencion') =>
    sumDecimals(impuestos.filter((line) => line.clase === clase).map((line) => line.importe))
  const added = sumDecimals([subtotal, sum('traslado'), locales?.trasladados ?? ZERO])
  const taken = sumDecimals([descuento ?? ZERO, sum('retencion'), locales?.retenidos ?? ZERO])
  const expected = subtract(added, taken)
  if (isWithin(expected, total, smallest(moneda))) return []
  // Airlines charge TUA and others in their complement: they are in the total and nowhere else.
  if (complementos.includes('aerolineas') && compareDecimals(total, expected) > 0) return []
  return avisoOf('cfdi.total_mismatch', [
    `El total dice ${formatDecimal(total)} y sus partes suman ${formatDecimal(expected)}.`,
  ])
}

function taxAvisos({ impuestos, totalTrasladados, totalRetenidos }: Comprobante): Aviso[] {
  const check = (written: Decimal | null, clase: 'traslado' | 'retencion', name: string): string[] => {
    const sum = sumDecimals(impuestos.filter((line) => line.clase === clase).map((line) => line.importe))
    if (written === null || isWithin(written, sum, CENTAVO)) return []
    return [`El total de impuestos ${name} dice ${formatDecimal(written)} y sus partes suman ${formatDecimal(sum)}.`]
  }
  return avisoOf('cfdi.taxes_mismatch', [
    ...check(totalTrasladados, 'traslado', 'trasladados'),
    ...check(totalRetenidos, 'retencion', 'retenidos'),
  ])
}

const UNO: Decimal = { units: 1n, places: 0 }
