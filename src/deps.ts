import type { Logger } from 'pino'
import { createGateways, type Gateways } from './billing/connectors/gateways.ts'
import { createEntitlementCache, type EntitlementCache } from './billing/entitlements/entitlement-cache.ts'
import type { Clock } from './clock.ts'
import type { Config } from './config.ts'
import { type Changes, openChanges } from './db/changes.ts'
import { openCentral } from './db/client.ts'
import type { CentralDb } from './db/databases.ts'
import { checkConnectionBudget, type Instance, registerInstance } from './db/instances.ts'
import { tenantSchemaWindow } from './db/schema-window.ts'
import { createTenantDatabases, type TenantDatabases } from './db/tenant-databases.ts'
import { createTestClock, type TestClock } from './db/test-clock.ts'
import { type Authorities, loadAuthorities } from './fiel/authorities.ts'
import { openQueue, type Queue } from './queue/queue.ts'
import { createSatDescarga, type SatDescarga } from './sat/descarga/client.ts'
import { ASK_NOW_DEADLINE_MS } from './sat/estado/ask-now.ts'
import { createEstadoSat, type EstadoSat } from './sat/estado/client.ts'

/** What the product's processes share. Every slice asks for the part it uses. */
export interface Deps {
  config: Config
  clock: Clock
  /** The same clock, where it can be moved: whoever begins something reads it anew first. Undefined in production. */
  testClock: TestClock | undefined
  log: Logger
  central: CentralDb
  changes: Changes
  tenants: TenantDatabases
  queue: Queue
  /** MercadoPago, through each of our accounts. */
  gateways: Gateways
  /** What companies may do. */
  entitlements: EntitlementCache
  /** Who may issue e.firmas; null believes their names. */
  fielAuthorities: Authorities | null
  /** SAT's service that says the state of a CFDI. */
  estadoSat: EstadoSat
  /** SAT's mass download of CFDI, with a company's e.firma. */
  satDescarga: SatDescarga
  /** What versions of the tenant schema this build understands. */
  tenantSchema: { min: number; current: number }
  /** Ends everything in the reverse order. What runs in a tenant's database is waited for. */
  close(): Promise<void>
}

/**
 * Opens everything and connects to nothing: a process starts while its databases are down, and is not ready until then.
 * With `config.testClock`, `clock` is what the movable one is counted from.
 */
export function createDeps(config: Config, { log, clock: real }: { log: Logger; clock: Clock }): Deps {
  const central = openCentral(config)
  const testClock = config.testClock ? createTestClock(central, { real, past: config.env === 'test' }) : undefined
  const changes = openChanges(config, { onError: (err) => log.warn({ err }, 'changes: the line is down') })
  const queue = openQueue(central, log)
  const tenantSchema = tenantSchemaWindow()
  // Somebody is waiting at the door of a company that the migrator has not reached yet: it goes first.
  const onUpgradeNeeded = (tenantId: string) => {
    central
      .transaction()
      .execute((trx) => queue.enqueue(trx, 'tenant.migrate', { tenantId }, { priority: 10 }))
      .catch((err: unknown) => log.warn({ err, tenant_id: tenantId }, 'could not ask for the migration of a tenant'))
  }
  const tenants = createTenantDatabases({ config, central, changes, log, schema: tenantSchema, onUpgradeNeeded })
  const clock = testClock ?? real
  // A handler ends after 15 s with whatever it has; a job has time to ask again.
  const patience = config.processRole === 'api' ? { retries: 0, deadlineMs: 12_000 } : {}
  const gateways = createGateways({ central, keys: config.billingKeys, log, env: config.env, clock, patience })
  const entitlements = createEntitlementCache({ central, clock, changes, log })
  const estadoSat = createEstadoSat({
    url: config.satEstadoUrl,
    log,
    clock,
    ...(config.processRole === 'api' && { deadlineMs: ASK_NOW_DEADLINE_MS }),
  })
  const { satDescargaUrl: satUrl, fielCaPath } = config
  // Who takes uploads had better not begin without: each would be refused, or taken by its name.
  const takesUploads = config.processRole === 'api'
  const fielAuthorities = takesUploads && fielCaPath !== null ? loadAuthorities(fielCaPath) : null
  return {
    config,
    clock,
    testClock,
    log,
    central,
    changes,
    tenants,
    queue,
    gateways,
    entitlements,
    fielAuthorities,
    estadoSat,
    // A simulator, which production has not, need not be spared.
    satDescarga: createSatDescarga({ url: satUrl, log, clock, ...(satUrl !== null && { paceMs: 0 }) }),
    tenantSchema,
    async close() {
      entitlements.close()
      await tenants.close()
      await queue.stop()
      await changes.close()
      await central.destroy()
    },
  }
}

/**
 * Tells the other processes that this one lives, and the operator when all of them together may ask the server for more
 * connections than it has.
 */
export async function announce(
  { central, config, tenantSchema, log }: Deps,
  role: 'api' | 'worker',
): Promise<Instance> {
  const { version, tenantPool } = config
  const instance = await registerInstance(
    central,
    { role, version, budget: tenantPool.budget, schema: tenantSchema },
    log,
  )
  const budget = await checkConnectionBudget(central).catch(() => undefined) // the database is down: others say so
  if (budget && !budget.fits) log.warn(budget, 'the budgets of all processes exceed max_connections: see horux doctor')
  return instance
}
