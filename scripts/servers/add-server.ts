import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Config } from '../../src/config.ts'
import { type DatabaseUrl, parseDatabaseUrl, readCredential } from '../../src/db/address.ts'
import { bootstrapServer } from '../../src/db/bootstrap.ts'
import { migrateCentral, openCentralOwner } from '../../src/db/migrate-central.ts'
import { ensureQueues } from '../../src/queue/queue.ts'
import { registerServer } from '../../src/tenants/queries.ts'

export interface ServerToAdd {
  name: string
  /** Its administrator, best a superuser, in the maintenance database; used now and not kept. */
  adminUrl: string
}

export interface AddedServer {
  id: number
  /** What was made, and what the administrator may not do: for the operator. */
  notes: string[]
}

/**
 * Makes a PostgreSQL server ready and registers it last, so that nothing is ever placed on one that is not: the owner's
 * credential, roles, template base, and the central database when CENTRAL_DATABASE_URL points there. May be repeated,
 * and goes on where it was killed: the credential is on disk before the server learns it.
 */
export async function addServer({ name, adminUrl }: ServerToAdd, config: Config): Promise<AddedServer> {
  const server = parseDatabaseUrl(adminUrl)
  if (server.tls === 'require') throw new Error('sslmode=require no comprueba al servidor: usa verify-full')
  const central = parseDatabaseUrl(config.central.url)
  const credential = `${name}-owner`
  const { created, warnings } = await bootstrapServer(
    { url: adminUrl },
    {
      ownerPassword: ownerPassword(config.credentialsDir, credential),
      ...(holdsCentral(server, config) && { centralPassword: central.password, centralDatabase: central.database }),
    },
  )
  const notes = [...(created.length > 0 ? [`se crearon ${[...new Set(created)].join(', ')}`] : []), ...warnings]
  const asOwner = holdsCentral(server, config) ? { ...config, centralOwnerCredential: credential } : config
  if (holdsCentral(server, config)) {
    const applied = await migrateCentral(asOwner, ensureQueues)
    if (applied.state === 'migrated') notes.push(`base central migrada a ${applied.to.version}`)
  }
  const { host, port, tls } = server
  const owner = await openCentralOwner(asOwner)
  try {
    return { id: await registerServer(owner, { name, host, port, tls, ownerCredential: credential }), notes }
  } finally {
    await owner.end()
  }
}

/** Whether the central database is (to be) on that server. */
export function holdsCentral(server: DatabaseUrl, config: Pick<Config, 'central'>): boolean {
  const central = parseDatabaseUrl(config.central.url)
  return central.host === server.host && central.port === server.port
}

/** Kept from an earlier run, so that repeating the command never locks the worker out. */
function ownerPassword(directory: string, name: string): string {
  const file = path.join(directory, name)
  if (existsSync(file)) return readCredential(directory, name).password
  const password = randomBytes(24).toString('base64url')
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  writeFileSync(file, `horux_owner:${password}\n`, { mode: 0o600, flag: 'wx' })
  return password
}
