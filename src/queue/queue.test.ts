import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { sql } from 'kysely'
import { PgBoss } from 'pg-boss'
import pino from 'pino'
import { uuidv7 } from 'uuidv7'
import { startPreparedCluster } from '../../test/support/prepared-cluster.ts'
import { until } from '../../test/support/until.ts'
import { type OwnerConnection, openAs, openCentral } from '../db/client.ts'
import type { CentralDb } from '../db/databases.ts'
import { definitionOf, jobNames } from './jobs.ts'
import { ensureQueues, openQueue, type Queue } from './queue.ts'

let url: string
let central: CentralDb
let queue: Queue
let owner: OwnerConnection
const log = pino({ level: 'silent' })

before(async () => {
  const cluster = await startPreparedCluster({ maxConnections: 40 })
  const database = await cluster.createCentral()
  url = database.url
  await ensureQueues(url)
  central = openCentral({ central: { url, poolMax: 10 }, processRole: 'api', statementTimeoutMs: 5000 })
  queue = openQueue(central, log)
  owner = await openAs(database.ownerUrl)
})
after(async () => {
  await queue.stop()
  await central.destroy()
  await owner.end()
})

test('two who leave the same jobs at once in another order wait for each other, and not in a circle', async (t) => {
  const patient = openCentral({ central: { url, poolMax: 3 }, processRole: 'api', statementTimeoutMs: 120_000 })
  t.after(() => patient.destroy())
  const [a = '', b = '', m = ''] = Array.from({ length: 3 }, () => uuidv7())
  const leave = (...ids: string[]) =>
    patient.transaction().execute((trx) =>
      queue.enqueueAll(
        trx,
        'sat.sync',
        ids.map((tenantId) => ({ tenantId })),
      ),
    )
  const held = Promise.withResolvers<void>()
  const free = Promise.withResolvers<void>()
  // Whoever has the one in the middle of both, and then leaves it after all.
  const holder = patient.transaction().execute(async (trx) => {
    await queue.enqueueAll(trx, 'sat.sync', [{ tenantId: m }])
    held.resolve()
    await free.promise
    throw new Error('the cause failed')
  })
  const refused = assert.rejects(holder, /the cause failed/)
  await held.promise
  const both = Promise.all([leave(a, m, b), leave(b, m, a)])
  const waiting = 'select from pg_locks where not granted'
  await until(async () => (await owner.query(waiting)).length === 2).finally(free.resolve)
  await refused
  await both
  for (const id of [a, b, m]) assert.equal((await jobsWith('tenantId', id)).length, 1)
})

test('a job and the transaction that leaves it commit together or not at all', async () => {
  const rolledBack = uuidv7()
  const failing = central.transaction().execute(async (trx) => {
    await queue.enqueue(trx, 'mail.send', { mailId: rolledBack })
    throw new Error('the cause failed')
  })
  await assert.rejects(failing, /the cause failed/)
  assert.equal((await jobsWith('mailId', rolledBack)).length, 0)

  const mailId = uuidv7()
  const id = await central.transaction().execute((trx) => queue.enqueue(trx, 'mail.send', { mailId }))
  const [job] = await jobsWith('mailId', mailId)
  const { retryLimit, retryDelay, heartbeatSeconds, expireInSeconds } = definitionOf('mail.send')
  assert.deepEqual(job, {
    id,
    data: { mailId },
    state: 'created',
    retry_limit: retryLimit,
    retry_delay: retryDelay,
    retry_backoff: true,
    heartbeat_seconds: heartbeatSeconds,
    expire_seconds: expireInSeconds,
    dead_letter: 'dead-letters',
    group_id: null,
  })
})

test('the same job left by twelve at once exists once, and who came second is told so', async () => {
  const payload = { tenantId: uuidv7(), operationId: uuidv7() }
  const ids = await Promise.all(
    Array.from({ length: 12 }, () =>
      central.transaction().execute((trx) => queue.enqueue(trx, 'tenant.operation', payload)),
    ),
  )
  assert.equal(ids.filter((id) => id !== null).length, 1)
  assert.equal((await jobsWith('tenantId', payload.tenantId)).length, 1)
})

test('the first jobs of a process need no session but their callers’: a pool of one, and a burst that fills a pool', async (t) => {
  for (const poolMax of [1, 4]) {
    const small = openCentral({ central: { url, poolMax }, processRole: 'api', statementTimeoutMs: 5000 })
    const own = openQueue(small, log)
    t.after(async () => {
      await own.stop()
      await small.destroy()
    })
    const leave = () => small.transaction().execute((trx) => own.enqueue(trx, 'mail.send', { mailId: uuidv7() }))
    const ids = await Promise.all(Array.from({ length: poolMax * 2 }, leave))
    assert.equal(new Set(ids).size, poolMax * 2)
    assert.ok(!ids.includes(null))
  }
})

