import type { z } from 'zod'
import { type Centavos, formatCentavos, formatDecimal } from '../../fiscal/money.ts'
import { statusOf } from '../access.ts'
import { compute } from '../entitlements/entitlements.ts'
import { changeLines } from '../invoice.ts'
import type { Period } from '../periods.ts'
import type { Offer } from '../plan-change/offer.ts'
import { UNLIMITED } from '../plans/plan.ts'
import { splitTax } from '../prices.ts'
import type { StoredSubscription } from '../subscription-queries.ts'
import type { Overview, PendingChange, ToPay } from './find-overview.ts'
import type { Usage, Use } from './find-usage.ts'
import type { InvoiceSummary, PaymentSummary } from './queries.ts'
import { collectsFirst, type RequestedChange } from './request-plan-change.ts'
import type * as schemas from './schemas.ts'

// The wire's words and ours. Amounts are decimal text there and centavos here.

export function toSuscripcion(overview: Overview, usage: Usage): z.input<typeof schemas.MiSuscripcion> {
  const { stored, terms, mandate, toPay, change } = overview
  const { sub } = stored
  const price = terms.priceC(sub.frecuencia)
  return {
    status: statusOf(sub),
    estado: sub.estado,
    motivo: sub.motivo,
    access: overview.access,
    plan: toPlan(terms.plan),
    amount: price === null ? null : formatCentavos(price),
    frequency: sub.frecuencia,
    current_period_start: sub.periodStart,
    current_period_end: sub.periodEnd,
    paid_through: sub.paidThrough,
    cancel_at: sub.cancelAt,
    trial_end: sub.trialEnd,
    mandate: mandate && { id: mandate.id, status: mandate.status, next_payment_date: mandate.nextPaymentDate },
    credit: formatCentavos(overview.balanceC),
    tasa: formatDecimal({ units: BigInt(terms.taxRateBp), places: 4 }),
    cortesia: sub.courtesy,
    limiteDePago: sub.deadlineAt,
    pausaHasta: sub.pauseUntil,
    accesoCambiaEn: overview.accessChangesAt,
    porPagar: toPay && toPorPagar(toPay),
    cambioPendiente: change && toPendiente(change),
    uso: { usuarios: toUso(usage.users), cfdis: toUso(usage.cfdis) },
    facturas: overview.invoices.map(toFactura),
    pagos: overview.payments.map(toPago),
    instruccionesTransferencia: overview.transferInstructions,
  }
}

export function toPago(payment: PaymentSummary): z.input<typeof schemas.Pago> {
  const byCard = payment.isAutomatic ? 'tarjeta' : 'pago_unico'
  return {
    id: payment.id,
    fecha: payment.at,
    medio: payment.provider === 'transferencia' ? 'transferencia' : byCard,
    estado: payment.status,
    motivoRechazo: payment.status === 'rejected' ? payment.statusDetail : null,
    enDisputa: payment.disputed,
    importe: formatCentavos(payment.amountC),
    devuelto: formatCentavos(payment.refundedC),
    periodo: payment.period && toPeriodo(payment.period),
    referencia: payment.reference,
  }
}

export function toFactura(invoice: InvoiceSummary): z.input<typeof schemas.Factura> {
  return {
    id: invoice.id,
    numero: Number(invoice.number),
    estado: ESTADO_FACTURA[invoice.status],
    periodo: toPeriodo(invoice.period),
    lineas: invoice.lines.map(({ description, quantity, unitC, amountC }) => ({
      descripcion: description,
      cantidad: quantity,
      precioUnitario: formatCentavos(unitC),
      importe: formatCentavos(amountC),
    })),
    total: formatCentavos(invoice.totalC),
    saldoAplicado: formatCentavos(invoice.balanceAppliedC),
    importe: formatCentavos(invoice.collectC),
    base: formatCentavos(invoice.baseC),
    iva: formatCentavos(invoice.ivaC),
    venceEn: invoice.dueAt,
    pagadaEn: invoice.paidAt,
  }
}

