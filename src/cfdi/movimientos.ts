import {
  type Centavos,
  compareDecimals,
  type Decimal,
  formatDecimal,
  isZero,
  ONE,
  subtract,
  sumDecimals,
  toCentavos,
  ZERO,
} from '../fiscal/money.ts'
import { periodoOf } from '../fiscal/periodo.ts'
import {
  type Direccion,
  type Importes,
  type Motivo,
  type Movimiento,
  type Revisar,
  rechazoDe,
  SIN_IMPORTES,
} from '../taxes/movimiento.ts'
import { type Impuesto, ISR, IVA } from './impuestos.ts'

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
}

/** A credit note (type E). */
export interface Egreso extends Factura {
  /** The documents it names, in its order, each once. */
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
}

/** Documents that may touch each other: every invoice comes with all its payments and credit notes that are known. */
export interface Expediente {
  readonly facturas: readonly Factura[]
  readonly egresos: readonly Egreso[]
  readonly pagos: readonly PagoAplicado[]
}

/** Whether a credit note first lowers what is still owed, or follows its own method of payment. */
export type PoliticaEgresos = 'saldo-primero' | 'por-metodo-del-egreso'

/**
 * The movements of a set of documents. The same set gives the same movements, in whatever order it arrived.
 *
 * Rules: fiscal.md 1.1, steps 1 and 2 (LIVA 1-B: collected when collected; art. 7: credit notes). An invoice paid at
 * once (PUE) moves on its own date unless a valid receipt pays it; a deferred one (PPD) only by its receipts, each in
 * the month of its FechaPago; a credit note lowers what is still owed first, and only the rest moves.
 */
export function movimientosOf(
  { facturas, egresos, pagos }: Expediente,
  politica: PoliticaEgresos = 'saldo-primero',
): Movimiento[] {
  const known = new Map(facturas.map((factura) => [factura.uuid, { factura, pagos: [] as PagoAplicado[] }]))
  for (const pago of pagos) {
    const paid = known.get(pago.idDocumento)
    if (paid && isPaymentOf(pago, paid.factura)) paid.pagos.push(pago)
  }
  const propios = [
    ...[...known.values()].map(({ factura, pagos }) => ofFactura(factura, pagos)),
    ...pagos.map((pago) => ofPago(pago, known.get(pago.idDocumento)?.factura)),
  ]
  const byDocumento = Map.groupBy(propios, (one) => one.documento)
  return [...propios, ...ofEgresos(egresos, known, byDocumento, politica)]
}

interface ConPagos {
  readonly factura: Factura
  /** Valid payments of it, by its own issuer. */
  readonly pagos: readonly PagoAplicado[]
}

// A receipt is made by whoever issued the invoice. Without this, a stranger's receipt that names an invoice of ours
// would change what we owe.
const isPaymentOf = (pago: PagoAplicado, factura: Factura): boolean =>
  pago.vigente && pago.rfcEmisor === factura.rfcEmisor && pago.direccion === factura.direccion

function ofFactura(factura: Factura, pagos: readonly PagoAplicado[]): Movimiento {
  const importes = importesOf(
    factura.impuestos,
    { de: (amount) => toCentavos([amount, factura.tipoCambio]) },
    factura.baseNoObjeto,
  )
  const total = toCentavos([factura.total, factura.tipoCambio])
  const gasto = {
    usoCfdi: factura.usoCfdi,
    formaPago: factura.formaPago,
    pago: total,
    combustible: factura.combustible,
  }
  return {
    ...movimiento(factura, importes.importes),
    clase: factura.metodoPago === 'PPD' ? 'PPD' : 'PUE',
    n: 0,
    documento: factura.uuid,
    total,
    ...efectoDe(factura.direccion, sinEfecto(), gasto),
    revisar: factura.metodoPago === null ? 'sin_metodo_pago' : importes.revisar,
  }

  function sinEfecto(): Motivo | null {
    if (!factura.vigente) return 'cancelado'
    if (factura.metodoPago === 'PPD') return pagos.length > 0 ? 'ppd_por_pagos' : 'ppd_sin_pago'
    return pagos.length > 0 ? 'pagado_con_rep' : null
  }
}

