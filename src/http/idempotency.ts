import { createHash } from 'node:crypto'
import { serialize } from 'node:v8'
import type { FastifyRequest } from 'fastify'
import { AppError } from '../errors.ts'
import { failureCode } from './problem.ts'
import type { App } from './zod.ts'

/** What an answer that is repeated consists of. */
export interface KeptAnswer {
  status: number
  contentType: string | null
  location: string | null
  body: Buffer
}

/** Where keys are kept: `src/db/idempotency-keys.ts`. */
export interface KeyStore {
  claim(request: {
    scope: string
    key: string
    hash: Buffer
    leaseS: number
  }): Promise<
    | { state: 'ours'; lockedUntil: Date }
    | { state: 'done'; answer: KeptAnswer }
    | { state: 'running'; retryAfterS: number }
    | { state: 'different' }
  >
  keep(claim: OwnClaim, answer: KeptAnswer): Promise<void>
  release(claim: OwnClaim): Promise<void>
}

interface OwnClaim {
  scope: string
  key: string
  lockedUntil: Date
}

// Longer than any handler may take (15 s): a repeat that comes earlier may still meet the first one at work.
const LEASE_S = 30
const LARGEST_KEPT = 1024 * 1024

/**
 * `Idempotency-Key` on every changing request of somebody logged in: the row comes first, so that of two at once only
 * one works. A repeat gets the same status and body with `Idempotent-Replayed: true`; answers of 500 and above, and those
 * with `Retry-After`, are not kept, because the retry may succeed. A process that dies holds the key for 30 s at most; what
 * it had already done is then met by the effect's own unique key (folio fiscal, RFC). Answers that carry secrets are not
 * kept: those of `/api/auth`, and of routes that say `respuestaSecreta`.
 * Draft: draft-ietf-httpapi-idempotency-key-header-08.
 */
export function honourIdempotencyKeys(app: App, store: KeyStore): void {
  const claims = new WeakMap<FastifyRequest, OwnClaim>()

  app.addHook('preHandler', async (request, reply) => {
    const key = request.headers['idempotency-key']
    if (key === undefined || !isCovered(request)) return
    if (typeof key !== 'string' || !/^[\x21-\x7e]{1,64}$/.test(key)) throw invalidKey()
    const scope = scopeOf(request)
    const claim = await store.claim({ scope, key, hash: hashOf(request), leaseS: LEASE_S })
    switch (claim.state) {
      case 'ours':
        claims.set(request, { scope, key, lockedUntil: claim.lockedUntil })
        return
      case 'running':
        throw stillRunning(claim.retryAfterS)
      case 'different':
        throw differentRequest()
      case 'done': {
        const { status, contentType, location, body } = claim.answer
        reply.code(status).header('idempotent-replayed', 'true')
        if (contentType !== null) reply.type(contentType)
        if (location !== null) reply.header('location', location)
        return reply.send(body.length > 0 ? body : null)
      }
    }
  })

  app.addHook('onSend', async (request, reply, payload) => {
    const claim = claims.get(request)
    claims.delete(request)
    // After a timeout the handler may still be at work: the lease keeps a repeat away from it.
    if (!claim || failureCode(request) === 'request.timeout') return payload
    try {
      const answer = answerOf(reply.statusCode, reply.getHeaders(), payload)
      if (answer) await store.keep(claim, answer)
      else await store.release(claim)
    } catch (error) {
      // The work is done and its answer is right; only a repeat of it will have to wait for the lease.
      request.log.error({ err: error }, 'idempotency key not kept')
    }
    return payload
  })
}

const CHANGING = new Set(['POST', 'PUT', 'PATCH', 'DELETE'])

function isCovered(request: FastifyRequest): boolean {
  const route = request.routeOptions.url ?? ''
  const { acceso, respuestaSecreta } = request.routeOptions.config
  return (
    CHANGING.has(request.method) &&
    acceso !== undefined &&
    acceso.quien !== 'publico' &&
    !respuestaSecreta &&
    !route.startsWith('/api/auth/')
  )
}

/** Company, person and route: a key of somebody else is another key. */
function scopeOf({ user, method, routeOptions }: FastifyRequest): string {
  return `${user.tenantId ?? '-'}:${user.userId}:${method} ${routeOptions.url}`
}

/** The address with its parameters, and the body as it was understood. */
function hashOf({ url, body }: FastifyRequest): Buffer {
  return createHash('sha256').update(url).update('\0').update(serialize(body)).digest()
}

function answerOf(status: number, headers: Record<string, unknown>, payload: unknown): KeptAnswer | undefined {
  // A plan that is upgraded or a subscription that is paid makes another answer of the same request.
  if (status >= 500 || status === 402 || headers['retry-after'] !== undefined) return undefined
  if (payload !== null && payload !== undefined && typeof payload !== 'string' && !Buffer.isBuffer(payload))
    return undefined
  const body = Buffer.from(payload ?? '')
  if (body.length > LARGEST_KEPT) return undefined
  const { 'content-type': contentType, location } = headers
  return {
    status,
    contentType: contentType ? String(contentType) : null,
    location: location ? String(location) : null,
    body,
  }
}

const invalidKey = () =>
  new AppError(
    'invalid',
    'idempotencia_invalida',
    'Idempotency-Key debe tener de 1 a 64 caracteres visibles, sin espacios ni acentos.',
  )

const stillRunning = (retryAfterS: number) =>
  new AppError(
    'conflict',
    'idempotencia_en_curso',
    'La primera solicitud con esta clave sigue en curso. Espera y repite.',
    {
      retryAfterS: Math.min(retryAfterS, 5),
    },
  )

const differentRequest = () =>
  new AppError('rejected', 'idempotencia_distinta', 'Esta clave ya se usó para otra solicitud. Usa una clave nueva.')
