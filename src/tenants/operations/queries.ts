import { sql } from 'kysely'
import type { CentralSql, CentralTx } from '../../db/databases.ts'
import { isOperationKind, type Operation, OperationError, type OperationKind } from './operation.ts'

/** Opens an operation. Undefined when the tenant has one open already: a company undergoes one at a time. */
export async function insertOperation(
  trx: CentralTx,
  row: { id: string; tenantId: string; kind: OperationKind; input: object; requestedBy: string | null },
): Promise<string | undefined> {
  const inserted = await trx
    .insertInto('tenant_operations')
    .values({
      id: row.id,
      tenant_id: row.tenantId,
      kind: row.kind,
      input: row.input,
      requested_by: row.requestedBy,
    })
    .onConflict((oc) => oc.column('tenant_id').where(IS_OPEN).doNothing())
    .returning('id')
    .executeTakeFirst()
  return inserted?.id
}

export async function findOperation(db: CentralSql, id: string): Promise<Operation | undefined> {
  const row = await db.selectFrom('tenant_operations').select(COLUMNS).where('id', '=', id).executeTakeFirst()
  return row && toOperation(row)
}

export async function findLatestOperation(db: CentralSql, tenantId: string): Promise<Operation | undefined> {
  const row = await db
    .selectFrom('tenant_operations')
    .select(COLUMNS)
    .where('tenant_id', '=', tenantId)
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row && toOperation(row)
}

/**
 * Takes an operation for `worker` for `leaseMs`: a queued one, or one whose worker let its lease run out. By the
 * database's clock: a worker whose own is wrong would keep it for hours, or take it from one that lives.
 * Undefined when it is finished or somebody else's.
 */
export async function claimOperation(
  db: CentralSql,
  { id, worker, leaseMs }: Holder & { leaseMs: number },
): Promise<Operation | undefined> {
  const row = await db
    .updateTable('tenant_operations')
    .set((eb) => ({
      state: sql<'running' | 'compensating'>`case state when 'queued' then 'running' else state end`,
      attempts: eb('attempts', '+', 1),
      worker,
      lease_until: fromNow(leaseMs),
    }))
    .where('id', '=', id)
    .where(NEEDS_NO_FLUSH)
    .where((eb) =>
      eb.or([
        eb('state', '=', 'queued'),
        eb.and([
          eb('state', 'in', ['running', 'compensating']),
          eb.or([eb('lease_until', 'is', null), eb('lease_until', '<', NOW)]),
        ]),
      ]),
    )
    .returning(COLUMNS)
    .executeTakeFirst()
  return row && toOperation(row)
}

/** Who holds an operation: everything it writes about it is conditional on still being that. */
export interface Holder {
  id: string
  worker: string
}

/** False when the operation is no longer the holder's. */
export async function renewLease(db: CentralSql, holder: Holder, leaseMs: number): Promise<boolean> {
  return changed(
    await held(db, holder)
      .where(NEEDS_NO_FLUSH)
      .set({ lease_until: fromNow(leaseMs) })
      .executeTakeFirst(),
  )
}

/** The same within a transaction, whose other writes then depend on it and are flushed. */
export async function keepHold(trx: CentralTx, holder: Holder, leaseMs: number): Promise<boolean> {
  return changed(
    await held(trx, holder)
      .set({ lease_until: fromNow(leaseMs) })
      .executeTakeFirst(),
  )
}

/** Notes a completed step. False when the operation is no longer the holder's. */
export async function saveStep(db: CentralSql, holder: Holder, step: string, leaseMs: number): Promise<boolean> {
  const note = held(db, holder)
    .where(NEEDS_NO_FLUSH)
    .set({ step, lease_until: fromNow(leaseMs) })
  return changed(await note.executeTakeFirst())
}

/**
 * Gives an operation back for a later attempt, which begins anew when this one met an `error`: what was noted may be
 * what is missing. `forgiven` does not count the attempt.
 */
export async function releaseOperation(
  db: CentralSql,
  holder: Holder,
  { error, forgiven = false, requeue = false }: { error?: OperationError; forgiven?: boolean; requeue?: boolean },
): Promise<void> {
  await held(db, holder)
    .set((eb) => ({
      worker: null,
      lease_until: null,
      ...(error && { error, step: '' }),
      ...(forgiven && { attempts: eb('attempts', '-', 1) }),
      ...(requeue && { state: 'queued' as const }),
    }))
    .executeTakeFirst()
}

