import { setTimeout as sleep } from 'node:timers/promises'
import type { App } from './zod.ts'

/** A process on its way out: still answering, asking everybody to go elsewhere. */
export interface Drain {
  readonly draining: boolean
  begin(): void
}

export const createDrain = (): Drain => {
  let draining = false
  return {
    get draining() {
      return draining
    },
    begin() {
      draining = true
    },
  }
}

/**
 * While draining every answer closes its connection. Fastify's `close` alone waits out the keep-alive time (72 s) of
 * each client that was mid-request (fastify/fastify#7044).
 */
export function closeConnectionsOf(app: App, drain: Drain): void {
  app.addHook('onSend', async (_request, reply, payload) => {
    if (drain.draining) reply.header('connection', 'close')
    return payload
  })
}

export interface Leaving {
  drain: Drain
  app: Pick<App, 'close'>
  /** Ends what the process holds: pools, listeners. After the last answer. */
  release: () => Promise<void>
  /** How long those who send requests have to notice that `/api/ready` refuses. */
  noticeMs?: number
  /** After that the process ends whatever is still running; systemd kills at 35 s. */
  deadlineMs?: number
}

/** Leaves without failing a request: notice, last answers, pools. False when the deadline came first. */
export async function leave({ drain, app, release, noticeMs = 1000, deadlineMs = 29_000 }: Leaving): Promise<boolean> {
  drain.begin()
  const orderly = (async () => {
    await sleep(noticeMs)
    await app.close()
    await release()
    return true
  })()
  return Promise.race([orderly, sleep(deadlineMs, false, { ref: false })])
}
