import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import pg from 'pg'
import { readColumns } from './db-types/introspect.ts'
import { renderTables } from './db-types/render.ts'
import { startPostgres } from './embedded-postgres.ts'
import { initialise, removeDataDir } from './supervisor/data-directory.ts'

/**
 * The text of `src/db/tables.ts` for the migrations as they are now, from two scratch databases of the server at
 * `adminUrl` (a superuser of a server that nobody else uses: roles are made in it).
 */
export async function generateTables(adminUrl: string): Promise<string> {
  const central = await readMigrated(adminUrl, 'horux_types_central', 'migrations')
  const tenant = await readMigrated(adminUrl, 'horux_types_tenant', 'tenant-migrations')
  return renderTables(central, tenant)
}

async function readMigrated(adminUrl: string, database: string, folder: string) {
  await withClient(adminUrl, async (admin) => {
    for (const role of ['horux_owner', 'horux_central', 'horux_tenant']) {
      await admin.query(`do $$ begin create role ${role}; exception when duplicate_object then null; end $$`)
    }
    await admin.query(`drop database if exists ${database} with (force)`)
    await admin.query(`create database ${database} template template0`)
  })
  const url = new URL(adminUrl)
  url.pathname = database
  return withClient(url.href, async (client) => {
    const directory = path.join(ROOT, folder)
    const files = readdirSync(directory).filter((file) => file.endsWith('.sql'))
    for (const file of files.sort()) await client.query(readFileSync(path.join(directory, file), 'utf8'))
    return readColumns(async (text) => (await client.query(text)).rows)
  })
}

async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

const ROOT = path.join(import.meta.dirname, '..')

if (import.meta.main) {
  const home = mkdtempSync(path.join(tmpdir(), 'horux-db-types-'))
  const dataDir = path.join(home, 'data')
  try {
    await initialise(dataDir, 'scratch', ['--no-sync'])
    const server = await startPostgres({
      dataDir,
      port: 54400,
      settings: { fsync: 'off' },
      logFile: path.join(home, 'log'),
    })
    try {
      const text = await generateTables(`postgres://postgres:scratch@127.0.0.1:${server.port}/postgres`)
      writeFileSync(path.join(ROOT, 'src', 'db', 'tables.ts'), text)
    } finally {
      await server.stop()
    }
  } finally {
    removeDataDir(dataDir)
    rmSync(home, { recursive: true, force: true })
  }
}
