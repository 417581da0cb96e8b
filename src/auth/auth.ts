import type { Clock } from '../clock.ts'
import type { Config } from '../config.ts'
import { createPasswordHasher, type PasswordHasher } from '../crypto/password-hash.ts'
import type { CentralDb, CentralTx, TenantDb } from '../db/databases.ts'
import type { Centavos } from '../fiscal/money.ts'
import type { Queue } from '../queue/queue.ts'
import { createSessionCache, type SessionCache, type SessionCacheDeps } from './session-cache.ts'

/** How many people a company has, and how many its plan allows: -1 is any number, `soft` charges those beyond. */
export interface Seats {
  used: number
  max: number
  mode: 'hard' | 'soft'
  /** For each one beyond and period, centavos; null when `hard`. */
  extraUserC: Centavos | null
}

/** What the rest of the product brings. */
export interface AuthNeeds {
  config: Pick<Config, 'jwtKeys' | 'accessTokenMinutes' | 'refreshTokenDays' | 'publicUrl' | 'corsOrigins'>
  clock: Clock
  central: CentralDb
  tenants: { use<T>(tenantId: string, work: (db: TenantDb) => Promise<T>): Promise<T> }
  queue: Pick<Queue, 'enqueue'>
  changes: SessionCacheDeps['changes']
  /** For tests: how long a session is remembered when nobody tells of its changes. */
  sessionsRememberedMs?: number
  /** Asked under the lock of the company. Plans are above this slice. */
  seats: (trx: CentralTx, tenantId: string, now: Date) => Promise<Seats>
}

/** What every file of this slice takes what it needs from. */
export interface AuthDeps extends Omit<AuthNeeds, 'changes' | 'sessionsRememberedMs'> {
  /** One per process: the bound on hashes guards the machine. */
  passwords: PasswordHasher
  /** One per process: a change made here is seen here at once. */
  sessions: SessionCache
}

/** Call once in a process, and give the result to the guard and to both sets of routes. */
export function createAuth({ changes, sessionsRememberedMs: rememberedMs, ...needs }: AuthNeeds): AuthDeps {
  const { config, clock, central, tenants, queue, seats } = needs
  const sessions = createSessionCache({ central, changes, ...(rememberedMs !== undefined && { rememberedMs }) })
  return { config, clock, central, tenants, queue, seats, passwords: createPasswordHasher(), sessions }
}
