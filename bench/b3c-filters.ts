import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Kysely } from 'kysely'
import { listCfdis } from '../src/cfdi/find/list-queries.ts'
import { CfdiConsulta } from '../src/cfdi/find/schemas.ts'
import { parseDatabaseUrl } from '../src/db/address.ts'
import { openAs } from '../src/db/client.ts'
import type { TenantSchema } from '../src/db/databases.ts'
import { poolDialect } from '../src/db/driver.ts'
import { createPool } from '../src/db/pool.ts'
import { findSite } from '../src/tenants/queries.ts'
import { fillManyCfdis, MANY } from '../test/support/many-cfdis.ts'
import { startProduct } from '../test/support/product.ts'
import { compare, median, type Result } from './harness.ts'
import { CONNECTIONS, POOL_MAX, type Requests, startApi, withPort } from './support/api-load.ts'
import { type ServerChild, startServer } from './support/child.ts'
import { requestsInShort } from './support/short-load.ts'
import { inDatabase } from './support/tenant-fleet.ts'

const ROWS = 50_000
const PAGE = 50
const ROUNDS = 3
const WARM_UP_SECONDS = 1.5

/** Each filter alone, with a value that fills a page where one can. The first is B3 itself, to hold the others against. */
const FILTERS = [
  '',
  'periodo=2024-05',
  'desde=2024-05-01&hasta=2024-07-31',
  'cuentaEn=2024-05',
  'tipo=I,P',
  'direccion=recibidos',
  `rfc=${MANY.cliente}`,
  'nombre=grupo comercial',
  'serie=f3',
  'folio=38',
  'uuid=bee0',
  'metodo=PPD',
  'forma=99',
  'uso=G03',
  'moneda=USD',
  'montoMin=9000',
  'montoMax=200',
  'estado=cancelado',
  'sinRep=true',
  'conAvisos=true',
  'aviso=cfdi.total_mismatch',
  'complemento=pagos20',
  `carga=${MANY.carga}`,
  'q=turbina',
  'q=servicio',
]

/**
 * B3 with each filter in turn: the product against a route that has nothing but the same statement. The figure of a
 * round is that of the filter whose ratio, over all rounds, is the worst.
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
  await fillManyCfdis(owner, ROWS)

  const api = await startApi(product.env, { logFile: path.join(folder, 'api.log') })
  stack.defer(() => api.stop())
  const bare = await startBare(tenantUrl, folder)
  stack.defer(() => bare.stop())
  const headers = { authorization: `Bearer ${tenant.token}` }
  const sides = FILTERS.map((query, n) => ({
    query,
    ours: { url: `${api.url}/api/cfdi?limite=${PAGE}&${encodeURI(query)}`, headers },
    peer: { url: `${bare.url}/lista/${n}`, headers: {} },
    perSecond: { ours: [] as number[], peer: [] as number[] },
  }))
  for (const { ours, peer, query } of sides) await sameRows(ours, peer, query)

  // Until the compiler of the engine is done with what both sides run often.
  for (const which of ['ours', 'peer'] as const)
    for (const side of sides.filter((_, n) => n % 4 === 0)) await perSecond(side[which], WARM_UP_SECONDS)
  for (let round = 0; round < ROUNDS; round++)
    for (const side of sides)
      for (const which of round % 2 === 0 ? (['ours', 'peer'] as const) : (['peer', 'ours'] as const))
        side.perSecond[which].push(await perSecond(side[which]))
  const ratios = sides.map(({ query, perSecond: { ours, peer } }) => ({
    query,
    ours,
    peer,
    ratio: median(ours) / median(peer),
  }))
  const [worst] = ratios.slice(1).toSorted((a, b) => a.ratio - b.ratio)
  assert.ok(worst)
  const replay = (figures: number[]) => ({ round: async () => figures.shift() as number })
  const result = await compare({
    id: 'B3C',
    title: `GET /api/cfdi with each of ${FILTERS.length - 1} filters alone, ${ROWS.toLocaleString('en')} rows: the worst, ${worst.query}`,
    unit: 'requests/s',
    ratio: 'ours/peer',
    goal: { atLeast: 0.7 },
    rounds: ROUNDS,
    ours: { name: 'the product', ...replay([...worst.ours]) },
    peer: { name: 'bare route', ...replay([...worst.peer]) },
    limit: 'CPU, which the load, both servers and PostgreSQL share',
    extra: () => Object.fromEntries(ratios.map(({ query, ratio }) => [query || 'no filter (B3)', ratio.toFixed(2)])),
  })
  return [result]
}

const perSecond = (side: Requests, seconds = 0.4) => requestsInShort({ ...side, connections: CONNECTIONS, seconds })

async function startBare(url: string, folder: string): Promise<ServerChild> {
  const statements = await statementsOf(url)
  return withPort((port) =>
    startServer({
      file: 'bench/support/bare-lists.ts',
      env: {
        PORT: String(port),
        DATABASE_URL: url,
        STATEMENTS: JSON.stringify(statements),
        POOL_MAX: String(POOL_MAX),
      },
      port,
      probe: '/lista/0',
      logFile: path.join(folder, 'bare.log'),
    }),
  )
}

/** The statements that the product sends, overheard: so the peer's can never be others. */
async function statementsOf(url: string): Promise<{ text: string; parameters: readonly unknown[] }[]> {
  const { password, ...address } = parseDatabaseUrl(url)
  const target = { ...address, passwords: [password], applicationName: 'bench', settings: {}, prepare: true }
  const heard: { text: string; parameters: readonly unknown[] }[] = []
  const db = new Kysely<TenantSchema>({
    dialect: poolDialect(createPool(target, { max: 1 }), 10_000),
    log: ({ query: { sql: text, parameters } }) => void heard.push({ text, parameters }),
  })
  for (const query of FILTERS) {
    const asked = CfdiConsulta.parse(Object.fromEntries(new URLSearchParams(query)))
    const { limite, cursor, orden, ...filter } = asked
    await listCfdis(db, filter, { orden, limit: PAGE })
  }
  await db.destroy()
  assert.equal(heard.length, FILTERS.length, 'a page is one statement')
  // As text of PostgreSQL: the peer's driver has to be told of arrays.
  const literal = (value: unknown) =>
    Array.isArray(value) ? `{${value.map((one) => JSON.stringify(one)).join(',')}}` : value
  return heard.map(({ text, parameters }) => ({ text, parameters: parameters.map(literal) }))
}

async function sameRows(ours: Requests, peer: Requests, query: string): Promise<void> {
  const [a, b] = await Promise.all([ours, peer].map(async ({ url, headers }) => (await fetch(url, { headers })).json()))
  const [mine, theirs] = [a, b] as { datos: unknown[] }[]
  assert.ok((mine?.datos.length ?? 0) > 0, `${query} finds nothing: ${JSON.stringify(a).slice(0, 200)}`)
  assert.deepEqual(mine?.datos, theirs?.datos, query)
}
