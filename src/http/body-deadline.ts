import type { FastifyRequest } from 'fastify'
import { answerBrokenRequest } from './broken-request.ts'
import type { App } from './zod.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Takes bodies that honestly need minutes, and watches over them itself. */
    cuerpoLargo?: true
  }
}

/** How long a body may take. */
export const BODY_DEADLINE_MS = 30_000

/**
 * The longest that anything may take to arrive, whichever route it is for. Node's own deadline is one for the whole
 * server: with 30 s it would cut an honest upload of 200 MB in the middle, so it is only the last one.
 */
export const LONGEST_BODY_MS = 3_720_000

/** Slow loris: a body is there within 30 s, or its request is answered 408 and its connection closed. */
export function limitBodyTime(app: App, deadlineMs = BODY_DEADLINE_MS): void {
  app.addHook('onRequest', (request, _reply, done) => {
    if (hasBody(request) && !request.routeOptions.config.cuerpoLargo) watch(request, deadlineMs)
    done()
  })
}

const hasBody = ({ headers }: FastifyRequest) =>
  headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0'

function watch({ raw }: FastifyRequest, deadlineMs: number): void {
  const timer = setTimeout(() => {
    if (raw.complete !== false || raw.destroyed) return
    answerBrokenRequest(
      Object.assign(new Error('the body did not arrive'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' }),
      raw.socket,
    )
    // `end` only closes our side; whoever drips would keep the other one.
    raw.socket.destroySoon()
  }, deadlineMs).unref()
  raw.once('end', () => clearTimeout(timer))
  raw.once('close', () => clearTimeout(timer))
}
