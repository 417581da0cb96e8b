import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { uuidv7 } from 'uuidv7'
import { openAs, openCentral, openOwner } from '../../src/db/client.ts'
import type { CentralDb } from '../../src/db/databases.ts'
import type { Migration } from '../../src/db/migrations.ts'
import { parseMigrations, schemaVersionOf, templateName } from '../../src/db/migrations.ts'
import type { CentralTenantDatabases } from '../../src/db/tables.ts'
import { ensureTemplate } from '../../src/db/templates.ts'
import type { FleetDeps } from '../../src/tenants/fleet/migrate-tenant.ts'
import type { PreparedCluster } from './prepared-cluster.ts'
import { registerServerAs } from './register-server.ts'

/** Tenant databases with a schema of the test's choosing, placed in a central database of their own. */
export interface Fleet {
  central: CentralDb
  centralUrl: string
  credentialsDir: string
  serverId: number
  deps(migrations: readonly Migration[]): FleetDeps
  /** Databases are born with the schema that the fleet was made with. */
  addTenant(state?: CentralTenantDatabases['state']): Promise<FleetMember>
  addServer(name: string, port: number): Promise<number>
  /** In a tenant's database, as its owner. */
  sql(tenant: FleetMember, text: string): Promise<readonly Record<string, unknown>[]>
  close(): Promise<void>
}

export interface FleetMember {
  id: string
  rfc: string
  database: string
}

/** Texts become `0001_f.sql`, `0002_f.sql` … */
export function migrationsOf(...texts: string[]): Migration[] {
  return parseMigrations(texts.map((text, index) => ({ file: `${String(index + 1).padStart(4, '0')}_f.sql`, text })))
}

export async function createFleet(
  cluster: PreparedCluster,
  born: readonly Migration[],
  tenants: number,
): Promise<Fleet> {
  const { url, name, ownerUrl } = await cluster.createCentral()
  const credentialsDir = mkdtempSync(path.join(tmpdir(), 'horux-fleet-'))
  writeFileSync(path.join(credentialsDir, 'local-owner'), cluster.ownerCredential, { mode: 0o600 })
  const central = openCentral({ central: { url, poolMax: 10 }, processRole: 'cli', statementTimeoutMs: 60_000 })
  const owner = (database: string) => openAs(Object.assign(new URL(ownerUrl), { pathname: `/${database}` }).href)
  const maintenance = await owner('postgres')
  const schema = schemaVersionOf(born)
  await ensureTemplate(owner, born, { maintenanceDb: 'postgres' })
  let made = 0

  const addServer = (serverName: string, port: number) =>
    registerServerAs(ownerUrl, {
      name: serverName,
      host: cluster.host,
      port,
      tls: 'off',
      ownerCredential: 'local-owner',
    })
  const serverId = await addServer('local', cluster.port)
  const fleet: Fleet = {
    central,
    centralUrl: url,
    credentialsDir,
    serverId,
    deps: (migrations) => ({
      central,
      connect: (server, database) =>
        openOwner({ ...server, owner_credential: server.ownerCredential }, database, { credentialsDir }),
      migrations,
      appVersion: '9.9.9',
    }),
    async addTenant(state = 'active') {
      const member = {
        id: uuidv7(),
        rfc: `TST${String(++made).padStart(6, '0')}AB1`,
        database: `horux_${name}_${made}`,
      }
      await maintenance.query(`create database ${member.database} template ${templateName(schema.hash)}`)
      await central.insertInto('tenants').values({ id: member.id, rfc: member.rfc, nombre: member.rfc }).execute()
      const placement = {
        tenant_id: member.id,
        server_id: serverId,
        database_name: member.database,
        role_name: `hxt_${made}`,
        state,
        schema_version: schema.version,
        schema_hash: schema.hash,
      }
      await central.insertInto('tenant_databases').values(placement).execute()
      return member
    },
    addServer,
    async sql({ database }, text) {
      const session = await owner(database)
      try {
        return await session.query<Record<string, unknown>>(text)
      } finally {
        await session.end()
      }
    },
    async close() {
      await central.destroy()
      await maintenance.end()
      rmSync(credentialsDir, { recursive: true, force: true })
    },
  }
  for (let n = 0; n < tenants; n++) await fleet.addTenant()
  return fleet
}

/** The members of a fleet in the order they were added. */
export async function membersOf({ central }: Fleet): Promise<FleetMember[]> {
  return central
    .selectFrom('tenants')
    .innerJoin('tenant_databases', 'tenant_id', 'id')
    .select(['id', 'rfc', 'database_name as database'])
    .orderBy('number')
    .execute()
}
