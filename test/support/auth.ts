import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { InjectOptions, Response } from 'light-my-request'
import pino from 'pino'
import { uuidv7 } from 'uuidv7'
import { registerJwt } from '../../src/auth/access-token.ts'
import { createAuth } from '../../src/auth/auth.ts'
import { guardRequests } from '../../src/auth/guard.ts'
import { authRoutes } from '../../src/auth/routes.ts'
import { usuarioRoutes } from '../../src/auth/usuario-routes.ts'
import { findSeatUse } from '../../src/billing/entitlements/seats.ts'
import { type Config, loadConfig } from '../../src/config.ts'
import { hashPassword } from '../../src/crypto/password-hash.ts'
import { type Changes, openChanges } from '../../src/db/changes.ts'
import { openCentral } from '../../src/db/client.ts'
import type { CentralDb, TenantDb } from '../../src/db/databases.ts'
import { rateCounters } from '../../src/db/rate-counters.ts'
import { tenantSchemaWindow } from '../../src/db/schema-window.ts'
import { createTenantDatabases } from '../../src/db/tenant-databases.ts'
import type { Acceso, Rol } from '../../src/http/access.ts'
import { actingTenant } from '../../src/http/principal.ts'
import { limitRequests } from '../../src/http/rate-limit.ts'
import { rateLimitStore } from '../../src/http/rate-limit-store.ts'
import { createShell } from '../../src/http/shell.ts'
import type { App } from '../../src/http/zod.ts'
import { ensureQueues, openQueue } from '../../src/queue/queue.ts'
import { runOperation } from '../../src/tenants/operations/run-operation.ts'
import { registerTenant } from '../../src/tenants/register.ts'
import { createServers } from '../../src/tenants/servers/servers.ts'
import { startPreparedCluster } from './prepared-cluster.ts'
import { registerServerAs } from './register-server.ts'

/**
 * The auth slice as API processes have it, on a central database of its own, for the tests of that slice: several
 * processes side by side, each with its caches, and a clock that is moved by hand.
 */
export interface AuthHouse {
  central: CentralDb
  config: Config
  clock: { now(): Date; forward(ms: number): void; hold(at?: Date): void; reset(): void }
  /** Another API process. `deaf`: its notifications are lost. */
  process(options?: ProcessOptions): Promise<ApiProcess>
  /** A person with PASSWORD. */
  user(options?: NewUser): Promise<{ id: string; email: string }>
  /** A company's rows, without a database behind them. */
  company(rfc: string, options?: { users?: number }): Promise<{ id: string; rfc: string; databaseName: string }>
  /** A company with its database, made as the worker makes it. Its first admin has a temporary password. */
  realCompany(rfc: string): Promise<{ id: string; rfc: string }>
  member(userId: string, tenantId: string, role: Rol): Promise<void>
  /** Reads a company's own database. */
  inTenant<T>(tenantId: string, work: (db: TenantDb) => Promise<T>): Promise<T>
  /** The newest mail of a template to somebody, as the worker would find it. */
  mail(email: string, template: string): Promise<Record<string, unknown> | undefined>
  close(): Promise<void>
}

export interface ProcessOptions {
  deaf?: boolean
  /** It looks at no session again before an hour: of a change it knows by its notification alone. */
  trusting?: boolean
  config?: Partial<Config>
}

