import pino from 'pino'
import postgres from 'postgres'
import type { TenantDb } from '../src/db/databases.ts'
import { tenantSchemaWindow } from '../src/db/schema-window.ts'
import { createTenantDatabases, type TenantDatabases } from '../src/db/tenant-databases.ts'
import { compare, median, percentile, type Result } from './harness.ts'
import { costInWords, cpuMeter, distance, postgresCpu } from './support/cpu.ts'
import { startTenantFleet, type TenantFleet } from './support/tenant-fleet.ts'
import { watchConnections } from './support/watch-connections.ts'

/**
 * Many tenants through one budget of connections. A visit is what a page asks for: three point selects at once, so that
 * every pool has all of its three sessions open and the budget is used to the last one.
 */
const TENANTS = 500
const HOT = 20
const BUDGET = 60
/** More callers than live pools: some always wait in line. */
const CALLERS = 32
const ROUND_MS = 4_000

export async function run(): Promise<Result[]> {
  const env = { TENANT_DB_BUDGET: String(BUDGET), TENANT_POOL_MAX: '3' }
  const fleet = await startTenantFleet({ tenants: TENANTS, cfdisEach: 1000, maxConnections: 250, env })
  const { config, central, admin } = fleet
  const log = pino({ level: 'silent' })
  const tenants = createTenantDatabases({ config, central, log, schema: tenantSchemaWindow() })
  try {
    const pgCpu = await postgresCpu(admin)
    return [await hotSet(tenants, fleet, pgCpu), await inTurn(tenants, fleet, pgCpu)]
  } finally {
    await tenants.close()
    await fleet.stop()
  }
}

/** What it costs to be one of many: the same callers, all at one tenant or spread over those that fit the budget. */
async function hotSet(tenants: TenantDatabases, fleet: TenantFleet, pgCpu: PgCpu): Promise<Result> {
  const hot = fleet.tenants.slice(0, HOT).map(({ id }) => id)
  const visit = ours(tenants, fleet)
  const meter = cpuMeter(pgCpu, ownCpu)
  const p95 = async (which: string[]) => percentile((await visits(visit, which, ROUND_MS)).tookMs, 0.95)
  // Opened and prepared before anything counts.
  await visits(visit, hot, 3_000)
  const rates: number[] = []
  const round = async () => {
    const { tookMs, seconds } = await meter.round(() => visits(visit, hot, ROUND_MS))
    rates.push(tookMs.length / seconds)
    return percentile(tookMs, 0.95)
  }
  return compare({
    id: 'B6',
    title: `${HOT} hot tenants inside a budget of ${BUDGET} connections against one tenant, p95 of a visit`,
    unit: 'ms',
    ratio: 'ours/peer',
    goal: { atMost: 3 },
    ours: { name: `${HOT} tenants`, round },
    peer: { name: 'one tenant', round: () => p95(hot.slice(0, 1)) },
    limit: () => distance(median(rates), meter.cost(), 'visits/s'),
    extra: () => ({ 'visits/s': Math.round(median(rates)), 'CPU per visit, ms': costInWords(meter.cost()) }),
  })
}

