import { type Connection, openConnection, type Target } from './connection.ts'
import { ConnectionFailure, databaseBusy, databaseUnavailable } from './failures.ts'
import { knownStatements } from './known-statements.ts'

/**
 * A few sessions with one database, each lent to one caller at a time, with what postgres.js' own pool lacks: a bounded
 * queue, first come first served; a deadline for waiting and one for connecting; and no statement ever sent behind
 * somebody else's slow one. Sessions are opened when they are needed and closed when nobody needed them for a while.
 *
 * While all are taken, a single statement may go out behind others that are known to be quick: the server then has its
 * next work before it has told us of the last, and a company that uses all of its sessions gets half as much again done.
 */
export interface Pool {
  /** @throws AppError `database.busy`: too many wait, or too long. `database.unavailable`: no session can be had. */
  acquire(): Promise<Connection>
  /** For one statement outside of any transaction, which is sent `ahead`. Given back by `release`, once for each. */
  share(text: string): Promise<Connection>
  release(connection: Connection): void
  stats(): PoolStats
  /** Takes no more work, gives what runs `graceMs` to end, then breaks it off. Resolves when every session is gone. */
  close(graceMs?: number): Promise<void>
}

export interface PoolOptions {
  max: number
  maxQueue?: number
  acquireTimeoutMs?: number
  connectTimeoutMs?: number
  idleTimeoutMs?: number
  maxLifetimeMs?: number
}

export interface PoolStats {
  open: number
  running: number
  waiting: number
}

