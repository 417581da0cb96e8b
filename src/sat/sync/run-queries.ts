import { sql } from 'kysely'
import { uuidv7 } from 'uuidv7'
import type { CentralSql, CentralTx } from '../../db/databases.ts'

export type KindCorrida = 'inicial' | 'nocturna' | 'manual'

/** The standing order of a company. */
export interface Orden {
  tenantId: string
  historiaDesde: string
  nextRunAt: Date | null
  lastRunAt: Date | null
  lastSuccessAt: Date | null
  coveredUntil: Record<string, string>
  weeklyAt: Date | null
  pausedCode: string | null
  pausedMessage: string | null
  pausedAt: Date | null
  createdAt: Date
}

export async function findOrden(db: CentralSql, tenantId: string): Promise<Orden | undefined> {
  const row = await ordenes(db, tenantId).executeTakeFirst()
  return row && { ...row, coveredUntil: row.coveredUntil as Record<string, string> }
}

/** Whoever changes both an order and its run locks the order first. */
export async function lockOrden(trx: CentralTx, tenantId: string): Promise<Orden | undefined> {
  const row = await ordenes(trx, tenantId).forUpdate().executeTakeFirst()
  return row && { ...row, coveredUntil: row.coveredUntil as Record<string, string> }
}

const ordenes = (db: CentralSql, tenantId: string) =>
  db
    .selectFrom('sat_sync_settings')
    .select([
      'tenant_id as tenantId',
      'history_from as historiaDesde',
      'next_run_at as nextRunAt',
      'last_run_at as lastRunAt',
      'last_success_at as lastSuccessAt',
      'covered_until as coveredUntil',
      'weekly_at as weeklyAt',
      'paused_code as pausedCode',
      'paused_message as pausedMessage',
      'paused_at as pausedAt',
      'created_at as createdAt',
    ])
    .where('tenant_id', '=', tenantId)

/** A run. */
export interface Corrida {
  id: string
  tenantId: string
  kind: KindCorrida
  estado: 'pendiente' | 'en_curso' | 'terminada' | 'con_fallas'
  porPlanear: boolean
  createdAt: Date
  startedAt: Date | null
  endedAt: Date | null
}

export async function findOpenRun(db: CentralSql, tenantId: string): Promise<Corrida | undefined> {
  return runs(db).where('tenant_id', '=', tenantId).where(IS_OPEN).executeTakeFirst()
}

export async function findLastRun(db: CentralSql, tenantId: string): Promise<Corrida | undefined> {
  return runs(db)
    .where('tenant_id', '=', tenantId)
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst()
}

/** When the first run of a company began; null when none did. */
export async function findFirstStart(db: CentralSql, tenantId: string): Promise<Date | null> {
  const row = await db
    .selectFrom('sat_sync_jobs')
    .select((eb) => eb.fn.min('started_at').as('at'))
    .where('tenant_id', '=', tenantId)
    .executeTakeFirst()
  return row?.at ?? null
}

/** When the last run of a company ended well, as far as it did by now; null when none did. */
export async function findLastGoodEnd(db: CentralSql, tenantId: string, now: Date): Promise<Date | null> {
  const row = await db
    .selectFrom('sat_sync_jobs')
    .select((eb) => eb.fn.max('ended_at').as('at'))
    .where('tenant_id', '=', tenantId)
    .where('estado', '=', 'terminada')
    .where('ended_at', '<=', now)
    .executeTakeFirst()
  return row?.at ?? null
}

export async function lockOpenRun(trx: CentralTx, tenantId: string): Promise<Corrida | undefined> {
  return runs(trx).where('tenant_id', '=', tenantId).where(IS_OPEN).forUpdate().executeTakeFirst()
}

const runs = (db: CentralSql) =>
  db
    .selectFrom('sat_sync_jobs')
    .select([
      'id',
      'tenant_id as tenantId',
      'kind',
      'estado',
      'por_planear as porPlanear',
      'created_at as createdAt',
      'started_at as startedAt',
      'ended_at as endedAt',
    ])

