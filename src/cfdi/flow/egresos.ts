import {
  compareDecimals,
  type Decimal,
  isZero,
  ONE,
  subtract,
  sumDecimals,
  toCentavos,
  ZERO,
} from '../../fiscal/money.ts'
import { comparePeriodos, periodoOf } from '../../fiscal/periodo.ts'
import type { Motivo, Movimiento, Revisar } from '../../taxes/movimiento.ts'
import { IVA } from '../read/impuestos.ts'
import { atribucionDe, fechaDeFlujo } from './anotaciones.ts'
import { type ConPagos, cuenta, type Egreso, type Factura, isDeferred, type PoliticaEgresos } from './expediente.ts'
import { comunOf, importesOf, pagadoDe } from './importes.ts'

/** A credit note and what it comes to. */
export interface EgresoAplicado {
  readonly egreso: Egreso
  /** Invoices it names that are here, cancelled and excluded ones included. */
  readonly related: readonly ConPagos[]
  readonly targets: readonly ConPagos[]
  /** What it lowered of what was owed, by invoice and in its currency. */
  readonly tomado: ReadonlyMap<string, Decimal>
  /** What of it was money given back, in its own currency. */
  readonly reembolso: Decimal
}

/** Credit notes in the order they were issued: each takes what the earlier ones left of a balance. */
export function aplicarEgresos(
  egresos: readonly Egreso[],
  known: ReadonlyMap<string, ConPagos>,
  politica: PoliticaEgresos,
): EgresoAplicado[] {
  const acreditado = new Map<string, Decimal>() // by invoice, in its currency
  const inOrder = egresos.toSorted((a, b) => compareTexts(a.fecha, b.fecha) || compareTexts(a.uuid, b.uuid))
  return inOrder.map((egreso) => {
    const related = egreso.relacionados
      .flatMap((uuid) => known.get(uuid) ?? [])
      .filter((one) => isOwnInvoice(egreso, one.factura))
    const targets = related.filter(({ factura }) => cuenta(factura))
    const tomado = new Map<string, Decimal>()
    const reembolso = cuenta(egreso) ? reembolsoOf(egreso, targets, { acreditado, tomado }, politica) : ZERO
    return { egreso, related, targets, tomado, reembolso }
  })
}

export const ofEgresos = (aplicados: readonly EgresoAplicado[], movimientos: PorDocumento): Movimiento[] =>
  aplicados.map((aplicado) => ofEgreso(aplicado, movimientos))

const isOwnInvoice = (egreso: Egreso, factura: Factura): boolean =>
  factura.rfcEmisor === egreso.rfcEmisor && factura.direccion === egreso.direccion

/**
 * How much of a credit note was money given back, in its currency: what is left of it after the unpaid balances of the
 * deferred invoices it names (nothing collected, nothing to restitute: LIVA 7). Notes what it took of each balance.
 */
function reembolsoOf(
  egreso: Egreso,
  targets: readonly ConPagos[],
  { acreditado, tomado }: { acreditado: Map<string, Decimal>; tomado: Map<string, Decimal> },
  politica: PoliticaEgresos,
): Decimal {
  let left = egreso.total
  for (const target of targets) {
    if (!isDeferred(target)) continue
    const { factura, pagos } = target
    const paid = pagos.filter((pago) => diaDe(pago.fecha) <= diaDe(egreso.fecha)).map((pago) => pagadoDe(pago, factura))
    const before = acreditado.get(factura.uuid) ?? ZERO
    const saldo = subtract(factura.total, sumDecimals([...paid, before]))
    if (saldo.units <= 0n) continue
    const offered = converted(left, egreso, factura)
    const taken = compareDecimals(offered, saldo) <= 0 ? offered : saldo
    acreditado.set(factura.uuid, sumDecimals([before, taken]))
    tomado.set(factura.uuid, taken)
    left = taken === offered ? ZERO : subtract(left, converted(taken, factura, egreso))
  }
  // A note that is itself deferred gives nothing back, whatever the balances were.
  if (egreso.metodoPago === 'PPD') return ZERO
  if (politica === 'por-metodo-del-egreso') return egreso.total
  return left.units > 0n ? left : ZERO
}

type EnMoneda = Pick<Factura, 'moneda' | 'tipoCambio'>

/** An amount in another currency by way of pesos, to the cent. Almost always the currencies are the same. */
function converted(amount: Decimal, from: EnMoneda, to: EnMoneda): Decimal {
  if (from.moneda === to.moneda) return amount
  return { units: toCentavos([amount, from.tipoCambio], [to.tipoCambio]), places: 2 }
}

