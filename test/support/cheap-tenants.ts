import { uuidv7 } from 'uuidv7'
import { type KeyRing, parseKeyRing } from '../../src/config.ts'
import { type OwnerConnection, openAs } from '../../src/db/client.ts'
import type { CentralDb } from '../../src/db/databases.ts'
import { scramVerifier } from '../../src/db/scram.ts'
import type { CentralTenantDatabases } from '../../src/db/tables.ts'
import { tenantPassword } from '../../src/db/tenant-credentials.ts'
import type { TestCentral } from './prepared-cluster.ts'
import { registerServerAs } from './register-server.ts'

/**
 * Tenants for tests of connections: made without the saga, with databases that hold little more than whose they are.
 * Several can share one database and are told apart by their roles, so that three hundred cost three hundred roles.
 */
export interface CheapTenants {
  keys: KeyRing
  /** A row of `database_servers`. Several may be the same server, one behind a proxy. */
  addServer(port: number): Promise<number>
  /** `sharing` tenants in one new database. */
  add(serverId: number, sharing?: number): Promise<CheapTenant[]>
  /** A session of the superuser, on `database` or on `postgres`. */
  admin(database?: string): Promise<OwnerConnection>
  /** What an operation does to a placement. `untold`: no process hears of it. */
  place(tenantId: string, change: PlacementChange, told?: 'told' | 'untold'): Promise<void>
}

export interface CheapTenant {
  id: string
  database: string
  role: string
}

export interface PlacementChange {
  database_name?: string
  server_id?: number
  state?: CentralTenantDatabases['state']
  schema_version?: number
  credential_generation?: number
}

export function cheapTenants(adminUrl: string, central: CentralDb, { ownerUrl }: TestCentral): CheapTenants {
  const keys = parseKeyRing(
    'HORUX_TENANT_KEY',
    `prueba:${Buffer.from('una llave que solo sirve para probar').toString('base64')}`,
  )
  return {
    keys,
    async addServer(port) {
      const name = `prueba-${uuidv7()}`
      return registerServerAs(ownerUrl, { name, host: '127.0.0.1', port, tls: 'off', ownerCredential: 'local' })
    },

    async add(serverId, sharing = 1) {
      // The product never puts two tenants into one database, and the schema forbids it.
      if (sharing > 1) await as(ownerUrl, (owner) => owner.query('drop index if exists tenant_databases_name'))
      const rows = await insertTenants(central, sharing)
      const database = `horux_barata_${rows[0]?.number}`
      const tenants = rows.map(({ id, number }) => ({ id, database, role: `hxt_${number}` }))
      await makeDatabase(adminUrl, keys, database, tenants)
      const common = { server_id: serverId, database_name: database, state: 'active' as const, schema_version: 1 }
      const placements = tenants.map(({ id, role }) => ({ ...common, tenant_id: id, role_name: role }))
      await central.insertInto('tenant_databases').values(placements).execute()
      return tenants
    },

    admin: (database = 'postgres') => openAs(withDatabase(adminUrl, database)),

    async place(tenantId, change, told = 'told') {
      const columns = Object.keys(change).map((column, index) => `${column} = $${index + 2}`)
      const text = `update tenant_databases set ${columns.join(', ')}`
      const values = [tenantId, ...Object.values(change)]
      await as(ownerUrl, async (owner) => {
        if (told === 'told') return owner.query(`${text} where tenant_id = $1`, values)
        // Without triggers, as if the notice were lost: the generation grows all the same.
        await owner.query('set session_replication_role = replica')
        return owner.query(`${text}, generation = generation + 1 where tenant_id = $1`, values)
      })
    },
  }
}

async function insertTenants(central: CentralDb, count: number) {
  const rfc = () => `XYZ${String(++made).padStart(9, '0')}`
  const values = Array.from({ length: count }, () => ({ id: uuidv7(), rfc: rfc(), nombre: 'De prueba' }))
  return central.insertInto('tenants').values(values).returning(['id', 'number']).execute()
}

/** Not by chance: of 350 among a thousand million two are the same in one run of sixteen thousand. */
let made = 0

/** `_tenant` shows each role its own row. `canario` says whose database it is and counts what was written to it. */
async function makeDatabase(adminUrl: string, keys: KeyRing, database: string, tenants: readonly CheapTenant[]) {
  await as(adminUrl, async (admin) => {
    await admin.query(`create database ${database} template horux_tpl_base owner horux_owner`)
    await admin.query(`revoke all on database ${database} from public`)
    for (const { id, role } of tenants) {
      const verifier = scramVerifier(tenantPassword(keys, id, 1))
      await admin.query(`create role ${role} login in role horux_tenant password '${verifier}'`)
      await admin.query(`grant connect on database ${database} to ${role}`)
    }
  })
  const residents = tenants.map(({ id, role }) => `('${role}', '${id}')`)
  await as(withDatabase(adminUrl, database), (admin) =>
    admin.query(`
      create table residents (role name primary key, id uuid not null);
      insert into residents values ${residents.join(', ')};
      create view _tenant as select id from residents where role = current_user;
      create table canario (quien uuid not null, n int not null default 0);
      insert into canario (quien) values ('${tenants[0]?.id}');
      create table escritos (n int primary key);
      grant select on _tenant to horux_tenant;
      grant select, insert, update on canario, escritos to horux_tenant`),
  )
}

async function as<T>(url: string, work: (owner: OwnerConnection) => Promise<T>): Promise<T> {
  const owner = await openAs(url)
  try {
    return await work(owner)
  } finally {
    await owner.end()
  }
}

function withDatabase(url: string, database: string): string {
  const changed = new URL(url)
  changed.pathname = database
  return changed.href
}
