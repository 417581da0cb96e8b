import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { after, before, type TestContext, test } from 'node:test'
import { sql } from 'kysely'
import { startPostgres } from '../../scripts/embedded-postgres.ts'
import { type CheapTenant, type CheapTenants, cheapTenants } from '../../test/support/cheap-tenants.ts'
import { type PreparedCluster, startPreparedCluster, type TestCentral } from '../../test/support/prepared-cluster.ts'
import { startTcpProxy, type TcpProxy } from '../../test/support/tcp-proxy.ts'
import { until } from '../../test/support/until.ts'
import { AppError } from '../errors.ts'
import { openCentral } from './client.ts'
import type { CentralDb, TenantDb } from './databases.ts'
import { createTenantDatabases, type TenantDatabases } from './tenant-databases.ts'

// The limits of the API as they are in production: what is measured here is how long a person waits for an answer.

const MAX_CONNECTIONS = 40
let cluster: PreparedCluster
let made: TestCentral
let central: CentralDb
let cheap: CheapTenants
let direct: number

before(async () => {
  cluster = await startPreparedCluster({ maxConnections: MAX_CONNECTIONS })
  made = await cluster.createCentral()
  central = openCentral({ central: { url: made.url, poolMax: 5 }, processRole: 'api', statementTimeoutMs: 5000 })
  cheap = cheapTenants(cluster.adminUrl, central, made)
  direct = await cheap.addServer(cluster.port)
})
after(() => central.destroy())

function openTenants(t: TestContext, centralDb = central): TenantDatabases {
  const tenants = createTenantDatabases({
    config: {
      tenantKeys: cheap.keys,
      tenantPool: { max: 3, budget: 30, idleMs: 300_000 },
      statementTimeoutMs: 5000,
      processRole: 'api',
    },
    central: centralDb,
    log: { error() {}, warn() {} },
    schema: { min: 1, current: 1 },
  })
  t.after(() => tenants.close(100))
  return tenants
}

async function behindProxy(t: TestContext): Promise<{ tenant: CheapTenant; proxy: TcpProxy }> {
  const proxy = await startTcpProxy(cluster)
  t.after(() => proxy.close())
  const [tenant] = await cheap.add(await cheap.addServer(proxy.port))
  return { tenant: tenant as CheapTenant, proxy }
}

const canary = async (db: TenantDb) =>
  (await sql<{ quien: string }>`select quien from canario`.execute(db)).rows[0]?.quien

/** What came of it and how long it took: every refusal must be one that says when to come back. */
async function timed(work: Promise<unknown>): Promise<{ code: string; ms: number }> {
  const started = performance.now()
  const outcome = await work.then(
    () => 'ok',
    (error: unknown) => {
      assert.ok(
        error instanceof AppError && error.kind === 'unavailable' && (error.retryAfterS ?? 0) > 0,
        String(error),
      )
      return error.code
    },
  )
  return { code: outcome, ms: performance.now() - started }
}

test('one tenant in a black hole answers 503 within 8 s, the others notice nothing, and it heals', async (t) => {
  const tenants = openTenants(t)
  const { tenant: lost, proxy } = await behindProxy(t)
  const [fine] = (await cheap.add(direct)) as [CheapTenant]
  for (const { id } of [lost, fine]) assert.equal(await tenants.use(id, canary), id)

  proxy.setSilent(true)
  // More than there are sessions: those in line must not wait for each other's deadline.
  const inTheHole = Array.from({ length: 8 }, () => timed(tenants.use(lost.id, canary)))
  let slowest = 0
  const others = (async () => {
    for (let n = 0; n < 300; n++) {
      const { code, ms } = await timed(tenants.use(fine.id, canary))
      assert.equal(code, 'ok')
      slowest = Math.max(slowest, ms)
    }
  })()
  for (const { code, ms } of await Promise.all(inTheHole)) {
    assert.notEqual(code, 'ok')
    assert.ok(ms < 8_000, `${ms} ms`)
  }
  await others
  // The shortest of the deadlines that they could have met with are the two seconds in line.
  assert.ok(slowest < 1_900, `another tenant waited ${slowest} ms`)
  // The silent sessions are known by now: the next one fails where it connects.
  const next = await timed(tenants.use(lost.id, canary))
  assert.ok(next.code === 'database.unavailable' && next.ms < 5_000, `${next.code} ${next.ms}`)

  proxy.setSilent(false)
  assert.equal(await tenants.use(lost.id, canary), lost.id)
})