const ESTADO_FACTURA = { open: 'abierta', paid: 'pagada', void: 'anulada', uncollectible: 'incobrable' } as const

/** An offer in figures: `usage` says what of the new plan is used up already. */
export function toProrrateo(
  offer: Offer,
  stored: StoredSubscription,
  usage: Usage,
  now: Date,
): z.input<typeof schemas.Prorrateo> {
  const { proration, invoice } = offer
  const netC = proration?.netC ?? 0n
  const { baseC, ivaC } = splitSigned(netC, offer.terms.taxRateBp)
  const first = collectsFirst(offer, stored)
  const nowC = first && invoice ? invoice.collectC : 0n
  return {
    plan: toPlan(offer.plan),
    frecuencia: offer.frecuencia,
    desde: offer.on,
    dias: proration && { restantes: proration.remaining, periodo: proration.days },
    lineas: linesOf(offer).map(({ description, amountC }) => ({
      descripcion: description,
      importe: formatCentavos(amountC),
    })),
    neto: formatCentavos(netC),
    base: formatCentavos(baseC),
    iva: formatCentavos(ivaC),
    cobro: first ? 'ahora' : invoice && invoice.collectC > 0n ? 'siguiente_renovacion' : 'nada',
    saldoAplicado: formatCentavos(first && invoice ? invoice.balanceAppliedC : 0n),
    importeAhora: formatCentavos(nowC),
    importeDespues: formatCentavos(offer.renewalC),
    excedentes: beyond(offer, stored, usage, now),
  }
}

export function toCambioPedido(
  { id, state, expiresAt, initPoint, collectC, offer, stored }: RequestedChange,
  usage: Usage,
  now: Date,
): z.input<typeof schemas.CambioPedido> {
  return {
    cambio: { id, estado: state, venceEn: expiresAt },
    initPoint,
    importe: formatCentavos(collectC),
    prorrateo: toProrrateo(offer, stored, usage, now),
  }
}

function linesOf({ proration, unused, charged, from, plan }: Offer) {
  if (!proration || !unused || !charged) return []
  return changeLines({ changeId: '', from: from.plan.nombre, to: plan.nombre, proration, unused, charged })
}

/** Of a net in favour of the customer too: its tax goes back with it. */
function splitSigned(netC: Centavos, rateBp: number) {
  if (netC >= 0n) return splitTax(netC, rateBp)
  const { baseC, ivaC } = splitTax(-netC, rateBp)
  return { baseC: -baseC, ivaC: -ivaC }
}

function beyond({ plan, terms }: Offer, { tenantId, taxRateBp, sub }: StoredSubscription, usage: Usage, now: Date) {
  const sold = { sub, plan, taxRateBp, overrides: terms.overrides, overridesChangeAt: null }
  const { limits } = compute({ tenantId, version: '', sold, policy: terms.policy }, now)
  const over = (recurso: 'usuarios' | 'cfdis', limite: number, { used }: Use) =>
    limite !== UNLIMITED && used !== null && used > limite ? [{ recurso, usado: used, limite }] : []
  return [...over('usuarios', limits.users.max, usage.users), ...over('cfdis', limits.cfdis.max, usage.cfdis)]
}

export const toPlan = ({ code, version, nombre }: { code: string; version: number; nombre: string }) => ({
  codigo: code,
  version,
  nombre,
})

export const toPeriodo = ({ start, end }: Period) => ({ inicio: start, fin: end })

const toUso = ({ limit, used }: Use) => ({ usado: used, limite: limit.max, modo: limit.mode })

const toPorPagar = ({ amountC, on, period, automatic }: ToPay) => ({
  importe: formatCentavos(amountC),
  fecha: on,
  periodo: toPeriodo(period),
  automatico: automatic,
})

const toPendiente = ({ change, planNombre, collectC }: PendingChange) => ({
  id: change.id,
  plan: { codigo: change.to.code, version: change.to.version, nombre: planNombre },
  frecuencia: change.to.frecuencia,
  importe: formatCentavos(collectC),
  initPoint: change.initPoint,
  venceEn: change.expiresAt,
})
