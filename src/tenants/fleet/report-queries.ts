import { sql } from 'kysely'
import type { CentralSql } from '../../db/databases.ts'
import type { SchemaVersion } from '../../db/migrations.ts'
import { type RowState, SECONDS } from './run-queries.ts'

export interface Tally {
  total: number
  ok: number
  /** Was at the target before anybody touched it. */
  current: number
  failed: number
  unreachable: number
  /** Deleted since: migrated when it is restored. */
  gone: number
  /** Somebody else was migrating it, or it was being moved, to the end. */
  skipped: { locked: number; moving: number }
  pending: number
}

export async function tallyRun(db: CentralSql, runId: string): Promise<Tally> {
  const { rows } = await sql<{ state: RowState; reason: string | null; unchanged: boolean; n: number }>`
    select state, case state when 'skipped' then error_code end as reason,
      coalesce(from_version = to_version, false) as unchanged, count(*)::int as n
    from migration_run_tenants where run_id = ${runId} group by 1, 2, 3`.execute(db)
  const skipped = { locked: 0, moving: 0 }
  const tally: Tally = { total: 0, ok: 0, current: 0, failed: 0, unreachable: 0, gone: 0, skipped, pending: 0 }
  for (const { state, reason, unchanged, n } of rows) {
    tally.total += n
    if (state === 'succeeded') tally[unchanged ? 'current' : 'ok'] += n
    else if (state === 'running') tally.pending += n
    else if (state !== 'skipped') tally[state] += n
    else if (reason === 'locked' || reason === 'moving') skipped[reason] += n
    else tally.gone += n
  }
  return tally
}

export interface TenantFailure {
  tenantId: string
  databaseName: string
  state: RowState
  errorCode: string | null
  error: string | null
}

export async function findFailures(db: CentralSql, runId: string): Promise<TenantFailure[]> {
  const { rows } = await sql<TenantFailure>`
    select r.tenant_id as "tenantId", d.database_name as "databaseName", r.state, r.error_code as "errorCode", r.error
    from migration_run_tenants r join tenant_databases d on d.tenant_id = r.tenant_id
    where r.run_id = ${runId} and r.state in ('failed', 'unreachable') order by d.database_name`.execute(db)
  return rows
}

export interface RunSummary {
  id: string
  target: SchemaVersion
  state: 'running' | 'paused' | 'succeeded' | 'failed' | 'aborted'
  owner: string
  startedAt: Date
  finishedAt: Date | null
  heartbeatSeconds: number
}

export async function findLastRun(db: CentralSql): Promise<RunSummary | undefined> {
  const row = await db
    .selectFrom('migration_runs')
    .select(['id', 'target_version', 'target_hash', 'state', 'started_by', 'started_at', 'finished_at', SECONDS])
    .orderBy('heartbeat_at', 'desc')
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst()
  if (!row) return undefined
  return {
    id: row.id,
    target: { version: row.target_version, hash: row.target_hash },
    state: row.state,
    owner: row.started_by,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    heartbeatSeconds: row.heartbeatSeconds,
  }
}
