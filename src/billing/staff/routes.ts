import type { FastifyRequest } from 'fastify'
import { addMonths, type Fecha, fechaOf } from '../../fiscal/fecha.ts'
import type { App } from '../../http/zod.ts'
import { type Command, type CommandDeps, commandSubscription } from '../own/command-subscription.ts'
import { findUsage, type UsageDeps } from '../own/find-usage.ts'
import { byOf } from '../plans/by.ts'
import { toSuscripcionDeEmpresa } from './answers.ts'
import { changeTaxRate } from './change-tax-rate.ts'
import { tooFar } from './errors.ts'
import { findDetail } from './find-detail.ts'
import { requestSync } from './request-sync.ts'
import * as schemas from './schemas.ts'
import { staffCauseOf } from './staff-cause-of.ts'

export interface StaffDeps extends CommandDeps, UsageDeps {}

/** A company's subscription in the hands of staff of the platform. */
export const subscriptionRoutes = (deps: StaffDeps) => async (app: App) => {
  const { central, clock } = deps
  const ofCompany = { tags, params: schemas.DeEmpresa, response: { 200: schemas.SuscripcionDeEmpresa } }

  const read = { ...ofCompany, summary: 'La suscripción de una empresa' }
  app.get('/api/subscriptions/:tenantId', { schema: read, config: staff }, (request) => show(request.params.tenantId))

  const change = { ...ofCompany, summary: 'Cambiar la tasa de IVA de una empresa', body: schemas.CambioDeTasa }
  app.patch('/api/subscriptions/:tenantId', { schema: change, config: staff }, async (request) => {
    const { tasa } = request.body
    await changeTaxRate(deps, request.params.tenantId, tasa && BASIS_POINTS[tasa], byOf(request))
    return show(request.params.tenantId)
  })

  const extend = {
    ...ofCompany,
    summary: 'Extender el periodo de prueba',
    description: 'También de una prueba vencida que nunca pagó. `hasta` es el primer día sin prueba.',
    body: schemas.Extension,
  }
  app.post('/api/subscriptions/:tenantId/extender-trial', { schema: extend, config: staff }, (request) => {
    const { hasta } = request.body
    requireNear(hasta)
    const event = { kind: 'extender_trial', until: hasta } as const
    return order(request, request.params.tenantId, { event, action: 'subscription.trial_extended', detail: { hasta } })
  })

  const suspend = {
    ...ofCompany,
    summary: 'Suspender a una empresa',
    description: 'Sus pagos mientras tanto quedan como saldo a favor, y sólo reactivar la levanta.',
    body: schemas.Suspension,
  }
  app.post('/api/subscriptions/:tenantId/suspender', { schema: suspend, config: staff }, (request) => {
    const event = { kind: 'suspender_admin' } as const
    const detail = { motivo: request.body.motivo }
    return order(request, request.params.tenantId, { event, action: 'subscription.suspended', detail })
  })

  const reactivate = {
    ...ofCompany,
    summary: 'Dar acceso de cortesía a una empresa',
    description: 'Hasta un día, que es el primero sin cortesía; desde él debe pagarse.',
    body: schemas.Reactivacion,
  }
  app.post('/api/subscriptions/:tenantId/reactivar', { schema: reactivate, config: staff }, (request) => {
    const { hasta, motivo } = request.body
    requireNear(hasta)
    const event = { kind: 'reactivar_admin', until: hasta } as const
    const detail = { hasta, motivo }
    return order(request, request.params.tenantId, { event, action: 'subscription.reactivated', detail })
  })

  const cancel = {
    ...ofCompany,
    summary: 'Cancelar la suscripción de una empresa',
    description: 'Al final de lo pagado, o en este momento con `inmediata`.',
    body: schemas.Cancelacion,
  }
  app.post('/api/subscriptions/:tenantId/cancelar', { schema: cancel, config: staff }, (request) => {
    const { inmediata, motivo } = request.body
    const event = { kind: inmediata ? 'cancelar_inmediata' : 'cancelar_fin_periodo' } as const
    const detail = { inmediata, motivo }
    return order(request, request.params.tenantId, { event, action: 'subscription.cancelled', detail })
  })

  const sync = {
    tags,
    summary: 'Volver a leer la suscripción en MercadoPago',
    params: schemas.DeEmpresa,
    response: { 202: schemas.Sincronizacion },
  }
  app.post('/api/subscriptions/:tenantId/sincronizar', { schema: sync, config: staff }, async (request, reply) => {
    await requestSync(deps, request.params.tenantId, byOf(request))
    return reply.code(202).send({ estado: 'en_cola' })
  })

  function requireNear(hasta: Fecha): void {
    const last = addMonths(fechaOf(clock.now()), MOST_MONTHS)
    if (hasta > last) throw tooFar(last)
  }

  async function order(request: FastifyRequest, tenantId: string, command: Omit<Command, 'cause' | 'by'>) {
    await commandSubscription(deps, tenantId, { ...command, cause: staffCauseOf(request), by: byOf(request) })
    return show(tenantId)
  }

  async function show(tenantId: string) {
    const now = clock.now()
    const detail = await findDetail(central, tenantId, now)
    const { stored, terms } = detail.overview
    return toSuscripcionDeEmpresa(detail, await findUsage(deps, stored, terms, now), now)
  }
}

const BASIS_POINTS = { '0.16': 1600, '0.08': 800 } as const
const MOST_MONTHS = 24

const tags = ['Suscripciones']
const staff = { acceso: { quien: 'plataforma' as const } }
