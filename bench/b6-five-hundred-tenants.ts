import { setTimeout as sleep } from 'node:timers/promises'
import pino from 'pino'
import postgres from 'postgres'
import type { OwnerConnection } from '../src/db/client.ts'
import type { TenantDb } from '../src/db/databases.ts'
import { tenantSchemaWindow } from '../src/db/schema-window.ts'
import { createTenantDatabases, type TenantDatabases } from '../src/db/tenant-databases.ts'
import { compare, median, percentile, type Result } from './harness.ts'
import { cores, postgresCpu } from './support/postgres-cpu.ts'
import { startTenantFleet, type TenantFleet } from './support/tenant-fleet.ts'

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
  const tenants = createTenantDatabases({
    config: fleet.config,
    central: fleet.central,
    log: pino({ level: 'silent' }),
    schema: tenantSchemaWindow(),
  })
  const watch = watchConnections(fleet.admin)
  const pgCpu = await postgresCpu(fleet.admin)
  try {
    const visitOurs = ours(tenants, fleet)
    const ids = fleet.tenants.map(({ id }) => id)
    const p95 = async (which: string[], ms: number) => percentile((await visits(visitOurs, which, ms)).tookMs, 0.95)
    const hot = ids.slice(0, HOT)
    // Opened and prepared before anything counts.
    await visits(visitOurs, hot, 2_000)
    const inside = await compare({
      id: 'B6',
      title: `${HOT} hot tenants inside a budget of ${BUDGET} connections against one tenant, p95 of a visit`,
      unit: 'ms',
      ratio: 'ours/peer',
      goal: { atMost: 3 },
      ours: { name: `${HOT} tenants`, round: () => p95(hot, ROUND_MS) },
      peer: { name: 'one tenant', round: () => p95(hot.slice(0, 1), ROUND_MS) },
      limit: limitOf(pgCpu),
    })
    return [inside, await inTurn(visitOurs)]
  } finally {
    await watch.stop()
    await tenants.close()
    await fleet.stop()
  }

  /** Every visit finds its tenant's pool closed: 500 tenants come by before it is its turn again. */
  async function inTurn(visitOurs: Visit): Promise<Result> {
    const errors: unknown[] = []
    const p95s: number[] = []
    const urls = new Map(fleet.tenants.map(({ id, url }) => [id, url]))
    const ids = [...urls.keys()]
    const round = async (visit: Visit, times?: number[]) => {
      const { tookMs, failed, seconds } = await visits(visit, ids, ROUND_MS)
      errors.push(...failed)
      times?.push(percentile(tookMs, 0.95))
      return tookMs.length / seconds
    }
    watch.forget()
    const before = tenants.stats()
    const result = await compare({
      id: 'B6-500',
      title: `${TENANTS} tenants in turn through a budget of ${BUDGET} connections, each visit opening its pool`,
      unit: 'visits/s',
      ratio: 'ours/peer',
      goal: {
        words: `≤ ${BUDGET} connections, 0 errors`,
        reached: () => watch.most() <= BUDGET && errors.length === 0,
      },
      ours: { name: 'TenantDatabases', round: () => watch.during(() => round(visitOurs, p95s)) },
      peer: { name: 'bare driver, opens, asks, closes', round: () => round(bare(urls, fleet), undefined) },
      limit: limitOf(pgCpu),
      extra: () => ({
        'p95 ms': Math.round(median(p95s)),
        'connections seen': watch.most(),
        errors: errors.length,
        'pools opened': tenants.stats().opens - before.opens,
      }),
    })
    if (!result.reached)
      throw new Error(`the budget did not hold: ${JSON.stringify(result.extra)}`, { cause: errors[0] })
    return result
  }
}

type Visit = (tenantId: string, n: number) => Promise<void>

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
function bare(urls: ReadonlyMap<string, string>, { uuids }: TenantFleet): Visit {
  const places = Array.from({ length: BUDGET / 3 }, () => Promise.resolve())
  return async (tenantId, n) => {
    const place = n % places.length
    const turn = places[place] as Promise<void>
    const mine = turn.then(() => visit(tenantId, n))
    places[place] = mine.catch(() => undefined)
    await mine
  }

  async function visit(tenantId: string, n: number) {
    const sql = postgres(urls.get(tenantId) ?? '', { max: 3, fetch_types: false })
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
  return { tookMs, failed, seconds: (performance.now() - began) / 1000 }
}

/** Counts the tenants' sessions as the server sees them, every few milliseconds, while something of ours runs. */
function watchConnections(admin: OwnerConnection) {
  let most = 0
  let watching = false
  let stopped = false
  const loop = (async () => {
    while (!stopped) {
      if (watching) {
        const [row] = await admin.query<{ n: number }>(SESSIONS)
        most = Math.max(most, row?.n ?? 0)
      }
      await sleep(5)
    }
  })()
  return {
    most: () => most,
    forget: () => {
      most = 0
    },
    async during<T>(work: () => Promise<T>): Promise<T> {
      watching = true
      try {
        return await work()
      } finally {
        watching = false
      }
    },
    stop() {
      stopped = true
      return loop
    },
  }
}

const SESSIONS = `select count(*)::int as n from pg_stat_activity where usename ~ '^hxt_'`

/** Who is busy while a comparison runs. Read when it begins and when it ends. */
function limitOf(pgCpu: () => number | undefined): () => string {
  const began = { at: performance.now(), pg: pgCpu(), node: process.cpuUsage() }
  return () => {
    const seconds = (performance.now() - began.at) / 1000
    const now = pgCpu()
    const pg = now === undefined || began.pg === undefined ? undefined : now - began.pg
    const { user, system } = process.cpuUsage(began.node)
    return `CPU: ${cores('PostgreSQL', pg, seconds)} and ${cores('Node', (user + system) / 1e6, seconds)} cores`
  }
}
