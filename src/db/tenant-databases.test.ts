import assert from 'node:assert/strict'
import { after, before, type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { sql } from 'kysely'
import { type CheapTenant, type CheapTenants, cheapTenants } from '../../test/support/cheap-tenants.ts'
import { startPreparedCluster } from '../../test/support/prepared-cluster.ts'
import { until } from '../../test/support/until.ts'
import { AppError } from '../errors.ts'
import { openChanges } from './changes.ts'
import { openCentral } from './client.ts'
import type { CentralDb, TenantDb, TenantSql } from './databases.ts'
import { createTenantDatabases, type TenantDatabases, type TenantDatabasesDeps } from './tenant-databases.ts'

let central: CentralDb
let cheap: CheapTenants
let serverId: number
let centralUrl: string

before(async () => {
  const cluster = await startPreparedCluster({ maxConnections: 100 })
  const made = await cluster.createCentral()
  centralUrl = made.url
  central = openCentral({ central: { url: centralUrl, poolMax: 5 }, processRole: 'api', statementTimeoutMs: 5000 })
  cheap = cheapTenants(cluster.adminUrl, central, made)
  serverId = await cheap.addServer(cluster.port)
})
after(() => central.destroy())

type Options = Partial<Omit<TenantDatabasesDeps, 'config'>> & { budget?: number; max?: number; idleMs?: number }

function openTenants(t: TestContext, options: Options = {}): TenantDatabases {
  const { budget = 30, max = 3, idleMs = 300_000, ...deps } = options
  const config = {
    tenantKeys: cheap.keys,
    tenantPool: { max, budget, idleMs },
    statementTimeoutMs: 5000,
    processRole: 'api' as const,
  }
  const tenants = createTenantDatabases({ config, central, log: silent, schema: { min: 1, current: 1 }, ...deps })
  t.after(() => tenants.close(1_000))
  return tenants
}

const silent = { error() {}, warn() {} }
const one = async (): Promise<CheapTenant> => (await cheap.add(serverId))[0] as CheapTenant
const canary = async (db: TenantDb) =>
  (await sql<{ quien: string }>`select quien from canario`.execute(db)).rows[0]?.quien
const whoami = async (db: TenantDb) => (await sql<{ r: string }>`select current_user as r`.execute(db)).rows[0]?.r
const withCode = (code: string) => (error: unknown) => error instanceof AppError && error.code === code

test('300 tenants and a budget of 20: never more connections than that, and every use succeeds', async (t) => {
  const many = await cheap.add(serverId, 300)
  const tenants = openTenants(t, { budget: 20, max: 2, timing: { waitMs: 60_000 } })
  const admin = await cheap.admin()
  t.after(() => admin.end())
  let peak = 0
  let over = false
  const watch = (async () => {
    while (!over) {
      const [row] = await admin.query<{ n: number }>(
        `select count(*)::int as n from pg_stat_activity where usename like 'hxt_%'`,
      )
      peak = Math.max(peak, row?.n ?? 0)
    }
  })()
  const runs = 600
  let next = 0
  const worker = async () => {
    while (next < runs) {
      const tenant = many[(next++ * 7919) % many.length] as CheapTenant
      assert.equal(await tenants.use(tenant.id, whoami), tenant.role)
    }
  }
  await Promise.all(Array.from({ length: 16 }, worker))
  over = true
  await watch
  assert.ok(peak <= 20, `${peak} connections`)
  assert.ok(peak >= 8, `only ${peak} connections were ever seen`)
  const { live, evictions, youngEvictions, leased } = tenants.stats()
  assert.ok(live <= 10)
  assert.ok(evictions > 400 && youngEvictions === evictions)
  assert.equal(leased, 0)
})

test('opening is done once for all who ask at the same time, and each reads its own database', async (t) => {
  const tenants = openTenants(t)
  const [a, b] = [await one(), await one()]
  const seen = await Promise.all([a, b, a, b, a].map(({ id }) => tenants.use(id, canary)))
  assert.deepEqual(seen, [a.id, b.id, a.id, b.id, a.id])
  assert.equal(tenants.stats().opens, 2)
})

test('a pool in use is never evicted: who finds no place waits for one, and not for ever', async (t) => {
  const tenants = openTenants(t, { budget: 3, max: 3, timing: { waitMs: 3_000 } })
  const [held, first, second] = [await one(), await one(), await one()]
  const gate = Promise.withResolvers<void>()
  const holding = tenants.use(held.id, async (db) => {
    await gate.promise
    return canary(db)
  })
  await until(() => tenants.stats().leased === 1)
  await assert.rejects(tenants.use(first.id, canary), withCode('tenant.pool_busy'))

  const waiting = [first, second].map(({ id }) => tenants.use(id, canary))
  await until(() => tenants.stats().waiting === 2)
  gate.resolve()
  assert.equal(await holding, held.id)
  assert.deepEqual(await Promise.all(waiting), [first.id, second.id])
})

test('a late comer does not overtake those who wait', async (t) => {
  const tenants = openTenants(t, { budget: 3, max: 3, timing: { waitMs: 60_000 } })
  const all = [await one(), await one(), await one(), await one()]
  const order: number[] = []
  const gate = Promise.withResolvers<void>()
  const uses: Promise<void>[] = []
  for (const [index, { id }] of all.entries()) {
    const work = async () => {
      if (index === 0) await gate.promise
      order.push(index)
    }
    uses.push(tenants.use(id, work))
    await until(() => tenants.stats().live === 1 && tenants.stats().waiting === index)
  }
  gate.resolve()
  await Promise.all(uses)
  assert.deepEqual(order, [0, 1, 2, 3])
})

test('20 tenants interleaved at random through evictions: each reads and counts only in its own database', async (t) => {
  const crowd = await Promise.all(Array.from({ length: 20 }, one))
  const expected = new Map(crowd.map(({ id }) => [id, 0]))
  const visits = fc.array(fc.record({ who: fc.nat(19), inTransaction: fc.boolean() }), {
    minLength: 300,
    maxLength: 300,
  })
  const property = fc.asyncProperty(visits, async (plan) => {
    const tenants = openTenants(t, { budget: 12, max: 2, timing: { waitMs: 60_000 } })
    const visitor = async () => {
      for (let visit = plan.pop(); visit; visit = plan.pop()) {
        const { id } = crowd[visit.who] as CheapTenant
        const work = visit.inTransaction
          ? (db: TenantDb) => db.transaction().execute((trx) => increment(trx))
          : (db: TenantDb) => increment(db)
        assert.equal(await tenants.use(id, work), id)
        expected.set(id, (expected.get(id) ?? 0) + 1)
      }
    }
    await Promise.all(Array.from({ length: 10 }, visitor))
    for (const [id, n] of expected) assert.deepEqual(await tenants.use(id, counter), { quien: id, n })
    assert.ok(tenants.stats().evictions > 50)
    assert.equal(tenants.stats().mismatches, 0)
    await tenants.close()
  })
  await fc.assert(property, { numRuns: 2, endOnFailure: true })
})

test('every state but active has its answer, and a repaired one is open again', async (t) => {
  const tenants = openTenants(t)
  const { id } = await one()
  const answers = {
    provisioning: ['unavailable', 'tenant.provisioning'],
    moving: ['unavailable', 'tenant.moving'],
    suspended: ['forbidden', 'tenant.suspended'],
    deleted: ['gone', 'tenant.deleted'],
    purging: ['gone', 'tenant.deleted'],
    purged: ['gone', 'tenant.deleted'],
    failed: ['not_found', 'tenant.unknown'],
  } as const
  for (const [state, [kind, code]] of Object.entries(answers)) {
    await cheap.place(id, { state: state as keyof typeof answers })
    const error = await tenants.use(id, canary).catch((thrown) => thrown)
    assert.deepEqual([error.kind, error.code], [kind, code])
    assert.equal(error.retryAfterS !== undefined, kind === 'unavailable')
  }
  await assert.rejects(tenants.use('018f0000-0000-7000-8000-000000000000', canary), withCode('tenant.unknown'))
  await cheap.place(id, { state: 'active' })
  assert.equal(await tenants.use(id, canary), id)
  assert.equal(tenants.stats().live, 1)
})

test('a schema below the window asks for an upgrade; one above is used unless a contract of it is unknown here', async (t) => {
  const asked: string[] = []
  const schema = { min: 3, current: 5 }
  const tenants = openTenants(t, { schema, onUpgradeNeeded: (id) => void asked.push(id) })
  const { id, database } = await one()
  await assert.rejects(tenants.use(id, canary), withCode('tenant.upgrading'))
  assert.deepEqual(asked, [id])

  const admin = await cheap.admin(database)
  t.after(() => admin.end())
  await admin.query(
    `create table schema_migrations (version int, phase text); grant select on schema_migrations to public`,
  )
  await admin.query(`insert into schema_migrations values (4, 'contract'), (6, 'expand')`)
  await cheap.place(id, { schema_version: 6 })
  assert.equal(await tenants.use(id, canary), id)

  await admin.query(`insert into schema_migrations values (7, 'contract')`)
  await cheap.place(id, { schema_version: 7 })
  tenants.forget(id)
  await assert.rejects(tenants.use(id, canary), withCode('tenant.app_too_old'))
})

test('a wire that leads to the database of another tenant is refused before it reads anything', async (t) => {
  const alarms: unknown[] = []
  const tenants = openTenants(t, { log: { ...silent, error: (fields: unknown) => void alarms.push(fields) } })
  const [mine, other] = [await one(), await one()]
  const admin = await cheap.admin()
  t.after(() => admin.end())
  await admin.query(`grant connect on database ${other.database} to ${mine.role}`)
  await cheap.place(other.id, { state: 'failed' })
  await cheap.place(mine.id, { database_name: other.database })
  let ran = false
  const work = async () => {
    ran = true
  }
  const error = await tenants.use(mine.id, work).catch((thrown) => thrown)
  assert.equal(error.code, 'tenant.wrong_database')
  assert.equal(ran, false)
  assert.equal(tenants.stats().mismatches, 1)
  assert.equal((alarms[0] as { alarm: string }).alarm, 'tenant.wrong_database')
})

test('a change of placement reaches every process by notice; the old pool serves its leases to their end', async (t) => {
  const changes = openChanges({ central: { url: centralUrl, poolMax: 1 }, processRole: 'api' })
  t.after(() => changes.close())
  await until(() => changes.connected)
  const tenants = openTenants(t, { changes })
  const { id } = await one()
  const gate = Promise.withResolvers<void>()
  const running = tenants.use(id, async (db) => {
    assert.equal(await canary(db), id)
    await gate.promise
    return canary(db)
  })
  await until(() => tenants.stats().opens === 1)
  await cheap.place(id, { state: 'suspended' })
  await until(async () => (await tenants.use(id, canary).catch((error) => error)).code === 'tenant.suspended')
  gate.resolve()
  assert.equal(await running, id)
  await until(() => tenants.stats().live === 0)
})

test('a notice that got lost is made up for by the comparison in batches', async (t) => {
  const tenants = openTenants(t, { timing: { revalidateMs: 50 } })
  const { id } = await one()
  assert.equal(await tenants.use(id, canary), id)
  await cheap.place(id, { state: 'suspended' }, 'untold')
  await until(async () => (await tenants.use(id, canary).catch((error) => error)).code === 'tenant.suspended')
})

test('nobody is told and the tenant moves: not one write lands in the old database after the fence, and use heals', async (t) => {
  // Two caches, as in two processes, that hear of nothing. The move happens under their writes.
  const caches = [openTenants(t), openTenants(t)]
  const tenant = await one()
  const admin = await cheap.admin()
  t.after(() => admin.end())
  const moved = `${tenant.database}_nueva`
  let next = 0
  let over = false
  const accepted = new Set<number>()
  const unknown = new Set<number>()
  const write = async (cache: TenantDatabases) => {
    while (!over) {
      const n = ++next
      try {
        await cache.use(tenant.id, (db) => sql`insert into escritos values (${n})`.execute(db))
        accepted.add(n)
      } catch (error) {
        assert.ok(error instanceof AppError && error.kind === 'unavailable', String(error))
        unknown.add(n)
      }
    }
  }
  const writers = caches.flatMap((cache) => [write(cache), write(cache)])
  await until(() => accepted.size > 100)

  await admin.query(`alter database ${tenant.database} allow_connections false`)
  const terminate = `select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = '${tenant.database}'`
  await admin.query(terminate)
  const frozen = `${tenant.database}_vieja`
  await admin.query(`alter database ${tenant.database} rename to ${frozen}`)
  await admin.query(`create database ${moved} template ${frozen} owner horux_owner`)
  await admin.query(`revoke all on database ${moved} from public; grant connect on database ${moved} to ${tenant.role}`)
  await admin.query(`alter database ${frozen} allow_connections true`)
  const old = await cheap.admin(frozen)
  t.after(() => old.end())
  const atFence = await old.query<{ n: number }>('select n from escritos')
  // From here on the role could even enter the old database again: only the placement and its name keep it out.
  await cheap.place(tenant.id, { database_name: moved }, 'untold')
  const before = accepted.size
  await until(() => accepted.size > before + 100)
  over = true
  await Promise.all(writers)

  assert.deepEqual(await old.query('select n from escritos'), atFence)
  const fresh = await cheap.admin(moved)
  t.after(() => fresh.end())
  const kept = new Set((await fresh.query<{ n: number }>('select n from escritos')).map(({ n }) => n))
  for (const n of accepted) assert.ok(kept.has(n), `${n} was accepted and is not there`)
  // Nothing was sent twice: a number would have collided with itself and come back as 23505.
  for (const n of kept) assert.ok(accepted.has(n) || unknown.has(n))
  for (const cache of caches) assert.ok(cache.stats().retries > 0)
})

test('what was sent is not sent again, what was not is begun anew', async (t) => {
  const tenants = openTenants(t)
  const tenant = await one()
  const admin = await cheap.admin()
  t.after(() => admin.end())
  const expel = () =>
    admin.query(`select pg_terminate_backend(pid, 5000) from pg_stat_activity where usename = '${tenant.role}'`)
  let begun = 0
  const error = await tenants
    .use(tenant.id, async (db) => {
      begun++
      await sql`update canario set n = n + 1`.execute(db)
      const asleep = async () => (await admin.query(SLEEPING, [tenant.role])).length === 1
      await Promise.all([sql`select pg_sleep(5)`.execute(db), until(asleep).then(expel)])
    })
    .catch((thrown) => thrown)
  assert.equal(error.code, 'database.unavailable')
  assert.ok(error.retryAfterS > 0)
  assert.equal(begun, 1)

  assert.equal((await tenants.use(tenant.id, counter)).n, 1)
  await expel()
  begun = 0
  await admin.query(`alter database ${tenant.database} rename to ${tenant.database}_b`)
  await cheap.place(tenant.id, { database_name: `${tenant.database}_b` }, 'untold')
  const { n } = await tenants.use(tenant.id, async (db) => {
    begun++
    return counter(db)
  })
  assert.equal(n, 1)
  assert.equal(begun, 2)
})

test('a role whose password was made with an older key is let in; after the rotation with the new one', async (t) => {
  const { id } = await one()
  const old = cheap.keys
  const key = Buffer.from('otra llave, nueva, que solo sirve para probar')
  const ring = {
    active: { kid: 'nueva', key },
    kids: ['nueva', ...old.kids],
    get: (kid: string) => (kid === 'nueva' ? key : old.get(kid)),
  }
  const tenants = createTenantDatabases({
    config: {
      tenantKeys: ring,
      tenantPool: { max: 3, budget: 9, idleMs: 60_000 },
      statementTimeoutMs: 5000,
      processRole: 'worker',
    },
    central,
    log: silent,
    schema: { min: 1, current: 1 },
  })
  t.after(() => tenants.close())
  assert.equal(await tenants.use(id, canary), id)
  assert.deepEqual(await Promise.all([1, 2, 3].map(() => tenants.use(id, canary))), [id, id, id])
})

test('a database kept beyond its lease refuses', async (t) => {
  const tenants = openTenants(t)
  const { id } = await one()
  const kept = await tenants.use(id, async (db) => db)
  assert.equal(kept.tenantId, id)
  await assert.rejects(canary(kept), /after its lease had ended/)
})

test('pools that nobody used for a while go, and closing waits for what runs', async (t) => {
  const tenants = openTenants(t, { idleMs: 30, timing: { cleanupMs: 20 } })
  const { id } = await one()
  assert.equal(await tenants.use(id, canary), id)
  await until(() => tenants.stats().live === 0)
  const running = tenants.use(id, (db) => sql`select pg_sleep(0.2)`.execute(db))
  await until(() => tenants.stats().leased === 1)
  await tenants.close()
  assert.equal((await running).rows.length, 1)
  await assert.rejects(tenants.use(id, canary), withCode('database.unavailable'))
  assert.deepEqual([tenants.stats().live, tenants.stats().connections], [0, 0])
})

const SLEEPING = `select 1 from pg_stat_activity where usename = $1 and query = 'select pg_sleep(5)' and state = 'active'`

async function increment(db: TenantSql): Promise<string | undefined> {
  const { rows } = await sql<{ quien: string }>`update canario set n = n + 1 returning quien`.execute(db)
  return rows[0]?.quien
}

async function counter(db: TenantDb): Promise<{ quien: string; n: number }> {
  const { rows } = await sql<{ quien: string; n: number }>`select quien, n from canario`.execute(db)
  return rows[0] as { quien: string; n: number }
}
