import { sql } from 'kysely'
import type { CentralDb, CentralSql, CentralTx } from '../../db/databases.ts'
import type { SchemaVersion } from '../../db/migrations.ts'
import { type FleetTenant, inScope, type Scope } from './queries.ts'

export type RowState = 'pending' | 'running' | 'succeeded' | 'failed' | 'skipped' | 'unreachable'

export interface RunRequest {
  /** Of the run, should it be a new one. */
  id: string
  target: SchemaVersion
  scope: Scope
  /** Tells this process from every other: who else took the run over, it may not touch it any more. */
  owner: string
  /** Whether the process of another owner is known to be dead, so that nobody need wait for its silence. */
  isDead: (owner: string) => boolean
  options: { concurrency: number; maxFailures: number; onlyFailed: boolean }
}

export type OpenedRun =
  | { kind: 'ours'; id: string; resumed: boolean }
  /** A process that was alive seconds ago has one. */
  | { kind: 'busy'; id: string; owner: string; heartbeatSeconds: number }

/**
 * Opens a run, or goes on with one: with an open one whose process has been silent for `STALE_SECONDS` or is dead, or
 * with the last one of the same target and scope when it did not end well. Only one caller gets it.
 */
export async function openRun(db: CentralDb, request: RunRequest): Promise<OpenedRun> {
  return db.transaction().execute(async (trx) => {
    // Openers one after the other. Not a row lock: there may be no row yet.
    await sql`select pg_advisory_xact_lock(hashtext('horux.migration_runs'))`.execute(trx)
    const open = await findOpenRun(trx)
    if (open && open.heartbeatSeconds < STALE_SECONDS && !request.isDead(open.owner)) return { kind: 'busy', ...open }
    if (open) await setRunState(trx, open.id, 'aborted')
    const left = request.options.onlyFailed ? undefined : await findUnfinished(trx, request)
    if (!left) await insertRun(trx, request)
    else await takeRun(trx, left, request)
    return { kind: 'ours', id: left ?? request.id, resumed: left !== undefined }
  })
}

export const STALE_SECONDS = 30

/** Says that the owner lives. False when the run is no longer its own. */
export async function beat(db: CentralSql, runId: string, owner: string): Promise<boolean> {
  const result = await db
    .updateTable('migration_runs')
    .set({ heartbeat_at: sql`now()` })
    .where('id', '=', runId)
    .where('started_by', '=', owner)
    .where('state', '=', 'running')
    .executeTakeFirst()
  return result.numUpdatedRows === 1n
}

export async function closeRun(
  db: CentralSql,
  runId: string,
  owner: string,
  state: 'succeeded' | 'failed' | 'aborted',
) {
  await db
    .updateTable('migration_runs')
    .set({ state, finished_at: sql`now()`, heartbeat_at: sql`now()` })
    .where('id', '=', runId)
    .where('started_by', '=', owner)
    .where('state', '=', 'running')
    .execute()
}

/**
 * Gives every tenant of the scope its row: succeeded when the placement says it is at the target, else pending.
 * Rows that a resumed run has already keep what they say unless it no longer holds. Returns how many are pending.
 */
export async function addRows(db: CentralSql, runId: string, target: SchemaVersion, scope: Scope): Promise<number> {
  const { rows } = await sql<{ pending: number }>`
    with fleet as (
      select d.tenant_id, d.schema_version as version,
        case when d.schema_version = ${target.version} and d.schema_hash = ${target.hash} then 'succeeded' else 'pending' end as state
      ${inScope(scope)}
    ), added as (
      insert into migration_run_tenants as r (run_id, tenant_id, state, from_version, to_version)
      select ${runId}::uuid, tenant_id, state, version, case state when 'succeeded' then version end from fleet
      on conflict (run_id, tenant_id) do update set state = excluded.state, error_code = null, error = null, claimed_by = null,
        to_version = excluded.to_version
      where r.state <> excluded.state
      returning state
    )
    select count(*) filter (where state = 'pending')::int as pending from added`.execute(db)
  return rows[0]?.pending ?? 0
}

