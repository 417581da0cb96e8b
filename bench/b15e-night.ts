import assert from 'node:assert/strict'
import { openAs } from '../src/db/client.ts'
import { planRun } from '../src/sat/sync/plan-run.ts'
import { sweep } from '../src/sat/sync/sweep.ts'
import { manyCompanies, NIGHT } from '../test/support/many-companies.ts'
import { startProduct } from '../test/support/product.ts'
import { compare, median, type Result } from './harness.ts'
import { costInWords, cpuMeter, postgresCpu } from './support/cpu.ts'

const COMPANIES = 500
const GOAL_MS = 5_000

/**
 * The night of five hundred companies, up to the last request written down: all runs ordered, then each planned in a
 * transaction of its own, one after the other, as if a single worker took all turns. Against the bare INSERT of the very
 * rows that come out, a company a commit, which is the least that planning them apart can cost.
 */
export async function run(): Promise<Result[]> {
  await using stack = new AsyncDisposableStack()
  const product = await startProduct({ after: (end) => stack.defer(end) }, { worker: false })
  await manyCompanies(product.centralOwnerUrl, COMPANIES)
  const companies = await product.deps.central.selectFrom('tenants').select(['id', 'rfc']).execute()
  const [owner, admin] = [await openAs(product.centralOwnerUrl), await openAs(product.adminUrl)]
  stack.defer(() => owner.end())
  stack.defer(() => admin.end())
  const meter = cpuMeter(
    await postgresCpu(admin),
    () => process.cpuUsage().user / 1e6 + process.cpuUsage().system / 1e6,
  )
  let statements = 0
  const central = product.deps.central.withPlugin({
    transformQuery({ node }) {
      statements++
      return node
    },
    transformResult: async ({ result }) => result,
  })
  const clock = { now: () => NIGHT }

  const ordering: number[] = []
  const planning = async () => {
    ordering.push(await timed(() => sweep({ ...product.deps, central, clock })))
    for (const company of companies) assert.equal(await planRun({ central, clock }, company), REQUESTS)
    return { count: COMPANIES }
  }
  const totals: number[] = []
  return [
    await compare({
      id: 'B15E',
      title: `the night of ${COMPANIES} companies ordered and its requests written, against the bare INSERT of these`,
      unit: 'ms',
      ratio: 'ours/peer',
      goal: { words: `≤ ${GOAL_MS / 1_000} s`, reached: () => median(totals) <= GOAL_MS },
      ours: {
        name: 'ordered and planned',
        async round() {
          for (const text of BEFORE_THE_NIGHT) await owner.query(text)
          statements = 0
          const ms = await timed(() => meter.round(planning))
          await owner.query(KEEP)
          totals.push(ms)
          return ms
        },
      },
      peer: {
        name: 'INSERT',
        async round() {
          await owner.query(FORGET)
          return timed(async () => {
            for (const { id } of companies)
              await owner.query('insert into sat_solicitudes select * from planeadas where tenant_id = $1', [id])
          })
        },
      },
      limit: () =>
        `round trips: ${(statements / COMPANIES).toFixed(1)} statements for each company and its commit, one after the other`,
      extra: () => ({
        'of it ordering, ms': Math.round(median(ordering)),
        'CPU for each company, ms': costInWords(meter.cost()),
      }),
    }),
  ]
}

/** Of an ordinary night: yesterday's documents of both sides, and the lists of two open months of both. */
const REQUESTS = 6

const FORGET = `delete from sat_solicitudes where job_id in (select id from sat_sync_jobs where kind <> 'inicial')`
const KEEP = `create table if not exists planeadas as
  select s.* from sat_solicitudes s join sat_sync_jobs j on j.id = s.job_id where j.kind <> 'inicial'`
const BEFORE_THE_NIGHT = [
  FORGET,
  `delete from pgboss.job where name = 'sat.sync'`,
  `update sat_sync_jobs set por_planear = true, estado = 'pendiente' where kind <> 'inicial'`,
  `update sat_sync_settings set next_run_at = '${NIGHT.toISOString()}'::timestamptz - interval '1 hour'`,
]

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await work()
  return performance.now() - started
}
