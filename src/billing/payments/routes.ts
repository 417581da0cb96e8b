import { z } from 'zod'
import { parseCentavos } from '../../fiscal/money.ts'
import { decodeCursor, encodeCursor } from '../../http/cursor.ts'
import type { App } from '../../http/zod.ts'
import { subscriptionNotFound } from '../errors.ts'
import { byOf } from '../plans/by.ts'
import { staffCauseOf } from '../staff/staff-cause-of.ts'
import { findSubscription } from '../subscription-queries.ts'
import { appliedAs, toPagoCompleto, toResumen } from './answers.ts'
import { paymentNotFound } from './errors.ts'
import { markPaid, type PaymentDeps } from './mark-paid.ts'
import { findCreditKind, listPayments } from './queries.ts'
import { refundPayment } from './refund-payment.ts'
import * as schemas from './schemas.ts'

/** Payments of a company, for staff: what came, what came by bank, what goes back. */
export const paymentRoutes = (deps: PaymentDeps) => async (app: App) => {
  const { central, clock } = deps

  const list = {
    summary: 'Pagos de una empresa',
    description: 'El último que se registró primero, con lo que se ha devuelto de cada uno.',
    tags,
    params: schemas.DeEmpresa,
    querystring: schemas.PaginaDePagos,
    response: { 200: schemas.Pagos },
  }
  app.get('/api/subscriptions/:tenantId/payments', { schema: list, config: staff }, async (request) => {
    const { tenantId } = request.params
    const { limite, cursor } = request.query
    const [before] = cursor ? decodeCursor(cursor, z.tuple([z.uuid()])) : []
    if (!(await findSubscription(central, tenantId))) throw subscriptionNotFound()
    const rows = await listPayments(central, tenantId, { before, limit: limite + 1 })
    const page = rows.slice(0, limite)
    const last = rows.length > limite ? page.at(-1) : undefined
    return { datos: page.map(toPagoCompleto), siguiente: last ? encodeCursor([last.id]) : null }
  })

  const mark = {
    summary: 'Registrar una transferencia recibida',
    description:
      'Se aplica como cualquier pago: paga el periodo que sigue o el cambio de plan indicado. Repetida con la misma referencia responde lo mismo.',
    tags,
    params: schemas.DeEmpresa,
    body: schemas.PagoRecibido,
    response: { 200: schemas.PagoAplicado },
  }
  app.post('/api/subscriptions/:tenantId/mark-paid', { schema: mark, config: staff }, async (request) => {
    const { tenantId } = request.params
    const { importe, fecha, referencia, evidencia, cambio } = request.body
    const transfer = {
      amountC: parseCentavos(importe),
      on: fecha,
      reference: referencia,
      evidence: evidencia,
      changeId: cambio,
    }
    const id = await markPaid(deps, tenantId, transfer, { cause: staffCauseOf(request), by: byOf(request) })
    const [payment] = await listPayments(central, tenantId, { id, limit: 1 })
    const stored = await findSubscription(central, tenantId)
    if (!payment || !stored) throw paymentNotFound()
    return {
      pago: toPagoCompleto(payment),
      aplicado: appliedAs(payment, await findCreditKind(central, id)),
      suscripcion: await toResumen(central, stored, clock.now()),
    }
  })

  const refund = {
    summary: 'Devolver un pago',
    description:
      'Todo lo que queda (importe null) o una parte. Por MercadoPago queda solicitado y el pago dice cuándo se hizo; el de una transferencia se registra con su comprobante.',
    tags,
    params: schemas.UnPago,
    body: schemas.NuevoReembolso,
    response: { 200: schemas.PagoCompleto },
  }
  app.post(
    '/api/subscriptions/:tenantId/payments/:id/reembolsar',
    { schema: refund, config: staff },
    async (request) => {
      const { tenantId, id } = request.params
      const { importe, motivo, evidencia } = request.body
      const amountC = importe === null ? null : parseCentavos(importe)
      const what = { paymentId: id, amountC, reason: motivo, evidence: evidencia }
      await refundPayment(deps, tenantId, what, { cause: staffCauseOf(request), by: byOf(request) })
      const [payment] = await listPayments(central, tenantId, { id, limit: 1 })
      if (!payment) throw paymentNotFound()
      return toPagoCompleto(payment)
    },
  )
}

const tags = ['Suscripciones']
const staff = { acceso: { quien: 'plataforma' as const } }
