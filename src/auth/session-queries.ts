import { sql } from 'kysely'
import type { CentralSql, CentralTx } from '../db/databases.ts'
import type { Rol } from '../http/access.ts'
import { livingName } from '../tenants/operations/operation.ts'

export type Transporte = 'cookie' | 'cuerpo'

/** A session with everything that decides what its requests may do, as it is in the database right now. */
export interface SessionRow {
  id: string
  userId: string
  transporte: Transporte
  createdAt: Date
  expiresAt: Date
  revokedAt: Date | null
  email: string
  nombre: string
  esPlataforma: boolean
  disabledAt: Date | null
  passwordTemporal: boolean
  passwordExpiresAt: Date | null
  /** The company it works on. Without a role the person is no longer a member of it. */
  tenantId: string | null
  rfc: string | null
  tenantNombre: string | null
  /** By which tokens name its database: without what a deletion adds. */
  databaseName: string | null
  rol: Rol | null
  vista: ViewRow | null
}

/** Platform staff looking into a company. Not ended; whether it has expired is the reader's to see. */
export interface ViewRow {
  id: string
  tenantId: string
  rfc: string
  tenantNombre: string
  motivo: string
  escritura: boolean
  openedAt: Date
  expiresAt: Date
  limitAt: Date
}

/** One query, because every request of a session asks it (at most once a second in a process). */
export async function findSession(db: CentralSql, id: string): Promise<SessionRow | undefined> {
  const row = await db
    .selectFrom('sessions as s')
    .innerJoin('users as u', 'u.id', 's.user_id')
    .leftJoin('tenants as t', 't.id', 's.tenant_id')
    .leftJoin('tenant_databases as d', 'd.tenant_id', 's.tenant_id')
    .leftJoin('memberships as m', (on) =>
      on.onRef('m.tenant_id', '=', 's.tenant_id').onRef('m.user_id', '=', 's.user_id'),
    )
    .leftJoin('staff_views as v', (on) => on.onRef('v.session_id', '=', 's.id').on('v.ended_at', 'is', null))
    .leftJoin('tenants as vt', 'vt.id', 'v.tenant_id')
    .select(['s.id', 's.user_id as userId', 's.transporte', 's.created_at as createdAt', 's.expires_at as expiresAt'])
    .select([
      's.revoked_at as revokedAt',
      's.tenant_id as tenantId',
      'u.email',
      'u.nombre',
      'u.is_platform as esPlataforma',
    ])
    .select(['u.disabled_at as disabledAt', 'u.password_temporal as passwordTemporal'])
    .select(['u.password_expires_at as passwordExpiresAt', 't.rfc', 't.nombre as tenantNombre', 'm.role as rol'])
    .select(['d.database_name as databaseName', 'v.id as viewId', 'v.tenant_id as viewTenantId', 'vt.rfc as viewRfc'])
    .select(['vt.nombre as viewNombre', 'v.motivo as viewMotivo', 'v.escritura as viewEscritura'])
    .select(['v.opened_at as viewOpenedAt', 'v.expires_at as viewExpiresAt', 'v.limit_at as viewLimitAt'])
    .where('s.id', '=', id)
    .executeTakeFirst()
  if (!row) return undefined
  const { viewId, viewTenantId, viewRfc, viewNombre, viewMotivo, viewEscritura, ...rest } = row
  const { viewOpenedAt, viewExpiresAt, viewLimitAt, databaseName, ...who } = rest
  // Deleting a company renames its database: the tokens of its people are no forgeries for that.
  const session = { ...who, databaseName: databaseName && livingName(databaseName) }
  if (viewId === null) return { ...session, vista: null }
  const vista = {
    id: viewId,
    tenantId: viewTenantId as string,
    rfc: viewRfc as string,
    tenantNombre: viewNombre as string,
    motivo: viewMotivo as string,
    escritura: viewEscritura as boolean,
    openedAt: viewOpenedAt as Date,
    expiresAt: viewExpiresAt as Date,
    limitAt: viewLimitAt as Date,
  }
  return { ...session, vista }
}

export interface NewSession {
  id: string
  userId: string
  tenantId: string | null
  transporte: Transporte
  deviceId: string
  userAgent: string
  ip: string | null
  at: Date
  expiresAt: Date
}

export async function insertSession(trx: CentralTx, session: NewSession): Promise<void> {
  const { id, userId, tenantId, transporte, deviceId, userAgent, ip, at, expiresAt } = session
  const who = { id, user_id: userId, tenant_id: tenantId, transporte, device_id: deviceId, user_agent: userAgent, ip }
  const times = { created_at: at, last_used_at: at, expires_at: expiresAt }
  await trx
    .insertInto('sessions')
    .values({ ...who, ...times })
    .execute()
}

