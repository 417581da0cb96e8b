import { sql } from 'kysely'
import type { CentralSql, CentralTx } from '../db/databases.ts'

export type MailState = 'queued' | 'sent' | 'failed' | 'expired'

export interface MailFilter {
  states?: readonly MailState[] | undefined
  template?: string | undefined
  tenantId?: string | undefined
}

export type ListedMail = Awaited<ReturnType<typeof listMails>>[number]

/** The newest first, those older than `before` where it is given. What they say stays where it is. */
export async function listMails(
  db: CentralSql,
  { states, template, tenantId }: MailFilter,
  { before, limit }: { before: string | undefined; limit: number },
) {
  let query = selectMails(db)
  if (states) query = query.where('state', 'in', states)
  if (template !== undefined) query = query.where('template', '=', template)
  if (tenantId !== undefined) query = query.where('tenant_id', '=', tenantId)
  if (before !== undefined) query = query.where('id', '<', before)
  return query.orderBy('id', 'desc').limit(limit).execute()
}

/** One mail, which nobody else sends again until the transaction ends. */
export async function lockMail(trx: CentralTx, id: string): Promise<ListedMail | undefined> {
  return selectMails(trx).where('id', '=', id).forUpdate().executeTakeFirst()
}

/** Back to where it began, as another sending. Its key, its attempts and what became of it before stay. */
export async function requeueMail(trx: CentralTx, id: string): Promise<void> {
  await trx
    .updateTable('mail_outbox')
    .set((eb) => ({
      state: 'queued',
      resends: eb('resends', '+', 1),
      queued_at: sql<Date>`now()`,
      claimed_until: null,
    }))
    .where('id', '=', id)
    .execute()
}

const selectMails = (db: CentralSql) =>
  db
    .selectFrom('mail_outbox')
    .select(['id', 'template', 'to_email', 'tenant_id', 'state', 'attempts', 'resends', 'last_error', 'delivery'])
    .select(['created_at', 'sent_at'])
    .select(sql<boolean>`data <> '{}'`.as('has_data'))
