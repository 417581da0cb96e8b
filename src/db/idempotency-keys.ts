import { sql } from 'kysely'
import type { CentralDb } from './databases.ts'

export interface StoredAnswer {
  status: number
  contentType: string | null
  location: string | null
  body: Buffer
}

export type Claim =
  /** Ours to do until `lockedUntil`, which also proves it when the answer is kept. */
  | { state: 'ours'; lockedUntil: Date }
  | { state: 'done'; answer: StoredAnswer }
  | { state: 'running'; retryAfterS: number }
  /** The key was used for another request. */
  | { state: 'different' }

interface Request {
  scope: string
  key: string
  hash: Buffer
  leaseS: number
}

interface OwnClaim {
  scope: string
  key: string
  lockedUntil: Date
}

/** Keys of the last 24 h, in the central database, so that a repeat may reach another process. */
export function idempotencyStore(central: CentralDb) {
  return {
    async claim(request: Request): Promise<Claim> {
      for (;;) {
        const claim = (await takeKey(central, request)) ?? (await readKey(central, request))
        // Neither taken nor there: it was released in between.
        if (claim) return claim
      }
    },

    async keep({ scope, key, lockedUntil }: OwnClaim, answer: StoredAnswer): Promise<void> {
      const { status, contentType, location, body } = answer
      await central
        .updateTable('idempotency_keys')
        .set({ state: 'done', status, content_type: contentType, location, body })
        .where('scope', '=', scope)
        .where('key', '=', key)
        .where('state', '=', 'running')
        // A request that outlived its lease does not overwrite the answer of the one that followed.
        .where('locked_until', '=', lockedUntil)
        .execute()
    },

    async release({ scope, key, lockedUntil }: OwnClaim): Promise<void> {
      await central
        .deleteFrom('idempotency_keys')
        .where('scope', '=', scope)
        .where('key', '=', key)
        .where('state', '=', 'running')
        .where('locked_until', '=', lockedUntil)
        .execute()
    },
  }
}

/** Removes keys past their day. Safe to run any time: an expired key is taken over anyway. */
export async function deleteExpiredKeys(central: CentralDb): Promise<void> {
  await central.deleteFrom('idempotency_keys').where('expires_at', '<', sql<Date>`now()`).execute()
}

/** One statement decides between two that arrive at once. Milliseconds, because a JavaScript date holds no more. */
async function takeKey(central: CentralDb, { scope, key, hash, leaseS }: Request): Promise<Claim | undefined> {
  const lease = sql<Date>`date_trunc('milliseconds', clock_timestamp()) + make_interval(secs => ${leaseS})`
  const expires = sql<Date>`now() + interval '24 hours'`
  const row = await central
    .insertInto('idempotency_keys')
    .values({ scope, key, request_hash: hash, locked_until: lease, expires_at: expires })
    .onConflict((oc) =>
      oc
        .columns(['scope', 'key'])
        .doUpdateSet({
          request_hash: (eb) => eb.ref('excluded.request_hash'),
          locked_until: (eb) => eb.ref('excluded.locked_until'),
          expires_at: (eb) => eb.ref('excluded.expires_at'),
          created_at: sql<Date>`now()`,
          state: 'running',
          status: null,
          content_type: null,
          location: null,
          body: null,
        })
        .where(
          // Past its day, or left by a process that died: then only the same request may go on.
          sql<boolean>`idempotency_keys.expires_at < now()
            or (idempotency_keys.state = 'running' and idempotency_keys.locked_until < now()
                and idempotency_keys.request_hash = excluded.request_hash)`,
        ),
    )
    .returning('locked_until')
    .executeTakeFirst()
  return row && { state: 'ours', lockedUntil: row.locked_until }
}

async function readKey(central: CentralDb, { scope, key, hash }: Request): Promise<Claim | undefined> {
  const row = await central
    .selectFrom('idempotency_keys')
    .select(['request_hash', 'state', 'status', 'content_type', 'location', 'body'])
    .select(sql<number>`greatest(1, ceil(extract(epoch from locked_until - now())))::int`.as('left_s'))
    .where('scope', '=', scope)
    .where('key', '=', key)
    .executeTakeFirst()
  if (!row) return undefined
  if (!row.request_hash.equals(hash)) return { state: 'different' }
  if (row.state === 'running') return { state: 'running', retryAfterS: row.left_s }
  const { status, content_type: contentType, location, body } = row
  return { state: 'done', answer: { status: status ?? 200, contentType, location, body: body ?? Buffer.alloc(0) } }
}