/** Rows of the tenants that the last run about them did not bring to the end. */
export async function addFailedRows(db: CentralSql, runId: string): Promise<number> {
  const { rows } = await sql<{ tenant_id: string }>`
    insert into migration_run_tenants (run_id, tenant_id, from_version)
    select ${runId}::uuid, last.tenant_id, d.schema_version
    from (
      select distinct on (r.tenant_id) r.tenant_id, r.state from migration_run_tenants r
      join migration_runs m on m.id = r.run_id
      where r.run_id <> ${runId}::uuid and r.state <> 'pending'
      order by r.tenant_id, m.heartbeat_at desc, m.id desc
    ) last join tenant_databases d on d.tenant_id = last.tenant_id
    where last.state in ('failed', 'skipped', 'unreachable', 'running') and d.state in ('active', 'suspended', 'moving')
    returning tenant_id`.execute(db)
  return rows.length
}

/** Rows of tenants that came after the run began, from an older template. */
export async function addNewcomers(db: CentralSql, runId: string, target: SchemaVersion, scope: Scope): Promise<void> {
  await sql`
    insert into migration_run_tenants (run_id, tenant_id, from_version)
    select ${runId}::uuid, d.tenant_id, d.schema_version ${inScope(scope)}
      and (d.schema_version, d.schema_hash) is distinct from (${target.version}, ${target.hash})
    on conflict (run_id, tenant_id) do nothing`.execute(db)
}

export interface Claim {
  runId: string
  owner: string
}

/** Takes the next pending tenant of a server. Undefined when there is none, or the run is no longer the owner's. */
export async function claimTenant(
  db: CentralSql,
  { runId, owner }: Claim,
  serverId: number,
): Promise<FleetTenant | undefined> {
  const { rows } = await sql<FleetTenant>`
    with next as (
      select r.tenant_id, d.server_id, d.database_name, d.schema_version, d.schema_hash
      from migration_run_tenants r join tenant_databases d on d.tenant_id = r.tenant_id
      where r.run_id = ${runId} and r.state = 'pending' and d.server_id = ${serverId} and d.state in ('active', 'suspended')
        and exists (select from migration_runs where id = ${runId} and started_by = ${owner} and state = 'running')
      order by r.tenant_id limit 1 for update of r skip locked
    )
    update migration_run_tenants r set state = 'running', claimed_by = ${owner}, claimed_at = now(), attempts = r.attempts + 1
    from next where r.run_id = ${runId} and r.tenant_id = next.tenant_id
    returning r.tenant_id as "tenantId", next.server_id as "serverId", next.database_name as "databaseName",
      next.schema_version as "schemaVersion", next.schema_hash as "schemaHash"`.execute(db)
  return rows[0]
}

export interface Settlement {
  state: Exclude<RowState, 'pending' | 'running'>
  fromVersion: number
  /** Where the database now stands, when that was seen. */
  reached: SchemaVersion | undefined
  durationMs: number
  errorCode: string | null
  error: string | null
}

/**
 * Writes how a claimed tenant ended, and its placement with it. A tenant that failed because meanwhile it began to
 * move or was deleted is pending again: what becomes of it shows at the end. Returns the state that was written.
 */
export async function settleTenant(
  db: CentralSql,
  { runId, owner }: Claim,
  tenant: FleetTenant,
  settlement: Settlement,
): Promise<RowState | undefined> {
  const { state, reached } = settlement
  const { rows } = await sql<{ state: RowState }>`
    with placement as (
      update tenant_databases set schema_version = coalesce(${reached?.version ?? null}::int, schema_version),
        schema_hash = coalesce(${reached?.hash ?? null}::text, schema_hash)
      where tenant_id = ${tenant.tenantId} and server_id = ${tenant.serverId} and database_name = ${tenant.databaseName}
      returning state
    )
    update migration_run_tenants
    set state = case when ${state}::text = 'failed' and not exists (select from placement where state in ('active', 'suspended'))
          then 'pending' else ${state}::text end,
      from_version = ${settlement.fromVersion}, to_version = ${reached?.version ?? null}::int, duration_ms = ${settlement.durationMs},
      error_code = ${settlement.errorCode}, error = ${settlement.error}
    where run_id = ${runId} and tenant_id = ${tenant.tenantId} and claimed_by = ${owner} and state = 'running'
    returning state`.execute(db)
  return rows[0]?.state
}

