import { sql } from 'kysely'
import type { CentralSql, CentralTx } from '../db/databases.ts'
import type { Counter } from './throttle.ts'

/** The counters of these keys, as far as they exist. */
export async function findCounters(db: CentralSql, keys: readonly string[]): Promise<Map<string, Counter>> {
  return byKey(await counters(db, keys).execute())
}

/**
 * The counters of these keys, made where missing, locked until the transaction ends.
 *
 * Always made first and then locked, both in the order of keys. Locking those that exist before making the others
 * deadlocks: who comes in between sees more of them and begins at an earlier key.
 */
export async function lockCounters(trx: CentralTx, keys: readonly string[], now: Date): Promise<Map<string, Counter>> {
  const sorted = [...keys].sort()
  const rows = sorted.map((key) => ({ key, failures: 0, first_at: now, last_at: now }))
  await trx
    .insertInto('auth_counters')
    .values(rows)
    .onConflict((oc) => oc.column('key').doNothing())
    .execute()
  return byKey(await counters(trx, sorted).forUpdate().execute())
}

export async function saveCounter(trx: CentralTx, key: string, counter: Counter): Promise<void> {
  const { failures, firstAt, lastAt, blockedUntil } = counter
  await trx
    .updateTable('auth_counters')
    .set({ failures, first_at: firstAt, last_at: lastAt, blocked_until: blockedUntil })
    .where('key', '=', key)
    .execute()
}

/** Forgets everything counted against one account, whatever it came from. */
export async function deleteCountersOf(trx: CentralSql, account: string): Promise<void> {
  await trx
    .deleteFrom('auth_counters')
    .where((where) =>
      where.or([where('key', '=', `cuenta:${account}`), sql<boolean>`starts_with(key, ${`origen:${account}:`})`]),
    )
    .execute()
}

const counters = (db: CentralSql, keys: readonly string[]) =>
  db
    .selectFrom('auth_counters')
    .select(['key', 'failures', 'first_at as firstAt', 'last_at as lastAt', 'blocked_until as blockedUntil'])
    .where('key', 'in', keys)
    .orderBy('key')

const byKey = (rows: (Counter & { key: string })[]) => new Map(rows.map(({ key, ...counter }) => [key, counter]))
