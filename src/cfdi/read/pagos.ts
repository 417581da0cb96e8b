import { type Decimal, ONE } from '../../fiscal/money.ts'
import { noExchangeRate, repeated } from '../errors.ts'
import { amountOf, codeOf, decimalOf, fechaOf, isUuid, keyOf, path, rateOf, required, textOf } from './attributes.ts'
import { type Impuesto, readImpuestos } from './impuestos.ts'
import { childrenOf, type XmlElement } from './xml.ts'

/** The complement of a payment receipt (REP). */
export interface Pagos {
  readonly version: '1.0' | '2.0'
  /** SAT's sums in pesos; 2.0 only. Shown and compared, never counted. */
  readonly totales: Readonly<Record<string, Decimal>> | null
  readonly pagos: readonly Pago[]
}

export interface Pago {
  /** When the money came in: the month of the tax, whatever the date of the receipt. */
  readonly fecha: string
  readonly formaPago: string | null
  readonly moneda: string
  /** Pesos per unit of `moneda`; 1 when it is MXN. */
  readonly tipoCambio: Decimal
  readonly monto: Decimal
  readonly numOperacion: string | null
  readonly documentos: readonly DocumentoPagado[]
  /** Sums of the payment in its own currency; 2.0 only. Compared, never counted. */
  readonly impuestos: readonly Impuesto[]
}

export interface DocumentoPagado {
  /** Folio fiscal in lower case. Pagos 1.0 may name a paper folio instead: kept as text, it matches no CFDI. */
  readonly id: string
  readonly moneda: string
  /** Units of the document's currency per unit of the payment's: amounts in `moneda` are DIVIDED by it. */
  readonly equivalencia: Decimal
  readonly parcialidad: string | null
  readonly saldoAnterior: Decimal | null
  /** In the document's currency. */
  readonly pagado: Decimal
  readonly saldoInsoluto: Decimal | null
  readonly objetoImp: string | null
  /** In the document's currency. None in 1.0: they are prorated from the invoice. */
  readonly impuestos: readonly Impuesto[]
}

/** Reads the payments among the complements of a CFDI, null when there are none. */
export function readPagos(complementos: readonly XmlElement[]): Pagos | null {
  const found = VERSIONS.flatMap(([namespace, version]) => {
    const nodes = complementos.flatMap((complemento) => childrenOf(complemento, namespace, 'Pagos'))
    return nodes.length > 0 ? [{ namespace, version, nodes }] : []
  })
  const [only, other] = found
  if (other) throw repeated('complemento de Pagos')
  if (!only) return null
  const { namespace, version, nodes } = only
  return {
    version,
    totales: readTotales(nodes.flatMap((node) => childrenOf(node, namespace, 'Totales'))),
    pagos: nodes.flatMap((node) => childrenOf(node, namespace, 'Pago')).map((pago) => readPago(pago, version)),
  }
}

const VERSIONS = [
  ['http://www.sat.gob.mx/Pagos20', '2.0'],
  ['http://www.sat.gob.mx/Pagos', '1.0'],
] as const

function readTotales(nodes: XmlElement[]): Record<string, Decimal> | null {
  const [totales] = nodes
  if (!totales) return null
  const read: Record<string, Decimal> = {}
  for (const name of Object.keys(totales.attributes)) {
    if (/^(Total|MontoTotal)\w{1,60}$/.test(name)) read[name] = decimalOf(totales, name) as Decimal
  }
  return read
}

function readPago(pago: XmlElement, version: Pagos['version']): Pago {
  const moneda = keyOf(pago, 'MonedaP')
  const written = rateOf(pago, 'TipoCambioP')
  if (moneda !== 'MXN' && !written) throw noExchangeRate('Pago', moneda)
  const monto = amountOf(pago, 'Monto')
  const nodes = childrenOf(pago, pago.namespace, 'DoctoRelacionado')
  const tipoCambio = moneda === 'MXN' || !written ? ONE : written
  return {
    fecha: fechaOf(pago, 'FechaPago'),
    formaPago: codeOf(pago, 'FormaDePagoP'),
    moneda,
    tipoCambio,
    monto,
    numOperacion: textOf(pago, 'NumOperacion', 200),
    documentos: nodes.map((node) =>
      readDocumento(node, { version, moneda, tipoCambio, monto, only: nodes.length === 1 }),
    ),
    impuestos: childrenOf(pago, pago.namespace, 'ImpuestosP').flatMap((node) => readImpuestos(node, 'P')),
  }
}

interface Around {
  version: Pagos['version']
  moneda: string
  tipoCambio: Decimal
  monto: Decimal
  /** The payment settles this document and no other. */
  only: boolean
}

function readDocumento(node: XmlElement, pago: Around): DocumentoPagado {
  const id = required(textOf(node, 'IdDocumento', 100), path(node, 'IdDocumento')).trim()
  const moneda = keyOf(node, 'MonedaDR')
  const equivalencia = readEquivalencia(node, moneda, pago)
  const written = decimalOf(node, 'ImpPagado')
  // Pagos 1.0 may leave the amount out when the payment settles one document: then it is the payment's. Of a document in
  // pesos paid in another currency TipoCambioDR says nothing (SAT has it be 1), and the payment's own rate gives pesos.
  const rate = moneda === 'MXN' ? pago.tipoCambio : equivalencia
  const whole = { units: pago.monto.units * rate.units, places: pago.monto.places + rate.places }
  const pagado = written ?? (pago.version === '1.0' && pago.only ? whole : null)
  return {
    id: isUuid(id) ? id.toLowerCase() : id,
    moneda,
    equivalencia,
    parcialidad: textOf(node, 'NumParcialidad', 20),
    saldoAnterior: decimalOf(node, 'ImpSaldoAnt'),
    pagado: required(pagado, path(node, 'ImpPagado')),
    saldoInsoluto: decimalOf(node, 'ImpSaldoInsoluto'),
    objetoImp: codeOf(node, 'ObjetoImpDR'),
    impuestos: childrenOf(node, node.namespace, 'ImpuestosDR').flatMap((child) => readImpuestos(child, 'DR')),
  }
}

function readEquivalencia(node: XmlElement, moneda: string, pago: Around): Decimal {
  const written = rateOf(node, pago.version === '2.0' ? 'EquivalenciaDR' : 'TipoCambioDR', 10)
  if (written) return written
  // SAT wants the attribute only between different currencies, and 1.0 none at all towards pesos.
  if (moneda === pago.moneda || (pago.version === '1.0' && moneda === 'MXN')) return ONE
  throw noExchangeRate(`El documento pagado en ${pago.moneda}`, moneda)
}
