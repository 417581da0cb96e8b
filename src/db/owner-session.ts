import { setTimeout as sleep } from 'node:timers/promises'
import { failureOf, sqlState } from './failures.ts'

/**
 * One direct session of `horux_owner` on the database that is migrated. It must never reconnect by itself: the lock
 * and the open transaction belong to the session, and what is sent after a silent reconnect would run outside both.
 * `query` without parameters uses the simple protocol and rejects with the server's `code`, `message` and `position`.
 */
export interface MigrationSession {
  query<Row extends object>(text: string, params?: readonly unknown[]): Promise<readonly Row[]>
  end(): Promise<void>
}

export interface Patience {
  /** Tries after the first one of what met a lock, a deadlock or a lost connection. Default 5. */
  retries?: number
  /** Pause before the first of those tries; it doubles and is jittered. Default 100 ms. */
  backoffMs?: number
}

export type OpenSession = () => Promise<MigrationSession>

/** Opens a session for `work` and ends it after; when the connection breaks `work` starts anew, up to `retries` times. */
export async function withSession<T>(
  open: OpenSession,
  work: (session: MigrationSession) => Promise<T>,
  options: Patience = {},
): Promise<T> {
  const { retries = 5 } = options
  for (let failures = 0; ; failures++) {
    let session: MigrationSession | undefined
    try {
      session = await open()
      return await work(session)
    } catch (error) {
      if (!isConnectionFailure(error) || failures >= retries) throw error
      await pause(failures, options)
    } finally {
      // What went wrong with the work is the news, not that saying goodbye failed too.
      await session?.end().catch(() => undefined)
    }
  }
}

/** Whether the session was lost, or could not be had for a reason that may pass; not that SQL or a password was wrong. */
export function isConnectionFailure(error: unknown): boolean {
  const state = sqlState(error) ?? ''
  // 53300, too many clients: the server is there, but not for us. Class 08 and 57P0x: it went away or is not up yet.
  if (/^(08|57P0|53300)/.test(state)) return true
  const failure = failureOf(error)
  return failure !== undefined && !LASTING.has(failure.code)
}

// No such database, connections off, wrong password, no such role, no CONNECT; a statement that took all the time it had.
const LASTING = new Set(['3D000', '55000', '28P01', '28000', '42501', 'DEADLINE'])

/** Somebody held a lock longer than we were willing to make others wait, or the server chose us: step aside, try again. */
const WORTH_ANOTHER_TRY = new Set(['55P03', '40P01', '57014'])

export async function retrying(options: Patience, work: () => Promise<void>, onFailure = () => {}): Promise<void> {
  const { retries = 5 } = options
  for (let failures = 0; ; failures++) {
    try {
      return await work()
    } catch (error) {
      if (!WORTH_ANOTHER_TRY.has(sqlState(error) ?? '') || failures >= retries) throw error
      onFailure()
      await pause(failures, options)
    }
  }
}

/** Doubling, capped at 2 s, jittered so that migrators that met do not meet again. */
function pause(failures: number, { backoffMs = 100 }: Patience): Promise<void> {
  return sleep(Math.min(backoffMs * 2 ** failures, 2_000) * (0.5 + Math.random()))
}
