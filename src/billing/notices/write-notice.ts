import type { CentralTx } from '../../db/databases.ts'
import { addDays, type Fecha, fechaOf, instantOf } from '../../fiscal/fecha.ts'
import { type Centavos, formatCentavos } from '../../fiscal/money.ts'
import type { MailData, TemplateName } from '../../mail/messages.ts'
import { queueMail } from '../../mail/outbox.ts'
import type { Queue } from '../../queue/queue.ts'
import { retentionEnd } from '../access.ts'
import { findPayment } from '../apply/queries.ts'
import { computeInvoice } from '../invoicing/draw.ts'
import { findBalance } from '../invoicing/ledger-queries.ts'
import { findInvoiceById } from '../invoicing/queries.ts'
import { insertLink } from '../links/queries.ts'
import { newToken } from '../links/token.ts'
import type { MailTemplate } from '../machine/event.ts'
import { periodToPay } from '../machine/period-to-pay.ts'
import { rejectionOf } from '../mercadopago/rejections.ts'
import type { Terms } from '../plans/terms.ts'
import { chargeDay, isAutomatic, type Subscription } from '../subscription.ts'
import type { StoredSubscription } from '../subscription-queries.ts'
import { findAdmins, type Recipient } from './queries.ts'

export interface Notice {
  template: MailTemplate
  /** The natural key of billing.md 3.7. */
  key: string
  paymentId?: string | undefined
}

export interface NoticeContext {
  /** As it stands after what the notice tells of. */
  stored: StoredSubscription
  terms: Terms
  now: Date
}

/**
 * Leaves a mail of billing.md 3.7 for each admin of the company, in the transaction of what it tells. The key makes it one
 * mail per person, whatever happens twice.
 */
export async function writeNotice(
  trx: CentralTx,
  queue: Pick<Queue, 'enqueue'>,
  notice: Notice,
  context: NoticeContext,
): Promise<void> {
  const { stored } = context
  for (const admin of await findAdmins(trx, stored.tenantId)) {
    const data = await dataOf(trx, notice, context, admin)
    await queueMail(trx, queue, {
      to: admin,
      ...data,
      dedupeKey: `${notice.template}:${stored.id}:${notice.key}:${admin.id}`,
      tenantId: stored.tenantId,
    })
  }
}

type Written = { [N in TemplateName]: { template: N; data: MailData[N] } }[TemplateName]

