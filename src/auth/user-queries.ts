import { sql } from 'kysely'
import type { CentralSql, CentralTx } from '../db/databases.ts'

/** A person as a login needs them. */
export interface UserRow {
  id: string
  email: string
  nombre: string
  passwordHash: string | null
  passwordTemporal: boolean
  passwordExpiresAt: Date | null
  esPlataforma: boolean
  disabledAt: Date | null
}

export async function findUserByEmail(db: CentralSql, email: string): Promise<UserRow | undefined> {
  return users(db).where('email', '=', email).executeTakeFirst()
}

export async function findUser(db: CentralSql, id: string): Promise<UserRow | undefined> {
  return users(db).where('id', '=', id).executeTakeFirst()
}

/** Locked until the transaction ends: whoever sets a password or sends a link comes one after the other. */
export async function lockUser(trx: CentralTx, id: string): Promise<UserRow | undefined> {
  return users(trx).where('id', '=', id).forUpdate().executeTakeFirst()
}

const users = (db: CentralSql) =>
  db
    .selectFrom('users')
    .select(['id', 'email', 'nombre', 'password_hash as passwordHash', 'password_temporal as passwordTemporal'])
    .select(['password_expires_at as passwordExpiresAt', 'is_platform as esPlataforma', 'disabled_at as disabledAt'])

/** A password of the person's own: it does not expire and opens everything. */
export async function setPassword(trx: CentralSql, userId: string, hash: string, at: Date): Promise<void> {
  const password = { password_hash: hash, password_temporal: false, password_expires_at: null, password_changed_at: at }
  await trx
    .updateTable('users')
    .set({ ...password, updated_at: at })
    .where('id', '=', userId)
    .execute()
}

/** The same password under today's cost. False when the hash that was proven is not the stored one any more. */
export async function renewPasswordHash(db: CentralSql, userId: string, proven: string, hash: string) {
  const { numUpdatedRows } = await db
    .updateTable('users')
    .set({ password_hash: hash })
    .where('id', '=', userId)
    .where('password_hash', '=', proven)
    .executeTakeFirstOrThrow()
  return numUpdatedRows > 0n
}

export interface NewUser {
  id: string
  email: string
  nombre: string
  passwordHash: string
  passwordExpiresAt: Date
  at: Date
}

/** A person with a temporary password, or undefined when the e-mail has an account already. */
export async function insertUser(trx: CentralTx, user: NewUser): Promise<string | undefined> {
  const { id, email, nombre, passwordHash, passwordExpiresAt, at } = user
  const password = { password_hash: passwordHash, password_temporal: true, password_expires_at: passwordExpiresAt }
  const row = await trx
    .insertInto('users')
    .values({ id, email, nombre, ...password, created_at: at, updated_at: at })
    .onConflict((oc) => oc.column('email').doNothing())
    .returning('id')
    .executeTakeFirst()
  return row?.id
}

/** Companies of a person that still exist, with what they may do there. */
export async function listCompanies(db: CentralSql, userId: string) {
  return db
    .selectFrom('memberships as m')
    .innerJoin('tenants as t', 't.id', 'm.tenant_id')
    .select(['t.id', 't.rfc', 't.nombre', 'm.role as rol'])
    .where('m.user_id', '=', userId)
    .where('t.deleted_at', 'is', null)
    .orderBy('t.nombre')
    .execute()
}

/** The company a new session begins with: one that works, the one used last, the one joined first. */
export async function chooseCompany(db: CentralSql, userId: string): Promise<string | null> {
  const { rows } = await sql<{ id: string }>`
    select t.id
    from memberships m
    join tenants t on t.id = m.tenant_id and t.deleted_at is null
    left join tenant_databases d on d.tenant_id = t.id
    left join lateral (
      select max(s.last_used_at) as at from sessions s where s.user_id = m.user_id and s.tenant_id = m.tenant_id
    ) used on true
    where m.user_id = ${userId}
    order by (d.state = 'active') desc nulls last, used.at desc nulls last, m.created_at, t.id
    limit 1
  `.execute(db)
  return rows[0]?.id ?? null
}

/** The living company with this RFC or id that the person is a member of. */
export async function findMembership(db: CentralSql, userId: string, rfc: string, id: string) {
  return db
    .selectFrom('memberships as m')
    .innerJoin('tenants as t', 't.id', 'm.tenant_id')
    .select(['t.id', 't.rfc', 'm.role as rol'])
    .where('m.user_id', '=', userId)
    .where((where) => where.or([where('t.rfc', '=', rfc), where(sql<string>`t.id::text`, '=', id)]))
    .where('t.deleted_at', 'is', null)
    .executeTakeFirst()
}

export interface PasswordToken {
  id: string
  userId: string
  hash: Buffer
  at: Date
  expiresAt: Date
}

export async function insertPasswordToken(trx: CentralTx, token: PasswordToken): Promise<void> {
  const { id, userId, hash, at, expiresAt } = token
  await trx
    .insertInto('password_tokens')
    .values({ id, user_id: userId, token_hash: hash, created_at: at, expires_at: expiresAt })
    .execute()
}

/** Whose link this is, while it is good. */
export async function findPasswordToken(db: CentralSql, hash: Buffer, now: Date): Promise<string | undefined> {
  const row = await db
    .selectFrom('password_tokens')
    .select('user_id as userId')
    .where('token_hash', '=', hash)
    .where('used_at', 'is', null)
    .where('expires_at', '>', now)
    .executeTakeFirst()
  return row?.userId
}

/** Uses a link up, in one statement: of two at once one gets the person. */
export async function spendPasswordToken(trx: CentralTx, hash: Buffer, now: Date): Promise<string | undefined> {
  const row = await trx
    .updateTable('password_tokens')
    .set({ used_at: now })
    .where('token_hash', '=', hash)
    .where('used_at', 'is', null)
    .where('expires_at', '>', now)
    .returning('user_id as userId')
    .executeTakeFirst()
  return row?.userId
}

/** A password that was set makes every other link of the person worthless. */
export async function spendPasswordTokensOf(trx: CentralTx, userId: string, now: Date): Promise<void> {
  await trx
    .updateTable('password_tokens')
    .set({ used_at: now })
    .where('user_id', '=', userId)
    .where('used_at', 'is', null)
    .execute()
}

export interface NewStaff {
  id: string
  email: string
  nombre: string
  passwordHash: string
  temporaryUntil: Date | null
  at: Date
}

/** False when the e-mail has an account already. */
export async function insertStaff(trx: CentralTx, { id, email, nombre, passwordHash, temporaryUntil, at }: NewStaff) {
  const password = {
    password_hash: passwordHash,
    password_temporal: temporaryUntil !== null,
    password_expires_at: temporaryUntil,
  }
  const row = await trx
    .insertInto('users')
    .values({ id, email, nombre, ...password, is_platform: true, created_at: at, updated_at: at })
    .onConflict((oc) => oc.column('email').doNothing())
    .returning('id')
    .executeTakeFirst()
  return row !== undefined
}

export async function makeStaff(trx: CentralTx, email: string, at: Date): Promise<boolean> {
  const row = await trx
    .updateTable('users')
    .set({ is_platform: true, updated_at: at })
    .where('email', '=', email)
    .where('is_platform', '=', false)
    .returning('id')
    .executeTakeFirst()
  return row !== undefined
}
