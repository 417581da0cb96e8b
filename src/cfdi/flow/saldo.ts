import { type Decimal, subtract, sumDecimals } from '../../fiscal/money.ts'
import { aplicarEgresos } from './egresos.ts'
import { cuenta, type Expediente, isDeferred, type PoliticaEgresos } from './expediente.ts'
import { pagadoDe } from './importes.ts'
import { conPagos } from './movimientos.ts'

/** What is still owed of an invoice, in its currency, exact. */
export interface Saldo {
  readonly total: Decimal
  /** By valid receipts. */
  readonly pagado: Decimal
  /** By credit notes, as far as they lowered what was owed. */
  readonly acreditado: Decimal
  /** Below zero when more was paid than it was for. */
  readonly saldo: Decimal
  /** What each credit note took of it. */
  readonly notas: ReadonlyMap<string, Decimal>
}

/**
 * What is still owed of an invoice that receipts pay. Null where that makes no sense: one that does not count or is
 * somebody else's, and one paid at once, of which only receipts that were issued all the same could say that it was not.
 */
export function saldoDe(expediente: Expediente, uuid: string, politica: PoliticaEgresos): Saldo | null {
  const known = conPagos(expediente)
  const one = known.get(uuid)
  if (!one || !cuenta(one.factura) || one.factura.cuentaTerceros) return null
  const { factura, pagos } = one
  if (!isDeferred(one)) return null
  const tomados = aplicarEgresos(expediente.egresos, known, politica).flatMap(({ egreso, tomado }) => {
    const taken = tomado.get(uuid)
    return taken ? [[egreso.uuid, taken] as const] : []
  })
  const pagado = sumDecimals(pagos.map((pago) => pagadoDe(pago, factura)))
  const acreditado = sumDecimals(tomados.map(([, taken]) => taken))
  return {
    total: factura.total,
    pagado,
    acreditado,
    saldo: subtract(factura.total, sumDecimals([pagado, acreditado])),
    notas: new Map(tomados),
  }
}

/** What became of a credit note: what it lowered of each balance, and what of it was money given back. */
export interface Aplicacion {
  /** By invoice, in the currency of each. */
  readonly tomado: ReadonlyMap<string, Decimal>
  /** In the currency of the note. */
  readonly reembolso: Decimal
}

/** Null of one that does not count. */
export function aplicacionDe(expediente: Expediente, uuid: string, politica: PoliticaEgresos): Aplicacion | null {
  const aplicado = aplicarEgresos(expediente.egresos, conPagos(expediente), politica).find(
    ({ egreso }) => egreso.uuid === uuid,
  )
  return aplicado && cuenta(aplicado.egreso) && !aplicado.egreso.cuentaTerceros ? aplicado : null
}
