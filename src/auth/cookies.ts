import type { FastifyReply, FastifyRequest } from 'fastify'
import { foreignOrigin } from './errors.ts'

/** `__Host-`: the browser takes it over TLS only, for this host and the whole of it, and lets no subdomain set it. */
const REFRESH = '__Host-horux_refresh'
const DEVICE = '__Host-horux_device'
const TOKEN = /^[\w-]{43}$/

export const refreshTokenOf = (request: FastifyRequest): string | null => wellFormed(request.cookies[REFRESH])

/** What a browser is recognised by at its next login; it opens nothing. */
export const deviceTokenOf = (request: FastifyRequest): string | null => wellFormed(request.cookies[DEVICE])

export function keepRefreshToken(reply: FastifyReply, token: string, expires: Date): void {
  reply.setCookie(REFRESH, token, { ...GUARDED, expires })
}

export function keepDeviceToken(reply: FastifyReply, token: string, now: Date): void {
  reply.setCookie(DEVICE, token, { ...GUARDED, expires: new Date(now.getTime() + DEVICE_DAYS * 86_400_000) })
}

export function dropRefreshToken(reply: FastifyReply): void {
  reply.clearCookie(REFRESH, GUARDED)
}

/**
 * A cookie is sent by the browser whoever makes the request. So where one is read as a credential, the request must
 * come from a page of ours (`Origin`) and carry a header that no form and no foreign page can set without our CORS.
 * @throws AppError forbidden `auth.foreign_origin`
 */
export function demandOwnPage(request: FastifyRequest, config: { publicUrl: string; corsOrigins: readonly string[] }) {
  const { origin } = request.headers
  const ours = [new URL(config.publicUrl).origin, ...config.corsOrigins]
  if (origin === undefined || !ours.includes(origin) || request.headers['x-horux'] === undefined) throw foreignOrigin()
}

const GUARDED = { path: '/', httpOnly: true, secure: true, sameSite: 'strict' } as const
const DEVICE_DAYS = 365

const wellFormed = (value: string | undefined) => (value !== undefined && TOKEN.test(value) ? value : null)