export function createPool(target: Target, options: PoolOptions): Pool {
  const { max, maxQueue = 200, acquireTimeoutMs = 2_000, connectTimeoutMs = 3_000 } = options
  const { idleTimeoutMs = 60_000, maxLifetimeMs = 1_800_000 } = options
  // The one used last lies on top and is taken first: those that a quiet hour does not need grow old at the bottom.
  const idle: Idle[] = []
  const running = new Set<Connection>()
  /** Of those in `running`, the ones that single statements have. */
  const lanes = new Map<Connection, Lane>()
  const known = knownStatements()
  const ending = new Set<Promise<void>>()
  const retireAt = new WeakMap<Connection, number>()
  const waiting: Waiter[] = []
  let opening = 0
  let reaper: NodeJS.Timeout | undefined
  let closed = false
  const emptied = Promise.withResolvers<void>()

  return {
    acquire: () => queue(undefined),
    share: queue,
    release,
    stats: () => ({
      open: running.size + idle.length + opening + ending.size,
      running: running.size,
      waiting: waiting.length,
    }),
    close,
  }

  function queue(text: string | undefined): Promise<Connection> {
    if (closed) return Promise.reject(poolClosed())
    if (waiting.length >= maxQueue) return Promise.reject(databaseBusy())
    const { promise, resolve, reject } = Promise.withResolvers<Connection>()
    const waiter: Waiter = { text, resolve, reject, timer: undefined }
    waiting.push(waiter)
    serve()
    if (waiting.at(-1) === waiter) waiter.timer = setTimeout(giveUp, acquireTimeoutMs, waiter)
    return promise
  }

  function giveUp(waiter: Waiter): void {
    waiting.splice(waiting.indexOf(waiter), 1)
    waiter.reject(databaseBusy())
  }

  function release(connection: Connection): void {
    if (!running.has(connection)) return
    // One that went silent has siblings on the same road: whoever took them next would wait for the same deadline.
    if (connection.lost === 'DEADLINE') for (const { connection: sibling } of idle.splice(0)) sibling.destroy()
    if (leaveLane(connection) === 0) putBack(connection)
    serve()
  }

  function putBack(connection: Connection): void {
    running.delete(connection)
    if (connection.lost) return
    if (closed || performance.now() > (retireAt.get(connection) ?? 0)) end(connection)
    else idle.push({ connection, since: performance.now() })
  }

  /** Gives what is free to those who wait, in the order in which they came. */
  function serve(): void {
    while (waiting.length > 0) {
      const free = idle.pop()?.connection
      const full = !free && running.size + opening + ending.size >= max
      const lane = full ? laneFor(waiting[0] as Waiter) : undefined
      if (full && !lane) break
      const waiter = waiting.shift() as Waiter
      clearTimeout(waiter.timer)
      const connection = free ?? lane
      if (connection) lend(connection, waiter)
      else void open(waiter)
    }
    if (idle.length > 0 && !reaper) reaper = setInterval(reap, Math.max(10, idleTimeoutMs / 2)).unref()
    if (closed && running.size === 0 && opening === 0) emptied.resolve()
  }

  function lend(connection: Connection, waiter: Waiter): void {
    running.add(connection)
    if (waiter.text !== undefined) {
      const lane = lanes.get(connection)
      if (lane) lane.texts.push(waiter.text)
      else lanes.set(connection, { texts: [waiter.text], since: performance.now() })
    }
    waiter.resolve(connection)
  }

  /** The emptiest that will soon be done. Whoever wants a session alone, first in line, lets the lanes run empty. */
  function laneFor({ text }: Waiter): Connection | undefined {
    if (text === undefined) return undefined
    const now = performance.now()
    let best: Connection | undefined
    let fewest = MOST_BEHIND + 1
    for (const [connection, { texts, since }] of lanes) {
      if (texts.length >= fewest || connection.lost || now - since > SOON_MS) continue
      if (texts.reduce((ahead, one) => ahead + known.worstOf(one), 0) > SOON_MS) continue
      best = connection
      fewest = texts.length
    }
    return best
  }

  /** The statement in front has been answered. Returns how many are still on their way. */
  function leaveLane(connection: Connection): number {
    const lane = lanes.get(connection)
    if (!lane) return 0
    const now = performance.now()
    const text = lane.texts.shift() as string
    if (!connection.lost) known.note(text, now - lane.since)
    lane.since = now
    if (lane.texts.length === 0) lanes.delete(connection)
    return lane.texts.length
  }

  async function open(waiter: Waiter): Promise<void> {
    opening++
    try {
      const connection = await openConnection(target, {
        deadlineMs: connectTimeoutMs,
        onLost: () => forget(connection),
      })
      opening--
      // Not all at once: those opened in one burst would else be replaced in one burst.
      retireAt.set(connection, performance.now() + maxLifetimeMs * (0.9 + Math.random() * 0.1))
      lend(connection, waiter)
    } catch (error) {
      opening--
      waiter.reject(error instanceof ConnectionFailure ? databaseUnavailable(error) : error)
      serve()
    }
  }

  /** The server closed an idle session, or the network did. */
  function forget(connection: Connection): void {
    const index = idle.findIndex((entry) => entry.connection === connection)
    if (index >= 0) idle.splice(index, 1)
  }

  function reap(): void {
    const now = performance.now()
    const old = (entry: Idle) => now - entry.since > idleTimeoutMs || now > (retireAt.get(entry.connection) ?? 0)
    for (const entry of idle.filter(old)) {
      forget(entry.connection)
      end(entry.connection)
    }
    if (idle.length === 0) stopReaper()
  }

  function stopReaper(): void {
    clearInterval(reaper)
    reaper = undefined
  }

  function end(connection: Connection): void {
    const gone = connection.end().finally(() => {
      ending.delete(gone)
      serve()
    })
    ending.add(gone)
  }

  async function close(graceMs = 5_000): Promise<void> {
    closed = true
    stopReaper()
    for (const waiter of waiting.splice(0)) {
      clearTimeout(waiter.timer)
      waiter.reject(poolClosed())
    }
    for (const { connection } of idle.splice(0)) end(connection)
    serve()
    const deadline = setTimeout(() => {
      for (const connection of running) connection.destroy()
      // Whoever has one may be waiting for something else, and never give it back.
      emptied.resolve()
    }, graceMs)
    await emptied.promise
    clearTimeout(deadline)
    await Promise.all(ending)
  }
}

/** What is ahead of a statement that goes out behind others takes no longer, by what it took before. */
export const SOON_MS = 20
/** How many wait with the server for the one in front: more gains little, and one that turns out slow holds them all up. */
const MOST_BEHIND = 2

interface Idle {
  connection: Connection
  since: number
}

/** The statements on a session, in the order in which they were sent; `since` is when the first one had its turn. */
interface Lane {
  texts: string[]
  since: number
}

interface Waiter {
  /** Of a single statement; undefined: the session is wanted alone. */
  text: string | undefined
  resolve: (connection: Connection) => void
  reject: (error: unknown) => void
  timer: NodeJS.Timeout | undefined
}

const poolClosed = () => databaseUnavailable(new ConnectionFailure('connect', 'POOL_CLOSED'))
