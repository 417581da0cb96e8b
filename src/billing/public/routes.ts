import type { FastifyReply } from 'fastify'
import { z } from 'zod'
import { AppError } from '../../errors.ts'
import { originOf } from '../../http/client-address.ts'
import { hidden } from '../../http/openapi.ts'
import { describe } from '../../http/problem.ts'
import type { App } from '../../http/zod.ts'
import { correo } from '../../tenants/schemas.ts'
import { firstChargeAt } from '../checkout/find-sale.ts'
import { payLink } from '../checkout/pay-link.ts'
import { openLink } from '../checkout/payment-link.ts'
import { strangers } from '../checkout/routes.ts'
import { ConToken } from '../checkout/schemas.ts'
import type { CheckoutDeps } from '../checkout/start-checkout.ts'
import { warningsOf } from '../checkout/warnings.ts'
import { mercadoPagoUrl } from '../mercadopago/base-url.ts'
import { PAY_HOUSES } from '../mercadopago/pay-page.ts'
import { findTransferInstructions } from '../plans/policy-queries.ts'
import { cancelByLink, isRefusal, lookAtCancellation } from './cancel-by-link.ts'
import { cancelPage } from './cancel-page.ts'
import { policyOf } from './layout.ts'
import { type PayPage, payPage } from './pay-page.ts'
import { refusalPage, returnPage } from './return-page.ts'

/**
 * Pages for people who are not logged in: to pay, to come back from MercadoPago, to cancel. Plain documents with forms:
 * they work without scripts. Looking changes nothing, because whatever scans mails follows their links.
 */
export const publicPages = (deps: CheckoutDeps) => async (app: App) => {
  const { central, clock, gateways, config } = deps
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string', bodyLimit: 4096 },
    (_request, body, done) => done(null, Object.fromEntries(new URLSearchParams(String(body)))),
  )
  // A person reads what a program gets as a problem.
  app.setErrorHandler((error: Error, request, reply) => {
    const { status, mensaje, retryAfterS } = describe(error)
    if (status === 500) request.log.error({ err: error }, 'request failed')
    if (retryAfterS !== undefined) reply.header('retry-after', String(Math.max(1, Math.ceil(retryAfterS))))
    const title = status === 404 ? 'Este enlace ya no sirve' : 'No pudimos hacerlo'
    return send(reply.code(status), refusalPage(title, mensaje))
  })

  app.get(
    '/pagar/:token',
    { schema: { ...hidden, params: ConToken }, config: strangers('pagina', 60) },
    async (request, reply) => send(reply, await payPageOf(request.params.token), payTargets()),
  )

  app.post(
    '/pagar/:token',
    { schema: { ...hidden, params: ConToken, body: Formulario }, config: strangers('pagina-pago', 20) },
    async (request, reply) => {
      const { token } = request.params
      const given = request.body.correoPagador
      const email = correo.safeParse(given)
      const again = async (status: number, mensaje: string) =>
        send(reply.code(status), await payPageOf(token, { mensaje, correo: given }), payTargets())
      if (!email.success) return again(422, 'Escribe el correo completo, como ana@empresa.mx.')
      try {
        const { initPoint } = await payLink(deps, token, email.data, request.id)
        return reply.redirect(initPoint, 303)
      } catch (error) {
        if (!(error instanceof AppError) || error.kind === 'not_found') throw error
        return again(describe(error).status, error.mensaje)
      }
    },
  )

  app.get('/pago/regreso', { schema: hidden, config: strangers('pagina', 60) }, async (_request, reply) =>
    send(reply, returnPage(config.publicUrl)),
  )

  app.get(
    '/cancelar/:token',
    { schema: { ...hidden, params: ConToken }, config: strangers('pagina', 60) },
    async (request, reply) => {
      const { token } = request.params
      const now = clock.now()
      return send(reply, cancelPage(await lookAtCancellation(central, token, now), { token, now }))
    },
  )

  app.post(
    '/cancelar/:token',
    { schema: { ...hidden, params: ConToken, body: SinDatos }, config: strangers('pagina-cancelar', 20) },
    async (request, reply) => {
      const { token } = request.params
      // What the machine refuses, the page that follows says in the words of what holds by then.
      await cancelByLink(deps, token, originOf(request)).catch((error: unknown) => {
        if (!isRefusal(error)) throw error
      })
      return reply.redirect(`/cancelar/${encodeURIComponent(token)}`, 303)
    },
  )

  async function payPageOf(token: string, problem?: PayPage['problem']): Promise<string> {
    const now = clock.now()
    const opened = await openLink(central, token, now)
    const transfer = await findTransferInstructions(central)
    return payPage({ opened, token, warnings: await warningsFor(opened, now), transfer, problem })
  }

  async function warningsFor({ sale, stored }: PayPage['opened'], now: Date): Promise<string[] | undefined> {
    if (!sale) return undefined
    try {
      const { connector } = await gateways.primary()
      return warningsOf(stored.sub, sale, firstChargeAt(stored.sub, connector, now), now)
    } catch (error) {
      if (error instanceof AppError) return undefined
      throw error
    }
  }
}

const Formulario = z.strictObject({ correoPagador: z.string().max(1000) })
const SinDatos = z.strictObject({}).nullish()

function send(reply: FastifyReply, text: string, formTargets: readonly string[] = []): FastifyReply {
  return reply
    .headers({
      'content-security-policy': policyOf(formTargets),
      'referrer-policy': 'no-referrer',
      'x-robots-tag': 'noindex',
      'cache-control': 'no-store',
    })
    .type('text/html; charset=utf-8')
    .send(text)
}

/** MercadoPago's pages; in development the simulator's. */
function payTargets(): string[] {
  const { origin } = new URL(mercadoPagoUrl())
  return origin === 'https://api.mercadopago.com'
    ? PAY_HOUSES.flatMap((house) => [`https://${house}`, `https://*.${house}`])
    : [origin]
}
