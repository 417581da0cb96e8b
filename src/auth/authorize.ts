import type { Acceso } from '../http/access.ts'
import type { Principal } from '../http/principal.ts'
import type { Claims } from './access-token.ts'
import * as errors from './errors.ts'
import type { SessionRow, ViewRow } from './session-queries.ts'

/** What a request asks to be allowed. */
export interface Asked {
  acceso: Acceso
  method: string
  /** The `X-View-Tenant` header, decoded. */
  viewTenant: string | undefined
}

/**
 * Who is asking, out of what the database says of the session (never out of the token), and whether they may.
 *
 * The one place where the roles of `Acceso` mean something: every route passes through here, with no database at hand.
 * @throws AppError unauthenticated or forbidden. `TokenMismatch` as a cause is worth an alarm: a token that one of our
 *   keys signed contradicts the session it names.
 */
export function authorize(session: SessionRow | undefined, claims: Claims, asked: Asked, now: Date): Principal {
  if (!session || !isAlive(session, now)) throw errors.sessionEnded()
  if (claims.userId !== session.userId) throw errors.invalidToken(new TokenMismatch('userId', session.id))
  if (claims.tenantId !== session.tenantId) throw errors.tokenSuperseded()
  if (claims.databaseName !== session.databaseName)
    throw errors.invalidToken(new TokenMismatch('databaseName', session.id))

  const principal = principalOf(session)
  const { acceso } = asked
  if (principal.scope === 'password_change' && !acceso.conPasswordTemporal) throw errors.passwordChangeRequired()
  // Refused on every route, not only where it would mean something: a client that sends it believes it works.
  if (asked.viewTenant !== undefined && !session.esPlataforma) throw errors.viewForbidden()

  switch (acceso.quien) {
    case 'publico':
    case 'sesion':
      return principal
    case 'plataforma':
      if (!session.esPlataforma) throw errors.forbidden()
      return principal
    case 'empresa':
      if (asked.viewTenant !== undefined) return viewing(principal, session.vista, asked, now)
      if (principal.rol === null) throw errors.tenantRequired()
      if (!acceso.roles.includes(principal.rol)) throw errors.forbidden()
      return principal
  }
}

/** A token signed by us that says something else than its session. */
export class TokenMismatch extends Error {
  constructor(claim: string, sessionId: string) {
    super(`claim ${claim} contradicts session ${sessionId}`)
    this.name = 'TokenMismatch'
  }
}

/** Whether a session still stands for its person. */
export function isAlive(session: SessionRow, now: Date): boolean {
  const expired = session.passwordTemporal && session.passwordExpiresAt !== null && session.passwordExpiresAt <= now
  return session.revokedAt === null && session.expiresAt > now && session.disabledAt === null && !expired
}

function principalOf(session: SessionRow): Principal {
  const { userId, email, id: sessionId, esPlataforma, rol } = session
  const scope = session.passwordTemporal ? 'password_change' : 'full'
  // Who is no longer a member has no company, whatever the session had chosen.
  const tenant = rol === null ? { tenantId: null, rfc: null } : { tenantId: session.tenantId, rfc: session.rfc }
  return { userId, email, sessionId, esPlataforma, scope, ...tenant, rol, vista: null }
}

/** Staff inside a vista: the company looked into takes the place of their own, if they have one. */
function viewing(principal: Principal, view: ViewRow | null, { viewTenant, method }: Asked, now: Date): Principal {
  const named = viewTenant?.trim()
  const isThis = view !== null && (named?.toLowerCase() === view.tenantId || named?.toUpperCase() === view.rfc)
  if (!isThis || view.expiresAt <= now) throw errors.viewNotOpen()
  if (method !== 'GET' && method !== 'HEAD' && !view.escritura) throw errors.viewReadOnly()
  const { id, tenantId, rfc, motivo, escritura } = view
  return { ...principal, tenantId, rfc, rol: null, vista: { id, tenantId, rfc, motivo, escritura } }
}
