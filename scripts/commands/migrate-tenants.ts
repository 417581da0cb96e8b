import { Command, InvalidArgumentError } from 'commander'
import { loadConfig } from '../../src/config.ts'
import { openCentral } from '../../src/db/client.ts'
import type { CentralDb } from '../../src/db/databases.ts'
import { AppError } from '../../src/errors.ts'
import { tenantNotFound } from '../../src/tenants/errors.ts'
import { fleetDeps } from '../../src/tenants/fleet/fleet-deps.ts'
import { findServers, findTenantId, type Scope } from '../../src/tenants/fleet/queries.ts'
import { dryRun } from '../migrate-tenants/dry-run.ts'
import { runFleet } from '../migrate-tenants/run.ts'
import { status } from '../migrate-tenants/status.ts'
import { createVoice } from '../migrate-tenants/voice.ts'

interface Options {
  tenant?: string
  server?: string
  concurrency: number
  maxFailures: number
  onlyFailed?: boolean
  dryRun?: boolean
  status?: boolean
  json?: boolean
}

export const command = new Command('migrate-tenants')
  .description('lleva la base de cada empresa al esquema actual; se reanuda donde quedó')
  .option('--tenant <rfc|id>', 'sólo esa empresa')
  .option('--server <nombre>', 'sólo las empresas de ese servidor')
  .option('--concurrency <n>', 'empresas a la vez por servidor', wholeFrom(1), 4)
  .option('--max-failures <n>', 'con más fallas que éstas ya no empieza otra', wholeFrom(0), 3)
  .option('--only-failed', 'sólo las que la última corrida no terminó')
  .option('--dry-run', 'dice qué haría, sin tocar nada')
  .option('--status', 'cómo va, o cómo quedó, la última corrida')
  .option('--json', 'un evento JSON por línea')
  .action(async (options: Options) => {
    const config = loadConfig(process.env, 'cli')
    const central = openCentral(config)
    const voice = createVoice(options.json ?? false)
    try {
      if (options.status) {
        process.exitCode = await status(central, voice)
        return
      }
      const deps = fleetDeps(config, central)
      const scope = await scopeOf(central, options)
      const { concurrency, maxFailures, onlyFailed = false } = options
      process.exitCode = options.dryRun
        ? await dryRun(config, deps, scope, voice)
        : await runFleet(config, deps, scope, { concurrency, maxFailures, onlyFailed }, voice)
    } finally {
      await central.destroy()
    }
  })

async function scopeOf(central: CentralDb, { tenant, server }: Options): Promise<Scope> {
  if (tenant === undefined && server === undefined) return { tenant: null, server: null }
  const scope: Scope = { tenant: null, server: server ?? null }
  if (tenant !== undefined) scope.tenant = (await findTenantId(central, tenant)) ?? fail(tenantNotFound())
  if (server !== undefined && (await findServers(central, scope)).length === 0)
    fail(new AppError('not_found', 'fleet.server_not_found', `No hay ningún servidor de bases de datos «${server}».`))
  return scope
}

function fail(error: AppError): never {
  throw error
}

function wholeFrom(least: number) {
  return (text: string) => {
    const n = Number(text)
    if (!/^\d+$/.test(text) || n < least || n > 1000) throw new InvalidArgumentError(`un entero de ${least} a 1000`)
    return n
  }
}
