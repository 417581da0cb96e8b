import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Command } from 'commander'
import { type Config, loadConfig } from '../../src/config.ts'
import { parseDatabaseUrl, readCredential, type ServerAddress } from '../../src/db/address.ts'
import { openCentral } from '../../src/db/client.ts'
import { findFleetTenant, findServers, findTenantId } from '../../src/tenants/fleet/queries.ts'
import { EXIT } from '../exit-codes.ts'

export const command = new Command('psql')
  .description('abre psql en la base central, o en la de una empresa, como horux_owner')
  .argument('[empresa]', 'RFC, identificador o nombre de la base sin horux_')
  .action(async (empresa?: string) => {
    const config = loadConfig(process.env, 'cli')
    const target = empresa ? await findTenant(config, empresa) : centralDatabase(config)
    if (!target) {
      console.error(`No hay empresa ${empresa} con base de datos.`)
      process.exitCode = EXIT.failed
      return
    }
    process.exitCode = await openPrompt(target, readCredential(config.credentialsDir, target.credential))
  })

interface Target extends ServerAddress {
  database: string
  credential: string
}

function centralDatabase(config: Config): Target {
  const { host, port, tls, database } = parseDatabaseUrl(config.central.url)
  return { host, port, tls, database, credential: config.centralOwnerCredential }
}

async function findTenant(config: Config, handle: string): Promise<Target | undefined> {
  const central = openCentral(config)
  try {
    const id = await findTenantId(central, handle)
    const tenant = id ? await findFleetTenant(central, id) : undefined
    const servers = await findServers(central, { tenant: null, server: null })
    const server = servers.find((candidate) => candidate.id === tenant?.serverId)
    return server && tenant && { ...server, database: tenant.databaseName, credential: server.ownerCredential }
  } finally {
    await central.destroy()
  }
}

/** The password goes by the environment: a command line is everybody's to read. */
async function openPrompt(target: Target, { user, password }: { user: string; password: string }): Promise<number> {
  const { host, port, database, tls } = target
  console.error(`${database} en ${host}:${port}, como ${user}: puede cambiarlo todo`)
  const connection = { PGHOST: host, PGPORT: String(port), PGDATABASE: database, PGUSER: user, PGPASSWORD: password }
  const sslmode = tls === 'off' ? 'disable' : tls
  const child = spawn('psql', [], { stdio: 'inherit', env: { ...process.env, ...connection, PGSSLMODE: sslmode } })
  process.on('SIGINT', () => undefined) // psql's to answer
  try {
    const [code] = await once(child, 'exit')
    return code ?? EXIT.failed
  } catch {
    console.error('No hay psql en esta máquina: el PostgreSQL incluido no lo trae. Instala postgresql-client.')
    return EXIT.failed
  }
}
