import type { CentralTx } from '../db/databases.ts'

/** Makes whoever opens or ends a vista of this session come one after the other. */
export async function lockSession(trx: CentralTx, sessionId: string): Promise<void> {
  await trx.selectFrom('sessions').select('id').where('id', '=', sessionId).forUpdate().execute()
}

export async function findOpenView(trx: CentralTx, sessionId: string) {
  return trx
    .selectFrom('staff_views')
    .select(['id', 'tenant_id as tenantId', 'escritura', 'expires_at as expiresAt', 'limit_at as limitAt'])
    .where('session_id', '=', sessionId)
    .where('ended_at', 'is', null)
    .executeTakeFirst()
}

export interface NewView {
  id: string
  userId: string
  sessionId: string
  tenantId: string
  motivo: string
  escritura: boolean
  at: Date
  expiresAt: Date
  limitAt: Date
}

export async function insertView(trx: CentralTx, view: NewView): Promise<void> {
  const { id, userId, sessionId, tenantId, motivo, escritura, at, expiresAt, limitAt } = view
  const what = { id, user_id: userId, session_id: sessionId, tenant_id: tenantId, motivo, escritura }
  await trx
    .insertInto('staff_views')
    .values({ ...what, opened_at: at, expires_at: expiresAt, limit_at: limitAt })
    .execute()
}

export async function extendView(trx: CentralTx, id: string, motivo: string, expiresAt: Date): Promise<void> {
  await trx.updateTable('staff_views').set({ motivo, expires_at: expiresAt }).where('id', '=', id).execute()
}

export async function endView(trx: CentralTx, id: string, at: Date): Promise<void> {
  await trx.updateTable('staff_views').set({ ended_at: at }).where('id', '=', id).execute()
}
