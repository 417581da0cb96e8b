import { uuidv7 } from 'uuidv7'
import type { CentralSql, CentralTx } from '../../db/databases.ts'
import type { Centavos } from '../../fiscal/money.ts'
import type { Frecuencia } from '../subscription.ts'

export interface NewLink {
  kind: 'pago' | 'cancelacion'
  hash: Buffer
  subscriptionId: string
  plan: { code: string; version: number }
  frecuencia: Frecuencia
  amountC: Centavos
  /** Of one that pays, who of the platform made it; of one that cancels, the admin it is mailed to. */
  createdBy: string | null
  at: Date
  expiresAt: Date
}

/** A new link. Of those that pay only the last one of a subscription lives. */
export async function insertLink(trx: CentralTx, link: NewLink): Promise<string> {
  if (link.kind === 'pago') await revokePaymentLinks(trx, link.subscriptionId, link.at)
  const id = uuidv7()
  await trx
    .insertInto('billing_links')
    .values({
      id,
      kind: link.kind,
      token_hash: link.hash,
      subscription_id: link.subscriptionId,
      plan_code: link.plan.code,
      plan_version: link.plan.version,
      frecuencia: link.frecuencia,
      amount_c: link.amountC,
      created_by: link.createdBy,
      created_at: link.at,
      expires_at: link.expiresAt,
    })
    .execute()
  return id
}

/** Under the lock of the subscription. */
export async function revokePaymentLinks(trx: CentralTx, subscriptionId: string, at: Date): Promise<void> {
  await trx
    .updateTable('billing_links')
    .set({ revoked_at: at })
    .where('subscription_id', '=', subscriptionId)
    .where('kind', '=', 'pago')
    .where('revoked_at', 'is', null)
    .execute()
}

export interface LinkRow {
  id: string
  kind: 'pago' | 'cancelacion'
  subscriptionId: string
  planCode: string
  planVersion: number
  frecuencia: Frecuencia
  amountC: Centavos
  createdBy: string | null
  createdAt: Date
  expiresAt: Date
  usedAt: Date | null
  revokedAt: Date | null
}

export async function findLink(db: CentralSql, kind: LinkRow['kind'], hash: Buffer): Promise<LinkRow | undefined> {
  const row = await db
    .selectFrom('billing_links')
    .selectAll()
    .where('token_hash', '=', hash)
    .where('kind', '=', kind)
    .executeTakeFirst()
  return (
    row && {
      id: row.id,
      kind: row.kind,
      subscriptionId: row.subscription_id,
      planCode: row.plan_code,
      planVersion: row.plan_version,
      frecuencia: row.frecuencia as Frecuencia,
      amountC: BigInt(row.amount_c),
      createdBy: row.created_by,
      createdAt: row.created_at,
      expiresAt: row.expires_at,
      usedAt: row.used_at,
      revokedAt: row.revoked_at,
    }
  )
}

/** Whether a person may decide about a subscription, as its links were made for one who might. */
export async function isAdminOf(db: CentralSql, subscriptionId: string, userId: string): Promise<boolean> {
  const row = await db
    .selectFrom('subscriptions as s')
    .innerJoin('memberships as m', 'm.tenant_id', 's.tenant_id')
    .innerJoin('users as u', 'u.id', 'm.user_id')
    .select('s.id')
    .where('s.id', '=', subscriptionId)
    .where('u.id', '=', userId)
    .where('m.role', '=', 'admin')
    .where('u.disabled_at', 'is', null)
    .executeTakeFirst()
  return row !== undefined
}

export async function markLinkUsed(trx: CentralTx, id: string, at: Date): Promise<void> {
  await trx
    .updateTable('billing_links')
    .set({ used_at: at })
    .where('id', '=', id)
    .where('used_at', 'is', null)
    .execute()
}