/**
 * A run of the company that has still to be planned: the open one, which then has more to ask, or a new one. @returns its
 * id, and whether it is new
 */
export async function orderRun(
  trx: CentralTx,
  { tenantId, kind, by, now }: { tenantId: string; kind: KindCorrida; by: Quien; now: Date },
): Promise<{ id: string; nueva: boolean }> {
  const id = uuidv7()
  const row = await trx
    .insertInto('sat_sync_jobs')
    .values({
      id,
      tenant_id: tenantId,
      kind,
      estado: 'pendiente',
      requested_by: by?.userId ?? null,
      requested_by_email: by?.email ?? null,
      created_at: now,
    })
    .onConflict((oc) =>
      oc.column('tenant_id').where(IS_OPEN).doUpdateSet({
        por_planear: true,
        // A first one is never made a smaller one; another is what was asked for last.
        kind: sql`case when sat_sync_jobs.kind = 'inicial' then 'inicial' else excluded.kind end`,
      }),
    )
    .returning('id')
    .executeTakeFirstOrThrow()
  return { id: row.id, nueva: row.id === id }
}

type Quien = { userId: string; email: string } | null

export async function markPlanned(trx: CentralTx, jobId: string, now: Date): Promise<void> {
  await trx
    .updateTable('sat_sync_jobs')
    .set({ por_planear: false, estado: 'en_curso', started_at: sql`coalesce(started_at, ${now})` })
    .where('id', '=', jobId)
    .execute()
}

export async function endRun(
  trx: CentralTx,
  jobId: string,
  estado: 'terminada' | 'con_fallas',
  now: Date,
): Promise<void> {
  await trx.updateTable('sat_sync_jobs').set({ estado, ended_at: now }).where('id', '=', jobId).execute()
}

export interface CambiosOrden {
  historiaDesde?: string
  nextRunAt?: Date
  lastRunAt?: Date
  lastSuccessAt?: Date
  coveredUntil?: Record<string, string>
  /** Null: all months are looked at again, as the first time. */
  weeklyAt?: Date | null
}

export async function saveOrden(trx: CentralSql, tenantId: string, change: CambiosOrden, now: Date): Promise<void> {
  await trx
    .updateTable('sat_sync_settings')
    .set({
      updated_at: now,
      ...(change.historiaDesde !== undefined && { history_from: change.historiaDesde }),
      ...(change.nextRunAt && { next_run_at: change.nextRunAt }),
      ...(change.lastRunAt && { last_run_at: change.lastRunAt }),
      ...(change.lastSuccessAt && { last_success_at: change.lastSuccessAt }),
      ...(change.coveredUntil && { covered_until: change.coveredUntil }),
      ...(change.weeklyAt !== undefined && { weekly_at: change.weeklyAt }),
    })
    .where('tenant_id', '=', tenantId)
    .execute()
}

/** Nothing is asked until somebody looks again and it is over. Since when it is so is kept while it is the same. */
export async function pause(
  db: CentralSql,
  tenantId: string,
  { code, message, now, lookAgainAt }: { code: string; message: string; now: Date; lookAgainAt: Date },
): Promise<void> {
  await sql`update sat_sync_settings set paused_code = ${code}, paused_message = ${message},
      paused_at = case when paused_code = ${code} then coalesce(paused_at, ${now}) else ${now} end,
      look_again_at = ${lookAgainAt}, updated_at = ${now}
    where tenant_id = ${tenantId}`.execute(db)
}

/** Of the pauses named, or of any. */
export async function resume(db: CentralSql, tenantId: string, now: Date, only?: string): Promise<void> {
  await sql`update sat_sync_settings set paused_code = null, paused_message = null, paused_at = null, look_again_at = null,
      updated_at = ${now}
    where tenant_id = ${tenantId} and paused_code is not null
      and (${only ?? null}::text is null or paused_code = ${only ?? null}::text)`.execute(db)
}

// Words of the index, and no parameters: a prepared statement is planned without them from the sixth time on.
const IS_OPEN = sql<boolean>`estado in ('pendiente', 'en_curso')`
