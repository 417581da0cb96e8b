import { alertaRoutes } from './alerts/routes.ts'
import { registerJwt } from './auth/access-token.ts'
import { createAuth } from './auth/auth.ts'
import { guardRequests } from './auth/guard.ts'
import { authRoutes } from './auth/routes.ts'
import { usuarioRoutes } from './auth/usuario-routes.ts'
import { bandejaRoutes } from './billing/alerts/routes.ts'
import { checkoutRoutes } from './billing/checkout/routes.ts'
import { connectorRoutes } from './billing/connectors/routes.ts'
import { gateRequests } from './billing/entitlements/gate.ts'
import { usoRoutes } from './billing/entitlements/routes.ts'
import { findSeatUse } from './billing/entitlements/seats.ts'
import { explicacionRoutes } from './billing/explain/routes.ts'
import { metricaRoutes } from './billing/metrics/routes.ts'
import { suscripcionRoutes } from './billing/own/routes.ts'
import { paymentRoutes } from './billing/payments/routes.ts'
import { webhookRoutes } from './billing/pipeline/routes.ts'
import { planRoutes } from './billing/plans/routes.ts'
import { publicPages } from './billing/public/routes.ts'
import { replayRoutes } from './billing/replay/routes.ts'
import { subscriptionRoutes } from './billing/staff/routes.ts'
import { followTestClock, testClockRoutes } from './billing/testing/routes.ts'
import { anotacionRoutes } from './cfdi/annotations/routes.ts'
import { cargaRoutes } from './cfdi/bulk/routes.ts'
import { documentoRoutes } from './cfdi/detail/routes.ts'
import { downloadRoutes } from './cfdi/exports/download-routes.ts'
import { exportRoutes } from './cfdi/exports/routes.ts'
import { findRoutes } from './cfdi/find/routes.ts'
import { pdfRoutes } from './cfdi/pdf/routes.ts'
import { cfdiRoutes } from './cfdi/routes.ts'
import { selloRoutes } from './cfdi/verify/routes.ts'
import { idempotencyStore } from './db/idempotency-keys.ts'
import { CENTRAL_MIGRATIONS, readMigrations } from './db/migrate.ts'
import { rateCounters } from './db/rate-counters.ts'
import { centralIsReady } from './db/ready.ts'
import type { Deps } from './deps.ts'
import { fielRoutes } from './fiel/routes.ts'
import { limitConcurrency } from './http/bulkhead.ts'
import { docsRoutes } from './http/docs.ts'
import { closeConnectionsOf, createDrain, type Drain } from './http/drain.ts'
import { healthRoutes } from './http/health.ts'
import { honourIdempotencyKeys } from './http/idempotency.ts'
import { answerMethodNotAllowed } from './http/method-not-allowed.ts'
import type { Metrics } from './http/metrics.ts'
import { limitRequests } from './http/rate-limit.ts'
import { rateLimitStore } from './http/rate-limit-store.ts'
import { createShell } from './http/shell.ts'
import { createEventStreams } from './http/sse.ts'
import type { App } from './http/zod.ts'
import { mailRoutes } from './mail/routes.ts'
import { estadoSatRoutes } from './sat/estado/routes.ts'
import { reconciliacionRoutes } from './sat/reconciliacion/routes.ts'
import { satRoutes } from './sat/sync/routes.ts'
import { impuestosRoutes } from './taxes/routes.ts'
import { tenantRoutes } from './tenants/routes.ts'

export interface AppOptions {
  drain?: Drain
  metrics?: Metrics
  /** Mean delay of the event loop above which requests are refused; 0 never refuses. */
  maxLoopDelayMs?: number
  /** How long a request may take whose route says nothing of it. */
  handlerTimeoutMs?: number
  /** How long whoever asks for an operation on a company waits for it before it goes on without them. */
  operationWaitMs?: number
  /** How long whoever uploads a few files waits for them before the worker goes on with them. */
  uploadPatienceMs?: number
}

/** The HTTP surface. Opens and listens to nothing. */
export async function buildApp(deps: Deps, options: AppOptions = {}): Promise<App> {
  const { config, central, clock, testClock, log } = deps
  const {
    drain = createDrain(),
    metrics,
    maxLoopDelayMs = 250,
    operationWaitMs = 2_000,
    uploadPatienceMs = 8_000,
  } = options
  const { trustProxy, corsOrigins, version, publicUrl } = config
  const checkText = config.env === 'test'
  const limits = { maxLoopDelayMs, handlerTimeoutMs: options.handlerTimeoutMs }
  const { app, routes } = await createShell({ log, trustProxy, corsOrigins, ...limits, checkText })
  closeConnectionsOf(app, drain)
  metrics?.watch(app)
  if (testClock) followTestClock(app, testClock)

  // Who is asking, whether they may, whether their company's plan does, how often, how many at once, and whether they
  // asked before: in this order.
  const auth = createAuth({ ...deps, seats: findSeatUse })
  await registerJwt(app, config.jwtKeys)
  guardRequests(app, auth)
  gateRequests(app, deps)
  const onFailure = (err: unknown) => log.warn({ err }, 'rate limits are counted by this process alone')
  const store = rateLimitStore({ counters: rateCounters(central), onFailure })
  await limitRequests(app, { perMinute: config.rateLimitPerMinute, store })
  limitConcurrency(app)
  honourIdempotencyKeys(app, idempotencyStore(central))

  const events = createEventStreams({ drain })
  const needed = readMigrations(CENTRAL_MIGRATIONS).length
  const ready = { central: () => centralIsReady(central, needed) }
  await app.register(healthRoutes({ version, clock, drain, ready }))
  await app.register(authRoutes(auth))
  await app.register(usuarioRoutes(auth))
  await app.register(tenantRoutes({ ...deps, operationWaitMs }))
  await app.register(planRoutes(deps))
  await app.register(connectorRoutes({ ...deps, keys: config.billingKeys }))
  await app.register(mailRoutes(deps))
  await app.register(usoRoutes(deps))
  await app.register(suscripcionRoutes(deps))
  await app.register(subscriptionRoutes(deps))
  await app.register(explicacionRoutes(deps))
  await app.register(bandejaRoutes(deps))
  await app.register(replayRoutes(deps))
  await app.register(metricaRoutes(deps))
  await app.register(checkoutRoutes(deps))
  await app.register(paymentRoutes(deps))
  await app.register(publicPages(deps))
  await app.register(webhookRoutes(deps))
  await app.register(fielRoutes({ ...deps, passwords: auth.passwords }))
  await app.register(cfdiRoutes(deps))
  await app.register(cargaRoutes({ ...deps, events, patienceMs: uploadPatienceMs }))
  await app.register(documentoRoutes(deps))
  await app.register(selloRoutes(deps))
  await app.register(pdfRoutes(deps))
  await app.register(findRoutes(deps))
  await app.register(anotacionRoutes(deps))
  await app.register(exportRoutes({ ...deps, events }))
  await app.register(downloadRoutes(deps))
  await app.register(estadoSatRoutes(deps))
  await app.register(satRoutes(deps))
  await app.register(reconciliacionRoutes(deps))
  await app.register(impuestosRoutes(deps))
  await app.register(alertaRoutes(deps))

  if (testClock) await app.register(testClockRoutes({ ...deps, testClock }))

  await app.register(docsRoutes({ version, publicUrl, page: config.docsEnabled, routes }))
  answerMethodNotAllowed(app, routes)
  return app
}