test('a first caller whose transaction fails spoils the queue for nobody', async (t) => {
  const small = openCentral({ central: { url, poolMax: 1 }, processRole: 'api', statementTimeoutMs: 5000 })
  const own = openQueue(small, log)
  t.after(async () => {
    await own.stop()
    await small.destroy()
  })
  const spoiled = small.transaction().execute(async (trx) => {
    await sql`select 1 / 0`.execute(trx).catch(() => undefined)
    await own.enqueue(trx, 'mail.send', { mailId: uuidv7() })
  })
  await assert.rejects(spoiled)
  assert.ok(await small.transaction().execute((trx) => own.enqueue(trx, 'mail.send', { mailId: uuidv7() })))
})

test('the next operation of a tenant gets its job while that of the last one is still ending', async () => {
  const tenantId = uuidv7()
  for (const operationId of [uuidv7(), uuidv7()])
    assert.ok(
      await central.transaction().execute((trx) => queue.enqueue(trx, 'tenant.operation', { tenantId, operationId })),
    )
})

test('a job about a tenant counts against that tenant', async () => {
  const tenantId = uuidv7()
  await central.transaction().execute((trx) => queue.enqueue(trx, 'outbox.publish', { tenantId }))
  const [job] = await jobsWith('tenantId', tenantId)
  assert.equal(job?.group_id, tenantId)
})

test('a payload that the job does not know is refused before it is stored', async () => {
  const bad = { mailId: 'no es un id' }
  await assert.rejects(
    central.transaction().execute((trx) => queue.enqueue(trx, 'mail.send', bad)),
    /uuid/i,
  )
})

test('the queues become what the table says, however often and from whatever they were', async () => {
  await owner.query(`update pgboss.queue set retry_limit = 1, heartbeat_seconds = null where name = 'mail.send'`)
  await ensureQueues(url)
  await ensureQueues(url)
  const rows = await owner.query<{ name: string; policy: string; retry_limit: number; heartbeat_seconds: number }>(
    `select name, policy, retry_limit, heartbeat_seconds from pgboss.queue where name = any($1)`,
    [jobNames],
  )
  const found = Object.fromEntries(rows.map(({ name, ...row }) => [name, row]))
  for (const name of jobNames) {
    const { policy, retryLimit, heartbeatSeconds } = definitionOf(name)
    assert.deepEqual(found[name], { policy, retry_limit: retryLimit, heartbeat_seconds: heartbeatSeconds })
    assert.ok(heartbeatSeconds >= 10, `${name}: a dead worker would be noticed only when the job expires`)
  }
})

test('a policy that changed is refused, because the queue would silently keep the old one', async () => {
  await owner.query(`update pgboss.queue set policy = 'short' where name = 'mail.send'`)
  await assert.rejects(ensureQueues(url), /queue mail.send: policy is short and cannot become exclusive/)
  await owner.query(`update pgboss.queue set policy = 'exclusive' where name = 'mail.send'`)
})

test('leaving a job wakes a worker at once', async () => {
  const boss = new PgBoss({
    connectionString: url,
    migrate: false,
    createSchema: false,
    schedule: false,
    max: 2,
    useListenNotify: true,
  })
  boss.on('error', () => {})
  await boss.start()
  try {
    const { promise, resolve } = Promise.withResolvers<string>()
    const mailId = uuidv7()
    await boss.work('mail.send', { batchSize: 50, notifyPollingIntervalSeconds: 60 }, async (jobs) => {
      if (jobs.some((job) => (job.data as { mailId: string }).mailId === mailId)) resolve(mailId)
    })
    const left = performance.now()
    await central.transaction().execute((trx) => queue.enqueue(trx, 'mail.send', { mailId }))
    assert.equal(await promise, mailId)
    assert.ok(performance.now() - left < 50_000, 'waited for the next poll')
  } finally {
    await boss.stop({ graceful: false })
  }
})

interface JobRow {
  id: string
  data: unknown
  state: string
  retry_limit: number
  retry_delay: number
  retry_backoff: boolean
  heartbeat_seconds: number
  expire_seconds: number
  dead_letter: string
  group_id: string | null
}

const jobsWith = (field: string, value: string) =>
  owner.query<JobRow>(
    `select id, data, state, retry_limit, retry_delay, retry_backoff, heartbeat_seconds, expire_seconds, dead_letter, group_id
     from pgboss.job where data->>$1 = $2`,
    [field, value],
  )