async function dataOf(
  trx: CentralTx,
  { template, paymentId }: Notice,
  { stored, terms, now }: NoticeContext,
  admin: Recipient,
): Promise<Written> {
  const { sub } = stored
  const { policy } = terms
  const base = { nombre: admin.nombre, empresa: stored.empresa, plan: terms.plan.nombre }
  const payment = paymentId === undefined ? undefined : await findPayment(trx, paymentId)
  switch (template) {
    case 'pago_confirmado': {
      if (!payment) throw new Error('a confirmed payment that is not there')
      const balanceC = await findBalance(trx, stored.tenantId)
      const invoice = payment.invoiceId ? await findInvoiceById(trx, payment.invoiceId) : undefined
      const period = payment.period ?? invoice?.period
      const data = {
        ...base,
        importe: formatCentavos(payment.amountC),
        pagadoEl: fechaOf(payment.paidAt ?? now),
        periodoInicio: period?.start ?? fechaOf(now),
        periodoFin: period?.end ?? fechaOf(now),
        forma: payment.provider === 'transferencia' ? 'transferencia' : payment.mandateId ? 'tarjeta' : 'pago_unico',
        saldoAFavor: balanceC > 0n ? formatCentavos(balanceC) : null,
      } as const
      return { template, data }
    }
    case 'pago_fallido': {
      const refusal = rejectionOf(payment?.statusDetail ?? null)
      const accesoCompletoHasta = sub.estado === 'pendiente_pago' && sub.deadlineAt ? fechaOf(sub.deadlineAt) : null
      const importe = formatCentavos(payment?.amountC ?? 0n)
      return { template, data: { ...base, importe, ...refusal, accesoCompletoHasta } }
    }
    case 'por_vencer_5d': {
      const porque = sub.cancelAt ? 'cancelada' : 'transferencia'
      const venceEl = sub.periodEnd ?? fechaOf(now)
      return { template, data: { ...base, importe: await nextAmount(trx, { stored, terms, now }), venceEl, porque } }
    }
    case 'aviso_renovacion': {
      const cargoEl = chargeDay(sub, policy) ?? fechaOf(now)
      const importe = await nextAmount(trx, { stored, terms, now })
      const tokenCancelar = await cancelLink(trx, { stored, terms, now }, { cargoEl, admin })
      return { template, data: { ...base, importe, cargoEl, frecuencia: sub.frecuencia, tokenCancelar } }
    }
    case 'cancelada': {
      const from = sub.endedAt ?? (sub.cancelAt ? instantOf(sub.cancelAt) : now)
      const data = {
        ...base,
        accesoHasta: sub.endedAt ? null : sub.cancelAt,
        lecturaHasta: fechaOf(retentionEnd(from, policy)),
        motivo: cancelReason(sub),
      }
      return { template, data }
    }
    case 'trial_por_vencer':
      return { template, data: { ...base, venceEl: sub.trialEnd ?? fechaOf(now), tarjetaLista: isAutomatic(sub) } }
    case 'trial_vencido':
      return { template, data: { ...base, lecturaHasta: fechaOf(retentionEnd(sub.endedAt ?? now, policy)) } }
    case 'pago_pendiente': {
      const soloLecturaEl = fechaOf(sub.deadlineAt ?? now)
      return { template, data: { ...base, importe: await nextAmount(trx, { stored, terms, now }), soloLecturaEl } }
    }
    case 'gracia': {
      const suspensionEl = fechaOf(sub.deadlineAt ?? now)
      return { template, data: { ...base, importe: await nextAmount(trx, { stored, terms, now }), suspensionEl } }
    }
    case 'suspendida': {
      const motivo = sub.suspendedByStaff ? 'admin' : 'impago'
      const cancelacionEl = sub.suspendedByStaff || !sub.deadlineAt ? null : fechaOf(sub.deadlineAt)
      return { template, data: { ...base, cancelacionEl, motivo } }
    }
    case 'reactivada':
      return { template, data: base }
    case 'pausada': {
      const accesoHasta = sub.paidThrough && fechaOf(now) < sub.paidThrough ? sub.paidThrough : null
      return { template, data: { ...base, accesoHasta, reanudaEl: sub.pauseUntil } }
    }
    case 'pago_reembolsado': {
      const importe = formatCentavos(payment?.refundedC ?? 0n)
      return {
        template,
        data: { ...base, importe, fecha: fechaOf(now), total: payment?.refundedC === payment?.amountC },
      }
    }
  }
}

function cancelReason({ estado, motivo }: Subscription): MailData['cancelada']['motivo'] {
  if (estado !== 'cancelada') return motivo === 'mp' ? 'mp' : 'usuario'
  switch (motivo) {
    case 'usuario':
    case 'mp':
    case 'impago':
    case 'fin_periodo':
    case 'reembolso':
      return motivo
    default:
      return 'admin'
  }
}

/** What that period will collect, as things are now. */
export async function amountToPay(trx: CentralTx, { stored, terms, now }: NoticeContext): Promise<Centavos | null> {
  const period = periodToPay(stored.sub, fechaOf(now))
  const collection = isAutomatic(stored.sub) ? 'card' : 'transfer'
  const invoice = await computeInvoice(trx, { stored, terms, period, collection, now })
  return invoice?.collectC ?? null
}

const nextAmount = async (trx: CentralTx, context: NoticeContext) =>
  formatCentavos((await amountToPay(trx, context)) ?? 0n)

/** One click in the mail cancels, until a day after the charge it announces, and while its reader is an admin. */
async function cancelLink(
  trx: CentralTx,
  { stored, terms, now }: NoticeContext,
  { cargoEl, admin }: { cargoEl: Fecha; admin: Recipient },
): Promise<string> {
  const { token, hash } = newToken()
  await insertLink(trx, {
    kind: 'cancelacion',
    hash,
    subscriptionId: stored.id,
    plan: { code: stored.planCode, version: stored.planVersion },
    frecuencia: stored.sub.frecuencia,
    amountC: terms.priceC(stored.sub.frecuencia) ?? 0n,
    createdBy: admin.id,
    at: now,
    expiresAt: instantOf(addDays(cargoEl, 1)),
  })
  return token
}
