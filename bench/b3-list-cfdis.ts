import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Kysely } from 'kysely'
import { listCfdis } from '../src/cfdi/find/list-queries.ts'
import { parseDatabaseUrl } from '../src/db/address.ts'
import { openAs } from '../src/db/client.ts'
import type { TenantSchema } from '../src/db/databases.ts'
import { poolDialect } from '../src/db/driver.ts'
import { createPool } from '../src/db/pool.ts'
import { findSite } from '../src/tenants/queries.ts'
import { startProduct } from '../test/support/product.ts'
import { compare, type Result } from './harness.ts'
import { CONNECTIONS, measured, POOL_MAX, type Requests, startApi, withPort } from './support/api-load.ts'
import { fillCfdis } from './support/cfdi-rows.ts'
import { type ServerChild, startServer } from './support/child.ts'
import { costInWords, distance, postgresCpu } from './support/cpu.ts'
import { inDatabase } from './support/tenant-fleet.ts'

const ROWS = 100_000
const PAGE = 50

/**
 * A page of CFDI through everything the product puts in front of it (session, rights, limits, validation, headers, log,
 * the tenant's lease) against a route that has nothing but the statement.
 */
export async function run(): Promise<Result[]> {
  await using stack = new AsyncDisposableStack()
  const folder = mkdtempSync(path.join(tmpdir(), 'horux-bench-'))
  stack.defer(() => rmSync(folder, { recursive: true, force: true }))
  const product = await startProduct({ after: (end) => stack.defer(end) })
  const tenant = await product.createTenant()
  const site = await findSite(product.deps.central, tenant.id)
  const tenantUrl = inDatabase(product.adminUrl, site?.databaseName ?? '')
  const owner = await openAs(tenantUrl)
  stack.defer(() => owner.end())
  await fillCfdis(owner, ROWS)

  const api = await startApi(product.env, { logFile: path.join(folder, 'api.log') })
  stack.defer(() => api.stop())
  const bare = await startBare(tenantUrl, folder)
  stack.defer(() => bare.stop())
  const ours = { url: `${api.url}/api/cfdi?limite=${PAGE}`, headers: { authorization: `Bearer ${tenant.token}` } }
  const peer = { url: `${bare.url}/lista`, headers: {} }
  await sameRows(ours, peer)

  const pgCpu = await postgresCpu(owner)
  const apiSide = measured(ours, api.pid, pgCpu)
  const bareSide = measured(peer, bare.pid, pgCpu)
  for (const side of [apiSide, bareSide]) await side.warmUp()
  const result = await compare({
    id: 'B3',
    title: `GET /api/cfdi, ${PAGE} of ${ROWS.toLocaleString('en')} rows, ${CONNECTIONS} connections`,
    unit: 'requests/s',
    ratio: 'ours/peer',
    goal: { atLeast: 0.7 },
    rounds: 5,
    ours: { name: 'the product', round: apiSide.round },
    peer: { name: 'bare route', round: bareSide.round },
    limit: (perSecond) => distance(perSecond, apiSide.cost(), 'requests/s'),
    extra: () => ({ 'CPU per request, ms': `${costInWords(apiSide.cost())} against ${costInWords(bareSide.cost())}` }),
  })
  return [result]
}

async function startBare(url: string, folder: string): Promise<ServerChild> {
  const { text, parameters } = await statementOfPage(url)
  return withPort((port) =>
    startServer({
      file: 'bench/support/bare-list.ts',
      env: {
        PORT: String(port),
        DATABASE_URL: url,
        STATEMENT: text,
        PARAMETERS: JSON.stringify(parameters),
        POOL_MAX: String(POOL_MAX),
      },
      port,
      probe: '/lista',
      logFile: path.join(folder, 'bare.log'),
    }),
  )
}

/** The statement that the product sends, overheard: so the peer's can never be another one. */
async function statementOfPage(url: string): Promise<{ text: string; parameters: readonly unknown[] }> {
  const { password, ...address } = parseDatabaseUrl(url)
  const target = { ...address, passwords: [password], applicationName: 'bench', settings: {}, prepare: true }
  const heard: { text: string; parameters: readonly unknown[] }[] = []
  const db = new Kysely<TenantSchema>({
    dialect: poolDialect(createPool(target, { max: 1 }), 10_000),
    log: ({ query: { sql: text, parameters } }) => void heard.push({ text, parameters }),
  })
  await listCfdis(db, {}, { limit: PAGE })
  await db.destroy()
  assert.equal(heard.length, 1, 'a page is one statement')
  return heard[0] as (typeof heard)[0]
}

async function sameRows(ours: Requests, peer: Requests): Promise<void> {
  const [a, b] = await Promise.all([ours, peer].map(async ({ url, headers }) => (await fetch(url, { headers })).json()))
  const [mine, theirs] = [a, b] as { datos: unknown[] }[]
  assert.equal(mine?.datos.length, PAGE)
  assert.deepEqual(mine?.datos, theirs?.datos)
}
