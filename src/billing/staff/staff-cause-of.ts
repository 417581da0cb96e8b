import type { FastifyRequest } from 'fastify'
import type { Cause } from '../apply/cause.ts'

/** Staff of the platform, on a route that is theirs alone. */
export function staffCauseOf({ user, id }: FastifyRequest): Cause {
  const { userId, email } = user
  return { origin: 'staff', actor: { userId, email }, requestId: id }
}
