import { sql } from 'kysely'
import type { CentralSql } from '../../db/databases.ts'
import type { SchemaVersion } from '../../db/migrations.ts'

/** A server as its owner reaches it: directly, never through a pooler. */
export interface FleetServer {
  id: number
  name: string
  host: string
  port: number
  maintenanceDb: string
  tls: 'off' | 'prefer' | 'verify-full'
  ownerCredential: string
  templateHash: string | null
}

/** Which tenants a run is about; null means all. The name of a server, the id of a tenant. */
export interface Scope {
  tenant: string | null
  server: string | null
}

/** Where a tenant's database is and what the central database believes of its schema. */
export interface FleetTenant {
  tenantId: string
  serverId: number
  databaseName: string
  schemaVersion: number
  schemaHash: string
}

export async function findServers(db: CentralSql, scope: Scope): Promise<FleetServer[]> {
  const query = db
    .selectFrom('database_servers')
    .select([
      'id',
      'name',
      'host',
      'port',
      'maintenance_db as maintenanceDb',
      'tls',
      'owner_credential as ownerCredential',
      'template_hash as templateHash',
    ])
    .orderBy('id')
  return (scope.server === null ? query : query.where('name', '=', scope.server)).execute()
}

/** A living tenant by id, by RFC, or by the part of its database's name that follows `horux_`. */
export async function findTenantId(db: CentralSql, handle: string): Promise<string | undefined> {
  const { rows } = await sql<{ id: string }>`
    select t.id from tenants t join tenant_databases d on d.tenant_id = t.id
    where d.state in ('active', 'suspended', 'moving')
      and (t.id::text = lower(${handle}) or t.rfc = upper(${handle}) or d.database_name = 'horux_' || lower(${handle}))
    limit 1`.execute(db)
  return rows[0]?.id
}

/** Whatever its state: restoring migrates a database that is still marked as deleted. */
export async function findFleetTenant(db: CentralSql, tenantId: string): Promise<FleetTenant | undefined> {
  return db.selectFrom('tenant_databases').select(PLACEMENT).where('tenant_id', '=', tenantId).executeTakeFirst()
}

/** The tenants of a scope that are migrated in place. */
export async function findFleet(db: CentralSql, scope: Scope): Promise<FleetTenant[]> {
  const { rows } = await sql<FleetTenant>`
    select d.tenant_id as "tenantId", d.server_id as "serverId", d.database_name as "databaseName",
      d.schema_version as "schemaVersion", d.schema_hash as "schemaHash"
    ${inScope(scope)} order by d.database_name`.execute(db)
  return rows
}

/** One tenant for each (version, hash) that placements show, to compare with the files before anything is touched. */
export async function findSchemaGroups(db: CentralSql): Promise<FleetTenant[]> {
  const { rows } = await sql<FleetTenant>`
    select distinct on (d.schema_version, d.schema_hash) d.tenant_id as "tenantId", d.server_id as "serverId",
      d.database_name as "databaseName", d.schema_version as "schemaVersion", d.schema_hash as "schemaHash"
    ${inScope({ tenant: null, server: null })} and d.state <> 'moving'
    order by d.schema_version, d.schema_hash, d.tenant_id`.execute(db)
  return rows
}

/** Writes what a database was brought to, unless it is no longer where it was when we looked. */
export async function savePlacementSchema(db: CentralSql, tenant: FleetTenant, reached: SchemaVersion): Promise<void> {
  await db
    .updateTable('tenant_databases')
    .set({ schema_version: reached.version, schema_hash: reached.hash })
    .where('tenant_id', '=', tenant.tenantId)
    .where('server_id', '=', tenant.serverId)
    .where('database_name', '=', tenant.databaseName)
    .execute()
}

export async function saveTemplate(db: CentralSql, serverId: number, hash: string, serverVersion: number) {
  await db
    .updateTable('database_servers')
    .set({ template_hash: hash, server_version: serverVersion, checked_at: sql`now()`, last_error: null })
    .where('id', '=', serverId)
    .execute()
}

export async function saveServerError(db: CentralSql, serverId: number, error: string): Promise<void> {
  await db
    .updateTable('database_servers')
    .set({ checked_at: sql`now()`, last_error: error })
    .where('id', '=', serverId)
    .execute()
}

const PLACEMENT = [
  'tenant_id as tenantId',
  'server_id as serverId',
  'database_name as databaseName',
  'schema_version as schemaVersion',
  'schema_hash as schemaHash',
] as const

/** The tenants that are migrated in place. A deleted one is when it is restored. */
export const inScope = ({ tenant, server }: Scope) => sql`
  from tenant_databases d join database_servers s on s.id = d.server_id
  where d.state in ('active', 'suspended', 'moving')
    and (${tenant}::uuid is null or d.tenant_id = ${tenant}::uuid) and (${server}::text is null or s.name = ${server}::text)`
