import { sql } from 'kysely'
import { uuidv7 } from 'uuidv7'
import type { CentralSql, CentralTx } from '../../db/databases.ts'

export type CommandKind = 'cancel' | 'pause' | 'resume' | 'set_amount' | 'refund'

export interface NewCommand {
  kind: CommandKind
  dedupeKey: string
  subscriptionId: string | null
  connectorId: string
  mandateId: string | null
  payload?: object
  at: Date
}

/** @returns its id, or undefined when this was asked for already */
export async function insertCommand(trx: CentralTx, command: NewCommand): Promise<string | undefined> {
  const row = await trx
    .insertInto('mp_commands')
    .values({
      id: uuidv7(),
      kind: command.kind,
      dedupe_key: command.dedupeKey,
      subscription_id: command.subscriptionId,
      connector_id: command.connectorId,
      mandate_id: command.mandateId,
      payload: command.payload ?? {},
      created_at: command.at,
    })
    .onConflict((oc) => oc.column('dedupe_key').doNothing())
    .returning('id')
    .executeTakeFirst()
  return row?.id
}

export type ClaimedCommand = NonNullable<Awaited<ReturnType<typeof claimCommand>>>

/**
 * Takes a command for `leaseSeconds`: no lock is held while MercadoPago is spoken to. Not while another to the same mandate
 * is under way: the one that was decided first could arrive last. The lock is for two that are taken at once.
 */
export async function claimCommand(trx: CentralTx, id: string, leaseSeconds: number) {
  await sql`
    select from mp_mandates where id = (select mandate_id from mp_commands where id = ${id}) for no key update`.execute(
    trx,
  )
  return trx
    .updateTable('mp_commands')
    .set((eb) => ({
      attempts: eb('attempts', '+', 1),
      claimed_until: sql<Date>`now() + make_interval(secs => ${leaseSeconds})`,
    }))
    .where('id', '=', id)
    .where(
      sql<boolean>`not exists (select from mp_commands other where other.mandate_id = mp_commands.mandate_id
        and other.id <> mp_commands.id and other.state = 'queued' and other.claimed_until > now())`,
    )
    .where('state', '=', 'queued')
    .where((eb) => eb.or([eb('claimed_until', 'is', null), eb('claimed_until', '<', sql<Date>`now()`)]))
    .returning([
      'id',
      'kind',
      'subscription_id as subscriptionId',
      'connector_id as connectorId',
      'mandate_id as mandateId',
      'payload',
      'attempts',
      'created_at as createdAt',
    ])
    .executeTakeFirst()
}

/** What else the mandate is still to be told, and may be told now: it may have waited for the one before. */
export async function findWaitingCommands(db: CentralSql, mandateId: string, now: Date): Promise<string[]> {
  const rows = await db
    .selectFrom('mp_commands')
    .select('id')
    .where('mandate_id', '=', mandateId)
    .where('state', '=', 'queued')
    .where((eb) => eb.or([eb('next_try_at', 'is', null), eb('next_try_at', '<=', now)]))
    .orderBy('id')
    .execute()
  return rows.map(({ id }) => id)
}

export async function isCommandQueued(db: CentralSql, id: string): Promise<boolean> {
  const row = await db.selectFrom('mp_commands').select('state').where('id', '=', id).executeTakeFirst()
  return row?.state === 'queued'
}

export async function closeCommand(
  db: CentralSql,
  id: string,
  state: 'done' | 'superseded' | 'dead',
  at: Date,
  error: string | null = null,
): Promise<void> {
  await db
    .updateTable('mp_commands')
    .set({ state, done_at: at, claimed_until: null, next_try_at: null, last_error: error })
    .where('id', '=', id)
    .where('state', '=', 'queued')
    .execute()
}

/** Not before `nextTryAt`. */
export async function releaseCommand(db: CentralSql, id: string, nextTryAt: Date, error: string): Promise<void> {
  await db
    .updateTable('mp_commands')
    .set({ claimed_until: null, next_try_at: nextTryAt, last_error: error })
    .where('id', '=', id)
    .where('state', '=', 'queued')
    .execute()
}

/** Whether the mandate was told something else after this: an older amount or pause would undo it. */
export async function hasLaterCommand(
  db: CentralSql,
  { id, mandateId, kinds }: { id: string; mandateId: string; kinds: readonly CommandKind[] },
): Promise<boolean> {
  const row = await db
    .selectFrom('mp_commands')
    .select('id')
    .where('mandate_id', '=', mandateId)
    .where('kind', 'in', kinds)
    .where('id', '>', id)
    .executeTakeFirst()
  return row !== undefined
}

/** Whether MercadoPago is still to be told of an amount. */
export async function isAmountOnItsWay(db: CentralSql, mandateId: string): Promise<boolean> {
  const row = await db
    .selectFrom('mp_commands')
    .select('id')
    .where('mandate_id', '=', mandateId)
    .where('kind', '=', 'set_amount')
    .where('state', '=', 'queued')
    .executeTakeFirst()
  return row !== undefined
}

/** Those that may be tried now, oldest first. */
export async function findDueCommands(db: CentralSql, now: Date, limit: number): Promise<string[]> {
  const rows = await db
    .selectFrom('mp_commands')
    .select('id')
    .where('state', '=', 'queued')
    .where((eb) => eb.or([eb('next_try_at', 'is', null), eb('next_try_at', '<=', now)]))
    .where((eb) => eb.or([eb('claimed_until', 'is', null), eb('claimed_until', '<', sql<Date>`now()`)]))
    .orderBy('created_at')
    .limit(limit)
    .execute()
  return rows.map(({ id }) => id)
}
