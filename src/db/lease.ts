import type { Connection } from './connection.ts'
import type { TenantDb, TenantSchema } from './databases.ts'
import { openKysely, Session, type SessionWitness } from './driver.ts'
import { type ConnectionFailure, failureOf } from './failures.ts'
import type { Pool } from './pool.ts'

/** What one `use` has done so far with its tenant's database. */
export interface Usage extends SessionWitness {
  /** Something went out, which may have been executed: the work must not be begun again. */
  readonly sent: boolean
  /** How the database was lost to this lease; failures of other databases that the work uses are not among them. */
  readonly failure: ConnectionFailure | undefined
  readonly ended: boolean
  failed(failure: ConnectionFailure): void
  end(): void
}

export function createUsage(): Usage {
  let sent = false
  let ended = false
  let failure: ConnectionFailure | undefined
  return {
    get sent() {
      return sent
    },
    get failure() {
      return failure
    },
    get ended() {
      return ended
    },
    sending() {
      sent = true
    },
    failed(first) {
      failure ??= first
    },
    end() {
      ended = true
    },
  }
}

/**
 * A tenant's database for the length of one lease. Kept beyond it (in a variable, a timer, an unawaited promise) it
 * refuses: by then its pool may be closed, or its place taken.
 */
export function leasedDb(tenantId: string, pool: Pool, deadlineMs: number, usage: Usage): TenantDb {
  const db = openKysely<TenantSchema>({
    acquire: () => enter(() => pool.acquire(), false),
    share: (text) => enter(() => pool.share(text), true),
    release: (session) => session.giveBack(pool),
    destroy: async () => {},
  })
  return Object.assign(db, { tenantId })

  async function enter(obtain: () => Promise<Connection>, ahead: boolean): Promise<Session> {
    if (usage.ended) throw new Error(`the database of tenant ${tenantId} was used after its lease had ended`)
    try {
      return new Session(await obtain(), { deadlineMs, witness: usage, ahead })
    } catch (error) {
      const failure = failureOf(error)
      if (failure) usage.failed(failure)
      throw error
    }
  }
}
