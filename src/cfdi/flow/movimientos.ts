import { type Decimal, isZero, toCentavos, ZERO } from '../../fiscal/money.ts'
import { type Direccion, type Motivo, type Movimiento, rechazoDe, SIN_IMPORTES } from '../../taxes/movimiento.ts'
import { type Impuesto, IVA } from '../read/impuestos.ts'
import { atribucionDe, fechaDeFlujo } from './anotaciones.ts'
import { aplicarEgresos, ofEgresos } from './egresos.ts'
import {
  type ConPagos,
  type Expediente,
  type Factura,
  isOwnReceipt,
  isPaymentOf,
  type PagoAplicado,
  type PoliticaEgresos,
} from './expediente.ts'
import { comunOf, enPesos, importesOf, type Leido } from './importes.ts'

/**
 * The movements of a set of documents. The same set gives the same movements, in whatever order it arrived.
 *
 * Rules: fiscal.md 1.1, steps 1 and 2 (LIVA 1-B: collected when collected; art. 7: credit notes). An invoice paid at
 * once (PUE) moves on its own date unless a valid receipt pays it; a deferred one (PPD) only by its receipts, each in
 * the month of its FechaPago; a credit note lowers what is still owed first, and only the rest moves. What people have
 * annotated moves dates, takes documents out and says how far an expense is creditable (D7).
 */
export function movimientosOf(
  { facturas, egresos, pagos }: Expediente,
  politica: PoliticaEgresos = 'saldo-primero',
): Movimiento[] {
  const known = conPagos({ facturas, pagos })
  const propios = [
    ...[...known.values()].map(({ factura, pagos }) => ofFactura(factura, pagos)),
    ...pagos.map((pago) => ofPago(pago, known.get(pago.idDocumento)?.factura)),
  ]
  const byDocumento = Map.groupBy(propios, (one) => one.documento)
  return [...propios, ...ofEgresos(aplicarEgresos(egresos, known, politica), byDocumento)]
}

/** Every invoice with what validly paid it. */
export function conPagos({ facturas, pagos }: Pick<Expediente, 'facturas' | 'pagos'>): Map<string, ConPagos> {
  const known = new Map(facturas.map((factura) => [factura.uuid, { factura, pagos: [] as PagoAplicado[] }]))
  for (const pago of pagos) {
    const paid = known.get(pago.idDocumento)
    if (paid && isPaymentOf(pago, paid.factura)) paid.pagos.push(pago)
  }
  return known
}

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
    emisor69b: factura.emisor69b,
  }
  const deferred = factura.metodoPago === 'PPD'
  return {
    ...comunOf(deferred ? factura : { ...factura, fecha: fechaDeFlujo(factura) }, importes.importes),
    ...atribucionDe(factura.direccion, factura.anotaciones),
    clase: deferred ? 'PPD' : 'PUE',
    n: 0,
    documento: factura.uuid,
    total,
    ...efectoDe(factura.direccion, sinEfecto(), gasto),
    revisar: factura.metodoPago === null ? 'sin_metodo_pago' : importes.revisar,
  }

  function sinEfecto(): Motivo | null {
    if (!factura.vigente) return 'cancelado'
    if (factura.anotaciones.excluido) return 'excluido'
    if (factura.cuentaTerceros) return 'cuenta_de_terceros'
    if (deferred) return pagos.length > 0 ? 'ppd_por_pagos' : 'ppd_sin_pago'
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
    // Both are by one issuer, and either may have been asked for first.
    emisor69b: pago.emisor69b || (factura?.emisor69b ?? false),
  }
  return {
    ...comunOf({ ...pago, usoCfdi: factura?.usoCfdi ?? null }, importes),
    ...atribucionDe(pago.direccion, pago.anotaciones, factura?.anotaciones),
    clase: 'REP',
    n: pago.n,
    documento: pago.idDocumento,
    total: enPesos(pago, pago.pagado),
    ...efectoDe(pago.direccion, sinEfecto(), gasto),
    revisar,
  }

  function sinEfecto(): Motivo | null {
    if (!pago.vigente) return 'cancelado'
    if (pago.anotaciones.excluido) return 'excluido'
    if (!factura) return pago.version === '1.0' ? 'factura_desconocida' : null
    if (!isPaymentOf(pago, factura)) return 'rep_ajeno'
    if (!factura.vigente) return 'factura_cancelada'
    return factura.anotaciones.excluido ? 'factura_excluida' : null
  }
}

function importesOfPago(pago: PagoAplicado, factura: Factura | undefined): Leido {
  const share = (amount: Decimal, total: Decimal) => enPesos(pago, amount, [pago.pagado], [total])
  if (pago.version === '2.0') {
    // 01 and from 03 on: no object, or no tax told apart. An invoice paid at once has its base there too.
    const plain = pago.objetoImp !== null && pago.objetoImp !== '02' && !pago.impuestos.some(esIvaTrasladado)
    const noObjeto = plain ? pago.pagado : ZERO
    const leido = importesOf(pago.impuestos, { de: (amount) => enPesos(pago, amount) }, noObjeto)
    if (!factura) return { ...leido, revisar: 'factura_desconocida' }
    // Of an invoice that is taxed in part ImpuestosDR tells that part only. The rest is an act too, and bears on the
    // proportion of LIVA 5-V: it is paid as the whole is.
    if (!plain && !isZero(factura.baseNoObjeto) && !isZero(factura.total) && isOwnReceipt(pago, factura))
      leido.importes = { ...leido.importes, baseNoObjeto: share(factura.baseNoObjeto, factura.total) }
    const taxed = factura.impuestos.some((line) => line.impuesto === IVA)
    return pago.impuestos.length === 0 && taxed ? { ...leido, revisar: 'rep_sin_impuestos' } : leido
  }
  // Pagos 1.0 says no taxes: those of the invoice, in proportion to what was paid of it.
  if (!factura) return { importes: SIN_IMPORTES, revisar: 'factura_desconocida' }
  if (isZero(factura.total)) return { importes: SIN_IMPORTES, revisar: null }
  return importesOf(factura.impuestos, { de: (amount) => share(amount, factura.total) }, factura.baseNoObjeto)
}

const esIvaTrasladado = ({ clase, impuesto }: Impuesto): boolean => clase === 'traslado' && impuesto === IVA

function efectoDe(
  direccion: Direccion,
  sinEfecto: Motivo | null,
  gasto: Parameters<typeof rechazoDe>[0],
): Pick<Movimiento, 'efecto' | 'motivo'> {
  if (sinEfecto) return { efecto: 'sin_efecto', motivo: sinEfecto }
  const motivo = direccion === 'recibido' ? rechazoDe(gasto) : null
  return motivo ? { efecto: 'no_acreditable', motivo } : { efecto: 'cuenta', motivo: null }
}
