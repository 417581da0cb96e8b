import type { FastifyRequest } from 'fastify'
import type { Cause } from '../apply/cause.ts'

/** Who of a company asks: one of its people, or staff looking into it with leave to write. */
export function causeOf({ user, id }: FastifyRequest): Cause {
  const { userId, email, vista } = user
  return { origin: vista ? 'staff' : 'owner', actor: { userId, email }, requestId: id }
}
