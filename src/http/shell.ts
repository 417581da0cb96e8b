import { Readable } from 'node:stream'
import cookie from '@fastify/cookie'
import cors from '@fastify/cors'
import helmet from '@fastify/helmet'
import underPressure from '@fastify/under-pressure'
import Fastify, {
  type FastifyBaseLogger,
  type FastifyError,
  type FastifyReply,
  type FastifyRequest,
  LogController,
  type RouteOptions,
} from 'fastify'
import type { Logger } from 'pino'
import { z } from 'zod'
import { AppError } from '../errors.ts'
import { LONGEST_BODY_MS, limitBodyTime } from './body-deadline.ts'
import { answerBrokenRequest } from './broken-request.ts'
import { invalidRequest } from './invalid-request.ts'
import { sendProblem } from './problem.ts'
import { echoRequestId, requestId } from './request-id.ts'
import { logRequests } from './request-log.ts'
import { requireStrictSchemas } from './strict-schemas.ts'
import { type App, serializerCompiler, validatorCompiler, type ZodProvider } from './zod.ts'

export interface ShellOptions {
  log: Logger
  trustProxy: string | false
  corsOrigins: readonly string[]
  /** Above this mean delay of the event loop (measured each second) requests are refused with 503. */
  maxLoopDelayMs: number
  /** How long a request may take whose route says nothing of it: 15 s. */
  handlerTimeoutMs?: number | undefined
  /** For tests: nobody waits 30 s. */
  bodyDeadlineMs?: number
  silentMs?: number
  /** Answers that arrive as JSON text are checked against their schema too: in tests. */
  checkText: boolean
}

/** The API without its routes: limits, headers, ids, log, problems. `routes` fills as routes are added. */
export async function createShell(options: ShellOptions): Promise<{ app: App; routes: RouteOptions[] }> {
  const app: App = Fastify({
    loggerInstance: options.log as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'request_id' }),
    genReqId: requestId,
    trustProxy: options.trustProxy,
    bodyLimit: 1024 * 1024,
    handlerTimeout: options.handlerTimeoutMs ?? 15_000,
    // Slow loris: headers within 10 s, bodies within 30 s (limitBodyTime), and nothing for ever.
    requestTimeout: LONGEST_BODY_MS,
    // And answers that nobody takes: each holds its place until its connection closes.
    connectionTimeout: options.silentMs ?? SILENT_MS,
    http: { headersTimeout: 10_000, connectionsCheckingInterval: 5_000 },
    // While draining, requests are answered to the last; `drain.ts` closes their connections.
    return503OnClosing: false,
    frameworkErrors: answerBeforeHooks,
    clientErrorHandler: answerBrokenRequest,
  }).withTypeProvider<ZodProvider>()

  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler({ checkText: options.checkText }))
  app.setErrorHandler(sendProblem)
  app.setNotFoundHandler((request, reply) => sendProblem(NOT_FOUND, request, reply))
  const routes = collectRoutes(app)
  echoRequestId(app)
  logRequests(app)
  limitBodyTime(app, options.bodyDeadlineMs)
  keepPrivate(app)
  endUnread(app)
  acceptJsonOnly(app)
  refuseUnread(app)

  addHeaders(app, await securityHeaders())
  await app.register(cors, {
    delegator: (request, done) => done(null, corsFor(request.url ?? '', options.corsOrigins)),
    hideOptionsRoute: true,
  })
  await app.register(cookie)
  await app.register(underPressure, { maxEventLoopDelay: options.maxLoopDelayMs, retryAfter: 5 })
  return { app, routes }
}

/** Nothing of ours is silent for so long: handlers have 15 s, streams of events say something every 15. */
const SILENT_MS = 120_000

/** An address that cannot be read is answered before any hook has run. */
function answerBeforeHooks(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  sendProblem(error, request, reply.header('x-request-id', request.id).header('x-content-type-options', 'nosniff'))
}

