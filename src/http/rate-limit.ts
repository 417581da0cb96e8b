import rateLimit, { type FastifyRateLimitStoreCtor } from '@fastify/rate-limit'
import { AppError } from '../errors.ts'
import { networkOf } from './client-address.ts'
import type { App } from './zod.ts'

/**
 * So many requests a minute for each person, wherever they come from, and for each network that nobody has logged in
 * from. Registered after the guard, which says who it is. Login and its like have counters of their own.
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
}

const tooMany = (retryAfterS: number) =>
  new AppError('too_many', 'request.too_many', 'Demasiadas solicitudes. Espera un momento y vuelve a intentar.', {
    retryAfterS,
  })
