import type { FastifyRequest } from 'fastify'

/**
 * How to ask again whether a request would still be let in: an answer that goes on for minutes must end with the token,
 * the session or the membership it was begun with, and a body that came for minutes with the latter two. The guard notes
 * it, for routes with `flujo` or `cuerpoLargo` alone.
 */
export function noteAdmission(request: FastifyRequest, again: () => Promise<unknown>): void {
  admissions.set(request, again)
}

/** @throws what the guard would refuse the same request with now. A route that is open to everybody stays open. */
export async function demandAdmission(request: FastifyRequest): Promise<void> {
  await admissions.get(request)?.()
}

const admissions = new WeakMap<FastifyRequest, () => Promise<unknown>>()
