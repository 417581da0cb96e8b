import type { Decimal } from '../../fiscal/money.ts'
import type { Direccion } from '../../taxes/movimiento.ts'
import type { Impuesto } from '../read/impuestos.ts'
import type { Anotaciones } from './anotaciones.ts'

/** An invoice (type I) as far as the flow of money depends on it. Amounts in its currency. */
export interface Factura {
  readonly uuid: string
  readonly direccion: Direccion
  readonly vigente: boolean
  readonly rfcEmisor: string
  readonly contraparte: string
  readonly fecha: string
  readonly metodoPago: 'PUE' | 'PPD' | null
  readonly formaPago: string | null
  readonly usoCfdi: string | null
  readonly total: Decimal
  readonly moneda: string
  /** Pesos per unit of `moneda`; 1 for pesos. */
  readonly tipoCambio: Decimal
  readonly impuestos: readonly Impuesto[]
  readonly baseNoObjeto: Decimal
  readonly combustible: boolean
  /** Somebody else issued it in the company's name: who did collects, declares and accounts for it. */
  readonly cuentaTerceros: boolean
  /** SAT says that its issuer is on the definitive list of CFF 69-B. */
  readonly emisor69b: boolean
  readonly anotaciones: Anotaciones
}

/** A credit note (type E). */
export interface Egreso extends Factura {
  /** The documents it corrects, in its order, each once (`corregidosPor`). */
  readonly relacionados: readonly string[]
}

/** One document of one payment of a receipt (type P). */
export interface PagoAplicado {
  /** Of the receipt, and the ordinal of this document in it. */
  readonly uuid: string
  readonly n: number
  readonly direccion: Direccion
  readonly vigente: boolean
  readonly rfcEmisor: string
  readonly contraparte: string
  readonly version: '1.0' | '2.0'
  readonly fecha: string
  readonly formaPago: string | null
  readonly tipoCambio: Decimal
  /** Of the whole payment, in its currency. */
  readonly monto: Decimal
  readonly idDocumento: string
  readonly moneda: string
  readonly equivalencia: Decimal
  readonly pagado: Decimal
  readonly objetoImp: string | null
  readonly impuestos: readonly Impuesto[]
  readonly emisor69b: boolean
  /** Of the whole receipt. */
  readonly anotaciones: Anotaciones
}

/** Documents that may touch each other: every invoice comes with all its payments and credit notes that are known. */
export interface Expediente {
  readonly facturas: readonly Factura[]
  readonly egresos: readonly Egreso[]
  readonly pagos: readonly PagoAplicado[]
}

/** An invoice with what paid it. */
export interface ConPagos {
  readonly factura: Factura
  /** Valid payments of it, by its own issuer. */
  readonly pagos: readonly PagoAplicado[]
}

/** It counts by its receipts: also one that says it was paid at once, when receipts were issued all the same. */
export const isDeferred = ({ factura, pagos }: ConPagos): boolean => factura.metodoPago === 'PPD' || pagos.length > 0

/** Whether a credit note first lowers what is still owed, or follows its own method of payment. */
export type PoliticaEgresos = 'saldo-primero' | 'por-metodo-del-egreso'

/** Neither cancelled nor excluded by somebody: only these bear on other documents. */
export const cuenta = ({ vigente, anotaciones }: Pick<Factura, 'vigente' | 'anotaciones'>): boolean =>
  vigente && !anotaciones.excluido

export const isPaymentOf = (pago: PagoAplicado, factura: Factura): boolean =>
  cuenta(pago) && isOwnReceipt(pago, factura)

// A receipt is made by whoever issued the invoice. Without this, a stranger's receipt that names an invoice of ours
// would change what we owe.
export const isOwnReceipt = (pago: PagoAplicado, factura: Factura): boolean =>
  pago.rfcEmisor === factura.rfcEmisor && pago.direccion === factura.direccion
