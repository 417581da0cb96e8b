import { parseDatabaseUrl } from './address.ts'
import { type OwnerConnection, openAs } from './client.ts'
import { sqlState } from './failures.ts'
import { hideCatalogs } from './hidden-catalogs.ts'
import { quoteName } from './quote.ts'
import { scramVerifier } from './scram.ts'

export interface BootstrapOptions {
  ownerPassword: string
  /** Without both of these the server only gets what tenant databases need. */
  centralPassword?: string
  centralDatabase?: string
}

export interface Bootstrapped {
  /** `server_version_num` divided by 10000: 15 to 18. */
  serverVersion: number
  /** Made by this run; empty when everything was there. */
  created: string[]
  /** False where the administrator is no superuser: tenants can then read the names of other databases. */
  catalogsHidden: boolean
  warnings: string[]
}

/**
 * Makes a PostgreSQL server ready for the product, as its administrator: the roles, the central database, and the base
 * that every tenant template is cloned from. Safe to repeat at every start and by two at once; what is there is kept,
 * except that the passwords are set to those given.
 */
export async function bootstrapServer(admin: { url: string }, options: BootstrapOptions): Promise<Bootstrapped> {
  const maintenance = await openAs(admin.url, { applicationName: 'horux-bootstrap', deadlineMs: 120_000 })
  try {
    await takeTurn(maintenance)
    const server = await readServer(maintenance)
    const done: Bootstrapped = { serverVersion: server.version, created: [], catalogsHidden: false, warnings: [] }
    await ensureRoles(maintenance, server, options, done)
    await closeCommonDatabases(maintenance, done)
    if (options.centralDatabase && options.centralPassword)
      await ensureCentral(maintenance, server, options.centralDatabase, done)
    await ensureBase(maintenance, server, admin.url, done)
    return done
  } finally {
    await maintenance.end()
  }
}

/** The empty database that every template is cloned from. */
export const TEMPLATE_BASE = 'horux_tpl_base'

/**
 * Statements that limit a tenant's role in its database. Provisioning sends them as the owner; standing at the role and
 * not only in the start-up packet, no pooler can lose them.
 */
export function tenantRoleSettings(role: string, database: string): string[] {
  return Object.entries(ROLE_SETTINGS).map(
    ([name, value]) => `alter role ${quoteName(role)} in database ${quoteName(database)} set ${name} = '${value}'`,
  )
}

/** What those statements set. The worker compares: a role may change its own settings, and they last. */
export const ROLE_SETTINGS: Readonly<Record<string, string>> = {
  statement_timeout: '5s',
  idle_in_transaction_session_timeout: '10s',
  lock_timeout: '2s',
  // A client that vanished without a word holds its session no longer than two minutes.
  tcp_keepalives_idle: '60',
  tcp_keepalives_interval: '15',
  tcp_keepalives_count: '4',
}

interface Server {
  version: number
  superuser: boolean
}

async function readServer(maintenance: OwnerConnection): Promise<Server> {
  const [row] = await maintenance.query<{ version: number; superuser: boolean }>(
    `select current_setting('server_version_num')::int / 10000 as version, rolsuper as superuser
     from pg_roles where rolname = current_user`,
  )
  if (!row || row.version < 15) throw new Error(`PostgreSQL ${row?.version} is too old: 15 to 18 are supported`)
  return row
}

