import type { Logger } from 'pino'
import { AppError } from '../errors.ts'
import type { Changes } from './changes.ts'
import { statementDeadlineMs } from './client.ts'
import type { CentralDb, TenantDb } from './databases.ts'
import { databaseUnavailable, failureOf, isFenceError } from './failures.ts'
import { createUsage, leasedDb, type Usage } from './lease.ts'
import { demandActive, findGenerations, findPlacement, type Placement, poolBusy, tenantUpgrading } from './placement.ts'
import type { Pool } from './pool.ts'
import { createPoolBudget, type PoolBudget } from './pool-budget.ts'
import { createTenantPool, proveTenantPool, type TenantPoolConfig } from './tenant-pool.ts'

/** Every tenant's database, opened when it is needed and forgotten when it is not. */
export interface TenantDatabases {
  /**
   * Runs `work` with the tenant's database. The lease keeps the pool alive; it is never evicted while in use. When the
   * database turns out to be elsewhere before anything was sent to it, `work` is begun a second time.
   * @throws AppError `tenant.*` when there is no entering it, `database.*` when it does not answer.
   */
  use<T>(tenantId: string, work: (db: TenantDb) => Promise<T>): Promise<T>
  /** Its next use reads the placement anew. */
  forget(tenantId: string): void
  stats(): TenantPoolStats
  /** Takes no new work, waits for what runs, then breaks it off. */
  close(graceMs?: number): Promise<void>
}

export interface TenantPoolStats {
  /** Pools that exist, of all servers. */
  live: number
  leased: number
  /** Uses that wait for a place. */
  waiting: number
  /** Sessions with PostgreSQL. */
  connections: number
  hits: number
  opens: number
  evictions: number
  /** Evicted within a minute of opening. More than one per second: the hot set does not fit TENANT_DB_BUDGET. */
  youngEvictions: number
  retries: number
  /** A wire that led to another tenant's database. Anything but 0 is an alarm. */
  mismatches: number
}

export interface TenantDatabasesDeps {
  config: TenantPoolConfig
  central: CentralDb
  changes?: Changes
  log: Pick<Logger, 'error' | 'warn'>
  /** What versions of the tenant schema this build understands. */
  schema: { min: number; current: number }
  /** A tenant below the window was asked for: somebody should migrate it, soon. */
  onUpgradeNeeded?: (tenantId: string) => void
  timing?: Partial<typeof TIMING>
}

const TIMING = { waitMs: 2_000, connectMs: 3_000, revalidateMs: 30_000, cleanupMs: 60_000, youngMs: 60_000 }