/** Every visit finds its tenant's pool closed: 500 tenants come by before it is its turn again. */
async function inTurn(tenants: TenantDatabases, fleet: TenantFleet, pgCpu: PgCpu): Promise<Result> {
  const ids = fleet.tenants.map(({ id }) => id)
  const watch = watchConnections(fleet.admin)
  const meter = cpuMeter(pgCpu, ownCpu)
  const errors: unknown[] = []
  const p95s: number[] = []
  const before = tenants.stats()
  const round = async (visit: Visit) => {
    const done = await visits(visit, ids, ROUND_MS)
    errors.push(...done.failed)
    return done
  }
  const result = await compare({
    id: 'B6-500',
    title: `${TENANTS} tenants in turn through a budget of ${BUDGET} connections, each visit opening its pool`,
    unit: 'visits/s',
    ratio: 'ours/peer',
    goal: { words: `≤ ${BUDGET} connections, 0 errors`, reached: () => watch.most() <= BUDGET && errors.length === 0 },
    ours: {
      name: 'TenantDatabases',
      async round() {
        const { tookMs, seconds } = await watch.during(() => meter.round(() => round(ours(tenants, fleet))))
        p95s.push(percentile(tookMs, 0.95))
        return tookMs.length / seconds
      },
    },
    peer: {
      name: 'bare driver: opens, asks, closes',
      async round() {
        const { tookMs, seconds } = await round(bare(fleet))
        return tookMs.length / seconds
      },
    },
    limit: (perSecond) => distance(perSecond, meter.cost(), 'visits/s'),
    extra: () => ({
      'p95, ms': Math.round(median(p95s)),
      'connections seen': watch.most(),
      errors: errors.length,
      'pools opened': tenants.stats().opens - before.opens,
      'CPU per visit, ms': costInWords(meter.cost()),
    }),
  })
  await watch.stop()
  if (!result.reached) throw new Error(`the budget did not hold: ${JSON.stringify(result.extra)}`, { cause: errors[0] })
  return result
}

type PgCpu = () => number | undefined
type Visit = (tenantId: string, n: number) => Promise<void>

function ownCpu(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

function ours(tenants: TenantDatabases, { uuids }: TenantFleet): Visit {
  const select = async (db: TenantDb, uuid: string) => {
    const row = await db
      .selectFrom('cfdis')
      .select(['uuid_fiscal', 'total'])
      .where('uuid_fiscal', '=', uuid)
      .executeTakeFirstOrThrow()
    if (row.uuid_fiscal !== uuid) throw new Error('another row came back')
  }
  return (tenantId, n) =>
    tenants.use(tenantId, async (db) => {
      await Promise.all(threeOf(uuids, n).map((uuid) => select(db, uuid)))
    })
}

/** What the server itself lets anybody do: no cache, no proof, no budget. Never more pools at once than ours has. */
function bare({ tenants, uuids }: TenantFleet): Visit {
  const urls = new Map(tenants.map(({ id, url }) => [id, url]))
  const places = Array.from({ length: BUDGET / 3 }, () => Promise.resolve())
  return async (tenantId, n) => {
    const place = n % places.length
    const mine = (places[place] as Promise<void>).then(() => visit(urls.get(tenantId) ?? '', n))
    places[place] = mine.catch(() => undefined)
    await mine
  }

  async function visit(url: string, n: number) {
    const sql = postgres(url, { max: 3, fetch_types: false })
    const select = (uuid: string) => sql`select uuid_fiscal, total from cfdis where uuid_fiscal = ${uuid}`
    try {
      await Promise.all(threeOf(uuids, n).map(select))
    } finally {
      await sql.end()
    }
  }
}

const threeOf = (uuids: readonly string[], n: number) =>
  [n, n + 1, n + 2].map((at) => uuids[(at * 7919) % uuids.length] as string)

interface Visits {
  tookMs: number[]
  failed: unknown[]
  seconds: number
  count: number
}

/** `CALLERS` at once walk over the tenants together, each taking the next one. */
async function visits(visit: Visit, tenants: readonly string[], forMs: number): Promise<Visits> {
  const began = performance.now()
  const tookMs: number[] = []
  const failed: unknown[] = []
  let next = 0
  const caller = async () => {
    while (performance.now() - began < forMs) {
      const n = next++
      const start = performance.now()
      await visit(tenants[n % tenants.length] as string, n).catch((error: unknown) => failed.push(error))
      tookMs.push(performance.now() - start)
    }
  }
  await Promise.all(Array.from({ length: CALLERS }, caller))
  return { tookMs, failed, seconds: (performance.now() - began) / 1000, count: tookMs.length }
}
