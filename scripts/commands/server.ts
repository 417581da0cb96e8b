import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { Command } from 'commander'
import { loadConfig } from '../../src/config.ts'
import { parseDatabaseUrl, readCredential } from '../../src/db/address.ts'
import { bootstrapServer } from '../../src/db/bootstrap.ts'
import { openCentral } from '../../src/db/client.ts'
import { migrateCentral } from '../../src/db/migrate-central.ts'
import { ensureQueues } from '../../src/queue/queue.ts'
import { registerServer } from '../../src/tenants/queries.ts'

export const command = new Command('server')
  .description('servidores de bases de datos')
  .addCommand(
    new Command('add')
      .description('prepara un servidor PostgreSQL (roles, plantilla; la base central si es el suyo) y lo registra')
      .requiredOption('--name <nombre>', 'cómo se llamará')
      .requiredOption('--admin-url <url>', 'postgres:// de su administrador, en su base de mantenimiento')
      .option('--dry-run', 'sólo dice qué haría', false)
      .action(add),
  )

interface AddOptions {
  name: string
  adminUrl: string
  dryRun: boolean
}

/** Prepares first and registers last, so that nothing is ever placed on a server that is not ready. May be repeated. */
async function add({ name, adminUrl, dryRun }: AddOptions): Promise<void> {
  const config = loadConfig(process.env, 'cli')
  const server = parseDatabaseUrl(adminUrl)
  if (server.tls === 'require') throw new Error('sslmode=require no comprueba al servidor: use verify-full')
  const central = parseDatabaseUrl(config.central.url)
  const isCentral = central.host === server.host && central.port === server.port
  if (dryRun) {
    console.error(
      `Prepararía ${server.host}:${server.port}${isCentral ? `, con la base ${central.database}` : ''} y lo registraría como ${name}.`,
    )
    return
  }
  const credential = `${name}-owner`
  const done = await bootstrapServer(
    { url: adminUrl },
    {
      ownerPassword: ownerPassword(config.credentialsDir, credential),
      ...(isCentral && { centralPassword: central.password, centralDatabase: central.database }),
    },
  )
  for (const warning of done.warnings) console.error(`aviso: ${warning}`)
  if (isCentral) await migrateCentral({ ...config, centralOwnerCredential: credential }, ensureQueues)
  await register(name, { host: server.host, port: server.port, tls: server.tls, ownerCredential: credential })
}

async function register(name: string, address: Omit<Parameters<typeof registerServer>[1], 'name'>): Promise<void> {
  const central = openCentral(loadConfig(process.env, 'cli'))
  try {
    const id = await registerServer(central, { name, ...address })
    console.error(`Servidor ${name} listo y registrado (${id}).`)
  } finally {
    await central.destroy()
  }
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
