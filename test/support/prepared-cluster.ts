import { createHash, randomBytes } from 'node:crypto'
import { globSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { bootstrapServer } from '../../src/db/bootstrap.ts'
import { openAs } from '../../src/db/client.ts'
import { CENTRAL_MIGRATIONS, migrateDatabase, readMigrations, TENANT_MIGRATIONS } from '../../src/db/migrate.ts'
import { ensureTemplate } from '../../src/db/templates.ts'
import { type Cluster, type ClusterOptions, startCluster } from './cluster.ts'

/**
 * A private server on which the product has been installed: roles, the tenants' template, and a migrated central
 * database to clone.
 *
 *   const cluster = await startPreparedCluster()
 *   const central = await cluster.createCentral()      // about 0.1 s; central.url is horux_central's
 */
export interface PreparedCluster extends Cluster {
  /** Line of the credential file of this server. */
  ownerCredential: string
  /** A central database of its own, migrated and empty. Its tenants get numbers, and so role names, of their own. */
  createCentral(): Promise<TestCentral>
}

export interface TestCentral {
  name: string
  /** As horux_central: what the API and the worker use. */
  url: string
  /** As horux_owner, for `openAs`. */
  ownerUrl: string
}

export async function startPreparedCluster(options: Omit<ClusterOptions, 'prepare'> = {}): Promise<PreparedCluster> {
  const cluster = await startCluster({ ...options, prepare: { key: installationKey(), run: install } })
  let made = 0
  const createCentral = () => cloneCentral(cluster.adminUrl, ++made)
  // Not a spread of values only: `stop` and the rest are the cluster's own.
  return { ...cluster, ownerCredential: `horux_owner:${OWNER_PASSWORD}`, createCentral }
}

const OWNER_PASSWORD = 'prueba-duenio'
const CENTRAL_PASSWORD = 'prueba-central'
const CENTRAL_TEMPLATE = 'horux_central_tpl'
const PASSWORDS = { ownerPassword: OWNER_PASSWORD, centralPassword: CENTRAL_PASSWORD }

/** Of the files whose text decides what `install` leaves behind. */
function installationKey(): string {
  const root = path.join(import.meta.dirname, '..', '..')
  const code = [
    'apply-file',
    'bootstrap',
    'hidden-catalogs',
    'ledger',
    'migrate',
    'migrations',
    'statements',
    'templates',
  ]
  const patterns = ['migrations/*.sql', 'tenant-migrations/*.sql', `src/db/{${code.join(',')}}.ts`]
  const files = globSync([...patterns, 'test/support/prepared-cluster.ts'], { cwd: root }).sort()
  const hash = createHash('sha256')
  for (const file of files)
    hash
      .update(`${file}\0`)
      .update(readFileSync(path.join(root, file)))
      .update('\0')
  return hash.digest('hex')
}

async function install(adminUrl: string): Promise<void> {
  await bootstrapServer({ url: adminUrl }, { ...PASSWORDS, centralDatabase: CENTRAL_TEMPLATE })
  const asOwner = (database: string) => openAs(ownerUrl(adminUrl, database))
  await migrateDatabase(() => asOwner(CENTRAL_TEMPLATE), readMigrations(CENTRAL_MIGRATIONS))
  await ensureTemplate(asOwner, readMigrations(TENANT_MIGRATIONS), { maintenanceDb: 'postgres' })
}

async function cloneCentral(adminUrl: string, nth: number): Promise<TestCentral> {
  const name = `central_${nth}_${randomBytes(3).toString('hex')}`
  const admin = await openAs(adminUrl)
  try {
    await admin.query(`create database ${name} template ${CENTRAL_TEMPLATE} owner horux_owner strategy file_copy`)
    await admin.query(`revoke all on database ${name} from public; grant connect on database ${name} to horux_central`)
  } finally {
    await admin.end()
  }
  const owner = await openAs(ownerUrl(adminUrl, name))
  try {
    // Role names are of the whole server: the tenants of two central databases must not both begin with hxt_1.
    await owner.query(`alter table tenants alter column number restart with ${nth * 100_000}`)
  } finally {
    await owner.end()
  }
  return { name, url: urlAs(adminUrl, 'horux_central', CENTRAL_PASSWORD, name), ownerUrl: ownerUrl(adminUrl, name) }
}

const ownerUrl = (adminUrl: string, database: string) => urlAs(adminUrl, 'horux_owner', OWNER_PASSWORD, database)

function urlAs(adminUrl: string, user: string, password: string, database: string): string {
  const { host } = new URL(adminUrl)
  return `postgres://${user}:${password}@${host}/${database}`
}
