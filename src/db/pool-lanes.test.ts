import assert from 'node:assert/strict'
import { after, before, type TestContext, test } from 'node:test'
import { sql } from 'kysely'
import { type Cluster, startCluster } from '../../test/support/cluster.ts'
import { until } from '../../test/support/until.ts'
import { AppError } from '../errors.ts'
import { parseDatabaseUrl } from './address.ts'
import { type OwnerConnection, openAs } from './client.ts'
import { openKysely, poolSource } from './driver.ts'
import { sqlState } from './failures.ts'
import { createPool, SOON_MS } from './pool.ts'

let cluster: Cluster
let admin: OwnerConnection

before(async () => {
  cluster = await startCluster()
  admin = await openAs(cluster.adminUrl)
})
after(() => admin.end())

/** One session, on which `sleep` and `divide` are known to be quick. */
async function open(t: TestContext, { deadlineMs = 5_000 } = {}) {
  const { password, ...address } = parseDatabaseUrl(cluster.adminUrl)
  const target = {
    ...address,
    passwords: [password],
    applicationName: t.name.slice(0, 40),
    settings: {},
    prepare: true,
  }
  const pool = createPool(target, { max: 1 })
  const db = openKysely<object>(poolSource(pool, deadlineMs))
  t.after(() => pool.close(0))
  const sleep = (seconds: number) => sql`select pg_sleep(${seconds}::float8)`.execute(db)
  const divide = (by: number) => sql<{ x: number }>`select 6 / ${by}::int as x`.execute(db)
  await becomeQuick(() => sleep(0))
  await becomeQuick(() => divide(1))
  return { pool, db, sleep, divide }
}

/** Fifteen times in a row, which makes up for any slow one before; two of it are then less than what may be ahead. */
async function becomeQuick(run: () => Promise<unknown>): Promise<void> {
  for (let inARow = 0; inARow < 15; ) {
    const began = performance.now()
    await run()
    inARow = performance.now() - began < SOON_MS / 2 ? inARow + 1 : 0
  }
}

const waiting = (pool: { stats(): { waiting: number } }) => pool.stats().waiting

test('statements go out behind a quick one, but not a crowd of them', async (t) => {
  const { pool, sleep, divide } = await open(t)
  const front = sleep(0.05)
  const behind = divide(2)
  const last = divide(3)
  assert.equal(waiting(pool), 0)
  const inLine = divide(1)
  assert.equal(waiting(pool), 1)
  assert.deepEqual((await Promise.all([behind, last])).map(({ rows }) => rows), [[{ x: 3 }], [{ x: 2 }]]) // biome-ignore format: side by side
  await Promise.all([front, inLine])
})

test('nothing goes out behind one that is not known, or was slow a moment ago', async (t) => {
  const { pool, db, sleep, divide } = await open(t)
  await sleep(0.1)
  const slow = sleep(0.05)
  const inLine = divide(2)
  assert.equal(waiting(pool), 1)
  await Promise.all([slow, inLine])

  const unknown = sql`select pg_sleep(0.05), 'new'`.execute(db)
  const alsoInLine = divide(2)
  assert.equal(waiting(pool), 1)
  await Promise.all([unknown, alsoInLine])
})

test('an error in front is not the error of the one behind', async (t) => {
  const { divide } = await open(t)
  const [failed, fine] = await Promise.allSettled([divide(0), divide(2)])
  assert.ok(failed.status === 'rejected' && sqlState(failed.reason) === '22012')
  assert.deepEqual(fine.status === 'fulfilled' && fine.value.rows, [{ x: 3 }])
})

test('a transaction is alone on its session, and is not kept waiting by statements that keep coming', async (t) => {
  const { pool, db, sleep, divide } = await open(t)
  let alone = true
  let ended = false
  const stream = async () => {
    while (!ended) await divide(1)
  }
  const streams = [stream(), stream(), stream()]
  await db.transaction().execute(async (trx) => {
    const { rows } = await sql<{ id: string }>`select txid_current()::text as id`.execute(trx)
    for (let n = 0; n < 20; n++) {
      const again = await sql<{ id: string }>`select txid_current()::text as id`.execute(trx)
      alone &&= again.rows[0]?.id === rows[0]?.id && pool.stats().running === 1
    }
    const inLine = divide(2)
    assert.ok(waiting(pool) > 0)
    void inLine.then(() => {
      ended = true
    })
  })
  await Promise.all(streams)
  assert.ok(alone)
  await sleep(0)
})

test('the deadline of the one behind begins when its turn comes', async (t) => {
  const { sleep } = await open(t, { deadlineMs: 2_500 })
  await Promise.all([sleep(1), sleep(1), sleep(1)])
})

test('a session that goes takes both with it, and nobody else', async (t) => {
  const { pool, sleep, divide } = await open(t)
  const both = Promise.allSettled([sleep(20), divide(2)])
  await until(() => pool.stats().running === 1)
  await admin.query('select pg_terminate_backend(pid, 1000) from pg_stat_activity where application_name = $1', [
    t.name.slice(0, 40),
  ])
  for (const outcome of await both) {
    assert.ok(outcome.status === 'rejected' && outcome.reason instanceof AppError)
    assert.equal(outcome.reason.code, 'database.unavailable')
  }
  assert.deepEqual((await divide(2)).rows, [{ x: 3 }])
})

test('closing lets both of a lane end', async (t) => {
  const { pool, sleep, divide } = await open(t)
  const both = Promise.all([sleep(0.05), divide(2)])
  await pool.close()
  assert.deepEqual((await both)[1].rows, [{ x: 3 }])
  assert.equal(pool.stats().open, 0)
})
