import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Config } from '../config.ts'
import { parseDatabaseUrl } from './address.ts'
import { type Connection, openConnection } from './connection.ts'

/**
 * What changed in the central database, told to every process within a millisecond or so by triggers in `migrations/`.
 * Messages are lost while the line is down: whoever caches must re-read on `onResync`, and nothing may depend on a
 * message for its correctness.
 */
export interface Changes {
  /** A placement has this generation now. */
  on(kind: 'tenant', listener: (tenantId: string, generation: number) => void): () => void
  /** What a session or a person may do has changed. */
  on(kind: 'session' | 'user', listener: (id: string) => void): () => void
  /** What a company may do has changed: its subscription or an exception to its plan. */
  on(kind: 'entitlements', listener: (tenantId: string) => void): () => void
  /** The line is up (again): anything may have been missed. */
  onResync(listener: () => void): () => void
  readonly connected: boolean
  close(): Promise<void>
}

export interface ChangesOptions {
  heartbeatMs?: number
  echoTimeoutMs?: number
  onError?: (error: unknown) => void
}

/** Returns at once and connects by itself, for ever. Not through a transaction pooler, where LISTEN hears nothing. */
export function openChanges(config: Pick<Config, 'central' | 'processRole'>, options: ChangesOptions = {}): Changes {
  const { heartbeatMs = 15_000, echoTimeoutMs = 5_000, onError = () => {} } = options
  const { password, ...address } = parseDatabaseUrl(config.central.url)
  const applicationName = `horux-${config.processRole}-changes`
  const target = { ...address, passwords: [password], applicationName, settings: {}, prepare: false }
  // A channel of our own, so that the heartbeats of a fleet do not wake each other.
  const beatChannel = `horux_beat_${randomUUID()}`
  const listeners: Record<Kind, Set<Listener>> = {
    tenant: new Set(),
    session: new Set(),
    user: new Set(),
    entitlements: new Set(),
  }
  const resync = new Set<() => void>()
  const stopped = new AbortController()
  let connection: Connection | undefined
  let echo: (() => void) | undefined
  const ended = listenForEver()

  return {
    on(kind: Kind, listener: Listener) {
      listeners[kind].add(listener)
      return () => void listeners[kind].delete(listener)
    },
    onResync(listener) {
      resync.add(listener)
      return () => void resync.delete(listener)
    },
    get connected() {
      return connection !== undefined
    },
    async close() {
      stopped.abort()
      await ended
    },
  }

  async function listenForEver(): Promise<void> {
    for (let failures = 0; !stopped.signal.aborted; failures++) {
      try {
        await listenOnce(() => {
          failures = 0
        })
      } catch (error) {
        if (stopped.signal.aborted) return
        onError(error)
        // Half a second after the first failure, five after many, never all processes at the same moment.
        await pause(Math.min(500 * 1.5 ** failures, 5_000) * (0.5 + Math.random() / 2))
      }
    }
  }

  async function listenOnce(onUp: () => void): Promise<void> {
    const lost = new AbortController()
    const opened = await openConnection(target, {
      deadlineMs: 3_000,
      onLost: () => lost.abort(),
      onNotification: (channel, payload) => (channel === beatChannel ? echo?.() : deliver(payload)),
    })
    try {
      await opened.script(`listen horux_changes; listen "${beatChannel}"`, echoTimeoutMs)
      connection = opened
      onUp()
      for (const listener of resync) listener()
      const over = AbortSignal.any([lost.signal, stopped.signal])
      while (!over.aborted) {
        await pause(heartbeatMs, over)
        if (!over.aborted) await beat(opened)
      }
      if (stopped.signal.aborted) await opened.end()
      else throw new Error('the line that tells of changes was lost')
    } finally {
      connection = undefined
      opened.destroy()
    }
  }

  /** A peer that went silent answers nothing, and the operating system would tell us minutes later. */
  async function beat(on: Connection): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    echo = resolve
    const timer = setTimeout(() => reject(new Error('the line that tells of changes has no echo')), echoTimeoutMs)
    try {
      await Promise.all([on.script(`notify "${beatChannel}"`, echoTimeoutMs), promise])
    } finally {
      clearTimeout(timer)
      echo = undefined
    }
  }

  function deliver(payload: string): void {
    const [kind, id = '', generation] = payload.split(':')
    if (!isKind(kind)) return
    try {
      for (const listener of listeners[kind]) listener(id, Number(generation))
    } catch (error) {
      onError(error)
    }
  }

  async function pause(ms: number, signal: AbortSignal = stopped.signal): Promise<void> {
    await sleep(ms, undefined, { signal }).catch(() => {})
  }
}

const kinds = ['tenant', 'session', 'user', 'entitlements'] as const
type Kind = (typeof kinds)[number]
const isKind = (text: string | undefined): text is Kind => kinds.some((kind) => kind === text)

type Listener = (id: string, generation: number) => void
