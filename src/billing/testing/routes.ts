import type { CentralDb } from '../../db/databases.ts'
import type { TestClock } from '../../db/test-clock.ts'
import type { App } from '../../http/zod.ts'
import type { Queue } from '../../queue/queue.ts'
import { onlyFromHere } from './errors.ts'
import { findIdleness, isForgotten } from './idle.ts'
import { isLocal } from './local-only.ts'
import { moveClock, nudge } from './move-clock.ts'
import { Idle, Move, Reloj } from './schemas.ts'

/**
 * Reads the clock at the beginning of every request, so that none acts on the time before a move. Called before the
 * guard, which compares it with tokens. Probes do without: they answer while the database does not.
 */
export function followTestClock(app: App, testClock: TestClock): void {
  app.addHook('onRequest', async (request) => {
    if (!request.routeOptions.config.probe) await testClock.sync()
  })
}

/** Moves time and asks whether all is done, for the simulator of MercadoPago and for tests (billing.md 6.6). No part of the API. */
export const testClockRoutes =
  (deps: { central: CentralDb; queue: Queue; testClock: TestClock }) => async (app: App) => {
    app.addHook('onRequest', async ({ socket, headers }) => {
      if (!isLocal({ peer: socket.remoteAddress, headers })) throw onlyFromHere()
    })

    const route = {
      config: { acceso: { quien: 'publico' as const }, rateLimit: false as const, pressureHandler: () => undefined },
      // Asked forty times a second while somebody waits.
      logLevel: 'warn' as const,
    }

    app.get('/__test/clock', { ...route, schema: { hide: true, response: { 200: Reloj } } }, async () => ({
      ahora: deps.testClock.now(),
    }))

    app.put(
      '/__test/clock',
      { ...route, schema: { hide: true, body: Move, response: { 200: Reloj } } },
      async ({ body }) => ({ ahora: await moveClock(deps, body.ahora) }),
    )

    app.get('/__test/idle', { ...route, schema: { hide: true, response: { 200: Idle } } }, async () => {
      const idleness = await findIdleness(deps.central, deps.testClock.now())
      if (isForgotten(idleness)) await nudge(deps)
      return idleness
    })
  }
