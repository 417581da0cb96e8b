import { sql } from 'kysely'
import type { CentralSql, CentralTx } from '../db/databases.ts'
import type { Mailbox } from './address.ts'

export interface NewMail {
  id: string
  template: string
  to: Mailbox
  data: object
  dedupeKey: string
  tenantId: string | null
  expiresAt: Date | null
}

/** False when a mail with this dedupe key was there already. */
export async function insertMail(trx: CentralTx, mail: NewMail): Promise<boolean> {
  const row = {
    id: mail.id,
    template: mail.template,
    to_email: mail.to.address,
    to_name: mail.to.name,
    data: mail.data,
    dedupe_key: mail.dedupeKey,
    tenant_id: mail.tenantId,
    expires_at: mail.expiresAt,
  }
  const insert = trx
    .insertInto('mail_outbox')
    .values(row)
    .onConflict((oc) => oc.column('dedupe_key').doNothing())
  return (await insert.returning('id').executeTakeFirst()) !== undefined
}

export type ClaimedMail = NonNullable<Awaited<ReturnType<typeof claimMail>>>

/** Takes a queued mail for `leaseSeconds`: until then nobody else gets it, whatever becomes of this process. */
export async function claimMail(db: CentralSql, id: string, leaseSeconds: number) {
  return db
    .updateTable('mail_outbox')
    .set((eb) => ({
      attempts: eb('attempts', '+', 1),
      claimed_until: sql<Date>`now() + make_interval(secs => ${leaseSeconds})`,
    }))
    .where('id', '=', id)
    .where('state', '=', 'queued')
    .where((eb) => eb.or([eb('claimed_until', 'is', null), eb('claimed_until', '<', sql<Date>`now()`)]))
    .returning(['id', 'template', 'to_email', 'to_name', 'data', 'expires_at'])
    .executeTakeFirst()
}

export async function isQueued(db: CentralSql, id: string): Promise<boolean> {
  const row = await db.selectFrom('mail_outbox').select('state').where('id', '=', id).executeTakeFirst()
  return row?.state === 'queued'
}

/** The last word about a mail. Its data goes with it: a password or a link has no business in a table of the past. */
export async function closeMail(
  db: CentralSql,
  id: string,
  { state, error }: { state: 'sent' | 'failed' | 'expired'; error: string | null },
): Promise<void> {
  await db
    .updateTable('mail_outbox')
    .set({
      state,
      data: {},
      last_error: error,
      claimed_until: null,
      sent_at: state === 'sent' ? sql<Date>`now()` : null,
    })
    .where('id', '=', id)
    .where('state', '=', 'queued')
    .execute()
}

/** Gives a claimed mail back after a failure that may pass. */
export async function releaseMail(db: CentralSql, id: string, error: string): Promise<void> {
  await db
    .updateTable('mail_outbox')
    .set({ claimed_until: null, last_error: error })
    .where('id', '=', id)
    .where('state', '=', 'queued')
    .execute()
}

/** Closes what has lost its meaning at `now` or could not be sent in `giveUpDays`, and says how many. */
export async function expireMails(db: CentralSql, now: Date, giveUpDays: number): Promise<number> {
  const result = await db
    .updateTable('mail_outbox')
    .set({ state: 'expired', data: {}, claimed_until: null })
    .where('state', '=', 'queued')
    .where((eb) =>
      eb.or([
        eb('expires_at', '<=', now),
        eb('created_at', '<', sql<Date>`now() - make_interval(days => ${giveUpDays})`),
      ]),
    )
    .executeTakeFirst()
  return Number(result.numUpdatedRows)
}

/** Mails that wait for longer than a job takes to start, oldest first: theirs may be lost. */
export async function findOverdueMails(db: CentralSql, limit: number): Promise<string[]> {
  const rows = await db
    .selectFrom('mail_outbox')
    .select('id')
    .where('state', '=', 'queued')
    .where('created_at', '<', sql<Date>`now() - interval '2 minutes'`)
    .where((eb) => eb.or([eb('claimed_until', 'is', null), eb('claimed_until', '<', sql<Date>`now()`)]))
    .orderBy('created_at')
    .limit(limit)
    .execute()
  return rows.map(({ id }) => id)
}
