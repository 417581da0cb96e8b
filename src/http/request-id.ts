import type { IncomingMessage } from 'node:http'
import { uuidv7 } from 'uuidv7'
import type { App } from './zod.ts'

/** The client's `X-Request-Id` where it is a plain name, otherwise one of ours: it stands in logs and problems. */
export function requestId(request: IncomingMessage): string {
  const given = request.headers['x-request-id']
  return typeof given === 'string' && /^[\w-]{8,64}$/.test(given) ? given : uuidv7()
}

/** Every answer names its request, so that a report of a customer finds its lines. */
export function echoRequestId(app: App): void {
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id)
  })
}
