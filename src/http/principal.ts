import '@fastify/jwt'
import { AppError } from '../errors.ts'
import type { Rol } from './access.ts'

/** Staff of the platform looking into a company, with a reason, for minutes. Read-only unless `escritura`. */
export interface Vista {
  id: string
  tenantId: string
  rfc: string
  motivo: string
  escritura: boolean
}

/**
 * Who is asking, as the auth guard found it in the database at this request: `request.user`.
 * Under a vista `tenantId` and `rfc` are those of the company looked into and `rol` is null.
 */
export interface Principal {
  userId: string
  email: string
  sessionId: string
  esPlataforma: boolean
  /** `password_change`: a temporary password opens only the routes that replace it. */
  scope: 'full' | 'password_change'
  tenantId: string | null
  rfc: string | null
  rol: Rol | null
  vista: Vista | null
}

/**
 * The company a request acts on.
 * @throws AppError forbidden `auth.tenant_required` when the session has not chosen one.
 */
export function actingTenant(user: Principal): { tenantId: string; rfc: string } {
  const { tenantId, rfc } = user
  if (tenantId === null || rfc === null) {
    throw new AppError('forbidden', 'auth.tenant_required', 'Elige primero la empresa con la que vas a trabajar.')
  }
  return { tenantId, rfc }
}

declare module '@fastify/jwt' {
  interface FastifyJWT {
    user: Principal
  }
}
