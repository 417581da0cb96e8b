import type { JWT } from '@fastify/jwt'
import { signAccessToken } from './access-token.ts'
import type { SessionRow } from './session-queries.ts'

/**
 * What a login, a refresh or a switch of company answers: a new access token, and what the client shows. The refresh
 * token travels apart, in its cookie or beside this, by the session's transport.
 */
export function sessionAnswer(jwt: JWT, session: SessionRow, minutes: number, now: Date) {
  const { id: sid, userId, email, nombre, esPlataforma, tenantId, rfc, tenantNombre, databaseName, rol } = session
  const iat = Math.floor(now.getTime() / 1000)
  // Never beyond the session: the absolute lifetime holds for access too.
  const exp = Math.min(iat + minutes * 60, Math.floor(session.expiresAt.getTime() / 1000))
  const role = rol ?? (esPlataforma ? 'plataforma' : null)
  const accessToken = signAccessToken(jwt, { sid, userId, email, role, tenantId, databaseName, iat, exp })
  const member = rol !== null && tenantId !== null && rfc !== null && tenantNombre !== null
  return {
    accessToken,
    expiraEn: new Date(exp * 1000),
    usuario: { id: userId, email, nombre, esPlataforma },
    tenant: member ? { id: tenantId, rfc, nombre: tenantNombre, rol } : null,
    debeCambiarPassword: session.passwordTemporal,
  }
}
