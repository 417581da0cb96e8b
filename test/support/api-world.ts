import { sql } from 'kysely'
import type { InjectOptions, Response } from 'light-my-request'
import { buildApp } from '../../src/app.ts'
import { signAccessToken } from '../../src/auth/access-token.ts'
import { createDeps, type Deps } from '../../src/deps.ts'
import type { Rol } from '../../src/http/access.ts'
import type { App } from '../../src/http/zod.ts'
import { createLog } from '../../src/log.ts'
import { type AuthHouse, PASSWORD, startAuthHouse } from './auth.ts'

/** Everybody who may ask, logged in to the whole API. */
export interface ApiWorld {
  app: App
  deps: Deps
  house: AuthHouse
  /** Two companies; `ours` is asked for, `foreign` is who must not see it. */
  ours: Company
  foreign: Company
  actors: Record<ActorName, Actor>
  login(email: string): Promise<Login>
  /** A line per log record written so far. */
  log: string[]
  close(): Promise<void>
}

export interface Company {
  id: string
  rfc: string
}

export interface Actor {
  userId: string
  sessionId: string
  email: string
  headers: Record<string, string>
}

export interface Login {
  accessToken: string
  sessionId: string
}

export const ACTORS = [
  'anonymous',
  'expired',
  'temporal',
  'visor',
  'contador',
  'admin',
  'foreignAdmin',
  'foreignAdminWithHeader',
  'staff',
  'staffViewing',
  'staffElevated',
] as const
export type ActorName = (typeof ACTORS)[number]

/** `add` brings routes of the test's own; `at` is the time there, which stands still then. */
export async function startApiWorld(add?: (app: App, deps: Deps) => void, at?: Date): Promise<ApiWorld> {
  await using started = new AsyncDisposableStack()
  const house = await startAuthHouse()
  started.defer(() => house.close())
  if (at) house.clock.hold(at)
  const lines: string[] = []
  const log = createLog({ level: 'trace', service: 'api', destination: { write: (line) => lines.push(line) } })
  const deps = createDeps(house.config, { log, clock: house.clock })
  started.defer(() => deps.close())
  const app = await buildApp(deps, { maxLoopDelayMs: 0 })
  started.defer(() => app.close())
  add?.(app, deps)
  await app.ready()
  const ours = await house.realCompany('EKU9003173C9')
  const foreign = await house.realCompany('XIA190128J61')

  const login = async (email: string): Promise<Login> => {
    const payload = { email, password: PASSWORD, transporte: 'cuerpo' }
    const answer = await app.inject({ method: 'POST', url: '/api/auth/login', payload })
    if (answer.statusCode !== 200) throw new Error(`login of ${email}: ${answer.statusCode} ${answer.body}`)
    const { accessToken } = answer.json()
    return { accessToken, sessionId: claimsOf(accessToken).sid }
  }
  const enter = async (user: { id: string; email: string }): Promise<Actor> => {
    const { accessToken, sessionId } = await login(user.email)
    return { userId: user.id, sessionId, email: user.email, headers: { authorization: `Bearer ${accessToken}` } }
  }
  const member = async (company: Company, role: Rol) => {
    const user = await house.user()
    await house.member(user.id, company.id, role)
    return enter(user)
  }
  const viewer = async (escritura: boolean): Promise<Actor> => {
    const actor = await enter(await house.user({ platform: true }))
    const payload = { tenant: ours.id, motivo: 'Revisión pedida por el cliente', escritura }
    const opened = await app.inject({ method: 'POST', url: '/api/auth/vista', payload, headers: actor.headers })
    if (opened.statusCode !== 200) throw new Error(opened.body)
    return { ...actor, headers: { ...actor.headers, 'x-view-tenant': ours.id } }
  }
  const expired = async (): Promise<Actor> => {
    const actor = await member(ours, 'admin')
    const claims = claimsOf(actor.headers['authorization']?.slice(7) ?? '')
    const token = signAccessToken(app.jwt, { ...claims, iat: claims.iat - 3600, exp: claims.iat - 1800 } as never)
    return { ...actor, headers: { authorization: `Bearer ${token}` } }
  }

  const foreignAdmin = await member(foreign, 'admin')
  const withHeader = await member(foreign, 'admin')
  const actors: Record<ActorName, Actor> = {
    anonymous: { userId: '', sessionId: '', email: '', headers: {} },
    expired: await expired(),
    temporal: await enter(await house.user({ temporaryUntil: new Date(house.clock.now().getTime() + 3_600_000) })),
    visor: await member(ours, 'visor'),
    contador: await member(ours, 'contador'),
    admin: await member(ours, 'admin'),
    foreignAdmin,
    foreignAdminWithHeader: { ...withHeader, headers: { ...withHeader.headers, 'x-view-tenant': ours.id } },
    staff: await enter(await house.user({ platform: true })),
    staffViewing: await viewer(false),
    staffElevated: await viewer(true),
  }

  const running = started.move()
  return {
    app,
    deps,
    house,
    ours,
    foreign,
    actors,
    login,
    log: lines,
    close: () => running.disposeAsync(),
  }
}

export const claimsOf = (token: string) =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'))

/** Sends a request as somebody. */
export const sendAs = (world: ApiWorld, actor: Actor, request: InjectOptions): Promise<Response> =>
  world.app.inject({ ...request, headers: { ...request.headers, ...actor.headers } })

/**
 * A digest of every row of a company's database and of what the central database holds about everybody, without what a
 * request may always touch (when a session was last used, counters, logs).
 */
export async function digestOf({ deps }: ApiWorld, tenantId: string): Promise<string> {
  const rowsOf = (table: string) => sql<{ digest: string }>`
    select coalesce(md5(string_agg(t::text, '|' order by t::text)), '') as digest from ${sql.table(table)} t`
  const tenant = await deps.tenants.use(tenantId, async (db) => {
    const { rows } = await sql<{ name: string }>`
      select table_name as name from information_schema.tables
      where table_schema = 'public' and table_type = 'BASE TABLE' and table_name <> 'auditoria' order by 1`.execute(db)
    const digests = []
    for (const { name } of rows) digests.push(`${name} ${(await rowsOf(name).execute(db)).rows[0]?.digest}`)
    return digests
  })
  const central = []
  for (const name of CENTRAL) central.push(`${name} ${(await rowsOf(name).execute(deps.central)).rows[0]?.digest}`)
  return [...tenant, ...central].join('\n')
}

const CENTRAL = [
  'tenants',
  'tenant_databases',
  'memberships',
  'users',
  'subscriptions',
  'staff_views',
  'plans',
  'tenant_overrides',
  'billing_policy',
  'payment_connectors',
]