export interface NewUser {
  email?: string
  platform?: boolean
  temporaryUntil?: Date
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

export interface ApiProcess {
  app: App
  passwords: { stats(): { started: number; peak: number; refused: number } }
  log: string[]
  /** Every route but those of the tests. */
  routes: { method: Method; url: string; acceso: Acceso }[]
  /** Sends a request; `as` is an access token. */
  send(method: Method, url: string, options?: SendOptions): Promise<Response>
  /** Logs in without cookies. @throws when it does not succeed */
  login(email: string, password?: string): Promise<Login>
}

export interface SendOptions {
  as?: string
  body?: object
  headers?: Record<string, string>
  cookies?: Record<string, string>
  from?: string
}

export interface Login {
  accessToken: string
  refreshToken: string
  debeCambiarPassword: boolean
  tenant: { id: string; rfc: string; rol: Rol } | null
  usuario: { id: string; email: string }
}

export const PASSWORD = 'nueve gatos pardos de noche'
export const NEW_PASSWORD = 'otra frase larga y sin sentido'

const key = (seed: number) =>
  Buffer.from(Array.from({ length: 32 }, (_, i) => (i * 37 + seed * 101) % 256)).toString('base64')
export const JWT_KEYS = `k1:${key(1)}`
export const NEXT_JWT_KEYS = `k2:${key(2)},k1:${key(1)}`

export async function startAuthHouse(): Promise<AuthHouse> {
  const cluster = await startPreparedCluster()
  const { url, ownerUrl } = await cluster.createCentral()
  await ensureQueues(ownerUrl)
  const credentialsDir = mkdtempSync(path.join(tmpdir(), 'horux-auth-'))
  writeFileSync(path.join(credentialsDir, 'local'), cluster.ownerCredential, { mode: 0o600 })
  const env = {
    HORUX_ENV: 'test',
    CENTRAL_DATABASE_URL: url,
    PUBLIC_URL: 'https://app.horux360.test',
    CORS_ORIGINS: 'https://otro.horux360.test',
    CREDENTIALS_DIRECTORY: credentialsDir,
    HORUX_TENANT_KEY: `t1:${key(3)}`,
    JWT_KEYS,
    BILLING_ENCRYPTION_KEY: `b1:${key(4)}`,
    FIEL_ENCRYPTION_KEY: `f1:${key(5)}`,
    RATE_LIMIT_PER_MINUTE: '0',
    CENTRAL_POOL_MAX: '12',
  }
  const config = loadConfig(env, 'api')
  const central = openCentral(config)
  const log = pino({ level: 'silent' })
  const clock = movableClock()
  const closers: (() => Promise<unknown>)[] = []
  const hashed = await hashPassword(PASSWORD)
  const queue = openQueue(central, log)
  const tenants = createTenantDatabases({ config, central, log, schema: tenantSchemaWindow() })
  let serial = 0

  return {
    central,
    config,
    clock,
    process: (options = {}) => startProcess({ ...config, ...options.config }, clock, closers, options),

    async user({ email = `persona${++serial}@despacho.example`, platform = false, temporaryUntil } = {}) {
      const id = uuidv7()
      const password = { password_hash: hashed, password_temporal: temporaryUntil !== undefined }
      const expires = { password_expires_at: temporaryUntil ?? null }
      const row = { id, email, nombre: 'Persona de Prueba', is_platform: platform, ...password, ...expires }
      await central.insertInto('users').values(row).execute()
      return { id, email }
    },

    async company(rfc, { users = -1 } = {}) {
      const id = uuidv7()
      const databaseName = `horux_${rfc.toLowerCase()}`
      const plan = { code: `prueba_${++serial}`, nombre: 'Prueba', cfdi_limit: 10, user_limit: users, features: [] }
      const serverId = await registerServerAs(ownerUrl, {
        name: 'local',
        ...addressOf(cluster),
        ownerCredential: 'local',
      })
      await central.insertInto('plans').values(plan).execute()
      await central
        .insertInto('tenants')
        .values({ id, rfc, nombre: `Empresa ${rfc}` })
        .execute()
      const placement = { tenant_id: id, server_id: serverId, database_name: databaseName, role_name: `hxt_${rfc}` }
      await central
        .insertInto('tenant_databases')
        .values({ ...placement, state: 'active' })
        .execute()
      const subscription = {
        id: uuidv7(),
        tenant_id: id,
        plan_code: plan.code,
        plan_version: 1,
        estado: 'trial' as const,
      }
      await central.insertInto('subscriptions').values(subscription).execute()
      return { id, rfc, databaseName }
    },

    async realCompany(rfc) {
      await registerServerAs(ownerUrl, { name: 'local', ...addressOf(cluster), ownerCredential: 'local' })
      const worker = { central, queue, clock, log, servers: createServers({ config, central }) }
      const admin = { email: `primera.${++serial}@despacho.example`, nombre: 'Primera Persona' }
      const by = { actor: null, ip: null, requestId: null }
      const request = { rfc, nombre: `Empresa ${rfc}`, admin, plan: 'enterprise', regimen: null }
      const { tenantId, operationId } = await registerTenant(worker, request, by)
      const outcome = await runOperation(worker, operationId)
      if (outcome !== 'succeeded') throw new Error(`provisioning ${outcome}`)
      return { id: tenantId, rfc }
    },

    async member(userId, tenantId, role) {
      await central.insertInto('memberships').values({ user_id: userId, tenant_id: tenantId, role }).execute()
    },

    inTenant: (tenantId, work) => tenants.use(tenantId, work),

    async mail(email, template) {
      const row = await central
        .selectFrom('mail_outbox')
        .select('data')
        .where('to_email', '=', email)
        .where('template', '=', template)
        .orderBy('id', 'desc')
        .executeTakeFirst()
      return row?.data as Record<string, unknown> | undefined
    },

    async close() {
      for (const close of closers.reverse()) await close()
      await tenants.close()
      await queue.stop()
      await central.destroy()
      await cluster.stop()
      rmSync(credentialsDir, { recursive: true, force: true })
    },
  }
}

async function startProcess(
  config: Config,
  clock: { now(): Date },
  closers: (() => Promise<unknown>)[],
  { deaf = false, trusting = false }: ProcessOptions,
): Promise<ApiProcess> {
  const lines: string[] = []
  const log = pino({ level: 'warn' }, { write: (line: string) => void lines.push(line) })
  const central = openCentral(config)
  const changes: Changes = deaf ? deafChanges : openChanges(config)
  await connected(changes)
  const tenants = createTenantDatabases({ config, central, changes, log, schema: tenantSchemaWindow() })
  const queue = openQueue(central, log)
  const memory = trusting ? { sessionsRememberedMs: 3_600_000 } : {}
  const auth = createAuth({ config, clock, central, tenants, queue, changes, seats: findSeatUse, ...memory })
  const { trustProxy, corsOrigins } = config
  const { app, routes } = await createShell({ log, trustProxy, corsOrigins, maxLoopDelayMs: 0, checkText: true })
  await registerJwt(app, config.jwtKeys)
  guardRequests(app, auth)
  const store = rateLimitStore({ counters: rateCounters(central), onFailure: () => undefined, patienceMs: 60_000 })
  await limitRequests(app, { perMinute: config.rateLimitPerMinute, store })
  await app.register(authRoutes(auth))
  await app.register(usuarioRoutes(auth))
  await app.register(probes)
  await app.ready()
  closers.push(async () => {
    await app.close()
    await queue.stop()
    await tenants.close()
    await changes.close()
    await central.destroy()
  })

  const send: ApiProcess['send'] = (method, url, { as, body, headers, cookies, from } = {}) => {
    const authorization = as === undefined ? {} : { authorization: `Bearer ${as}` }
    const request: InjectOptions = { method, url, headers: { ...authorization, ...headers } }
    if (body) request.payload = body
    if (cookies) request.cookies = cookies
    if (from) request.remoteAddress = from
    return app.inject(request)
  }
  return {
    app,
    passwords: auth.passwords,
    log: lines,
    routes: routes
      .filter(({ url, method }) => !url.includes('/probe/') && method !== 'HEAD')
      .map(({ method, url, config }) => ({ method: method as Method, url, acceso: config?.acceso as Acceso })),
    send,
    async login(email, password = PASSWORD) {
      const answer = await send('POST', '/api/auth/login', { body: { email, password, transporte: 'cuerpo' } })
      if (answer.statusCode !== 200) throw new Error(`login of ${email}: ${answer.statusCode} ${answer.body}`)
      return answer.json()
    },
  }
}

/** Routes with each kind of access, so that the guard is asked everything. They answer with whom they see. */
async function probes(app: App) {
  const roles = { todos: ['admin', 'contador', 'visor'], contables: ['admin', 'contador'], admins: ['admin'] } as const
  for (const [name, allowed] of Object.entries(roles)) {
    const config = { acceso: { quien: 'empresa', roles: allowed } } as const
    app.get(`/api/probe/${name}`, { config }, async ({ user }) => ({ ...actingTenant(user), user }))
    app.post(`/api/probe/${name}`, { config }, async ({ user }) => ({ ...actingTenant(user), user }))
  }
  app.get('/api/probe/sesion', { config: { acceso: { quien: 'sesion' } } }, async ({ user }) => ({ user }))
  app.get('/api/probe/plataforma', { config: { acceso: { quien: 'plataforma' } } }, async ({ user }) => ({ user }))
}

function movableClock() {
  let offset = 0
  let held: number | undefined
  return {
    now: () => new Date((held ?? Date.now()) + offset),
    forward: (ms: number) => {
      offset += ms
    },
    /** It stands still until `reset`. */
    hold: (at = new Date()) => {
      held = at.getTime()
    },
    reset: () => {
      offset = 0
      held = undefined
    },
  }
}

/** A process whose line to the database is cut and that does not know it. */
const deafChanges: Changes = {
  on: () => () => undefined,
  onResync: () => () => undefined,
  connected: true,
  close: async () => {},
}

async function connected(changes: Changes): Promise<void> {
  if (changes.connected) return
  const { promise, resolve } = Promise.withResolvers<void>()
  const off = changes.onResync(() => resolve())
  if (!changes.connected) await promise
  off()
}

const addressOf = ({ host, port }: { host: string; port: number }) => ({ host, port, tls: 'off' as const })
