import { Command } from 'commander'
import { isImpersonable, loadConfig } from '../../src/config.ts'
import { parseDatabaseUrl } from '../../src/db/address.ts'
import { EXIT } from '../exit-codes.ts'
import { addServer, holdsCentral } from '../servers/add-server.ts'

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

async function add({ name, adminUrl, dryRun }: AddOptions): Promise<void> {
  const config = loadConfig(process.env, 'cli')
  // Before the first byte: what the administrator's password is sent to must be the server, not somebody on the way.
  if (config.env === 'production' && isImpersonable(adminUrl)) {
    console.error('No se hizo nada: por red, --admin-url debe decir sslmode=verify-full.')
    process.exitCode = EXIT.refused
    return
  }
  if (dryRun) {
    const server = parseDatabaseUrl(adminUrl)
    const also = holdsCentral(server, config) ? ', con la base central,' : ''
    console.error(`Prepararía ${server.host}:${server.port}${also} y lo registraría como ${name}.`)
    return
  }
  const { id, notes } = await addServer({ name, adminUrl }, config)
  for (const note of notes) console.error(note)
  console.error(`Servidor ${name} listo y registrado (${id}). Siguen make migrate-tenants y horux doctor.`)
}
