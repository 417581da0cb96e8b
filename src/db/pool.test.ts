import assert from 'node:assert/strict'
import { after, before, type TestContext, test } from 'node:test'
import { sql } from 'kysely'
import { type Cluster, startCluster } from '../../test/support/cluster.ts'
import { startTcpProxy } from '../../test/support/tcp-proxy.ts'
import { until } from '../../test/support/until.ts'
import { AppError } from '../errors.ts'
import { parseDatabaseUrl } from './address.ts'
import { type OwnerConnection, openAs } from './client.ts'
import { openKysely, poolSource } from './driver.ts'
import { isUniqueViolation, sqlState } from './failures.ts'
import { createPool, type Pool, type PoolOptions } from './pool.ts'

let cluster: Cluster
let admin: OwnerConnection

before(async () => {
  cluster = await startCluster()
  admin = await openAs(cluster.adminUrl)
  await admin.query('create table apuntes (n int constraint apuntes_unicos primary key)')
})
after(() => admin.end())

function open(t: TestContext, options: Partial<PoolOptions> & { port?: number; deadlineMs?: number } = {}) {
  const { port, deadlineMs = 5_000, ...rest } = options
  const { password, ...address } = parseDatabaseUrl(cluster.adminUrl)
  const where = { ...address, port: port ?? address.port, passwords: [password], tls: 'off' as const }
  const pool = createPool({ ...where, applicationName: nameOf(t), settings: {}, prepare: true }, { max: 2, ...rest })
  const db = openKysely<{ apuntes: { n: number } }>(poolSource(pool, deadlineMs))
  t.after(() => pool.close(0))
  return { pool, db }
}

// PostgreSQL cuts names after 63 bytes.
const nameOf = (t: TestContext) => t.name.slice(0, 40)
const withCode = (code: string) => (error: unknown) => error instanceof AppError && error.code === code
const sessions = async (t: TestContext) =>
  (await admin.query('select pid from pg_stat_activity where application_name = $1', [nameOf(t)])).length
const hold = (pool: Pool) => Promise.all([pool.acquire(), pool.acquire()])

test('a cold pool answers its first query and its first transaction', async (t) => {
  const { db } = open(t)
  assert.deepEqual((await sql`select 1 as x`.execute(db)).rows, [{ x: 1 }])
  const cold = open(t).db
  const rows = await cold.transaction().execute((trx) => sql`select 2 as x`.execute(trx))
  assert.deepEqual(rows.rows, [{ x: 2 }])
})

test('sessions that the server ended cost nobody an error', async (t) => {
  const { db, pool } = open(t)
  for (let round = 0; round < 3; round++) {
    await Promise.all([sql`select 1`.execute(db), sql`select 1`.execute(db)])
    await admin.query('select pg_terminate_backend(pid, 1000) from pg_stat_activity where application_name = $1', [
      nameOf(t),
    ])
    await until(() => pool.stats().open === 0)
  }
  assert.deepEqual((await sql`select 1 as x`.execute(db)).rows, [{ x: 1 }])
})

test('nobody waits behind a slow statement while another session is free', async (t) => {
  const { db, pool } = open(t, { deadlineMs: 90_000 })
  let slept = false
  const slow = sql`select pg_sleep(60)`.execute(db).finally(() => {
    slept = true
  })
  const brokenOff = assert.rejects(slow, withCode('database.unavailable'))
  for (let n = 0; n < 20; n++) await sql`select 1`.execute(db)
  assert.equal(slept, false)
  await pool.close(0)
  await brokenOff
})

test('the queue is served in order, has an end, and nobody stands in it for ever', async (t) => {
  const { pool } = open(t, { maxQueue: 3, acquireTimeoutMs: 100 })
  const [a, b] = await hold(pool)
  const order: number[] = []
  const inLine = [1, 2].map(async (n) => {
    const session = await pool.acquire()
    order.push(n)
    pool.release(session)
  })
  const tooLong = assert.rejects(open(t, { acquireTimeoutMs: 50, max: 0 }).pool.acquire(), withCode('database.busy'))
  const third = pool.acquire().then((session) => pool.release(session))
  assert.deepEqual(pool.stats(), { open: 2, running: 2, waiting: 3 })
  await assert.rejects(pool.acquire(), withCode('database.busy'))
  pool.release(a)
  pool.release(b)
  await Promise.all([...inLine, third, tooLong])
  assert.deepEqual(order, [1, 2])

  const again = await hold(pool)
  const error = await pool.acquire().catch((thrown) => thrown)
  assert.deepEqual([error.code, error.kind, error.retryAfterS], ['database.busy', 'unavailable', 1])
  for (const session of again) pool.release(session)
})

test('a silent session takes its idle sisters with it, and the next query gets a fresh one', async (t) => {
  const proxy = await startTcpProxy(cluster)
  t.after(() => proxy.close())
  const { db, pool } = open(t, { port: proxy.port, deadlineMs: 2_000, connectTimeoutMs: 20_000 })
  await Promise.all([sql`select 1`.execute(db), sql`select 1`.execute(db)])
  proxy.setSilent(true)
  const error = await sql`select 1`.execute(db).catch((thrown) => thrown)
  assert.equal(error.code, 'database.unavailable')
  assert.equal(pool.stats().open, 0)
  proxy.setSilent(false)
  assert.deepEqual((await sql`select 1 as x`.execute(db)).rows, [{ x: 1 }])
})

