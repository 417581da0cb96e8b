import { sql } from 'kysely'
import type { CentralSql, CentralTx } from '../db/databases.ts'
import type { Rol } from '../http/access.ts'

/** A person in a company. */
export interface MemberRow {
  id: string
  email: string
  nombre: string
  rol: Rol
  /** `invitado` until they have a password of their own. */
  estado: 'activo' | 'invitado' | 'inactivo'
  creadoEn: Date
  ultimoAcceso: Date | null
}

/** Members in the order they came to the platform; `after` is the id of the last one of the page before. */
export async function listMembers(
  db: CentralSql,
  tenantId: string,
  page: { after?: string; limit: number },
): Promise<MemberRow[]> {
  let query = members(db, tenantId)
  if (page.after) query = query.where('u.id', '>', page.after)
  return query.orderBy('u.id').limit(page.limit).execute()
}

export async function findMember(db: CentralSql, tenantId: string, userId: string): Promise<MemberRow | undefined> {
  return members(db, tenantId).where('u.id', '=', userId).executeTakeFirst()
}

const members = (db: CentralSql, tenantId: string) =>
  db
    .selectFrom('memberships as m')
    .innerJoin('users as u', 'u.id', 'm.user_id')
    .select(['u.id', 'u.email', 'u.nombre', 'm.role as rol', 'm.created_at as creadoEn'])
    .select(
      sql<MemberRow['estado']>`case when u.disabled_at is not null then 'inactivo'
        when u.password_temporal or u.password_hash is null then 'invitado' else 'activo' end`.as('estado'),
    )
    .select((qb) =>
      qb
        .selectFrom('sessions as s')
        .select((fn) => fn.fn.max('s.last_used_at').as('at'))
        .whereRef('s.user_id', '=', 'u.id')
        .where('s.tenant_id', '=', tenantId)
        .as('ultimoAcceso'),
    )
    .where('m.tenant_id', '=', tenantId)

/** @returns whether it is new */
export async function insertMembership(
  trx: CentralTx,
  membership: { userId: string; tenantId: string; rol: Rol; at: Date },
): Promise<boolean> {
  const { userId, tenantId, rol, at } = membership
  const row = await trx
    .insertInto('memberships')
    .values({ user_id: userId, tenant_id: tenantId, role: rol, created_at: at })
    .onConflict((oc) => oc.columns(['user_id', 'tenant_id']).doNothing())
    .returning('user_id')
    .executeTakeFirst()
  return row !== undefined
}

export async function setRole(trx: CentralTx, tenantId: string, userId: string, rol: Rol): Promise<void> {
  await trx
    .updateTable('memberships')
    .set({ role: rol })
    .where('tenant_id', '=', tenantId)
    .where('user_id', '=', userId)
    .execute()
}

/** Takes a person out of a company, and their sessions with them. */
export async function deleteMembership(trx: CentralTx, tenantId: string, userId: string): Promise<void> {
  await trx.deleteFrom('memberships').where('tenant_id', '=', tenantId).where('user_id', '=', userId).execute()
  await trx
    .updateTable('sessions')
    .set({ tenant_id: null })
    .where('user_id', '=', userId)
    .where('tenant_id', '=', tenantId)
    .execute()
}

/** Admins other than this person who can act: not disabled, and with a password of their own. */
export async function countOtherAdmins(trx: CentralTx, tenantId: string, userId: string): Promise<number> {
  const row = await trx
    .selectFrom('memberships as m')
    .innerJoin('users as u', 'u.id', 'm.user_id')
    .select(sql<number>`count(*)::int`.as('n'))
    .where('m.tenant_id', '=', tenantId)
    .where('m.user_id', '<>', userId)
    .where('m.role', '=', 'admin')
    .where('u.disabled_at', 'is', null)
    .where('u.password_hash', 'is not', null)
    .where('u.password_temporal', '=', false)
    .executeTakeFirstOrThrow()
  return row.n
}
