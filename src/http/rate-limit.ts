import rateLimit, { type FastifyRateLimitStoreCtor } from '@fastify/rate-limit'
import type { FastifyRequest } from 'fastify'
import { AppError } from '../errors.ts'
import { networkOf } from './client-address.ts'
import type { App } from './zod.ts'

/**
 * So many requests a minute for each person, wherever they come from, and for each network that nobody has logged in
 * from; and for all the people of a company together, whose database they share. Registered after the guard, which says
 * who it is. Login and its like have limits of their own, and counters besides.
 */
export async function limitRequests(app: App, options: { perMinute: number; store: FastifyRateLimitStoreCtor }) {
  if (options.perMinute === 0) return
  await app.register(rateLimit, {
    max: options.perMinute,
    timeWindow: 60_000,
    store: options.store,
    keyGenerator: ({ user, ip }) => (user ? `usuario:${user.userId}` : `red:${networkOf(ip)}`),
    enableDraftSpec: true,
    errorResponseBuilder: (_request, { ttl }) => tooMany(ttl / 1000),
  })
  const countCompany = app.createRateLimit({
    max: options.perMinute * PEOPLE_AT_FULL_SPEED,
    keyGenerator: ({ user }) => `empresa:${user.tenantId}`,
  })
  app.addHook('onRequest', async (request) => {
    // `user` is null where nobody needs to log in.
    if (!request.user?.tenantId) return
    const count = await countCompany(request)
    if (!count.isAllowed && count.isExceeded) throw tooMany(count.ttlInSeconds)
  })
}

/** What a route says whose work costs others too: so many a minute of all the people of a company, under one name. */
export const perCompany = (name: string, perMinute: number) => ({
  max: perMinute,
  timeWindow: 60_000,
  keyGenerator: ({ user }: FastifyRequest) => `${name}:${user.tenantId}`,
})

/** Of one company, at once. */
const PEOPLE_AT_FULL_SPEED = 5

const tooMany = (retryAfterS: number) =>
  new AppError('too_many', 'request.too_many', 'Demasiadas solicitudes. Espera un momento y vuelve a intentar.', {
    retryAfterS,
  })
