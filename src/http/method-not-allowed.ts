import type { HTTPMethods, RouteOptions } from 'fastify'
import { hidden } from './openapi.ts'
import { sendProblem } from './problem.ts'
import type { App } from './zod.ts'

const METHODS: readonly HTTPMethods[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']

/**
 * Answers 405 with `Allow` where the address exists and the method does not; Fastify alone says 404.
 * Called after the last route is known.
 */
export function answerMethodNotAllowed(app: App, routes: readonly RouteOptions[]): void {
  const known = new Map<string, Set<string>>()
  for (const { url, method } of routes) {
    if (url === '*') continue
    const methods = known.get(url) ?? new Set()
    for (const one of [method].flat()) methods.add(one.toUpperCase())
    known.set(url, methods)
  }
  for (const [url, methods] of known) {
    const missing = METHODS.filter((method) => !methods.has(method))
    if (missing.length === 0) continue
    const refuse = { statusCode: 405, name: 'MethodNotAllowed', message: 'method not allowed' }
    app.route({
      method: missing,
      url,
      schema: hidden,
      config: { acceso: { quien: 'publico' } },
      // Before authentication and before the body is read: whoever asks, the method is wrong.
      onRequest: async (request, reply) => sendProblem(refuse, request, reply.header('allow', [...methods].join(', '))),
      handler: async () => undefined,
    })
  }
}
