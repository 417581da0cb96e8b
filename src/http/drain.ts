import type { App } from './zod.ts'

/** A process on its way out: still answering, asking everybody to go elsewhere. */
export interface Drain {
  readonly draining: boolean
  begin(): void
}

/**
 * Once `begin` was called, `/api/ready` refuses and every answer closes its connection. Fastify's `close` alone would wait
 * out the keep-alive time (72 s) of each client that was mid-request (fastify/fastify#7044).
 */
export function createDrain(): Drain & { watch(app: App): void } {
  let draining = false
  return {
    get draining() {
      return draining
    },
    begin() {
      draining = true
    },
    watch(app) {
      app.addHook('onSend', async (_request, reply) => {
        if (draining) reply.header('connection', 'close')
      })
    },
  }
}
