import { sql } from 'kysely'
import type { OwnerConnection } from '../db/client.ts'
import type { CentralSql, CentralTx } from '../db/databases.ts'
import type { CentralTables } from '../db/tables.ts'
import type { FleetServer } from './fleet/queries.ts'

export type PlacementState = CentralTables['tenant_databases']['state']

/** A company as platform staff sees it. `state` is null while no server has room for it. */
export interface TenantRow {
  id: string
  rfc: string
  nombre: string
  suspendedByStaff: boolean
  suspensionReason: string | null
  createdAt: Date
  deletedAt: Date | null
  state: PlacementState | null
  databaseName: string | null
  schemaVersion: number | null
  purgeAfter: Date | null
  serverName: string | null
  planCode: string | null
}

export interface TenantFilter {
  rfc?: string | undefined
  nombre?: string | undefined
  /** Null is the state of those that wait for a place. */
  states?: readonly (PlacementState | null)[] | undefined
  /** The id of the last row of the page before. */
  before?: string | undefined
  limit: number
}

export async function findTenant(db: CentralSql, id: string): Promise<TenantRow | undefined> {
  return tenants(db).where('t.id', '=', id).executeTakeFirst()
}

/** The living company with this RFC. */
export async function findTenantByRfc(db: CentralSql, rfc: string): Promise<TenantRow | undefined> {
  return tenants(db).where('t.rfc', '=', rfc).where('t.deleted_at', 'is', null).executeTakeFirst()
}

/** Every company that ever had this RFC, the newest first. */
export async function findTenantsByRfc(db: CentralSql, rfc: string): Promise<TenantRow[]> {
  return tenants(db).where('t.rfc', '=', rfc).orderBy('t.id', 'desc').execute()
}

/** Newest first: ids are UUIDv7. */
export async function listTenants(db: CentralSql, filter: TenantFilter): Promise<TenantRow[]> {
  const { rfc, nombre, states, before, limit } = filter
  let query = tenants(db)
  if (rfc) query = query.where('t.rfc', '=', rfc)
  if (nombre) query = query.where(sql<boolean>`position(lower(${nombre}) in lower(t.nombre)) > 0`)
  if (states) {
    const placed = states.filter((state) => state !== null)
    query = query.where((eb) =>
      eb.or([
        ...(placed.length > 0 ? [eb(STATE, 'in', placed)] : []),
        ...(states.includes(null) ? [eb(STATE, 'is', null)] : []),
      ]),
    )
  }
  if (before) query = query.where('t.id', '<', before)
  return query.orderBy('t.id', 'desc').limit(limit).execute()
}

/**
 * A tenant and its placement, locked until the transaction ends: whoever changes its state comes one after the other.
 *
 * Locked first and read then: a statement that had to wait for the lock would still see the placement as it was before.
 */
export async function lockTenant(trx: CentralTx, id: string) {
  await trx.selectFrom('tenants').select('id').where('id', '=', id).forUpdate().execute()
  return trx
    .selectFrom('tenants as t')
    .leftJoin('tenant_databases as d', 'd.tenant_id', 't.id')
    .select([
      't.id',
      't.number',
      't.rfc',
      't.nombre',
      't.suspended_by_staff as suspendedByStaff',
      't.deleted_at as deletedAt',
      'd.database_name as databaseName',
      STATE.as('state'),
    ])
    .where('t.id', '=', id)
    .executeTakeFirst()
}

/** The new tenant's number, or undefined when a living one has the RFC. Waits for a registration that is not committed yet. */
export async function insertTenant(
  trx: CentralTx,
  row: { id: string; rfc: string; nombre: string },
): Promise<string | undefined> {
  const inserted = await trx
    .insertInto('tenants')
    .values(row)
    .onConflict((oc) => oc.column('rfc').where('deleted_at', 'is', null).doNothing())
    .returning('number')
    .executeTakeFirst()
  return inserted?.number
}

export async function updateTenantName(trx: CentralTx, id: string, nombre: string): Promise<void> {
  await trx.updateTable('tenants').set({ nombre, updated_at: sql`now()` }).where('id', '=', id).execute()
}

export async function updateSuspension(
  trx: CentralTx,
  id: string,
  { suspended, reason }: { suspended: boolean; reason: string | null },
): Promise<void> {
  await trx
    .updateTable('tenants')
    .set({ suspended_by_staff: suspended, suspension_reason: reason, updated_at: sql`now()` })
    .where('id', '=', id)
    .execute()
}

