import { setTimeout as sleep } from 'node:timers/promises'
import type { OwnerConnection } from '../../src/db/client.ts'

/** Counts the tenants' sessions as the server sees them, every few milliseconds, while something of ours runs. */
export function watchConnections(admin: OwnerConnection) {
  let most = 0
  let watching = false
  let stopped = false
  const loop = (async () => {
    while (!stopped) {
      if (watching) {
        const [row] = await admin.query<{ n: number }>(SESSIONS)
        most = Math.max(most, row?.n ?? 0)
      }
      await sleep(5)
    }
  })()
  return {
    most: () => most,
    async during<T>(work: () => Promise<T>): Promise<T> {
      watching = true
      try {
        return await work()
      } finally {
        watching = false
      }
    },
    stop() {
      stopped = true
      return loop
    },
  }
}

const SESSIONS = `select count(*)::int as n from pg_stat_activity where usename ~ '^hxt_'`
