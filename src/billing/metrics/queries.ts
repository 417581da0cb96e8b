import { sql } from 'kysely'
import { z } from 'zod'
import type { CentralSql } from '../../db/databases.ts'
import type { History, Standing } from '../metrics.ts'
import { estados } from '../subscription.ts'

/**
 * How every subscription stood before `until`, one history each (billing.md 4.10). Only steps at which its value or its
 * state became another: a subscription of years renews a hundred times and moves thrice. In the order in which they were
 * written, under the lock of their subscription: clocks of two machines differ, so a step is never earlier than the one
 * before it, whatever its own time says.
 */
export async function findHistories(db: CentralSql, until: Date): Promise<History[]> {
  const { rows } = await sql<{ subscription_id: string; at: Date; estado: string; value_c: string }>`
    select subscription_id, at, estado, value_c
    from (
      select subscription_id, id, max(at) over steps as at, after->>'estado' as estado, value_after_c::text as value_c,
             lag(after->>'estado') over steps as estado_before, lag(value_after_c::text) over steps as value_before
      from subscription_events
      window steps as (partition by subscription_id order by id)
    ) as stood
    where at < ${until} and (value_before is null or value_before <> value_c or estado_before <> estado)
    order by subscription_id, id`.execute(db)
  const histories = new Map<string, Standing[]>()
  for (const { subscription_id, at, estado, value_c } of rows) {
    const history = histories.get(subscription_id) ?? []
    history.push({ at, estado: Estado.parse(estado), valueC: BigInt(value_c) })
    histories.set(subscription_id, history)
  }
  return [...histories.values()]
}

const Estado = z.enum(estados)
