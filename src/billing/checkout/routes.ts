import type { FastifyRequest } from 'fastify'
import { formatCentavos } from '../../fiscal/money.ts'
import { networkOf } from '../../http/client-address.ts'
import { actingTenant } from '../../http/principal.ts'
import { perCompany } from '../../http/rate-limit.ts'
import type { App } from '../../http/zod.ts'
import { subscriptionNotFound } from '../errors.ts'
import { causeOf } from '../own/cause-of.ts'
import { byOf } from '../plans/by.ts'
import { findSubscriptionIdOfTenant } from '../subscription-queries.ts'
import { generateLink } from './generate-link.ts'
import { payLink } from './pay-link.ts'
import { maskedEmail, maskedRfc, openLink } from './payment-link.ts'
import * as schemas from './schemas.ts'
import { type CheckoutDeps, startCheckout } from './start-checkout.ts'

/** Where a card begins to pay: by the owner, or by whoever was given a link. */
export const checkoutRoutes = (deps: CheckoutDeps) => async (app: App) => {
  const { central, clock } = deps

  const start = {
    summary: 'Pagar mi suscripción con tarjeta',
    description:
      'Responde la dirección de MercadoPago donde se autoriza el cobro. Repetida en 24 h con lo mismo responde la misma. `avisos` se muestran antes de ir.',
    tags,
    body: schemas.NuevoCheckout,
    response: { 200: schemas.Checkout },
  }
  app.post('/api/checkout/iniciar', { schema: start, config: owner }, async (request) => {
    const { correoPagador, ...wish } = request.body
    const { tenantId } = actingTenant(request.user)
    const subscriptionId = await findSubscriptionIdOfTenant(central, tenantId)
    if (!subscriptionId) throw subscriptionNotFound()
    const checkout = { subscriptionId, wish, correoPagador, cause: causeOf(request) }
    const { sale, initPoint, warnings } = await startCheckout(deps, checkout)
    return {
      initPoint,
      importe: formatCentavos(sale.amountC),
      plan: sale.plan.code,
      frecuencia: sale.frecuencia,
      avisos: [...warnings],
    }
  })

  const generate = {
    summary: 'Generar un enlace de pago para una empresa',
    description: 'Sirve 72 horas, reemplaza al anterior y se envía a quienes administran la empresa.',
    tags: ['Suscripciones'],
    params: schemas.DeEmpresa,
    body: schemas.NuevoEnlace,
    response: { 201: schemas.Enlace },
  }
  app.post(
    '/api/subscriptions/:tenantId/generate-link',
    { schema: generate, config: { ...staff, respuestaSecreta: true as const } },
    async (request, reply) => {
      const { url, expiresAt, sale } = await generateLink(deps, request.params.tenantId, request.body, byOf(request))
      return reply.code(201).send({
        url,
        venceEn: expiresAt,
        importe: formatCentavos(sale.amountC),
        plan: sale.plan.code,
        frecuencia: sale.frecuencia,
      })
    },
  )

  const look = {
    summary: 'Qué paga un enlace de pago',
    tags,
    params: schemas.ConToken,
    response: { 200: schemas.EnlaceAbierto },
  }
  app.get('/api/checkout/link/:token', { schema: look, config: strangers('enlace', 60) }, async (request) => {
    const { link, stored, plan, estado } = await openLink(central, request.params.token, clock.now())
    return {
      empresa: stored.empresa,
      rfc: maskedRfc(stored.rfc),
      plan,
      frecuencia: link.frecuencia,
      importe: formatCentavos(link.amountC),
      correoSugerido: stored.payerEmail && maskedEmail(stored.payerEmail),
      venceEn: link.expiresAt,
      estado,
    }
  })

  const pay = {
    summary: 'Pagar con un enlace de pago',
    tags,
    params: schemas.ConToken,
    body: schemas.PagoDeEnlace,
    response: { 200: schemas.InitPoint },
  }
  app.post('/api/checkout/link/:token/pago', { schema: pay, config: strangers('enlace-pago', 20) }, async (request) => {
    const { initPoint } = await payLink(deps, request.params.token, request.body.correoPagador, request.id)
    return { initPoint }
  })
}

/** For who is not logged in: so many a minute from one network. */
export const strangers = (name: string, perMinute: number) => ({
  acceso: { quien: 'publico' as const },
  rateLimit: {
    max: perMinute,
    timeWindow: 60_000,
    keyGenerator: ({ ip }: FastifyRequest) => `${name}:${networkOf(ip)}`,
  },
})

const tags = ['Pagos']
const staff = { acceso: { quien: 'plataforma' as const } }
// What settles a subscription stays open whatever its state is.
const owner = {
  acceso: { quien: 'empresa' as const, roles: ['admin' as const] },
  plan: { siempre: 'facturacion' as const },
  // With what its admins decide in src/billing/own.
  rateLimit: perCompany('suscripcion', 20),
}