/** Whether the person has logged in before, from this device, and from this network. */
export async function findFamiliarity(db: CentralSql, userId: string, deviceId: string | null, network: string) {
  const { rows } = await sql<{ any: boolean; device: boolean; network: boolean }>`
    select count(*) > 0 as any,
      coalesce(bool_or(device_id = ${deviceId}::uuid), false) as device,
      coalesce(bool_or(case family(ip) when 4 then host(ip) when 6 then host(network(set_masklen(ip, 64))) end = ${network}),
        false) as network
    from sessions where user_id = ${userId} and ip is not null
  `.execute(db)
  return rows[0] as { any: boolean; device: boolean; network: boolean }
}

/** The living session, if it is this person's, ended now. @returns whether there was one */
export async function revokeSession(trx: CentralSql, where: { id: string; userId: string }, why: string, at: Date) {
  const { numUpdatedRows } = await trx
    .updateTable('sessions')
    .set({ revoked_at: at, revoked_for: why })
    .where('id', '=', where.id)
    .where('user_id', '=', where.userId)
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', at)
    .executeTakeFirstOrThrow()
  return numUpdatedRows > 0n
}

/** Ends every session of a person. @returns how many were alive */
export async function revokeSessions(trx: CentralSql, userId: string, why: string, at: Date): Promise<number> {
  const { numUpdatedRows } = await trx
    .updateTable('sessions')
    .set({ revoked_at: at, revoked_for: why })
    .where('user_id', '=', userId)
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', at)
    .executeTakeFirstOrThrow()
  return Number(numUpdatedRows)
}

/** The living sessions of a person, the one used last first. At most 100. */
export async function listSessions(db: CentralSql, userId: string, now: Date) {
  return db
    .selectFrom('sessions as s')
    .leftJoin('tenants as t', 't.id', 's.tenant_id')
    .select(['s.id', 's.transporte', 's.user_agent as navegador', 's.ip', 's.created_at as creadaEn'])
    .select(['s.last_used_at as usadaEn', 's.expires_at as venceEn', 't.rfc'])
    .where('s.user_id', '=', userId)
    .where('s.revoked_at', 'is', null)
    .where('s.expires_at', '>', now)
    .orderBy('s.last_used_at', 'desc')
    .limit(100)
    .execute()
}

export async function setSessionTenant(db: CentralSql, sessionId: string, tenantId: string | null): Promise<void> {
  await db.updateTable('sessions').set({ tenant_id: tenantId }).where('id', '=', sessionId).execute()
}

export async function insertRefreshToken(
  trx: CentralTx,
  token: { id: string; sessionId: string; hash: Buffer; at: Date; expiresAt: Date },
): Promise<void> {
  const { id, sessionId, hash, at, expiresAt } = token
  await trx
    .insertInto('refresh_tokens')
    .values({ id, session_id: sessionId, token_hash: hash, created_at: at, expires_at: expiresAt })
    .execute()
}

export interface Rotation {
  presented: Buffer
  transporte: Transporte
  successor: { id: string; hash: Buffer; sealed: Buffer; until: Date }
  ip: string | null
  userAgent: string
  at: Date
}

/**
 * Uses a refresh token up and puts its successor in its place, in one statement: of any number of requests with the
 * same token exactly one gets a row, and a crash leaves both facts or neither.
 * @returns the session, or undefined when the token is unknown, used, expired, of another transport, or its session ended
 */
export async function rotateRefreshToken(db: CentralSql, rotation: Rotation): Promise<string | undefined> {
  const { presented, transporte, successor, ip, userAgent, at } = rotation
  const { rows } = await sql<{ session_id: string }>`
    with used as (
      update refresh_tokens r
      set used_at = ${at}, successor_sealed = ${successor.sealed}, successor_until = ${successor.until}
      from sessions s join users u on u.id = s.user_id
      where r.token_hash = ${presented} and r.used_at is null and r.expires_at > ${at}
        and s.id = r.session_id and s.revoked_at is null and s.expires_at > ${at} and s.transporte = ${transporte}
        and u.disabled_at is null
      returning r.session_id, r.expires_at
    ), touched as (
      update sessions s set last_used_at = ${at}, ip = ${ip}, user_agent = ${userAgent} from used where s.id = used.session_id
    )
    insert into refresh_tokens (id, session_id, token_hash, created_at, expires_at)
    select ${successor.id}::uuid, session_id, ${successor.hash}::bytea, ${at}::timestamptz, expires_at from used
    returning session_id
  `.execute(db)
  return rows[0]?.session_id
}

/** A refresh token that could not be rotated, and whose it is. */
export async function findRefreshToken(db: CentralSql, hash: Buffer) {
  return db
    .selectFrom('refresh_tokens as r')
    .innerJoin('sessions as s', 's.id', 'r.session_id')
    .innerJoin('users as u', 'u.id', 's.user_id')
    .select(['r.session_id as sessionId', 'r.used_at as usedAt', 'r.expires_at as expiresAt'])
    .select(['r.successor_sealed as successorSealed', 'r.successor_until as successorUntil'])
    .select(['s.user_id as userId', 's.transporte', 's.revoked_at as revokedAt', 'u.email', 'u.nombre'])
    .select(['u.disabled_at as disabledAt'])
    .where('r.token_hash', '=', hash)
    .executeTakeFirst()
}