/** The movements of invoices and payments, by the invoice they are about. */
type PorDocumento = ReadonlyMap<string | null, readonly Movimiento[]>

function ofEgreso({ egreso, reembolso, related, targets }: EgresoAplicado, movimientos: PorDocumento): Movimiento {
  // The invoice whose operation is undone: one that was paid at once if there is one, for the balances of the others
  // have had their share already.
  const original = targets.find((one) => !isDeferred(one)) ?? targets[0]
  const motivo = sinEfecto()
  // What does not count is shown as the note says it; what counts, in the part that was given back.
  const part = motivo ? egreso.total : reembolso
  const whole = isZero(egreso.total) ? ONE : egreso.total
  const de = (amount: Decimal) => -toCentavos([amount, egreso.tipoCambio, part], [whole])
  const { importes, revisar } = importesOf(egreso.impuestos, { de }, egreso.baseNoObjeto)
  // LIVA 7, last paragraph: with IVA withheld the month of the original operation is corrected instead.
  const withheld = original?.factura.impuestos.some(
    (line) => line.clase === 'retencion' && line.impuesto === IVA && !isZero(line.importe),
  )
  const fechaOriginal = original && withheld ? fechaOfFlow(original, egreso.fecha) : undefined
  const corrected = fechaOriginal !== undefined && !motivo ? periodoOf(fechaOriginal) : undefined
  const fecha = fechaDeFlujo(egreso)
  // Of a listed issuer nothing was credited, whichever invoice it is that the note is on.
  const neverCredited = original ? isRechazado(original.factura.uuid, movimientos) : egreso.emisor69b
  const rechazado = egreso.direccion === 'recibido' && neverCredited
  return {
    ...comunOf({ ...egreso, fecha }, importes),
    ...atribucionDe(egreso.direccion, egreso.anotaciones, original?.factura.anotaciones),
    clase: 'EGRESO',
    n: 0,
    documento: original?.factura.uuid ?? egreso.relacionados[0] ?? null,
    total: -toCentavos([part, egreso.tipoCambio]),
    efecto: motivo ? 'sin_efecto' : rechazado ? 'no_acreditable' : 'cuenta',
    motivo: motivo ?? (rechazado ? 'egreso_de_rechazado' : null),
    revisar: relacionRevisar() ?? revisar,
    ...(corrected && {
      periodo: corrected,
      // In one and the same month nothing has been filed yet.
      requiereComplementaria: comparePeriodos(corrected, periodoOf(fecha)) !== 0,
    }),
  }

  /** An invoice that is not here may owe a balance, which would go before what is given back. */
  function relacionRevisar(): Revisar | null {
    if (egreso.relacionados.length === 0) return 'egreso_sin_relacion'
    return related.length < egreso.relacionados.length ? 'relacionado_desconocido' : null
  }

  function sinEfecto(): Motivo | null {
    if (!egreso.vigente) return 'cancelado'
    if (egreso.anotaciones.excluido) return 'excluido'
    if (egreso.cuentaTerceros) return 'cuenta_de_terceros'
    if (related.length > 0 && targets.length === 0)
      return related.some(({ factura }) => factura.vigente) ? 'factura_excluida' : 'factura_cancelada'
    if (egreso.metodoPago === 'PPD') return 'egreso_ppd'
    return isZero(reembolso) ? 'reduce_saldo' : null
  }
}

/** When the money that is given back had come in. */
function fechaOfFlow(original: ConPagos, until: string): string {
  const { factura, pagos } = original
  const paid = pagos.map((pago) => pago.fecha).filter((fecha) => diaDe(fecha) <= diaDe(until))
  return paid.toSorted(compareTexts).at(-1) ?? (isDeferred(original) ? until : fechaDeFlujo(factura))
}

/** Whether the IVA of an invoice was never credited: then giving part of it back takes no credit away. */
function isRechazado(uuid: string, movimientos: PorDocumento): boolean {
  const own = movimientos.get(uuid)?.filter((one) => one.efecto !== 'sin_efecto') ?? []
  return own.length > 0 && own.every((one) => one.efecto === 'no_acreditable')
}

// Days, not hours: receipts say noon by convention, and a note of nine o'clock would not see what was paid that day.
const diaDe = (fecha: string): string => fecha.slice(0, 10)

const compareTexts = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
