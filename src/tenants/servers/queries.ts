// What is done on a database server as horux_owner: roles and databases of tenants, their rights, their names. All of
// it runs on one session that never reconnects by itself, because that session holds the tenant's lock. Several
// statements in one query are one transaction: all of them happen or none.

import { tenantRoleSettings } from '../../db/bootstrap.ts'
import { INTERRUPTED_DROP } from './ownership.ts'

/** One direct session of horux_owner in the maintenance database of a server. */
export interface OwnerSession {
  query<Row extends object>(text: string, params?: readonly unknown[]): Promise<readonly Row[]>
  end(): Promise<void>
}

export interface DatabaseFacts {
  name: string
  owner: string
  allowsConnections: boolean
  /** -2: an interrupted DROP left it; it can only be dropped. */
  connectionLimit: number
  isTemplate: boolean
  comment: string | null
}

export interface RoleFacts {
  name: string
  canLogin: boolean
  connectionLimit: number
  comment: string | null
}

/** Settings a role's sessions start with. `database` is null for those it takes everywhere. */
export interface RoleSettings {
  role: string
  database: string | null
  /** `name=value` */
  settings: readonly string[]
}

/** Written on every role and database of a tenant: what does not carry it is not ours to change or drop. */
export const markOf = (tenantId: string) => `horux tenant=${tenantId}`

/**
 * Takes the tenant's lock for as long as the session lives. The session is the one that runs CREATE DATABASE: a backend
 * whose client died finishes its CREATE before it lets go, so whoever gets the lock sees the final truth.
 */
export async function tryLockTenant(session: OwnerSession, tenantId: string): Promise<boolean> {
  // With it, shared by all who work on the server, the lock that keeps the sweep from dropping anything meanwhile.
  const [row] = await session.query<{ locked: boolean }>(
    `select pg_try_advisory_lock_shared(${SERVER_LOCK}) and pg_try_advisory_lock(hashtextextended($1, 360)) as locked`,
    [`tenant:${tenantId}`],
  )
  return row?.locked ?? false
}

/**
 * Drops what an interrupted DROP left, if that is still what it is: since the caller looked, a company may have been
 * born under the name. Does nothing while any operation works on the server; the next sweep comes in a minute.
 */
export async function dropInterrupted(session: OwnerSession, name: string): Promise<void> {
  const [row] = await session.query<{ alone: boolean }>(`select pg_try_advisory_lock(${SERVER_LOCK}) as alone`)
  if (!row?.alone) return
  try {
    const found = await findDatabase(session, name)
    if (found?.connectionLimit === INTERRUPTED_DROP && found.owner === 'horux_owner') await dropDatabase(session, name)
  } finally {
    await session.query(`select pg_advisory_unlock(${SERVER_LOCK})`)
  }
}

const SERVER_LOCK = `hashtextextended('horux.operations', 360)`

export async function findDatabase(session: OwnerSession, name: string): Promise<DatabaseFacts | undefined> {
  const [row] = await session.query<DatabaseFacts>(`${DATABASES} where d.datname = $1`, [name])
  return row
}

export async function findDatabases(session: OwnerSession): Promise<readonly DatabaseFacts[]> {
  return session.query<DatabaseFacts>(`${DATABASES} where d.datname like 'horux\\_%'`)
}

/** Databases that let PUBLIC connect: every tenant's role may then read them. */
export async function findOpenDatabases(session: OwnerSession): Promise<string[]> {
  const rows = await session.query<{ name: string }>(
    `select d.datname as name from pg_database d
      cross join lateral aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a
      where a.grantee = 0 and a.privilege_type = 'CONNECT' and d.datallowconn and d.datname <> 'template1'`,
  )
  return rows.map((row) => row.name)
}

export async function findRole(session: OwnerSession, name: string): Promise<RoleFacts | undefined> {
  const [row] = await session.query<RoleFacts>(`${ROLES} where r.rolname = $1`, [name])
  return row
}

export async function findTenantRoles(session: OwnerSession): Promise<readonly RoleFacts[]> {
  return session.query<RoleFacts>(`${ROLES} where r.rolname ~ '^hxt_[0-9]+$'`)
}

export async function findTenantSettings(session: OwnerSession): Promise<readonly RoleSettings[]> {
  return session.query<RoleSettings>(
    `select r.rolname as role, d.datname as database, s.setconfig as settings from pg_db_role_setting s
      join pg_roles r on r.oid = s.setrole left join pg_database d on d.oid = s.setdatabase
      where r.rolname ~ '^hxt_[0-9]+$'`,
  )
}

export interface RoleAccess {
  /** A SCRAM verifier of ours, so that no server log can hold the password. */
  verifier: string
  connectionLimit: number
}

/** Born with its mark in one transaction, so that a role without one is never half of ours. */
export async function createRole(session: OwnerSession, name: string, access: RoleAccess, mark: string): Promise<void> {
  await session.query(
    `${LATER_FLUSHED} create role ${id(name)} login ${rightsOf(access)} in role horux_tenant; comment on role ${id(name)} is ${literal(mark)}`,
  )
}