/** From here on the operation only undoes. False when it is no longer the holder's. */
export async function startCompensation(db: CentralSql, holder: Holder, error: OperationError): Promise<boolean> {
  return changed(await held(db, holder).set({ state: 'compensating', error }).executeTakeFirst())
}

/** Closes an operation. False when it is no longer the holder's: the caller must roll back. */
export async function closeOperation(
  trx: CentralTx,
  holder: Holder,
  outcome: { state: 'succeeded'; step: string } | { state: 'failed' | 'compensated'; error: OperationError },
  now: Date,
): Promise<boolean> {
  const result =
    outcome.state === 'succeeded'
      ? { state: outcome.state, step: outcome.step, error: null }
      : { state: outcome.state, error: outcome.error }
  const closed = { ...result, finished_at: now, worker: null, lease_until: null }
  return changed(await held(trx, holder).set(closed).executeTakeFirst())
}

/** Opens a failed operation again, from `step`. Undefined when it is not failed, or the tenant has another one open. */
export async function reopenOperation(trx: CentralTx, id: string, step: string): Promise<string | undefined> {
  const row = await trx
    .updateTable('tenant_operations as o')
    .set({ state: 'queued', step, attempts: 0, finished_at: null, worker: null, lease_until: null })
    .where('o.id', '=', id)
    .where('o.state', 'in', ['failed', 'compensated'])
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom('tenant_operations as other')
            .select('other.id')
            .whereRef('other.tenant_id', '=', 'o.tenant_id')
            .where('other.state', 'in', OPEN),
        ),
      ),
    )
    .returning('o.id')
    .executeTakeFirst()
  return row?.id
}

/** Closes the open operation of a tenant whoever holds it; nothing that its holder writes about it counts any more. */
export async function cancelOperation(trx: CentralTx, tenantId: string, error: OperationError, now: Date) {
  await trx
    .updateTable('tenant_operations')
    .set({ state: 'compensated', error, finished_at: now, worker: null, lease_until: null })
    .where('tenant_id', '=', tenantId)
    .where('state', 'in', OPEN)
    .execute()
}

/** Open operations that nobody holds: their job was lost, is waiting, or its worker died. */
export async function findUnheldOperations(db: CentralSql): Promise<{ id: string; tenantId: string }[]> {
  return db
    .selectFrom('tenant_operations')
    .select(['id', 'tenant_id as tenantId'])
    .where('state', 'in', OPEN)
    .where((eb) => eb.or([eb('lease_until', 'is', null), eb('lease_until', '<', NOW)]))
    .orderBy('created_at')
    .limit(500)
    .execute()
}

const OPEN = ['queued', 'running', 'compensating'] as const
// In words: PostgreSQL does not recognise the partial index behind parameters.
const IS_OPEN = sql<boolean>`state in ('queued', 'running', 'compensating')`

const NOW = sql<Date>`now()`
const fromNow = (ms: number) => sql<Date>`now() + ${ms}::float8 * interval '1 millisecond'`

// True, and lets the statement's commit answer before the disk has it. Claims, leases and notes that a crash of the
// server loses only make a step be done again, which every step allows; what ends an operation is flushed.
const NEEDS_NO_FLUSH = sql<boolean>`set_config('synchronous_commit', 'off', true) = 'off'`

const COLUMNS = [
  'id',
  'tenant_id',
  'kind',
  'state',
  'step',
  'input',
  'error',
  'attempts',
  'requested_by',
  'created_at',
  'finished_at',
] as const

const held = (db: CentralSql, { id, worker }: Holder) =>
  db
    .updateTable('tenant_operations')
    .where('id', '=', id)
    .where('worker', '=', worker)
    .where('state', 'in', ['running', 'compensating'])

const changed = (result: { numUpdatedRows: bigint }) => result.numUpdatedRows === 1n

function toOperation(row: {
  id: string
  tenant_id: string
  kind: string
  state: Operation['state']
  step: string
  input: unknown
  error: unknown
  attempts: number
  requested_by: string | null
  created_at: Date
  finished_at: Date | null
}): Operation {
  if (!isOperationKind(row.kind)) throw new Error(`operation ${row.id}: kind ${row.kind} is not known to this version`)
  return {
    id: row.id,
    tenantId: row.tenant_id,
    kind: row.kind,
    state: row.state,
    step: row.step,
    input: row.input,
    error: OperationError.nullable().catch(null).parse(row.error),
    attempts: row.attempts,
    requestedBy: row.requested_by,
    createdAt: row.created_at,
    finishedAt: row.finished_at,
  }
}
