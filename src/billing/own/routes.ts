import type { FastifyRequest } from 'fastify'
import { uuidv7 } from 'uuidv7'
import { z } from 'zod'
import { type PlanRequerido, type Rol, roles } from '../../http/access.ts'
import { actingTenant } from '../../http/principal.ts'
import { perCompany } from '../../http/rate-limit.ts'
import type { App } from '../../http/zod.ts'
import { subscriptionNotFound } from '../errors.ts'
import { offerChange } from '../plan-change/offer.ts'
import { byOf } from '../plans/by.ts'
import { findSubscription } from '../subscription-queries.ts'
import { toCambioPedido, toProrrateo, toSuscripcion } from './answers.ts'
import { causeOf } from './cause-of.ts'
import { type Command, commandSubscription } from './command-subscription.ts'
import { discardPlanChange } from './discard-plan-change.ts'
import { findOverview } from './find-overview.ts'
import { findUsage, type UsageDeps } from './find-usage.ts'
import { type PlanChangeDeps, requestPlanChange } from './request-plan-change.ts'
import * as schemas from './schemas.ts'

export interface OwnDeps extends PlanChangeDeps, UsageDeps {}

/** The subscription of the active company: what it is, and what its admins decide about it. */
export const suscripcionRoutes = (deps: OwnDeps) => async (app: App) => {
  const { central, clock } = deps

  const mine = {
    summary: 'Mi suscripción',
    description: 'Qué tengo contratado, hasta cuándo, qué sigue por pagar y qué he pagado.',
    tags,
    response: { 200: schemas.MiSuscripcion },
  }
  app.get('/api/suscripciones/mi-suscripcion', { schema: mine, config: everybody }, (request) =>
    show(actingTenant(request.user).tenantId),
  )

  const prorate = {
    summary: 'Cuánto costaría cambiar de plan hoy',
    tags,
    querystring: schemas.ConsultaDeProrrateo,
    response: { 200: schemas.Prorrateo },
  }
  app.get('/api/suscripciones/calcular-prorrateo', { schema: prorate, config: everybody }, async (request) => {
    const { tenantId } = actingTenant(request.user)
    const now = clock.now()
    const stored = await findSubscription(central, tenantId)
    if (!stored) throw subscriptionNotFound()
    const { nuevo_plan: planCode, frecuencia = stored.sub.frecuencia } = request.query
    const offer = await offerChange(central, stored, { planCode, frecuencia, changeId: uuidv7() }, now)
    return toProrrateo(offer, stored, await findUsage(deps, stored, offer.from, now), now)
  })

  const change = {
    summary: 'Cambiar de plan',
    description:
      'Si hay una diferencia por pagar responde con la página de MercadoPago y el cambio empieza con el pago; si no, empieza en este momento.',
    tags,
    body: schemas.CambioDePlan,
    response: { 200: schemas.CambioPedido },
  }
  app.post('/api/suscripciones/mi-plan/cambiar', { schema: change, config: admins }, async (request) => {
    const { tenantId } = actingTenant(request.user)
    const { plan: planCode, frecuencia, correoPagador: payerEmail = request.user.email } = request.body
    const by = { cause: causeOf(request), by: byOf(request) }
    const made = await requestPlanChange(deps, tenantId, { planCode, frecuencia, payerEmail }, by)
    const now = clock.now()
    return toCambioPedido(made, await findUsage(deps, made.stored, made.offer.from, now), now)
  })

  const discard = { summary: 'Descartar el cambio de plan en espera de pago', tags, response: { 204: z.null() } }
  app.delete('/api/suscripciones/mi-plan/cambiar', { schema: discard, config: admins }, async (request, reply) => {
    await discardPlanChange(deps, actingTenant(request.user).tenantId, byOf(request))
    return reply.code(204).send(null)
  })

  const pause = {
    summary: 'Pausar los cobros',
    description: 'Lo pagado se conserva. Con hasta, se reanuda por sí sola ese día.',
    tags,
    body: schemas.Pausa,
    response: { 200: schemas.MiSuscripcion },
  }
  app.patch('/api/suscripciones/pausar', { schema: pause, config: admins }, (request) => {
    const { hasta } = request.body
    return order(request, { event: { kind: 'pausar', until: hasta }, action: 'subscription.paused', detail: { hasta } })
  })

  const resume = { summary: 'Reanudar los cobros', tags, response: { 200: schemas.MiSuscripcion } }
  app.patch('/api/suscripciones/reanudar', { schema: resume, config: admins }, (request) =>
    order(request, { event: { kind: 'reanudar' }, action: 'subscription.resumed' }),
  )

  const cancel = {
    summary: 'Cancelar la suscripción',
    description: 'No se cobra más desde ahora y lo pagado se conserva hasta su fin.',
    tags,
    body: schemas.Baja,
    response: { 200: schemas.MiSuscripcion },
  }
  app.post('/api/suscripciones/cancelar', { schema: cancel, config: admins }, (request) => {
    const { motivo = null } = request.body
    return order(request, {
      event: { kind: 'cancelar_fin_periodo' },
      action: 'subscription.cancelled',
      detail: { motivo },
    })
  })

  const undo = {
    summary: 'Deshacer la cancelación',
    description: 'Mientras no haya surtido efecto. Si se pagaba con tarjeta hace falta un pago nuevo.',
    tags,
    response: { 200: schemas.MiSuscripcion },
  }
  app.post('/api/suscripciones/deshacer-cancelacion', { schema: undo, config: admins }, (request) =>
    order(request, { event: { kind: 'deshacer_cancelacion' }, action: 'subscription.cancellation_undone' }),
  )

  async function order(request: FastifyRequest, { event, action, detail = {} }: Omit<Command, 'cause' | 'by'>) {
    const { tenantId } = actingTenant(request.user)
    await commandSubscription(deps, tenantId, { event, action, detail, cause: causeOf(request), by: byOf(request) })
    return show(tenantId)
  }

  async function show(tenantId: string) {
    const now = clock.now()
    const overview = await findOverview(central, tenantId, now)
    return toSuscripcion(overview, await findUsage(deps, overview.stored, overview.terms, now))
  }
}

const tags = ['Mi suscripción']
/** Also of a blocked company: here is where it learns why and puts it right. */
const plan = { siempre: 'facturacion' } satisfies PlanRequerido
const everybody = { acceso: { quien: 'empresa' as const, roles: roles as readonly Rol[] }, plan }
/** Each may be a call to MercadoPago, which takes them one after the other for all companies, and a mail. */
const rateLimit = perCompany('suscripcion', 20)
const admins = { acceso: { quien: 'empresa' as const, roles: ['admin'] as readonly Rol[] }, plan, rateLimit }
