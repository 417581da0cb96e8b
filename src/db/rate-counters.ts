import { sql } from 'kysely'
import type { CentralDb } from './databases.ts'

/** Hits of a limit's window, shared by every process. */
export interface RateCounters {
  /**
   * Adds `hits` to the window of `key`, which begins with its first hit.
   * @returns all hits of the window, these included, and how long it still lasts
   */
  add(key: string, hits: number, windowMs: number): Promise<{ hits: number; leftMs: number }>
}

/** Counted by PostgreSQL's clock: processes whose clocks differ still share one window. */
export const rateCounters = (central: CentralDb): RateCounters => ({
  async add(key, hits, windowMs) {
    const { rows } = await sql<{ hits: number; left_ms: number }>`
      insert into rate_counters as c (key, hits, expires_at)
      values (${key}, ${hits}, now() + ${windowMs}::float8 * interval '1 millisecond')
      on conflict (key) do update set
        hits = case when c.expires_at <= now() then excluded.hits else least(c.hits, 1000000000) + excluded.hits end,
        expires_at = case when c.expires_at <= now() then excluded.expires_at else c.expires_at end
      returning hits, (extract(epoch from expires_at - now()) * 1000)::float8 as left_ms
    `.execute(central)
    const row = rows[0]
    if (!row) throw new Error('an upsert returned no row')
    return { hits: row.hits, leftMs: row.left_ms }
  },
})

/** Removes windows that are over. Safe to run any time: an expired one begins anew anyway. */
export async function deleteExpiredCounters(central: CentralDb): Promise<void> {
  await central.deleteFrom('rate_counters').where('expires_at', '<', sql<Date>`now()`).execute()
}
