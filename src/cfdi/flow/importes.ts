import { type Centavos, type Decimal, formatDecimal, toCentavos, ZERO } from '../../fiscal/money.ts'
import { periodoOf } from '../../fiscal/periodo.ts'
import { type Importes, type Revisar, SIN_IMPORTES } from '../../taxes/movimiento.ts'
import { type Impuesto, ISR, IVA } from '../read/impuestos.ts'
import type { Factura, PagoAplicado } from './expediente.ts'

/** What tax lines come to in pesos. */
export interface Leido {
  importes: Importes
  revisar: Revisar | null
}

/** Tax lines by rate, in pesos. Each line is rounded once, after conversion (fiscal.md D4). */
export function importesOf(
  lines: readonly Impuesto[],
  { de }: { de: (amount: Decimal) => Centavos },
  baseNoObjeto: Decimal,
): Leido {
  const sum: Record<keyof Importes, Centavos> = { ...SIN_IMPORTES, baseNoObjeto: de(baseNoObjeto) }
  let revisar: Revisar | null = null
  for (const { clase, impuesto, factor, tasa, base, importe } of lines) {
    if (clase === 'retencion') {
      if (impuesto === IVA) sum.ivaRetenido += de(importe)
      if (impuesto === ISR) sum.isrRetenido += de(importe)
    } else if (impuesto === IVA) {
      const rate = factor === 'Exento' ? EXENTO : (TASAS.get(tasa ? formatDecimal(tasa) : '') ?? OTRA)
      if (rate === OTRA) revisar = 'tasa_desconocida'
      sum[rate.base] += de(base ?? ZERO)
      if (rate.iva) sum[rate.iva] += de(importe)
    }
  }
  return { importes: sum, revisar }
}

/**
 * What a payment settles of an invoice, in the currency of the invoice. A receipt should say it so; some say pesos of an
 * invoice in dollars, and those are worth what the invoice says that a dollar is.
 */
export function pagadoDe(pago: PagoAplicado, { moneda, tipoCambio }: Pick<Factura, 'moneda' | 'tipoCambio'>): Decimal {
  if (pago.moneda === moneda) return pago.pagado
  return { units: enPesos(pago, pago.pagado, [], [tipoCambio]), places: 2 }
}

/**
 * Pesos of an amount in the currency of a paid document: ÷ EquivalenciaDR × TipoCambioP, rounded once. In Pagos 1.0 a
 * document in pesos paid in another currency has TipoCambioDR 1 by SAT's rule for that case, and its amounts are pesos.
 */
export function enPesos(
  pago: PagoAplicado,
  amount: Decimal,
  times: readonly Decimal[] = [],
  over: readonly Decimal[] = [],
): Centavos {
  if (pago.version === '1.0' && pago.moneda === 'MXN') return toCentavos([amount, ...times], over)
  return toCentavos([amount, pago.tipoCambio, ...times], [pago.equivalencia, ...over])
}

interface Tasa {
  readonly base: keyof Importes
  readonly iva?: keyof Importes
}

const TASAS: ReadonlyMap<string, Tasa> = new Map([
  ['0.16', { base: 'base16', iva: 'iva16' }],
  ['0.08', { base: 'base8', iva: 'iva8' }],
  ['0', { base: 'base0' }],
])
const EXENTO: Tasa = { base: 'baseExenta' }
const OTRA: Tasa = { base: 'baseOtra', iva: 'ivaOtra' }

type Comun = Pick<Factura, 'uuid' | 'direccion' | 'fecha' | 'contraparte' | 'formaPago' | 'usoCfdi'>

/** What every movement takes over from its document. */
export function comunOf({ uuid, direccion, fecha, contraparte, formaPago, usoCfdi }: Comun, importes: Importes) {
  const periodo = periodoOf(fecha)
  return {
    uuid,
    direccion,
    fecha,
    periodo,
    contraparte,
    formaPago,
    usoCfdi,
    ...importes,
    requiereComplementaria: false,
  }
}
