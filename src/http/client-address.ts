import { isIP } from 'node:net'
import { normalizeIP } from '@fastify/rate-limit'
import type { FastifyRequest } from 'fastify'

/** Where a request came from, as far as the client tells the truth; the address is the proxy's word. */
export interface Origin {
  /** An address PostgreSQL's `inet` takes, or null when the proxy sent something else. */
  ip: string | null
  userAgent: string
  requestId: string
}

export function originOf(request: FastifyRequest): Origin {
  const userAgent = (request.headers['user-agent'] ?? '').replaceAll(/[^\x20-\x7e]/g, '').slice(0, 300)
  return { ip: plainAddress(request.ip), userAgent, requestId: request.id }
}

/** Whoever holds one IPv6 address holds its /64: counters are kept for that, or an attacker has 2^64 of them. */
export function networkOf(ip: string): string {
  const address = plainAddress(ip)
  return address === null ? 'unknown' : normalizeIP(address, 64)
}

/** Without the zone of a link-local address (`fe80::1%eth0`), and IPv4 as itself when it comes inside IPv6. */
function plainAddress(text: string): string | null {
  const address = text.replace(/%.*$/, '')
  return isIP(address) ? normalizeIP(address, 128) : null
}
