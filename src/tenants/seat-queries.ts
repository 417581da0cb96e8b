import { sql } from 'kysely'
import type { CentralSql, CentralTx } from '../db/databases.ts'

/** People with a place in a company. */
export async function countMembers(db: CentralSql, tenantId: string): Promise<number> {
  const { used } = await db
    .selectFrom('memberships')
    .select(sql<number>`count(*)::int`.as('used'))
    .where('tenant_id', '=', tenantId)
    .executeTakeFirstOrThrow()
  return used
}

/**
 * Notes that somebody came to a company or left it, with how many there are now: what nights that were not counted are
 * rebuilt from (billing.md 4.8). After the change and in its transaction, under the lock of the company: two changes at
 * once would each count without the other.
 */
export async function logSeats(
  trx: CentralTx,
  { tenantId, userId, at }: { tenantId: string; userId: string; at: Date },
): Promise<void> {
  const users = await countMembers(trx, tenantId)
  await trx.insertInto('seat_log').values({ tenant_id: tenantId, at, user_id: userId, users }).execute()
}
