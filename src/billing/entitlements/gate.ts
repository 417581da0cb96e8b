import type { FastifyRequest } from 'fastify'
import type { CentralDb } from '../../db/databases.ts'
import type { AppError } from '../../errors.ts'
import type { PlanRequerido } from '../../http/access.ts'
import type { App } from '../../http/zod.ts'
import { type Feature, features } from '../plans/features.ts'
import { type Refusal, refusalOf, type Wish } from './admit.ts'
import type { EntitlementCache } from './entitlement-cache.ts'
import type { Entitlements } from './entitlements.ts'
import { featureNotInPlan, subscriptionBlocked, subscriptionReadOnly } from './errors.ts'
import { findCheapestPlanWith } from './queries.ts'

export interface GateDeps {
  central: CentralDb
  entitlements: Pick<EntitlementCache, 'get' | 'forget'>
}

/**
 * Lets a request of a company through, or not, by what its subscription and plan allow (billing.md 8.4). After the guard,
 * which says whose request it is, and like it before the body is read. Staff inside a vista is not stopped: what they look
 * into is often just why a company is stopped.
 */
export function gateRequests(app: App, deps: GateDeps): void {
  app.addHook('onRoute', ({ method, url, config }) => {
    if (!config?.plan) return
    const where = `${method} ${url}`
    if (config.acceso?.quien !== 'empresa') throw new Error(`${where} asks something of a plan, but of no company`)
    const { feature } = config.plan
    if (feature !== undefined && !isFeature(feature)) throw new Error(`${where} asks for ${feature}, which no plan has`)
  })

  // With `done` and without a promise: nearly always the answer is at hand, and every request passes here.
  app.addHook('onRequest', (request, _reply, done) => {
    if (request.routeOptions.config.acceso?.quien !== 'empresa' || request.is404) return done()
    const { tenantId, vista } = request.user
    if (tenantId === null || vista) return done()
    const found = deps.entitlements.get(tenantId)
    if (!(found instanceof Promise)) return admit(request, found, done)
    found.then((entitlements) => admit(request, entitlements, done), done)
  })

  // Whoever changes what a company may do, here, sees it in their next request, notice or not.
  app.addHook('onSend', (request, _reply, _payload, done) => {
    const tenantId = isWrite(request) ? settledTenant(request) : undefined
    if (tenantId !== undefined) deps.entitlements.forget(tenantId)
    done()
  })

  function admit(request: FastifyRequest, entitlements: Entitlements, done: (error?: Error) => void): void {
    const refusal = refusalOf(entitlements, wishOf(request))
    if (refusal) refusalError(deps.central, entitlements, refusal).then(done, done)
    else done()
  }
}

/** @throws AppError unavailable when the plans cannot be read. */
export async function refusalError(central: CentralDb, { estado }: Entitlements, refusal: Refusal): Promise<AppError> {
  if (refusal.kind === 'feature')
    return featureNotInPlan(refusal.feature, await findCheapestPlanWith(central, refusal.feature))
  return refusal.access === 'blocked' ? subscriptionBlocked(estado) : subscriptionReadOnly(estado)
}

/** The company whose subscription a request may have changed: its own, or the one that staff named. */
function settledTenant({ routeOptions, params, user }: FastifyRequest): string | undefined {
  const { acceso, plan } = routeOptions.config
  if (acceso?.quien === 'plataforma') return (params as { tenantId?: string } | undefined)?.tenantId
  return plan?.siempre === 'facturacion' ? (user?.tenantId ?? undefined) : undefined
}

const isWrite = ({ method }: FastifyRequest) => method !== 'GET' && method !== 'HEAD'

function wishOf(request: FastifyRequest): Wish {
  const { user, routeOptions } = request
  const { feature, siempre }: PlanRequerido = routeOptions.config.plan ?? {}
  return {
    writes: isWrite(request),
    feature: feature as Feature | undefined, // proved when the route was added
    siempre,
    isAdmin: user.rol === 'admin',
  }
}

const isFeature = (text: string): text is Feature => features.some((feature) => feature === text)
