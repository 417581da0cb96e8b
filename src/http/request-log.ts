import type { FastifyReply, FastifyRequest } from 'fastify'
import { failureCode } from './problem.ts'
import type { App } from './zod.ts'

/** One line per request. By route pattern, never by address: an address may hold a token, an RFC or an id. */
export function logRequests(app: App): void {
  app.addHook('onResponse', async (request, reply) => line(request, reply, reply.statusCode))
  // 499 as nginx writes it: the client went away before it was answered.
  app.addHook('onRequestAbort', async (request) => line(request, undefined, 499))
}

function line(request: FastifyRequest, reply: FastifyReply | undefined, status: number) {
  const { user } = request
  request.log[request.routeOptions.config.probe ? 'debug' : 'info'](
    {
      method: request.method,
      route: request.routeOptions.url ?? null,
      status,
      duration_ms: reply ? Math.round(reply.elapsedTime * 10) / 10 : null,
      tenant_id: user?.tenantId ?? null,
      user_id: user?.userId ?? null,
      // Who really acts, when staff looks into a company.
      ...(user?.vista && { actor_id: user.userId, vista_id: user.vista.id }),
      ...(failureCode(request) && { code: failureCode(request) }),
    },
    'request',
  )
}
