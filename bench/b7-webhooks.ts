import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { uuidv7 } from 'uuidv7'
import { z } from 'zod'
import { sealSecret, sealToken } from '../src/billing/connectors/secrets.ts'
import { openAs } from '../src/db/client.ts'
import { startProduct } from '../test/support/product.ts'
import { compare, median, percentile, type Result } from './harness.ts'
import { startApi, withPort } from './support/api-load.ts'
import { type ServerChild, startServer } from './support/child.ts'
import { costInWords, cpuMeter, distance, postgresCpu, processCpu } from './support/cpu.ts'

const CONNECTIONS = 32
const SECONDS = 5
const BURST = 500
/** Both sides: what the product's central pool has. */
const POOL_MAX = 10
const SECRET = 'f3c1a9d47be25068bb19'
const ACCOUNT = '2000000001'

/**
 * Webhooks taken per second: signature, row of the delivery, mark on the resource and job in one commit, against a route
 * that does one INSERT; and how long the slowest of a burst of 500 waits.
 */
export async function run(): Promise<Result[]> {
  await using stack = new AsyncDisposableStack()
  const folder = mkdtempSync(path.join(tmpdir(), 'horux-bench-'))
  stack.defer(() => rmSync(folder, { recursive: true, force: true }))
  // Without a worker: what it does with the jobs would take the time of both sides.
  const product = await startProduct({ after: (end) => stack.defer(end) }, { worker: false })
  const owner = await openAs(product.centralOwnerUrl)
  stack.defer(() => owner.end())
  await owner.query(
    `create table bench_deliveries (id bigint generated always as identity primary key, request_id text not null unique,
       data_id text not null, headers jsonb not null, body jsonb not null, received_at timestamptz not null default now())`,
  )
  await addConnector(product)
  const api = await startApi(product.env, { logFile: path.join(folder, 'api.log') })
  stack.defer(() => api.stop())
  const bare = await startBare(product.centralOwnerUrl, folder)
  stack.defer(() => bare.stop())
  const ours = `${api.url}/api/webhooks/mercadopago`
  const peer = `${bare.url}/aviso`
  // Until the compiler of the engine is done with what runs often, as in a process that has run for a minute.
  for (const url of [ours, peer]) await deliveries(url, { SECONDS: '10' })

  const p99s = { ours: [] as number[], peer: [] as number[] }
  const cpu = await postgresCpu(owner)
  const meters = {
    ours: cpuMeter(cpu, () => processCpu(api.pid)),
    peer: cpuMeter(cpu, () => processCpu(bare.pid)),
  }
  const round = (url: string, side: keyof typeof p99s) => async () => {
    const { perSecond } = await meters[side].round(async () => {
      const { statuses, latencies, seconds } = await deliveries(url, { SECONDS: String(SECONDS) })
      assert.deepEqual(Object.keys(statuses), ['200'])
      return { perSecond: latencies.length / seconds, count: latencies.length }
    })
    const burst = await deliveries(url, { COUNT: String(BURST), CONNECTIONS: String(BURST) })
    assert.deepEqual(burst.statuses, { '200': BURST })
    p99s[side].push(percentile(burst.latencies, 0.99))
    return perSecond
  }
  const result = await compare({
    id: 'B7',
    title: `webhooks of MercadoPago accepted, ${CONNECTIONS} connections`,
    unit: 'deliveries/s',
    ratio: 'ours/peer',
    goal: { atLeast: 0.6 },
    rounds: 5,
    ours: { name: 'the product', round: round(ours, 'ours') },
    peer: { name: 'a route with one INSERT', round: round(peer, 'peer') },
    limit: (perSecond) => distance(perSecond, meters.ours.cost(), 'deliveries/s'),
    extra: () => ({
      [`p99 of a burst of ${BURST}, ms (goal ≤ 300)`]: `${median(p99s.ours).toFixed(0)} against ${median(p99s.peer).toFixed(0)}`,
      'CPU per delivery, ms': `${costInWords(meters.ours.cost())} against ${costInWords(meters.peer.cost())}`,
    }),
  })
  await nothingIsLost(owner)
  return [result]
}

/** Every answer 200 left its delivery, its mark and its job. */
async function nothingIsLost(owner: Awaited<ReturnType<typeof openAs>>): Promise<void> {
  const [counts] = await owner.query<{ deliveries: number; resources: number; jobs: number }>(
    `select (select count(*)::int from webhook_events) as deliveries, (select count(*)::int from mp_resources) as resources,
       (select count(*)::int from pgboss.job where name = 'billing.fetch') as jobs`,
  )
  assert.equal(counts?.deliveries, counts?.resources)
  assert.equal(counts?.deliveries, counts?.jobs)
}

async function addConnector({ deps }: Awaited<ReturnType<typeof startProduct>>): Promise<void> {
  const id = uuidv7()
  const { billingKeys } = deps.config
  await deps.central
    .insertInto('payment_connectors')
    .values({
      id,
      name: 'Banco de pruebas',
      kind: 'sandbox',
      access_token: sealToken(billingKeys, id, 'APP_USR-banco-de-pruebas'),
      webhook_secret: sealSecret(billingKeys, id, SECRET),
      own_account_id: ACCOUNT,
      active: true,
    })
    .execute()
}

function startBare(url: string, folder: string): Promise<ServerChild> {
  return withPort((port) =>
    startServer({
      file: 'bench/support/bare-insert.ts',
      env: { PORT: String(port), DATABASE_URL: url, POOL_MAX: String(POOL_MAX) },
      port,
      probe: '/lista',
      logFile: path.join(folder, 'bare.log'),
    }),
  )
}

async function deliveries(url: string, how: Record<string, string>) {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [path.join(import.meta.dirname, 'support', 'webhook-load.ts')],
    {
      maxBuffer: 64 * 1024 * 1024,
      env: { PATH: process.env['PATH'] ?? '', URL: url, SECRET, ACCOUNT, CONNECTIONS: String(CONNECTIONS), ...how },
    },
  )
  return Report.parse(JSON.parse(stdout))
}

const Report = z.object({
  seconds: z.number(),
  statuses: z.record(z.string(), z.number()),
  latencies: z.array(z.number()),
})
