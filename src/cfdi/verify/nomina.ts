import { type Decimal, formatDecimal, sumDecimals, ZERO } from '../../fiscal/money.ts'
import type { Comprobante, Nomina } from '../read/comprobante.ts'
import { type Aviso, avisoOf } from './codigos.ts'
import { CENTAVO, isWithin } from './tolerance.ts'

/** Payroll: its complement against the document (Descuento is TotalDeducciones), and its totals against its lines. */
export function nominaAvisos({ tipo, nominas, subtotal, descuento }: Comprobante): Aviso[] {
  // 1.1, of CFDI 3.2, keeps the tax it withholds among the withholdings of the document, and rounds as it likes.
  if (tipo !== 'N' || nominas.length === 0 || nominas.some(({ version }) => version !== '1.2')) return []
  const sum = (of: (nomina: Nomina) => Decimal | null) => sumDecimals(nominas.map((nomina) => of(nomina) ?? ZERO))
  const earned = sumDecimals([sum((one) => one.totalPercepciones), sum((one) => one.totalOtrosPagos)])
  return avisoOf('cfdi.payroll_mismatch', [
    ...differ('El subtotal', subtotal, 'las percepciones y otros pagos', earned),
    ...differ(
      'El descuento',
      descuento ?? ZERO,
      'las deducciones',
      sum((one) => one.totalDeducciones),
    ),
    ...nominas.flatMap(lineCases),
  ])
}

function lineCases({
  lineas,
  totalPercepciones,
  totalGravado,
  totalExento,
  totalDeducciones,
  totalOtrosPagos,
}: Nomina) {
  if (lineas.length === 0) return []
  const percepciones = lineas.filter(({ clase }) => clase === 'percepcion')
  const importes = (clase: 'percepcion' | 'deduccion' | 'otro_pago') =>
    sumDecimals(lineas.filter((linea) => linea.clase === clase).map(({ importe }) => importe))
  const part = (of: 'gravado' | 'exento') => sumDecimals(percepciones.map((linea) => linea[of] ?? ZERO))
  return [
    ...written('TotalPercepciones', totalPercepciones, importes('percepcion')),
    ...written('TotalGravado', totalGravado, part('gravado')),
    ...written('TotalExento', totalExento, part('exento')),
    ...written('TotalDeducciones', totalDeducciones, importes('deduccion')),
    ...written('TotalOtrosPagos', totalOtrosPagos, importes('otro_pago')),
  ]
}

/** A certificate of withholding: what was withheld is the sum of its lines, and the operation is taxed and exempt part. */
export function retencionAvisos({ retencion }: Comprobante): Aviso[] {
  if (!retencion) return []
  const { montoOperacion, montoGravado, montoExento, montoRetenido, lineas } = retencion
  const withheld = sumDecimals(lineas.map(({ importe }) => importe))
  const parts = sumDecimals([montoGravado ?? ZERO, montoExento ?? ZERO])
  return avisoOf('cfdi.withholding_mismatch', [
    ...differ('El monto retenido', montoRetenido, 'sus impuestos', withheld),
    ...(montoGravado && montoExento
      ? differ('El monto de la operación', montoOperacion, 'lo gravado y lo exento', parts)
      : []),
  ])
}

const written = (name: string, total: Decimal | null, sum: Decimal) =>
  total ? differ(name, total, 'sus renglones', sum) : []

const differ = (name: string, value: Decimal, parts: string, sum: Decimal): string[] =>
  isWithin(value, sum, CENTAVO) ? [] : [`${name} dice ${formatDecimal(value)} y ${parts} suman ${formatDecimal(sum)}.`]
