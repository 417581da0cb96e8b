import { sql } from 'kysely'
import type { CentralSql } from '../../db/databases.ts'

/**
 * Companies whose plan may be another than the one they were told of, or that are to be looked at anyway. One that was to
 * be looked at later than `farthest` was told of by a clock that was ahead.
 */
export async function findToReview(
  db: CentralSql,
  { now, farthest }: { now: Date; farthest: Date },
): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    select t.id from tenants t
    join tenant_databases d on d.tenant_id = t.id and d.state = 'active'
    left join cfdi_limits_told c on c.tenant_id = t.id
    where c.tenant_id is null or c.version <> t.entitlements_version
      or c.look_again_at <= ${now} or c.look_again_at > ${farthest}
    order by t.id`.execute(db)
  return rows.map(({ id }) => id)
}

/** Of which version of what it may do a company was told, and which it is at; undefined when there is no such company. */
export async function findToldVersion(
  db: CentralSql,
  tenantId: string,
): Promise<{ told: string | null; now: string } | undefined> {
  const { rows } = await sql<{ told: string | null; now: string }>`
    select c.version::text as told, t.entitlements_version::text as now
    from tenants t left join cfdi_limits_told c on c.tenant_id = t.id where t.id = ${tenantId}`.execute(db)
  return rows[0]
}

/**
 * A look that nothing had changed for puts off none that is still to come: two sweeps that overlap ask for two, and the
 * second one knows nothing of why the first is to be repeated soon.
 */
export async function markLimitTold(
  db: CentralSql,
  { tenantId, version, now, lookAgainAt }: { tenantId: string; version: string; now: Date; lookAgainAt: Date },
): Promise<void> {
  await sql`
    insert into cfdi_limits_told as told (tenant_id, version, look_again_at)
    values (${tenantId}, ${version}::bigint, ${lookAgainAt})
    on conflict (tenant_id) do update set version = excluded.version, look_again_at = case
      when told.version = excluded.version and told.look_again_at > ${now}
      then least(told.look_again_at, excluded.look_again_at) else excluded.look_again_at end`.execute(db)
}