/** Marks what is left of a server that nobody can reach. */
export async function settleUnreachable(db: CentralSql, runId: string, serverId: number, error: string): Promise<void> {
  await sql`
    update migration_run_tenants r set state = 'unreachable', error_code = 'unreachable', error = ${error}
    from tenant_databases d
    where r.run_id = ${runId} and r.state = 'pending' and d.tenant_id = r.tenant_id and d.server_id = ${serverId}`.execute(
    db,
  )
}

/** What keeps the pending tenants of a run waiting, by the state of their placement. */
export async function countPending(
  db: CentralSql,
  runId: string,
): Promise<{ ready: number; moving: number; gone: number }> {
  const { rows } = await sql<{ ready: number; moving: number; gone: number }>`
    select count(*) filter (where d.state in ('active', 'suspended'))::int as ready,
      count(*) filter (where d.state = 'moving')::int as moving,
      count(*) filter (where d.state not in ('active', 'suspended', 'moving'))::int as gone
    from migration_run_tenants r join tenant_databases d on d.tenant_id = r.tenant_id
    where r.run_id = ${runId} and r.state = 'pending'`.execute(db)
  return rows[0] ?? { ready: 0, moving: 0, gone: 0 }
}

/** Leaves out the pending tenants that cannot be migrated, not yet or no longer. The code is the state of the placement. */
export async function skipPending(db: CentralSql, runId: string): Promise<void> {
  await sql`
    update migration_run_tenants r set state = 'skipped', error_code = d.state
    from tenant_databases d
    where r.run_id = ${runId} and r.state = 'pending' and d.tenant_id = r.tenant_id and d.state not in ('active', 'suspended')`.execute(
    db,
  )
}

// By the database's clock: the migrators that compare may stand on machines that disagree.
export const SECONDS = sql<number>`extract(epoch from clock_timestamp() - heartbeat_at)::int`.as('heartbeatSeconds')

async function findOpenRun(trx: CentralTx) {
  return trx
    .selectFrom('migration_runs')
    .select(['id', 'started_by as owner', SECONDS])
    .where('state', 'in', ['running', 'paused'])
    .executeTakeFirst()
}

/** The latest run of this target and scope, unless it succeeded. One we have just aborted for its silence is such a one. */
async function findUnfinished(trx: CentralTx, { target, scope }: RunRequest): Promise<string | undefined> {
  const last = await trx
    .selectFrom('migration_runs')
    .select(['id', 'state'])
    .where('target_hash', '=', target.hash)
    .where(
      sql<boolean>`options -> 'scope' = ${JSON.stringify(scope)}::text::jsonb and not (options ->> 'onlyFailed')::boolean`,
    )
    .orderBy('heartbeat_at', 'desc')
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst()
  return last && last.state !== 'succeeded' ? last.id : undefined
}

async function insertRun(trx: CentralTx, { id, target, scope, owner, options }: RunRequest): Promise<void> {
  await trx
    .insertInto('migration_runs')
    .values({
      id,
      target_version: target.version,
      target_hash: target.hash,
      state: 'running',
      options: { scope, ...options },
      started_by: owner,
    })
    .execute()
}

/** What the dead owner had claimed is pending again; the lock in each database tells whether it really is dead. */
async function takeRun(trx: CentralTx, id: string, { owner }: RunRequest): Promise<void> {
  await trx
    .updateTable('migration_runs')
    .set({ state: 'running', started_by: owner, heartbeat_at: sql`now()`, finished_at: null })
    .where('id', '=', id)
    .execute()
  await trx
    .updateTable('migration_run_tenants')
    .set({ state: 'pending', claimed_by: null })
    .where('run_id', '=', id)
    .where('state', '=', 'running')
    .execute()
}

async function setRunState(trx: CentralTx, id: string, state: 'aborted'): Promise<void> {
  await trx.updateTable('migration_runs').set({ state, finished_at: sql`now()` }).where('id', '=', id).execute()
}