/**
 * What helmet sets on an answer, found out once: its plugin builds all of its middlewares anew for every request, which
 * was a twentieth of what a request cost.
 */
async function securityHeaders(): Promise<Record<string, string>> {
  const probe = Fastify()
  await probe.register(helmet, {
    contentSecurityPolicy: { useDefaults: false, directives: API_POLICY },
    frameguard: { action: 'deny' },
  })
  probe.get('/', (_request, reply) => reply.send())
  const { headers } = await probe.inject('/')
  await probe.close()
  const isHelmets = ([name]: [string, unknown]) => !['date', 'connection', 'content-length'].includes(name)
  return Object.fromEntries(Object.entries(headers).filter(isHelmets)) as Record<string, string>
}

/** On every answer, unless its route says otherwise. */
function addHeaders(app: App, headers: Readonly<Record<string, string>>): void {
  app.addHook('onRequest', (_request, reply, done) => {
    reply.headers(headers)
    done()
  })
}

const API_POLICY = { defaultSrc: ["'none'"], frameAncestors: ["'none'"], baseUri: ["'none'"], formAction: ["'none'"] }

const NOT_FOUND = { statusCode: 404, name: 'NotFound', message: 'no such route' }

/** Every route says who may call it and has strict schemas, or the app does not get ready. */
function collectRoutes(app: App): RouteOptions[] {
  const routes: RouteOptions[] = []
  app.addHook('onRoute', (route) => {
    if (route.method !== 'OPTIONS') routes.push(route)
  })
  app.addHook('onReady', async () => {
    for (const route of routes) {
      if (!route.config?.acceso)
        throw new Error(`${route.method} ${route.url} does not say who may call it (config.acceso)`)
      requireStrictSchemas(route)
    }
  })
  return routes
}

/** Whatever does not say otherwise is for one person's eyes and not for a cache. */
function keepPrivate(app: App): void {
  app.addHook('onSend', (_request, reply, _payload, done) => {
    if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'no-store')
    done()
  })
}

/**
 * A HEAD gets no body. Fastify would read the stream to its end to throw it away: the whole of a file, and events for ten
 * minutes, for somebody who has left long ago.
 */
function endUnread(app: App): void {
  app.addHook('onSend', (request, _reply, payload, done) => {
    if (request.method === 'HEAD' && payload instanceof Readable) payload.destroy()
    done()
  })
}

/** JSON, nothing else by default; an empty body is no body, because many clients send the header always. */
function acceptJsonOnly(app: App): void {
  const parse = app.getDefaultJsonParser('error', 'error')
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null, undefined)
    else parse(request, String(body), done)
  })
}

/** What no schema reads would be taken in silence: a misspelt parameter, a body where there is none. */
function refuseUnread(app: App): void {
  app.addHook('preValidation', async ({ routeOptions: { schema = {} }, body, query }) => {
    if (schema.hide) return
    if (schema.querystring === undefined) {
      const result = NOTHING.safeParse({ ...(query as object) })
      if (!result.success) throw invalidRequest(result.error, NOTHING)
    }
    if (schema.body !== undefined || body === undefined || body === null) return
    if (typeof body === 'object' && Object.keys(body).length === 0) return
    throw new AppError('invalid', 'request.invalid', 'Esta operación no recibe datos en el cuerpo.')
  })
}

const NOTHING = z.strictObject({})

/** Exact origins. Credentials (the refresh cookie) travel only to the routes that set or read it. */
function corsFor(url: string, origins: readonly string[]) {
  return {
    origin: [...origins],
    credentials: /^\/api\/auth\/(login|refresh|logout|logout-all|password)(\?|$)/.test(url),
    methods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
    exposedHeaders: [
      'X-Request-Id',
      'Idempotent-Replayed',
      'Retry-After',
      'Location',
      'RateLimit-Limit',
      'RateLimit-Remaining',
      'RateLimit-Reset',
    ],
    maxAge: 600,
    strictPreflight: true,
  }
}