/** Two at once would both find a role missing. Tried in a loop: one that waits in the lock would hold a snapshot. */
async function takeTurn(maintenance: OwnerConnection): Promise<void> {
  const deadline = performance.now() + 60_000
  while (performance.now() < deadline) {
    const [row] = await maintenance.query<{ mine: boolean }>(
      `select pg_try_advisory_lock(hashtextextended('horux.bootstrap', 0)) as mine`,
    )
    if (row?.mine) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error('another bootstrap of this server does not end')
}

async function ensureRoles(db: OwnerConnection, server: Server, options: BootstrapOptions, done: Bootstrapped) {
  await ensureRole(db, 'horux_owner', 'login createdb createrole', options.ownerPassword, done)
  if (options.centralPassword) await ensureRole(db, 'horux_central', 'login', options.centralPassword, done)
  await ensureRole(db, 'horux_tenant', 'nologin', undefined, done)
  await db.query('grant horux_tenant to horux_owner with admin option')
  // To make databases for another role one must be able to act as it; a superuser always is.
  if (!server.superuser) await db.query('grant horux_owner to current_user')
  await attempt(db, 'grant pg_signal_backend to horux_owner', done)
  // Restoring rows in any order switches foreign keys off, for that session.
  await attempt(db, 'grant set on parameter session_replication_role to horux_owner', done)
}

async function ensureRole(
  db: OwnerConnection,
  role: string,
  rights: string,
  password: string | undefined,
  done: Bootstrapped,
) {
  const [found] = await db.query('select 1 from pg_roles where rolname = $1', [role])
  if (!found) {
    await db.query(`create role ${role} ${rights}`)
    done.created.push(role)
  }
  if (password) await db.query(`alter role ${role} password '${scramVerifier(password)}'`)
}

/** PostgreSQL opens every new database to every role. */
async function closeCommonDatabases(db: OwnerConnection, done: Bootstrapped) {
  await attempt(db, 'revoke connect on database postgres, template1 from public', done)
  await attempt(db, 'grant connect on database postgres to horux_owner', done)
}

async function ensureCentral(db: OwnerConnection, server: Server, name: string, done: Bootstrapped) {
  if (!(await findDatabase(db, name))) {
    await createDatabase(db, server, name, 'owner horux_owner', done)
    await db.query(`revoke all on database ${quoteName(name)} from public`)
    done.created.push(name)
  }
  await db.query(`grant connect on database ${quoteName(name)} to horux_central`)
  // The pool of an API process asks for less; this also holds for the queue, which has a pool of its own.
  const settings = { statement_timeout: '60s', idle_in_transaction_session_timeout: '10s' }
  for (const [setting, value] of Object.entries(settings))
    await db.query(`alter role horux_central in database ${quoteName(name)} set ${setting} = '${value}'`)
}

/**
 * Only a superuser can take the catalogs from PUBLIC, and what he took stays taken in every clone. A base that was
 * finished says so in its comment, so that a run that died half way is repeated.
 */
async function ensureBase(db: OwnerConnection, server: Server, adminUrl: string, done: Bootstrapped) {
  const finished = `horux base ${BASE_REVISION} ${server.superuser ? 'hidden' : 'open'}`
  const found = await findDatabase(db, TEMPLATE_BASE)
  done.catalogsHidden = server.superuser || /^horux base \d+ hidden$/.test(found?.comment ?? '')
  if (!done.catalogsHidden) done.warnings.push('catalogs stay readable: the administrator is no superuser')
  if (found?.comment === finished || (found && done.catalogsHidden && !server.superuser)) return
  if (!found) {
    await createDatabase(db, server, TEMPLATE_BASE, 'allow_connections false', done)
    done.created.push(TEMPLATE_BASE)
  }
  await db.query(`revoke all on database ${TEMPLATE_BASE} from public`)
  await db.query(`alter database ${TEMPLATE_BASE} allow_connections true`)
  const base = await openAs({ ...parseDatabaseUrl(adminUrl), database: TEMPLATE_BASE }, { deadlineMs: 60_000 })
  try {
    await base.query(TENANT_RIGHTS)
    if (server.superuser) await hideCatalogs(base)
  } finally {
    await base.end()
  }
  await db.query(`alter database ${TEMPLATE_BASE} is_template true allow_connections false`)
  await db.query(`comment on database ${TEMPLATE_BASE} is '${finished}'`)
}

/** Grows with every change to what the base holds. */
const BASE_REVISION = 2

/** Granted to the group of all tenant roles: which of them may enter a database is decided at its door alone. */
const TENANT_RIGHTS = `
  revoke create on schema public from public;
  grant usage on schema public to horux_tenant;
  alter default privileges for role horux_owner in schema public grant select, insert, update, delete on tables to horux_tenant;
  alter default privileges for role horux_owner in schema public grant usage, select on sequences to horux_tenant`

async function findDatabase(db: OwnerConnection, name: string): Promise<{ comment: string | null } | undefined> {
  const text = `select shobj_description(oid, 'pg_database') as comment from pg_database where datname = $1`
  const [row] = await db.query<{ comment: string | null }>(text, [name])
  return row
}

/**
 * UTF-8 in the order of code points, whatever the server was made with: an order that follows ICU or the C library
 * would tie every index to that machine. Lists people read are sorted with an explicit collation.
 */
async function createDatabase(db: OwnerConnection, server: Server, name: string, rest: string, done: Bootstrapped) {
  const create = (locale: string) =>
    db.query(`create database ${quoteName(name)} template template0 encoding 'UTF8' ${locale} ${rest}`)
  try {
    await create(`locale_provider libc locale 'C.UTF-8'`)
  } catch (error) {
    if (!['42809', '22023'].includes(sqlState(error) ?? '')) throw error
    // macOS and old C libraries have no C.UTF-8. From 17 on PostgreSQL brings its own; before, plain C has the same order.
    done.warnings.push(`${name}: no locale C.UTF-8 in the C library`)
    await create(
      server.version >= 17
        ? `locale_provider builtin builtin_locale 'C.UTF-8' locale 'C'`
        : `locale_provider libc locale 'C'`,
    )
  }
}

/** What a managed server may refuse, and the product can live without. */
async function attempt(db: OwnerConnection, statement: string, done: Bootstrapped) {
  try {
    await db.query(statement)
  } catch (error) {
    if (sqlState(error) !== '42501') throw error
    done.warnings.push(`refused: ${statement}`)
  }
}