test('a server that refuses or resets connections answers 503 at once and is used again when it is back', async (t) => {
  const tenants = openTenants(t)
  const { tenant, proxy } = await behindProxy(t)
  assert.equal(await tenants.use(tenant.id, canary), tenant.id)
  // A reset of idle sessions costs nobody an error.
  proxy.resetAll()
  await until(() => tenants.stats().connections === 0)
  assert.equal(await tenants.use(tenant.id, canary), tenant.id)

  await proxy.refuse()
  for (let n = 0; n < 3; n++) {
    const { code, ms } = await timed(tenants.use(tenant.id, canary))
    // Not after a deadline, of which the shortest is two seconds.
    assert.ok(code === 'database.unavailable' && ms < 1_900, `${code} ${ms}`)
  }
  await proxy.listen()
  assert.equal(await tenants.use(tenant.id, canary), tenant.id)
})

test('slow is not broken: 200 ms of latency delays and refuses nothing', async (t) => {
  const tenants = openTenants(t)
  const { tenant, proxy } = await behindProxy(t)
  proxy.setLatency(100)
  const all = await Promise.all(Array.from({ length: 6 }, () => timed(tenants.use(tenant.id, canary))))
  assert.deepEqual(new Set(all.map(({ code }) => code)), new Set(['ok']))
})

test('a statement under way when the connection breaks arrives once or not at all, never twice', async (t) => {
  const tenants = openTenants(t)
  const { tenant, proxy } = await behindProxy(t)
  let arrived = 0
  let cutAt: 'before' | 'after' | undefined
  proxy.onClientData = (data, client) => {
    if (!data.includes('insert into escritos') || cutAt === undefined) return
    arrived++
    // `before` cuts what the server has not read yet; `after` lets it through and cuts the answer.
    if (cutAt === 'before') client.resetAndDestroy()
    else setImmediate(() => proxy.resetAll())
    cutAt = undefined
  }
  for (const [n, cut] of (['before', 'after', 'before', 'after'] as const).entries()) {
    assert.equal(await tenants.use(tenant.id, canary), tenant.id)
    cutAt = cut
    arrived = 0
    let begun = 0
    const { code } = await timed(
      tenants.use(tenant.id, async (db) => {
        begun++
        await sql`insert into escritos values (${sql.lit(n)})`.execute(db)
      }),
    )
    assert.equal(code, 'database.unavailable')
    assert.deepEqual([begun, arrived], [1, 1])
  }
})

test('a server without a free connection answers 503, and again when there is one', async (t) => {
  const tenants = openTenants(t)
  const [tenant] = (await cheap.add(direct)) as [CheapTenant]
  // As the tenant's own role cannot take the superuser's reserved ones, filling what is left needs no superuser.
  const hoarded: { end(): Promise<void> }[] = []
  const release = async () => void (await Promise.all(hoarded.splice(0).map((session) => session.end())))
  t.after(release)
  await sql`select 1`.execute(central)
  for (let full = false; !full; ) {
    try {
      hoarded.push(await cheap.admin())
    } catch {
      full = true
    }
  }
  const { code, ms } = await timed(tenants.use(tenant.id, canary))
  assert.ok(code === 'database.unavailable' && ms < 5_000, `${code} ${ms}`)
  await release()
  await until(async () => (await timed(tenants.use(tenant.id, canary))).code === 'ok')
})

test('PostgreSQL is killed and started again: 503 within 5 s each meanwhile, then everything works', async (t) => {
  const tenants = openTenants(t)
  const [tenant] = (await cheap.add(direct)) as [CheapTenant]
  assert.equal(await tenants.use(tenant.id, canary), tenant.id)
  // The test cluster commits asynchronously: without this the kill would take what was just made with it.
  const admin = await cheap.admin()
  await admin.query('checkpoint')
  await admin.end()
  const dataDir = path.join(path.dirname(cluster.logFile), 'data')
  const [postmaster] = readFileSync(path.join(dataDir, 'postmaster.pid'), 'utf8').split('\n')
  const visits: { code: string; ms: number }[] = []
  let over = false
  const visitor = async () => {
    while (!over) visits.push(await timed(tenants.use(tenant.id, canary)))
  }
  const visiting = [visitor(), visitor(), visitor()]
  t.after(() => {
    over = true
  })
  process.kill(Number(postmaster), 'SIGKILL')
  await until(() => visits.some(({ code }) => code === 'database.unavailable'))
  const settings = { max_connections: MAX_CONNECTIONS, fsync: 'off' }
  await startPostgres({ dataDir, port: cluster.port, settings, logFile: cluster.logFile })
  await until(() => visits.at(-1)?.code === 'ok')
  over = true
  await Promise.all(visiting)
  for (const { code, ms } of visits) assert.ok(ms < 5_000, `${code} after ${ms} ms`)
  assert.deepEqual(new Set(visits.map(({ code }) => code)), new Set(['ok', 'database.unavailable']))
})
