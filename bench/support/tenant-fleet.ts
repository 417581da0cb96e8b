import { randomBytes } from 'node:crypto'
import { uuidv7 } from 'uuidv7'
import { type Config, loadConfig } from '../../src/config.ts'
import { type OwnerConnection, openAs, openCentral } from '../../src/db/client.ts'
import type { CentralDb } from '../../src/db/databases.ts'
import { readMigrations, TENANT_MIGRATIONS } from '../../src/db/migrate.ts'
import { schemaVersionOf, templateName } from '../../src/db/migrations.ts'
import { scramVerifier } from '../../src/db/scram.ts'
import { tenantPassword } from '../../src/db/tenant-credentials.ts'
import * as server from '../../src/tenants/servers/queries.ts'
import { type PreparedCluster, startPreparedCluster } from '../../test/support/prepared-cluster.ts'
import { registerServerAs } from '../../test/support/register-server.ts'
import { fillCfdis } from './cfdi-rows.ts'

/** Tenants with a database, a role and rights each, as provisioning leaves them, but made by the hundred. */
export interface TenantFleet {
  config: Config
  central: CentralDb
  cluster: PreparedCluster
  /** Superuser, in database `postgres`. */
  admin: OwnerConnection
  tenants: FleetTenant[]
  /** UUIDs of CFDI that every one of them holds. */
  uuids: string[]
  stop(): Promise<void>
}

export interface FleetTenant {
  id: string
  /** Where the tenant's own role enters its database. */
  url: string
}

export async function startTenantFleet(options: {
  tenants: number
  cfdisEach: number
  maxConnections: number
  env: Record<string, string>
}): Promise<TenantFleet> {
  const cluster = await startPreparedCluster({
    maxConnections: options.maxConnections,
    settings: { shared_buffers: '256MB' },
  })
  const { url, ownerUrl } = await cluster.createCentral()
  const config = loadConfig(
    {
      HORUX_ENV: 'test',
      CENTRAL_DATABASE_URL: url,
      HORUX_TENANT_KEY: `b1:${randomBytes(32).toString('base64')}`,
      JWT_KEYS: `b2:${randomBytes(32).toString('base64')}`,
      BILLING_ENCRYPTION_KEY: `b3:${randomBytes(32).toString('base64')}`,
      FIEL_ENCRYPTION_KEY: `f3:${randomBytes(32).toString('base64')}`,
      ...options.env,
    },
    'api',
  )
  const central = openCentral(config)
  const owner = await openAs(inDatabase(ownerUrl, 'postgres'))
  const admin = await openAs(cluster.adminUrl)
  const schema = schemaVersionOf(readMigrations(TENANT_MIGRATIONS))
  const { host, port } = cluster
  const serverId = await registerServerAs(ownerUrl, { name: 'local', host, port, tls: 'off', ownerCredential: 'none' })

  // One is filled, the rest are its copies.
  const model = 'horux_modelo'
  await owner.query(`create database ${model} template ${templateName(schema.hash)}`)
  const inside = await openAs(inDatabase(ownerUrl, model))
  await fillCfdis(inside, options.cfdisEach)
  const found = await inside.query<{ uuid: string }>('select uuid_fiscal::text as uuid from cfdis order by 1')
  await inside.end()

  const tenants: FleetTenant[] = []
  for (let n = 0; n < options.tenants; n++) {
    const values = { id: uuidv7(), rfc: `BEN${String(n).padStart(6, '0')}AB1`, nombre: `Empresa ${n}` }
    const { id, number } = await central
      .insertInto('tenants')
      .values(values)
      .returning(['id', 'number'])
      .executeTakeFirstOrThrow()
    const role = `hxt_${number}`
    const database = `horux_${values.rfc.toLowerCase()}`
    const password = tenantPassword(config.tenantKeys, id, 1)
    const access = { verifier: scramVerifier(password), connectionLimit: 18 }
    await server.createRole(owner, role, access, server.markOf(id))
    // Not cloneTemplate: with fsync off the checkpoints of file_copy are free, and 500 databases write no WAL.
    await owner.query(`create database ${database} template ${model} strategy file_copy allow_connections false`)
    await server.openDatabase(owner, database, role, server.markOf(id))
    const tenantUrl = new URL(inDatabase(ownerUrl, database))
    Object.assign(tenantUrl, { username: role, password })
    const own = await openAs(tenantUrl.href)
    await own.query('insert into _tenant (id, rfc) values ($1, $2)', [id, values.rfc])
    await own.end()
    const placement = { tenant_id: id, server_id: serverId, database_name: database, role_name: role }
    const version = { state: 'active', schema_version: schema.version, schema_hash: schema.hash } as const
    await central
      .insertInto('tenant_databases')
      .values({ ...placement, ...version })
      .execute()
    tenants.push({ id, url: tenantUrl.href })
  }
  await owner.end()
  return {
    config,
    central,
    cluster,
    admin,
    tenants,
    uuids: found.map(({ uuid }) => uuid),
    async stop() {
      await central.destroy()
      await admin.end()
      await cluster.stop()
    },
  }
}

export function inDatabase(url: string, database: string): string {
  const changed = new URL(url)
  changed.pathname = database
  return changed.href
}
