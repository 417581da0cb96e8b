import { sql } from 'kysely'
import type { CentralSql } from '../../db/databases.ts'
import { addDays, earlierFecha, type Fecha, fechaOf } from '../../fiscal/fecha.ts'
import type { Period } from '../periods.ts'
import { rebuildSnapshots, type SeatChange, type Snapshot, snapshotInstant } from '../seats.ts'

export interface SeatNights {
  /** Every night that was counted or could be rebuilt, in order. */
  snapshots: readonly Snapshot[]
  /** Nights of which nothing is known: the period is billed by the others and flagged (billing.md 4.8). */
  unknownDays: readonly Fecha[]
}

/**
 * How many people a company had on the nights of a period that are over at `now`. Those that were not counted are rebuilt
 * from the log and kept, so that what was billed can be looked up.
 */
export async function findSeats(
  db: CentralSql,
  tenantId: string,
  { start, end }: Period,
  now: Date,
): Promise<SeatNights> {
  // Tonight is not over before its 23:55: kept earlier it would miss who comes in the evening.
  const until = earlierFecha(end, nextNight(now))
  if (until <= start) return { snapshots: [], unknownDays: [] }
  const known = await db
    .selectFrom('seat_snapshots')
    .select(['day', 'users'])
    .where('tenant_id', '=', tenantId)
    .where('day', '>=', start)
    .where('day', '<', until)
    .execute()
  const log = await findLog(db, tenantId, snapshotInstant(start), snapshotInstant(until))
  const { snapshots, rebuilt, unknown } = rebuildSnapshots({ log, known, from: start, to: until })
  if (rebuilt.length > 0) {
    await db
      .insertInto('seat_snapshots')
      .values(rebuilt.map(({ day, users }) => ({ tenant_id: tenantId, day, users, rebuilt: true })))
      .onConflict((oc) => oc.doNothing())
      .execute()
  }
  return { snapshots, unknownDays: unknown }
}

/**
 * Counts the people of every living company, for the night of `day`. Who was counted stays as counted: a job may run twice.
 * @returns how many companies were counted now
 */
export async function insertSnapshots(db: CentralSql, day: Fecha): Promise<number> {
  const { numAffectedRows } = await sql`
    insert into seat_snapshots (tenant_id, day, users)
    select t.id, ${day}::date, count(m.user_id)
    from tenants t
    left join memberships m on m.tenant_id = t.id
    where t.deleted_at is null and exists (select from subscriptions s where s.tenant_id = t.id)
    group by t.id
    on conflict (tenant_id, day) do nothing`.execute(db)
  return Number(numAffectedRows ?? 0)
}

/** The first night that is not over. */
function nextNight(now: Date): Fecha {
  const today = fechaOf(now)
  return now < snapshotInstant(today) ? today : addDays(today, 1)
}

/** Changes up to the last night, from the last one before the first night on. */
async function findLog(db: CentralSql, tenantId: string, first: Date, last: Date): Promise<SeatChange[]> {
  // In the order of writing, which the lock of the company makes: clocks of two processes differ, and by theirs the second
  // arrival could come before the first.
  const { rows } = await sql<SeatChange>`
    with written as (
      select id, users, max(at) over (order by id) as at from seat_log where tenant_id = ${tenantId})
    select at, users from written
    where at <= ${last} and at >= coalesce((select max(at) from written where at <= ${first}), '-infinity')
    order by id`.execute(db)
  return rows
}