/** Also forgets what the role may have set for itself. */
export async function enableRole(session: OwnerSession, name: string, access: RoleAccess): Promise<void> {
  await session.query(`alter role ${id(name)} login ${rightsOf(access)}; alter role ${id(name)} reset all`)
}

const rightsOf = ({ verifier, connectionLimit }: RoleAccess) =>
  `password ${literal(verifier)} connection limit ${count(connectionLimit)}`

/** What the role's sessions in its database start with. Anything it set for itself is forgotten. */
export async function resetSettings(session: OwnerSession, role: string, database: string): Promise<void> {
  await session.query(
    [
      `alter role ${id(role)} reset all`,
      `alter role ${id(role)} in database ${id(database)} reset all`,
      ...tenantRoleSettings(role, database),
    ].join('; '),
  )
}

export async function disableRole(session: OwnerSession, name: string): Promise<void> {
  await session.query(`alter role ${id(name)} nologin`)
}

export async function setConnectionLimit(session: OwnerSession, name: string, limit: number): Promise<void> {
  await session.query(`alter role ${id(name)} connection limit ${count(limit)}`)
}

export async function dropRole(session: OwnerSession, name: string): Promise<void> {
  await session.query(`drop role if exists ${id(name)}`)
}

/** Nobody can enter the copy until `openDatabase`: that is what marks it as unfinished. */
export async function cloneTemplate(session: OwnerSession, name: string, template: string): Promise<void> {
  await session.query(`create database ${id(name)} template ${id(template)} allow_connections false`)
}

export async function dropDatabase(session: OwnerSession, name: string): Promise<void> {
  await session.query(`drop database if exists ${id(name)} with (force)`)
}

/**
 * Rights first, the door last, in one commit. A copy is open to PUBLIC by nature (a database's ACL is not copied), and
 * the tables inside are granted to all tenant roles: CONNECT is the only wall between companies.
 */
export async function openDatabase(session: OwnerSession, name: string, role: string, mark: string): Promise<void> {
  await session.query(
    `${LATER_FLUSHED} revoke all on database ${id(name)} from public;
     grant connect on database ${id(name)} to ${id(role)};
     ${tenantRoleSettings(role, name).join('; ')};
     comment on database ${id(name)} is ${literal(mark)}; alter database ${id(name)} allow_connections true`,
  )
}

/** Lets the owner in and nobody else: for migrating a database that is coming back. */
export async function openForOwner(session: OwnerSession, name: string, role: string): Promise<void> {
  await session.query(
    `revoke all on database ${id(name)} from public; revoke all on database ${id(name)} from ${id(role)};
     alter database ${id(name)} allow_connections true`,
  )
}

export async function closeDatabase(session: OwnerSession, name: string): Promise<void> {
  await session.query(`alter database ${id(name)} allow_connections false`)
}

export async function grantConnect(session: OwnerSession, name: string, role: string): Promise<void> {
  await session.query(`grant connect on database ${id(name)} to ${id(role)}`)
}

export async function revokeConnect(session: OwnerSession, name: string, role: string): Promise<void> {
  await session.query(`revoke all on database ${id(name)} from ${id(role)}`)
}

/** Ends the sessions inside a database, of one role or of everybody. Revoking rights does not end a session. */
export async function terminateSessions(session: OwnerSession, name: string, role?: string): Promise<void> {
  await session.query(
    `select pg_terminate_backend(pid, 2000) from pg_stat_activity
      where datname = $1 and pid <> pg_backend_pid() and ($2::text is null or usename = $2)`,
    [name, role ?? null],
  )
}

export async function renameDatabase(session: OwnerSession, from: string, to: string): Promise<void> {
  await session.query(`alter database ${id(from)} rename to ${id(to)}`)
}

// For steps whose server flushes a later step in any case (CREATE DATABASE, the seeds) before the central database hears
// that the company lives: the flush of that one covers all before it.
const LATER_FLUSHED = 'set local synchronous_commit = off;'

const DATABASES = `select d.datname as name, o.rolname as owner, d.datallowconn as "allowsConnections",
  d.datconnlimit as "connectionLimit", d.datistemplate as "isTemplate", shobj_description(d.oid, 'pg_database') as comment
  from pg_database d join pg_roles o on o.oid = d.datdba`

const ROLES = `select r.rolname as name, r.rolcanlogin as "canLogin", r.rolconnlimit as "connectionLimit",
  shobj_description(r.oid, 'pg_authid') as comment from pg_roles r`

/** Names of ours are made of these letters only; anything else is a bug and never reaches the server. */
function id(name: string): string {
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(name)) throw new Error(`not a name of ours: ${JSON.stringify(name)}`)
  return `"${name}"`
}

function literal(text: string): string {
  if (/['\\\0]/.test(text)) throw new Error('a literal of ours has neither quotes nor backslashes')
  return `'${text}'`
}

function count(n: number): string {
  if (!Number.isSafeInteger(n) || n < -1) throw new Error(`not a count: ${n}`)
  return String(n)
}