export function createTenantDatabases(deps: TenantDatabasesDeps): TenantDatabases {
  const { config, central, log, schema } = deps
  const timing = { ...TIMING, ...deps.timing }
  const entries = new Map<string, Entry>()
  const flights = new Map<string, Flight>()
  const budgets = new Map<number, PoolBudget<Entry>>()
  const counters = { hits: 0, opens: 0, evictions: 0, youngEvictions: 0, retries: 0, mismatches: 0 }
  const stopListening = [deps.changes?.on('tenant', noticeChange), deps.changes?.onResync(() => void revalidate())]
  const timers = [
    setInterval(() => void revalidate(), timing.revalidateMs).unref(),
    setInterval(forgetIdle, timing.cleanupMs).unref(),
  ]
  let closed = false
  let leases = 0
  const drained = Promise.withResolvers<void>()

  return { use, forget, stats, close }

  async function use<T>(tenantId: string, work: (db: TenantDb) => Promise<T>): Promise<T> {
    const usage = createUsage()
    const seen: Seen = { generation: undefined }
    try {
      return await attempt(tenantId, work, usage, seen)
    } catch (error) {
      if (usage.sent || !(await mayBeElsewhere(tenantId, error, seen))) throw error
    }
    counters.retries++
    return attempt(tenantId, work, createUsage(), seen)
  }

  async function attempt<T>(
    tenantId: string,
    work: (db: TenantDb) => Promise<T>,
    usage: Usage,
    seen: Seen,
  ): Promise<T> {
    const entry = await lease(tenantId, seen)
    try {
      const deadlineMs = statementDeadlineMs(config.statementTimeoutMs)
      return await work(leasedDb(tenantId, entry.pool, deadlineMs, usage))
    } finally {
      usage.end()
      // Whatever became of the work: the pool that lost a session is not trusted with the next one.
      if (usage.failure) discard(entry)
      giveBack(entry)
    }
  }

  /** Nothing was sent, so the work may begin anew, if there is reason to think that a new look at the placement helps. */
  async function mayBeElsewhere(tenantId: string, error: unknown, seen: Seen): Promise<boolean> {
    if (closed || !failureOf(error)) return false
    if (isFenceError(error)) return true
    // Not even the placement could be read: a second look at a silent central database costs a second deadline.
    if (seen.generation === undefined) return false
    const placement = await findPlacement(central, tenantId).catch(() => undefined)
    return placement !== undefined && placement.generation !== seen.generation
  }

  async function lease(tenantId: string, seen: Seen): Promise<Entry> {
    if (closed) throw shuttingDown()
    const cached = entries.get(tenantId)
    if (cached) {
      counters.hits++
      cached.leases++
      leases++
      cached.budget.touch(cached)
      seen.generation = cached.generation
      return cached
    }
    const flight = flights.get(tenantId) ?? takeOff(tenantId)
    // Counted before the pool exists: it must not be evicted between its birth and the first query of whoever waited.
    flight.joiners++
    try {
      return await flight.landing
    } finally {
      seen.generation = flight.generation
    }
  }

  function takeOff(tenantId: string): Flight {
    const { promise, resolve, reject } = Promise.withResolvers<Entry>()
    const flight: Flight = { landing: promise, joiners: 0, generation: undefined, wanted: 0, again: false }
    flights.set(tenantId, flight)
    open(tenantId, flight).then(
      (entry) => {
        flights.delete(tenantId)
        if (closed) return dispose(entry).then(() => reject(shuttingDown()))
        entry.leases = flight.joiners
        leases += flight.joiners
        entries.set(tenantId, entry)
        entry.budget.add(entry)
        resolve(entry)
      },
      (error: unknown) => {
        flights.delete(tenantId)
        reject(error)
      },
    )
    return flight
  }

  /** Until what was opened is what the placement says now: it may change while we wait for a place or connect. */
  async function open(tenantId: string, flight: Flight): Promise<Entry> {
    for (let tries = 0; tries < 3; tries++) {
      flight.again = false
      const placement = await findPlacement(central, tenantId)
      flight.generation = placement?.generation
      demandActive(placement)
      if (placement.schemaVersion < schema.min) {
        deps.onUpgradeNeeded?.(tenantId)
        throw tenantUpgrading()
      }
      const entry = await openPool(placement)
      if (!flight.again && entry.generation >= flight.wanted) return entry
      await dispose(entry)
    }
    throw databaseUnavailable(new Error(`the placement of ${tenantId} does not come to rest`))
  }

  async function openPool(placement: Placement): Promise<Entry> {
    const { tenantId, generation, serverId, databaseName } = placement
    const budget = budgetOf(serverId)
    await budget.reserve()
    const pool = createTenantPool(placement, config, timing.connectMs)
    const now = performance.now()
    const life = { leases: 0, openedAt: now, lastUsed: now, gone: undefined }
    const entry: Entry = { tenantId, generation, pool, budget, ...life }
    try {
      await proveTenantPool(pool, { placement, knownSchema: schema.current, deadlineMs: timing.connectMs })
      counters.opens++
      return entry
    } catch (error) {
      await dispose(entry)
      if (error instanceof AppError && error.code === 'tenant.wrong_database') {
        counters.mismatches++
        log.error({ alarm: error.code, tenantId, databaseName }, 'a wire led to the database of somebody else')
      }
      throw error
    }
  }

  function giveBack(entry: Entry): void {
    entry.leases--
    leases--
    entry.lastUsed = performance.now()
    if (entry.leases === 0) {
      if (entries.get(entry.tenantId) === entry) entry.budget.idle()
      else void dispose(entry)
    }
    if (closed && leases === 0) drained.resolve()
  }

  function forget(tenantId: string): void {
    const flight = flights.get(tenantId)
    if (flight) flight.again = true
    const entry = entries.get(tenantId)
    if (entry) discard(entry)
  }

  /** Nobody gets it any more; it closes when the last lease has ended. */
  function discard(entry: Entry): void {
    if (entries.get(entry.tenantId) !== entry) return
    entries.delete(entry.tenantId)
    entry.budget.remove(entry)
    if (entry.leases === 0) void dispose(entry)
  }

  /** The place in the budget is free when the server has seen the sessions go, not before. */
  function dispose(entry: Entry): Promise<void> {
    entry.gone ??= entry.pool.close().then(() => entry.budget.release())
    return entry.gone
  }

  function noticeChange(tenantId: string, generation: number): void {
    const flight = flights.get(tenantId)
    if (flight) flight.wanted = Math.max(flight.wanted, generation)
    const entry = entries.get(tenantId)
    if (entry && entry.generation < generation) discard(entry)
  }

  /** For notices that got lost: the line was down, or nobody listens at all. */
  async function revalidate(): Promise<void> {
    const cached = [...entries.values()]
    if (closed || cached.length === 0) return
    try {
      const generations = await findGenerations(
        central,
        cached.map((entry) => entry.tenantId),
      )
      for (const entry of cached) if (entry.generation !== generations.get(entry.tenantId)) discard(entry)
    } catch (error) {
      log.warn({ err: error }, 'could not compare cached placements, will try again')
    }
  }

  function forgetIdle(): void {
    const before = performance.now() - config.tenantPool.idleMs
    for (const entry of [...entries.values()]) if (entry.leases === 0 && entry.lastUsed < before) discard(entry)
  }

  function budgetOf(serverId: number): PoolBudget<Entry> {
    const known = budgets.get(serverId)
    if (known) return known
    const limit = Math.max(1, Math.floor(config.tenantPool.budget / config.tenantPool.max))
    const budget = createPoolBudget<Entry>({ limit, waitMs: timing.waitMs, onTimeout: poolBusy, evict })
    budgets.set(serverId, budget)
    return budget
  }

  async function evict(entry: Entry): Promise<void> {
    counters.evictions++
    if (performance.now() - entry.openedAt < timing.youngMs) counters.youngEvictions++
    entries.delete(entry.tenantId)
    entry.gone = entry.pool.close()
    await entry.gone
  }

  function stats(): TenantPoolStats {
    const perServer = [...budgets.values()].map((budget) => budget.stats())
    let connections = 0
    for (const entry of entries.values()) connections += entry.pool.stats().open
    return {
      live: perServer.reduce((sum, { live }) => sum + live, 0),
      waiting: perServer.reduce((sum, { waiting }) => sum + waiting, 0),
      leased: leases,
      connections,
      ...counters,
    }
  }

  async function close(graceMs = 10_000): Promise<void> {
    closed = true
    for (const timer of timers) clearInterval(timer)
    for (const stop of stopListening) stop?.()
    const giveUp = setTimeout(drained.resolve, graceMs)
    if (leases > 0) await drained.promise
    clearTimeout(giveUp)
    await Promise.allSettled([...flights.values()].map((flight) => flight.landing))
    const remaining = [...entries.values()]
    for (const entry of remaining) discard(entry)
    await Promise.all(remaining.map((entry) => dispose(entry)))
  }
}

interface Entry {
  readonly tenantId: string
  readonly generation: number
  readonly pool: Pool
  readonly budget: PoolBudget<Entry>
  leases: number
  readonly openedAt: number
  lastUsed: number
  /** Resolves when it is closed; set once that has begun. */
  gone: Promise<void> | undefined
}

/** A pool that is being opened, once for everybody who asks meanwhile. */
interface Flight {
  landing: Promise<Entry>
  joiners: number
  generation: number | undefined
  /** The generation that a notice told us of. */
  wanted: number
  /** Forgotten while it was being opened. */
  again: boolean
}

/** The generation of the placement that an attempt was based on. */
interface Seen {
  generation: number | undefined
}

const shuttingDown = () => databaseUnavailable(new Error('tenant databases are closed'))
