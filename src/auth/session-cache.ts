import type { CentralDb } from '../db/databases.ts'
import { findSession, type SessionRow } from './session-queries.ts'

/**
 * Sessions as the database has them, remembered for at most a second.
 *
 * A change of a session, its user, membership or vista notifies every process in the same commit, and what was
 * remembered is dropped; a lost notification is healed by the second. The process that makes a change drops it itself,
 * so that its next request already sees it.
 */
export interface SessionCache {
  find(id: string): Promise<SessionRow | undefined>
  forgetSession(id: string): void
  forgetUser(id: string): void
}

/** What tells of changes made anywhere (src/db/changes.ts). */
interface Changes {
  on(kind: 'session' | 'user', listener: (id: string) => void): unknown
  /** Called when notifications may have been missed. */
  onResync(listener: () => void): unknown
}

const REMEMBERED_MS = 1000
const MOST_REMEMBERED = 20_000

export interface SessionCacheDeps {
  central: CentralDb
  changes: Changes
  /** For tests of what the notifications do. */
  rememberedMs?: number
}

export function createSessionCache({ rememberedMs = REMEMBERED_MS, ...deps }: SessionCacheDeps): SessionCache {
  const entries = new Map<string, Entry>()

  const forgetSession = (id: string) => void entries.delete(id)
  const forgetUser = (id: string) => {
    // A query under way may have read what was before the change: nobody knows yet whose session it will find.
    for (const [sid, { userId }] of entries) if (userId === id || userId === undefined) entries.delete(sid)
  }
  deps.changes.on('session', forgetSession)
  deps.changes.on('user', forgetUser)
  deps.changes.onResync(() => entries.clear())

  const load = (id: string): Entry => {
    const entry: Entry = { row: findSession(deps.central, id), readAt: performance.now(), userId: undefined }
    entry.row.then(
      (row) => {
        entry.userId = row?.userId ?? null
      },
      () => {
        if (entries.get(id) === entry) entries.delete(id) // the next request asks again
      },
    )
    if (entries.size >= MOST_REMEMBERED) dropOld(entries, rememberedMs)
    entries.delete(id) // to the end: the order of the map is that of the readings
    entries.set(id, entry)
    return entry
  }

  return {
    forgetSession,
    forgetUser,
    find(id) {
      const known = entries.get(id)
      const fresh = known && performance.now() - known.readAt < rememberedMs ? known : load(id)
      return fresh.row
    },
  }
}

interface Entry {
  row: Promise<SessionRow | undefined>
  /** Before the query was sent: the second counts from what it can have seen. */
  readAt: number
  /** Undefined until the query has answered, null when there is no such session. */
  userId: string | null | undefined
}

function dropOld(entries: Map<string, Entry>, rememberedMs: number): void {
  const now = performance.now()
  for (const [id, { readAt }] of entries) {
    if (now - readAt < rememberedMs && entries.size < MOST_REMEMBERED) return
    entries.delete(id)
  }
}