/** Frees the RFC, or takes it again with null (which fails with 23505 when another living tenant has it). */
export async function updateDeletedAt(trx: CentralTx, id: string, deletedAt: Date | null): Promise<void> {
  await trx.updateTable('tenants').set({ deleted_at: deletedAt, updated_at: sql`now()` }).where('id', '=', id).execute()
}

/** The server with the most room, relative to its size and weight; undefined when none takes tenants. */
export async function findRoomiestServer(db: CentralSql): Promise<number | undefined> {
  const row = await db
    .selectFrom('database_servers as s')
    .leftJoin('tenant_databases as d', (join) =>
      join.onRef('d.server_id', '=', 's.id').on('d.state', 'not in', ['failed', 'purged']),
    )
    .select('s.id')
    .where('s.state', '=', 'active')
    .groupBy('s.id')
    .having((eb) => eb(eb.fn.count<number>('d.tenant_id'), '<', eb.ref('s.max_tenants')))
    .orderBy((eb) => sql`${eb.fn.count('d.tenant_id')}::float8 / (s.max_tenants::float8 * s.weight)`)
    .orderBy('s.id')
    .limit(1)
    .executeTakeFirst()
  return row?.id
}

/** The placement of a tenant that is being born. One that failed before keeps its server, where its remains may lie. */
export async function placeTenant(
  trx: CentralTx,
  row: { tenantId: string; serverId: number; databaseName: string; roleName: string },
): Promise<void> {
  await trx
    .insertInto('tenant_databases')
    .values({
      tenant_id: row.tenantId,
      server_id: row.serverId,
      database_name: row.databaseName,
      role_name: row.roleName,
      state: 'provisioning',
    })
    .onConflict((oc) => oc.column('tenant_id').doUpdateSet({ state: 'provisioning' }))
    .execute()
}

/** Whether any placement, also one that was purged, has this database name. */
export async function isNameUsed(db: CentralSql, databaseName: string): Promise<boolean> {
  const row = await db
    .selectFrom('tenant_databases')
    .select('tenant_id')
    .where('database_name', '=', databaseName)
    .executeTakeFirst()
  return row !== undefined
}

export async function updatePlacement(
  trx: CentralTx,
  tenantId: string,
  change: Partial<{
    state: PlacementState
    database_name: string
    schema_version: number
    schema_hash: string
    purge_after: Date | null
  }>,
): Promise<void> {
  await trx.updateTable('tenant_databases').set(change).where('tenant_id', '=', tenantId).execute()
}

/** Where a tenant's database is, on a server of which the owner's credential is named. */
export interface Site {
  tenantId: string
  rfc: string
  nombre: string
  suspendedByStaff: boolean
  databaseName: string
  roleName: string
  credentialGeneration: number
  server: FleetServer
}

export async function findSite(db: CentralSql, tenantId: string): Promise<Site | undefined> {
  const row = await db
    .selectFrom('tenants as t')
    .innerJoin('tenant_databases as d', 'd.tenant_id', 't.id')
    .innerJoin('database_servers as s', 's.id', 'd.server_id')
    .select([
      't.id as tenantId',
      't.rfc',
      't.nombre',
      't.suspended_by_staff as suspendedByStaff',
      'd.database_name as databaseName',
      'd.role_name as roleName',
      'd.credential_generation as credentialGeneration',
      's.id',
      's.name',
      's.host',
      's.port',
      's.maintenance_db as maintenanceDb',
      's.tls',
      's.owner_credential as ownerCredential',
      's.template_hash as templateHash',
    ])
    .where('t.id', '=', tenantId)
    .executeTakeFirst()
  if (!row) return undefined
  const { id, name, host, port, maintenanceDb, tls, ownerCredential, templateHash, ...site } = row
  return { ...site, server: { id, name, host, port, maintenanceDb, tls, ownerCredential, templateHash } }
}

/** The version of a plan that is sold now. */
export async function findCurrentPlan(db: CentralSql, code: string) {
  return db
    .selectFrom('plans')
    .select(['code', 'version'])
    .where('code', '=', code)
    .where('current', '=', true)
    .executeTakeFirst()
}

export async function findUserByEmail(db: CentralSql, email: string) {
  return db.selectFrom('users').select(['id', 'email', 'nombre']).where('email', '=', email).executeTakeFirst()
}

