import type { FastifyRequest } from 'fastify'
import type { Clock } from '../clock.ts'
import type { KeyRing } from '../config.ts'
import { writeAudit, writeAuditoria } from '../db/audit.ts'
import type { CentralDb, TenantDb } from '../db/databases.ts'
import type { Acceso } from '../http/access.ts'
import { noteAdmission } from '../http/admission.ts'
import { originOf } from '../http/client-address.ts'
import type { Principal, Vista } from '../http/principal.ts'
import type { App } from '../http/zod.ts'
import { bearerTokenOf, verifyAccessToken } from './access-token.ts'
import { authorize, isAlive, TokenMismatch } from './authorize.ts'
import { forbidden, sessionEnded, unauthenticated, viewNotOpen } from './errors.ts'
import { findMember } from './member-queries.ts'
import type { SessionCache } from './session-cache.ts'

export interface GuardDeps {
  central: CentralDb
  tenants: { use<T>(tenantId: string, work: (db: TenantDb) => Promise<T>): Promise<T> }
  clock: Clock
  config: { jwtKeys: KeyRing }
  sessions: SessionCache
}

/**
 * Lets a request through to its route, or not, by the route's `config.acceso`. Sets `request.user`.
 *
 * Runs before the body is read, so a stranger's 200 MB are refused by their headers.
 */
export function guardRequests(app: App, deps: GuardDeps): void {
  app.addHook('onRequest', async (request) => {
    const { acceso } = request.routeOptions.config
    // No such route, or a preflight, which CORS answers: nothing of ours runs behind them.
    if (request.is404 || request.method === 'OPTIONS') return
    if (!acceso) throw new Error(`${request.method} ${request.routeOptions.url} does not say who may call it`)
    if (acceso.quien === 'publico') return

    const token = bearerTokenOf(request)
    if (token === undefined) throw unauthenticated()
    const asked = { acceso, method: request.method, viewTenant: viewTenantOf(request) }
    const admit = async (now: Date) => {
      const claims = verifyAccessToken(app.jwt, deps.config.jwtKeys, token, now)
      const session = await deps.sessions.find(claims.sid)
      return alarmed(request, () => authorize(session, claims, asked, now))
    }
    const now = deps.clock.now()
    request.user = await admit(now)
    if (request.routeOptions.config.flujo) noteAdmission(request, () => admit(deps.clock.now()))
    if (request.routeOptions.config.cuerpoLargo)
      noteAdmission(request, () => demandStanding(deps, request.user, acceso))
    if (request.user.vista) await recordView(deps, request, request.user, request.user.vista, now)
  })
}

/**
 * When a body that took minutes is there. Its token may have run out, and whoever keeps the books of many companies looks
 * at another one by now: neither is a reason to throw it away. To be put out of the company meanwhile is.
 * @throws AppError unauthenticated, forbidden
 */
async function demandStanding({ sessions, clock, central }: GuardDeps, user: Principal, acceso: Acceso): Promise<void> {
  const now = clock.now()
  const session = await sessions.find(user.sessionId)
  if (!session || !isAlive(session, now)) throw sessionEnded()
  if (user.vista) {
    if (session.vista?.id !== user.vista.id || session.vista.expiresAt <= now) throw viewNotOpen()
  } else if (acceso.quien === 'empresa' && user.tenantId !== null) {
    const member = await findMember(central, user.tenantId, user.userId)
    if (!member || !acceso.roles.includes(member.rol)) throw forbidden()
  }
}

/** RFCs hold ñ, and headers hold bytes: accepts UTF-8, Latin-1 and percent-encoded. */
function viewTenantOf(request: FastifyRequest): string | undefined {
  const header = request.headers['x-view-tenant']
  if (header === undefined) return undefined
  const bytes = Buffer.from(String(header), 'latin1')
  const text = bytes.toString('utf8')
  return percentDecoded(text.includes('\ufffd') ? bytes.toString('latin1') : text).normalize('NFC')
}

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function alarmed(request: FastifyRequest, decide: () => Principal): Principal {
  try {
    return decide()
  } catch (error) {
    if (error instanceof Error && error.cause instanceof TokenMismatch) {
      request.log.error({ err: error.cause, alarm: 'token_mismatch' }, 'a token of ours contradicts its session')
    }
    throw error
  }
}

/** Written before the route does anything, in both logs or the request fails: nobody looks into a company unseen. */
async function recordView(deps: GuardDeps, request: FastifyRequest, user: Principal, vista: Vista, now: Date) {
  const { ip, requestId } = originOf(request)
  const detail = { vista: vista.id, metodo: request.method, ruta: request.url.split('?', 1)[0] }
  await Promise.all([
    deps.tenants.use(vista.tenantId, (db) =>
      writeAuditoria(db, {
        ocurrioEn: now,
        usuario: user,
        esPlataforma: true,
        accion: 'vista.consulta',
        motivo: vista.motivo,
        detalle: detail,
        requestId,
      }),
    ),
    writeAudit(deps.central, {
      at: now,
      action: 'vista.consulta',
      actor: user,
      tenantId: vista.tenantId,
      detail: { ...detail, motivo: vista.motivo },
      ip,
      requestId,
    }),
  ])
}