function ofPago(pago: PagoAplicado, factura: Factura | undefined): Movimiento {
  const { importes, revisar } = importesOfPago(pago, factura)
  const gasto = {
    usoCfdi: factura?.usoCfdi ?? null,
    formaPago: pago.formaPago,
    pago: toCentavos([pago.monto, pago.tipoCambio]),
    combustible: factura?.combustible ?? false,
  }
  return {
    ...movimiento({ ...pago, usoCfdi: factura?.usoCfdi ?? null }, importes),
    clase: 'REP',
    n: pago.n,
    documento: pago.idDocumento,
    total: enPesos(pago, pago.pagado),
    ...efectoDe(pago.direccion, sinEfecto(), gasto),
    revisar,
  }

  function sinEfecto(): Motivo | null {
    if (!pago.vigente) return 'cancelado'
    if (!factura) return pago.version === '1.0' ? 'factura_desconocida' : null
    if (!isPaymentOf(pago, factura)) return 'rep_ajeno'
    return factura.vigente ? null : 'factura_cancelada'
  }
}

/**
 * Pesos of an amount in the currency of a paid document: ÷ EquivalenciaDR × TipoCambioP, rounded once. In Pagos 1.0 a
 * document in pesos paid in another currency has TipoCambioDR 1 by SAT's rule for that case, and its amounts are pesos.
 */
function enPesos(
  pago: PagoAplicado,
  amount: Decimal,
  times: readonly Decimal[] = [],
  over: readonly Decimal[] = [],
): Centavos {
  if (pago.version === '1.0' && pago.moneda === 'MXN') return toCentavos([amount, ...times], over)
  return toCentavos([amount, pago.tipoCambio, ...times], [pago.equivalencia, ...over])
}

function importesOfPago(pago: PagoAplicado, factura: Factura | undefined): Leido {
  if (pago.version === '2.0') {
    const noObjeto = pago.objetoImp === '01' ? pago.pagado : ZERO
    const leido = importesOf(pago.impuestos, { de: (amount) => enPesos(pago, amount) }, noObjeto)
    if (!factura) return { ...leido, revisar: 'factura_desconocida' }
    const taxed = factura.impuestos.some((line) => line.impuesto === IVA)
    return pago.impuestos.length === 0 && taxed ? { ...leido, revisar: 'rep_sin_impuestos' } : leido
  }
  // Pagos 1.0 says no taxes: those of the invoice, in proportion to what was paid of it.
  if (!factura) return { importes: SIN_IMPORTES, revisar: 'factura_desconocida' }
  if (isZero(factura.total)) return { importes: SIN_IMPORTES, revisar: null }
  const share = (amount: Decimal) => enPesos(pago, amount, [pago.pagado], [factura.total])
  return importesOf(factura.impuestos, { de: share }, factura.baseNoObjeto)
}

/** Credit notes in the order they were issued: each takes what the earlier ones left of a balance. */
function ofEgresos(
  egresos: readonly Egreso[],
  known: ReadonlyMap<string, ConPagos>,
  movimientos: PorDocumento,
  politica: PoliticaEgresos,
): Movimiento[] {
  const acreditado = new Map<string, Decimal>() // by invoice, in its currency
  const inOrder = egresos.toSorted((a, b) => compareTexts(a.fecha, b.fecha) || compareTexts(a.uuid, b.uuid))
  return inOrder.map((egreso) => {
    const related = egreso.relacionados
      .flatMap((uuid) => known.get(uuid) ?? [])
      .filter((one) => isOwnInvoice(egreso, one.factura))
    const targets = related.filter(({ factura }) => factura.vigente)
    const reembolso = egreso.vigente ? reembolsoOf(egreso, targets, acreditado, politica) : ZERO
    return ofEgreso(egreso, reembolso, { related, targets, movimientos })
  })
}

const isOwnInvoice = (egreso: Egreso, factura: Factura): boolean =>
  factura.rfcEmisor === egreso.rfcEmisor && factura.direccion === egreso.direccion

/**
 * How much of a credit note was money given back, in its currency: what is left of it after the unpaid balances of the
 * deferred invoices it names (nothing collected, nothing to restitute: LIVA 7). Notes what it took of each balance.
 */