/** Undefined when somebody has the e-mail already: that person keeps name and password. */
export async function insertUser(
  trx: CentralTx,
  row: { id: string; email: string; nombre: string; passwordHash: string; passwordExpiresAt: Date },
): Promise<string | undefined> {
  const inserted = await trx
    .insertInto('users')
    .values({
      id: row.id,
      email: row.email,
      nombre: row.nombre,
      password_hash: row.passwordHash,
      password_temporal: true,
      password_expires_at: row.passwordExpiresAt,
    })
    .onConflict((oc) => oc.column('email').doNothing())
    .returning('id')
    .executeTakeFirst()
  return inserted?.id
}

export async function upsertAdmin(trx: CentralTx, userId: string, tenantId: string): Promise<void> {
  await trx
    .insertInto('memberships')
    .values({ user_id: userId, tenant_id: tenantId, role: 'admin' })
    .onConflict((oc) => oc.columns(['user_id', 'tenant_id']).doUpdateSet({ role: 'admin' }))
    .execute()
}

export async function deleteMemberships(trx: CentralTx, tenantId: string): Promise<void> {
  await trx.deleteFrom('memberships').where('tenant_id', '=', tenantId).execute()
}

/** Every placement that owns something on a server: what the sweep compares the server with. */
export async function findPlacements(db: CentralSql) {
  return db
    .selectFrom('tenant_databases')
    .select([
      'tenant_id as tenantId',
      'server_id as serverId',
      'database_name as databaseName',
      'role_name as roleName',
      'state',
      'purge_after as purgeAfter',
    ])
    .where('state', '<>', 'purged')
    .execute()
}

export async function findActiveTenantIds(db: CentralSql): Promise<string[]> {
  const rows = await db
    .selectFrom('tenant_databases')
    .select('tenant_id')
    .where('state', '=', 'active')
    .orderBy('tenant_id')
    .execute()
  return rows.map((row) => row.tenant_id)
}

/** How many processes gave a sign of life within the last minute. */
export async function countInstances(db: CentralSql): Promise<number> {
  const row = await db
    .selectFrom('app_instances')
    .select((eb) => eb.cast<number>(eb.fn.countAll(), 'integer').as('n'))
    .where('heartbeat_at', '>', sql<Date>`now() - interval '1 minute'`)
    .executeTakeFirst()
  return row?.n ?? 0
}

// A registration that was cancelled before it had a place left nothing, like one that was purged.
const STATE = sql<PlacementState | null>`coalesce(d.state, case when t.deleted_at is not null then 'purged' end)`

const tenants = (db: CentralSql) =>
  db
    .selectFrom('tenants as t')
    .leftJoin('tenant_databases as d', 'd.tenant_id', 't.id')
    .leftJoin('database_servers as s', 's.id', 'd.server_id')
    .leftJoin('subscriptions as p', 'p.tenant_id', 't.id')
    .select([
      't.id',
      't.rfc',
      't.nombre',
      't.suspended_by_staff as suspendedByStaff',
      't.suspension_reason as suspensionReason',
      't.created_at as createdAt',
      't.deleted_at as deletedAt',
      STATE.as('state'),
      'd.database_name as databaseName',
      'd.schema_version as schemaVersion',
      'd.purge_after as purgeAfter',
      's.name as serverName',
      'p.plan_code as planCode',
    ])

/** A PostgreSQL server for tenant databases. `ownerCredential` names a file of the credentials folder. */
export interface NewServer {
  name: string
  host: string
  port: number
  tls: 'off' | 'prefer' | 'verify-full'
  ownerCredential: string
}

/**
 * Registers a server, or updates where it is found: an embedded one moves to another port when its own is busy. As the
 * owner of the central database: the running product may not say where a server is.
 */
export async function registerServer(owner: Pick<OwnerConnection, 'query'>, server: NewServer): Promise<number> {
  const [row] = await owner.query<{ id: number }>(
    `insert into database_servers (name, host, port, tls, owner_credential) values ($1, $2, $3, $4, $5)
     on conflict (name) do update set host = excluded.host, port = excluded.port, tls = excluded.tls,
       owner_credential = excluded.owner_credential
     returning id`,
    [server.name, server.host, server.port, server.tls, server.ownerCredential],
  )
  if (!row) throw new Error('an upsert returned no row')
  return row.id
}
