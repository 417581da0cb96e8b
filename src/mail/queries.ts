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
  hasSecret: boolean
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
    has_secret: mail.hasSecret,
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
    .returning(['id', 'template', 'to_email', 'to_name', 'data', 'expires_at', 'resends'])
    .executeTakeFirst()
}

export async function isQueued(db: CentralSql, id: string): Promise<boolean> {
  const row = await db.selectFrom('mail_outbox').select('state').where('id', '=', id).executeTakeFirst()
  return row?.state === 'queued'
}

/** One sending of a mail: an operator may have asked for another while this one was under way. */
export interface Sending {
  id: string
  resends: number
}

/** How a sending ended, and what the server said. */
export type Ending = { state: 'sent'; delivery: string } | { state: 'failed'; error: string } | { state: 'expired' }

/** The last word about a sending. A secret goes with it: a password or a link has no business in a table of the past. */
export async function closeMail(db: CentralSql, { id, resends }: Sending, ending: Ending): Promise<void> {
  await db
    .updateTable('mail_outbox')
    .set({
      state: ending.state,
      data: withoutSecrets,
      claimed_until: null,
      ...(ending.state === 'sent' && { sent_at: sql<Date>`now()`, delivery: ending.delivery, last_error: null }),
      ...(ending.state === 'failed' && { last_error: ending.error }),
    })
    .where('id', '=', id)
    .where('resends', '=', resends)
    .where('state', '=', 'queued')
    .execute()
}

/** Gives a claimed mail back after a failure that may pass. */
export async function releaseMail(db: CentralSql, { id, resends }: Sending, error: string): Promise<void> {
  await db
    .updateTable('mail_outbox')
    .set({ claimed_until: null, last_error: error })
    .where('id', '=', id)
    .where('resends', '=', resends)
    .where('state', '=', 'queued')
    .execute()
}

/** Closes what has lost its meaning at `now` or could not be sent in `giveUpDays`, and says how many. */
export async function expireMails(db: CentralSql, now: Date, giveUpDays: number): Promise<number> {
  const result = await db
    .updateTable('mail_outbox')
    .set({ state: 'expired', data: withoutSecrets, claimed_until: null })
    .where('state', '=', 'queued')
    .where((eb) =>
      eb.or([
        eb('expires_at', '<=', now),
        eb('queued_at', '<', sql<Date>`now() - make_interval(days => ${giveUpDays})`),
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
    .where('queued_at', '<', sql<Date>`now() - interval '2 minutes'`)
    .where((eb) => eb.or([eb('claimed_until', 'is', null), eb('claimed_until', '<', sql<Date>`now()`)]))
    .orderBy('queued_at')
    .limit(limit)
    .execute()
  return rows.map(({ id }) => id)
}

/** Empties what was closed long ago, and says how many: nobody asks for it again. */
export async function forgetMails(db: CentralSql, keepDays: number): Promise<number> {
  const result = await db
    .updateTable('mail_outbox')
    .set({ data: {} })
    .where('state', '<>', 'queued')
    .where(sql<boolean>`data <> '{}'`)
    .where('queued_at', '<', sql<Date>`now() - make_interval(days => ${keepDays})`)
    .executeTakeFirst()
  return Number(result.numUpdatedRows)
}

const withoutSecrets = sql<object>`case when has_secret then '{}' else data end`
