import type { FastifyRequest } from 'fastify'
import { originOf } from '../../http/client-address.ts'
import type { By } from '../../tenants/register.ts'

/** Who asks, for the audit log. */
export function byOf(request: FastifyRequest): By {
  const { userId, email } = request.user
  const { ip, requestId } = originOf(request)
  return { actor: { userId, email }, ip, requestId }
}
