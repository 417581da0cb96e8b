import type { Logger } from 'pino'
import type { Clock } from '../../clock.ts'
import type { CentralDb } from '../../db/databases.ts'
import { type Entitlements, TTL_MS } from './entitlements.ts'
import { findEntitlements, findVersions } from './queries.ts'

/**
 * What companies may do, remembered by this process (billing.md 8.2). A change made anywhere drops what it is about
 * within a moment; a lost notice is healed by comparing versions every ten seconds, and all else by five minutes.
 */
export interface EntitlementCache {
  /**
   * At once when it is remembered. While the database is down what is remembered serves until it expires, and then
   * nothing does: neither a free pass nor a refusal.
   * @throws AppError unavailable, as a rejection
   */
  get(tenantId: string): Entitlements | Promise<Entitlements>
  /** Whoever changes what a company may do calls this after the commit: its own next request sees the change. */
  forget(tenantId: string): void
  close(): void
}

export interface EntitlementCacheDeps {
  central: CentralDb
  clock: Clock
  changes: Changes
  log: Pick<Logger, 'warn' | 'error'>
  timing?: { compareMs?: number; ttlMs?: number }
}

/** What tells of changes made anywhere (src/db/changes.ts). */
interface Changes {
  on(kind: 'entitlements', listener: (tenantId: string) => void): () => void
  onResync(listener: () => void): () => void
}

const COMPARE_MS = 10_000
const MOST_REMEMBERED = 20_000

export function createEntitlementCache(deps: EntitlementCacheDeps): EntitlementCache {
  const { central, clock, log } = deps
  const { compareMs = COMPARE_MS, ttlMs = TTL_MS } = deps.timing ?? {}
  const entries = new Map<string, Entry>()

  const forget = (tenantId: string) => void entries.delete(tenantId)
  const stopListening = [deps.changes.on('entitlements', forget), deps.changes.onResync(() => entries.clear())]
  const timer = setInterval(() => void compare(), compareMs).unref()

  return {
    forget,
    get(tenantId) {
      const entry = entries.get(tenantId)
      if (!entry) return load(tenantId)
      if (!entry.known) return entry.loading
      return isFresh(entry, entry.known) ? entry.known : load(tenantId)
    },
    close() {
      clearInterval(timer)
      for (const stop of stopListening) stop()
    },
  }

  function load(tenantId: string): Promise<Entitlements> {
    const loading = findEntitlements(central, tenantId, clock.now())
    const entry: Entry = { loading, known: undefined, readAt: performance.now() }
    loading.then(
      (found) => {
        entry.known = found
        if (found.estado === null)
          log.error({ alarm: 'billing.no_subscription', tenant_id: tenantId }, 'a company without a subscription')
      },
      () => {
        if (entries.get(tenantId) === entry) entries.delete(tenantId) // the next one asks again
      },
    )
    entries.delete(tenantId) // to the end: the order of the map is that of the readings
    entries.set(tenantId, entry)
    for (const [oldest] of entries) {
      if (entries.size <= MOST_REMEMBERED) break
      entries.delete(oldest)
    }
    return loading
  }

  /** By both clocks: that of the system may be set back, and the other one knows of no midnights. */
  function isFresh({ readAt }: Entry, { computedAt, expiresAt }: Entitlements): boolean {
    const now = clock.now()
    return performance.now() - readAt < ttlMs && now < expiresAt && now >= computedAt
  }

  /** For notices that got lost, and for the rules of billing, of whose changes nobody tells. */
  async function compare(): Promise<void> {
    if (entries.size === 0) return
    try {
      const versions = await findVersions(central, [...entries.keys()])
      for (const [tenantId, { known }] of entries)
        if (known && versions.get(tenantId) !== known.version) entries.delete(tenantId)
    } catch (error) {
      log.warn({ err: error }, 'could not compare what companies may do, will try again')
    }
  }
}

interface Entry {
  readonly loading: Promise<Entitlements>
  /** Undefined until the database has answered. */
  known: Entitlements | undefined
  /** Before the queries were sent. */
  readonly readAt: number
}
