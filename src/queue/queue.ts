import { type ConstructorOptions, fromKysely, PgBoss } from 'pg-boss'
import type { Logger } from 'pino'
import type { CentralDb, CentralTx } from '../db/databases.ts'
import { deadLetterQueue, definitionOf, type JobName, jobNames, jobs, type Payload } from './jobs.ts'

/** Where work is left for the worker. Every process has one; only the worker also takes work out. */
export interface Queue {
  /**
   * Leaves a job in the transaction of what caused it: both commit or neither does.
   * @returns the job's id, or null when the same job (its `key`) is already waiting or running, which is as good.
   */
  enqueue<N extends JobName>(
    trx: CentralTx,
    name: N,
    payload: Payload<N>,
    options?: EnqueueOptions,
  ): Promise<string | null>
  /** Many at once, in one statement. Of those that are there already (their `key`) none is left a second time. */
  enqueueAll<N extends JobName>(trx: CentralTx, name: N, payloads: readonly Payload<N>[]): Promise<void>
  stop(): Promise<void>
}

export interface EnqueueOptions {
  /** The job's own id: a second send with it does nothing. */
  id?: string
  /** Not before so many milliseconds from now, by the queue's own clock. */
  afterMs?: number
  /** Higher goes first; 0 when not given. */
  priority?: number
  /** In place of what its line in `jobs.ts` says: for who must not be satisfied with a job that runs already. */
  key?: string
}

/**
 * The producer's end. It has no connection of its own: jobs are inserted by the caller's transaction, and what it must
 * know of the queues is read there too, on first use, so that a process starts while the database is down. Read through
 * `central`, a burst right after the start would wait for a session of the pool while it holds all of them.
 */
export function openQueue(central: CentralDb, log: Logger): Queue {
  let via: CentralDb | CentralTx = central
  const db: NonNullable<ConstructorOptions['db']> = {
    executeSql: (text, values) => fromKysely(via).executeSql(text, values),
  }
  const boss = new PgBoss({ ...passive, db })
  boss.on('error', (error) => log.warn({ err: error }, 'queue: background query failed'))
  let started = false
  let starting: Promise<void> | undefined

  const start = async (trx: CentralTx) => {
    // Another's transaction may have failed for reasons of its own: then it is tried with this one.
    while (starting) await starting.catch(() => undefined)
    if (started) return
    starting = startThrough(trx)
    try {
      await starting
      started = true
    } finally {
      starting = undefined
    }
  }

  const startThrough = async (trx: CentralTx) => {
    via = trx
    try {
      await boss.start()
    } finally {
      via = central
    }
  }

  return {
    async enqueue(trx, name, payload, { key, afterMs, ...options } = {}) {
      await start(trx)
      const { data, ...same } = jobOf(name, payload, key)
      const later = afterMs !== undefined && { startAfter: afterMs / 1000 }
      return boss.send(name, data, { ...options, ...later, ...same, db: fromKysely(trx) })
    },
    async enqueueAll(trx, name, payloads) {
      await start(trx)
      // In one order, whoever leaves them: two who leave the same ones at once wait for each other's keys.
      const left = payloads.map((payload) => jobOf(name, payload)).sort(byKey)
      await boss.insert(name, left, { db: fromKysely(trx) })
    },
    stop: () => boss.stop({ graceful: false }),
  }
}

function jobOf<N extends JobName>(name: N, payload: Payload<N>, key?: string) {
  const definition = definitionOf(name)
  const data = jobs[name].payload.parse(payload) as object
  const singletonKey = key ?? definition.key?.(data)
  const group = definition.group?.(data)
  return {
    data,
    ...(singletonKey !== undefined && { singletonKey }),
    ...(group && { group: { id: group } }),
  }
}

function byKey(
  { singletonKey: a = '' }: { singletonKey?: string },
  { singletonKey: b = '' }: { singletonKey?: string },
) {
  return a < b ? -1 : Number(a > b)
}

/**
 * Makes the queues of `jobs.ts` exist as they are written there. Part of `make migrate`: running processes only use them.
 * @throws Error when a queue's policy was changed, which PostgreSQL's indexes cannot follow: name the job anew instead.
 */
export async function ensureQueues(centralUrl: string): Promise<void> {
  const boss = new PgBoss({ ...passive, connectionString: centralUrl, max: 1, application_name: 'horux-migrate' })
  boss.on('error', () => {}) // the failing call reports it
  await boss.start()
  try {
    const existing = new Map((await boss.getQueues()).map((queue) => [queue.name, queue]))
    if (!existing.has(deadLetterQueue)) await boss.createQueue(deadLetterQueue, { policy: 'standard' })
    for (const name of jobNames) {
      const { policy } = definitionOf(name)
      const before = existing.get(name)
      if (before && before.policy !== policy) throw policyChanged(name, before.policy, policy)
      if (!before) await boss.createQueue(name, { policy })
      await boss.updateQueue(name, queueSettings(name))
    }
  } finally {
    await boss.stop({ graceful: false })
  }
}

/** All but the policy, which only creation can set. A sweep has no dead letters: its next turn does what a failed one left. */
function queueSettings(name: JobName) {
  const { retryLimit, retryDelay, backoff, retryDelayMax, expireInSeconds, heartbeatSeconds, cron } = definitionOf(name)
  return {
    retryLimit,
    retryDelay,
    retryBackoff: backoff,
    retryDelayMax,
    expireInSeconds,
    heartbeatSeconds,
    notify: true,
    deadLetter: cron ? null : deadLetterQueue,
  }
}

const policyChanged = (name: string, before: string | undefined, now: string) =>
  new Error(`queue ${name}: policy is ${before} and cannot become ${now}; give the job a new name`)

/** Schema and queues come from `make migrate`; upkeep and clock are the worker's. */
const passive = {
  migrate: false,
  createSchema: false,
  supervise: false,
  schedule: false,
} satisfies ConstructorOptions