function reembolsoOf(
  egreso: Egreso,
  targets: readonly ConPagos[],
  acreditado: Map<string, Decimal>,
  politica: PoliticaEgresos,
): Decimal {
  let left = egreso.total
  for (const { factura, pagos } of targets) {
    if (factura.metodoPago !== 'PPD') continue
    const paid = pagos.filter((pago) => pago.fecha <= egreso.fecha).map((pago) => pago.pagado)
    const before = acreditado.get(factura.uuid) ?? ZERO
    const saldo = subtract(factura.total, sumDecimals([...paid, before]))
    if (saldo.units <= 0n) continue
    const offered = converted(left, egreso, factura)
    const taken = compareDecimals(offered, saldo) <= 0 ? offered : saldo
    acreditado.set(factura.uuid, sumDecimals([before, taken]))
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

interface Contexto {
  /** Invoices it names that are here, cancelled ones included. */
  readonly related: readonly ConPagos[]
  readonly targets: readonly ConPagos[]
  readonly movimientos: PorDocumento
}

/** The movements of invoices and payments, by the invoice they are about. */
type PorDocumento = ReadonlyMap<string | null, readonly Movimiento[]>

function ofEgreso(egreso: Egreso, reembolso: Decimal, { related, targets, movimientos }: Contexto): Movimiento {
  // The invoice whose operation is undone: one that was paid at once if there is one, for the balances of the others
  // have had their share already.
  const original = targets.find(({ factura }) => factura.metodoPago !== 'PPD') ?? targets[0]
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
  const rechazado = original && egreso.direccion === 'recibido' && isRechazado(original.factura.uuid, movimientos)
  return {
    ...movimiento(egreso, importes),
    clase: 'EGRESO',
    n: 0,
    documento: original?.factura.uuid ?? egreso.relacionados[0] ?? null,
    total: -toCentavos([part, egreso.tipoCambio]),
    efecto: motivo ? 'sin_efecto' : rechazado ? 'no_acreditable' : 'cuenta',
    motivo: motivo ?? (rechazado ? 'egreso_de_rechazado' : null),
    revisar:
      related.length > 0 ? revisar : egreso.relacionados.length > 0 ? 'relacionado_desconocido' : 'egreso_sin_relacion',
    ...(fechaOriginal !== undefined && !motivo && { periodo: periodoOf(fechaOriginal), requiereComplementaria: true }),
  }

  function sinEfecto(): Motivo | null {
    if (!egreso.vigente) return 'cancelado'
    if (related.length > 0 && targets.length === 0) return 'factura_cancelada'
    if (egreso.metodoPago === 'PPD') return 'egreso_ppd'
    return isZero(reembolso) ? 'reduce_saldo' : null
  }
}

/** When the money that is given back had come in. */
function fechaOfFlow({ factura, pagos }: ConPagos, until: string): string {
  const paid = pagos.map((pago) => pago.fecha).filter((fecha) => fecha <= until)
  return paid.toSorted(compareTexts).at(-1) ?? (factura.metodoPago === 'PPD' ? until : factura.fecha)
}

/** Whether the IVA of an invoice was never credited: then giving part of it back takes no credit away. */
function isRechazado(uuid: string, movimientos: PorDocumento): boolean {
  const own = movimientos.get(uuid)?.filter((one) => one.efecto !== 'sin_efecto') ?? []
  return own.length > 0 && own.every((one) => one.efecto === 'no_acreditable')
}

function efectoDe(
  direccion: Direccion,
  sinEfecto: Motivo | null,
  gasto: Parameters<typeof rechazoDe>[0],
): Pick<Movimiento, 'efecto' | 'motivo'> {
  if (sinEfecto) return { efecto: 'sin_efecto', motivo: sinEfecto }
  const motivo = direccion === 'recibido' ? rechazoDe(gasto) : null
  return motivo ? { efecto: 'no_acreditable', motivo } : { efecto: 'cuenta', motivo: null }
}

type Comun = Pick<Factura, 'uuid' | 'direccion' | 'fecha' | 'contraparte' | 'formaPago' | 'usoCfdi'>

function movimiento({ uuid, direccion, fecha, contraparte, formaPago, usoCfdi }: Comun, importes: Importes) {
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

interface Leido {
  importes: Importes
  revisar: Revisar | null
}

/** Tax lines by rate, in pesos. Each line is rounded once, after conversion (fiscal.md D4). */
function importesOf(
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

const compareTexts = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