test('idle sessions go after a while, and old ones are replaced', async (t) => {
  const { pool } = open(t, { idleTimeoutMs: 30 })
  const both = await hold(pool)
  assert.equal(await sessions(t), 2)
  for (const session of both) pool.release(session)
  await until(async () => pool.stats().open === 0 && (await sessions(t)) === 0)

  const aging = open(t, { maxLifetimeMs: 1 })
  const pid = async () => (await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(aging.db)).rows[0]?.pid
  const first = await pid()
  await until(async () => (await pid()) !== first)
})

test('a transaction keeps all or nothing, in and out of savepoints, and says when nothing was kept', async (t) => {
  const { db } = open(t)
  const count = async () => (await db.selectFrom('apuntes').select('n').execute()).length
  await assert.rejects(
    db.transaction().execute(async (trx) => {
      await trx.insertInto('apuntes').values({ n: 1 }).execute()
      throw new Error('changed my mind')
    }),
    /changed my mind/,
  )
  assert.equal(await count(), 0)

  const outer = await db.startTransaction().setIsolationLevel('repeatable read').execute()
  await outer.insertInto('apuntes').values({ n: 1 }).execute()
  const inner = await outer.savepoint('la "mitad"').execute()
  const twice = await inner
    .insertInto('apuntes')
    .values({ n: 1 })
    .execute()
    .catch((thrown) => thrown)
  assert.ok(isUniqueViolation(twice, 'apuntes_unicos') && !isUniqueViolation(twice, 'otros'))
  assert.equal(sqlState(twice), '23505')
  assert.match(twice.stack, /pool\.test\.ts/)
  await inner.rollbackToSavepoint('la "mitad"').execute()
  await outer.commit().execute()
  assert.equal(await count(), 1)

  const swallowed = db.transaction().execute(async (trx) => {
    await trx.insertInto('apuntes').values({ n: 2 }).execute()
    await trx
      .insertInto('apuntes')
      .values({ n: 2 })
      .execute()
      .catch(() => {})
  })
  await assert.rejects(swallowed, { name: 'AbortedTransactionError' })
  const readOnly = db.transaction().setAccessMode('read only')
  await assert.rejects(
    readOnly.execute((trx) => trx.deleteFrom('apuntes').execute()),
    { code: '25006' },
  )
  assert.equal(await count(), 1)
})

test('a statement that comes while its transaction is ending is not committed by itself', async (t) => {
  const { db } = open(t)
  for (const [n, end] of [
    [901, () => Promise.reject(new Error('gave up'))],
    [902, () => Promise.resolve()],
  ] as const) {
    const late = Promise.withResolvers<unknown>()
    const work = db.transaction().execute(async (trx) => {
      await sql`select 1`.execute(trx)
      // Something that nobody awaits, such as the sister of the promise that failed.
      setImmediate(() => trx.insertInto('apuntes').values({ n }).execute().then(late.resolve, late.reject))
      await end()
    })
    const [, refusal] = await Promise.allSettled([work, late.promise])
    assert.match(String(refusal.status === 'rejected' && refusal.reason), /has ended/)
    assert.deepEqual(await db.selectFrom('apuntes').select('n').where('n', '=', n).execute(), [])
  }
})

test('closing does not wait for ever for a session that is never given back', async (t) => {
  const { pool } = open(t)
  await pool.acquire()
  await pool.close(50)
  await until(async () => (await sessions(t)) === 0)
})

test('losing the session in a transaction says so, not that the rollback failed', async (t) => {
  const { db } = open(t)
  const error = await db
    .transaction()
    .execute(async (trx) => {
      await sql`insert into apuntes values (77)`.execute(trx)
      await sql`select pg_terminate_backend(pg_backend_pid())`.execute(trx)
    })
    .catch((thrown) => thrown)
  assert.equal(error.code, 'database.unavailable')
  assert.equal((await sql`select 1 from apuntes where n = 77`.execute(db)).rows.length, 0)
})

test('passing troubles leave as unavailable, with the SQLSTATE in reach', async (t) => {
  const { db } = open(t)
  const refuse = (state: string) =>
    sql`do ${sql.lit(`begin raise exception using errcode = '${state}'; end`)}`.execute(db)
  const answers = {
    '57014': 'timeout',
    '40P01': 'conflict',
    '40001': 'conflict',
    '55P03': 'conflict',
    '53300': 'unavailable',
    '53200': 'unavailable',
    '53100': 'no_space',
  }
  for (const [state, code] of Object.entries(answers)) {
    const error = await refuse(state).catch((thrown) => thrown)
    assert.equal(error.code, `database.${code}`)
    assert.equal(sqlState(error), state)
  }
  await assert.rejects(refuse('22023'), { code: '22023', name: 'StatementError' })
})

test('closing lets what runs end, breaks off what does not, and leaves no session behind', async (t) => {
  const polite = open(t)
  const nap = sql`select pg_sleep(0.2), 1 as x`.execute(polite.db)
  await until(() => polite.pool.stats().running === 1)
  await polite.pool.close()
  assert.equal((await nap).rows.length, 1)
  assert.equal(await sessions(t), 0)
  await assert.rejects(sql`select 1`.execute(polite.db), withCode('database.unavailable'))

  const hasty = open(t, { deadlineMs: 90_000 })
  const long = assert.rejects(sql`select pg_sleep(60)`.execute(hasty.db), withCode('database.unavailable'))
  await until(async () => hasty.pool.stats().running === 1 && (await sessions(t)) === 1)
  await Promise.all([hasty.pool.close(50), long])
})
