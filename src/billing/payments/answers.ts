import type { z } from 'zod'
import type { CentralSql } from '../../db/databases.ts'
import { formatCentavos } from '../../fiscal/money.ts'
import { access, statusOf } from '../access.ts'
import { findBalance } from '../invoicing/ledger-queries.ts'
import { toPago } from '../own/answers.ts'
import { findPolicy } from '../plans/policy-queries.ts'
import type { StoredSubscription } from '../subscription-queries.ts'
import type { findCreditKind, PaymentDetail, RefundSummary } from './queries.ts'
import type * as schemas from './schemas.ts'

// The wire's words and ours.

export function toPagoCompleto(payment: PaymentDetail): z.input<typeof schemas.PagoCompleto> {
  const isTransfer = payment.provider === 'transferencia'
  return {
    ...toPago(payment),
    pagoMercadoPago: payment.mpPaymentId,
    estadoMercadoPago: isTransfer ? null : payment.providerStatus,
    metodo: payment.method,
    factura: payment.invoiceNumber === null ? null : Number(payment.invoiceNumber),
    cambio: payment.planChangeId,
    evidencia: payment.evidence as z.input<typeof schemas.PagoCompleto>['evidencia'],
    registradoEn: payment.createdAt,
    reembolsos: payment.refunds.map(toReembolso),
  }
}

export const toReembolso = (refund: RefundSummary): z.input<typeof schemas.Reembolso> => ({
  id: refund.id,
  importe: formatCentavos(refund.amountC),
  estado: ESTADO[refund.state],
  motivo: refund.reason,
  error: refund.lastError,
  solicitadoEn: refund.createdAt,
  terminadoEn: refund.settledAt,
})

const ESTADO = { requested: 'solicitado', confirmed: 'confirmado', failed: 'fallido' } as const

/** What a transfer bought. */
export function appliedAs(
  payment: PaymentDetail,
  credit: Awaited<ReturnType<typeof findCreditKind>>,
): (typeof schemas.aplicaciones)[number] {
  if (credit === 'incomplete_payment') return 'incompleto'
  if (credit !== undefined) return 'credito'
  return payment.planChangeId === null ? 'periodo' : 'cambio'
}

export async function toResumen(
  db: CentralSql,
  { sub, tenantId }: StoredSubscription,
  now: Date,
): Promise<z.input<typeof schemas.PagoAplicado>['suscripcion']> {
  return {
    status: statusOf(sub),
    estado: sub.estado,
    access: access(sub, now, await findPolicy(db)),
    paid_through: sub.paidThrough,
    credit: formatCentavos(await findBalance(db, tenantId)),
  }
}
