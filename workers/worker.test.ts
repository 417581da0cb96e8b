import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { uuidv7 } from 'uuidv7'
import { createDeps } from '../src/deps.ts'
import { createLog } from '../src/log.ts'
import { definitionOf, type JobName, jobNames, type Payload } from '../src/queue/jobs.ts'
import { leaveInOutbox } from '../src/queue/outbox.ts'
import { bringBackTimes } from '../src/queue/queries.ts'
import { deleteTenant, resumeTenant, suspendTenant } from '../src/tenants/lifecycle.ts'
import { nobody, startTenancy, type Tenancy } from '../test/support/tenancy.ts'
import { enter } from '../test/support/tenancy-checks.ts'
import { until } from '../test/support/until.ts'
import { outliveTheDead } from '../test/support/worker-child.ts'
import { tenantHandler } from './tenant-handler.ts'
import type { WorkerOptions } from './worker.ts'

let tenancy: Tenancy
before(async () => {
  tenancy = await startTenancy()
})
after(() => tenancy.stop())

test('one that fails comes back as often as the table says, does not fail its neighbours, and ends in the dead letters', async (t) => {
  const seen: string[] = []
  await working(t, {
    'mail.send': async (_deps, { mailId }) => {
      seen.push(mailId)
      if (mailId === bad) throw new Error('no hay servidor')
      return undefined
    },
  })
  const bad = uuidv7()
  const good = [uuidv7(), uuidv7(), uuidv7()]
  for (const mailId of [good[0], bad, good[1], good[2]] as string[]) await leave('mail.send', { mailId })
  for (const mailId of good) await until(async () => (await jobOf('mailId', mailId))?.state === 'completed')

  const first = await until(async () => {
    const job = await jobOf('mailId', bad)
    return job?.state === 'retry' ? job : undefined
  })
  assert.equal(first.output.message, 'no hay servidor')
  assert.ok(first.start_after > first.created_on, 'not at once')
  // Its other retries, without the hours between.
  await tenancy.owner.query(
    `update pgboss.job set start_after = now(), retry_count = retry_limit - 1 where data->>'mailId' = $1`,
    [bad],
  )
  await until(async () => (await jobOf('mailId', bad))?.state === 'failed')
  assert.equal(seen.filter((id) => id === bad).length, 2)
  const [dead] = await tenancy.owner.query(
    `select source_name, data from pgboss.job where name = 'dead-letters' and data->>'mailId' = $1`,
    [bad],
  )
  assert.deepEqual(dead, { source_name: 'mail.send', data: { mailId: bad } })
})

test('a payload that is not what the job promises goes to the dead letters without being tried', async (t) => {
  let tried = false
  await working(t, {
    'mail.send': async () => {
      tried = true
      return undefined
    },
  })
  await tenancy.owner.query(
    `insert into pgboss.job (name, data, dead_letter, policy) values ('mail.send', '{"mailId": "x"}', 'dead-letters', 'exclusive')`,
  )
  await until(async () => (await jobOf('mailId', 'x', 'dead-letters')) !== undefined)
  assert.equal(tried, false)
})

test('a job finishes when the worker is asked to stop', async (t) => {
  let running = 0
  const finish = Promise.withResolvers<void>()
  const worker = await working(t, {
    'mail.send': async () => {
      running += 1
      await finish.promise
      return { done: true }
    },
  })
  const mailId = uuidv7()
  await leave('mail.send', { mailId })
  // Each of its loops has something to do: none asks for more in the moment in which it is told to stop.
  for (let taken = 1; ; taken++) {
    await until(() => running === taken)
    if (taken === definitionOf('mail.send').loops) break
    await leave('mail.send', { mailId: uuidv7() })
  }
  const stopped = worker.stop()
  const late = uuidv7()
  await leave('mail.send', { mailId: late })
  finish.resolve()
  await stopped
  assert.deepEqual((await jobOf('mailId', mailId))?.state, 'completed')
  assert.equal((await jobOf('mailId', late))?.state, 'created', 'no new job was taken')
  await tenancy.owner.query(`delete from pgboss.job where data->>'mailId' = $1`, [late])
})

test('one that does not finish is told to, and goes back to the queue', async (t) => {
  const running = Promise.withResolvers<AbortSignal>()
  const worker = await working(t, {
    'mail.send': async (_deps, _payload, { signal }) => {
      running.resolve(signal)
      await new Promise((_resolve, reject) =>
        signal.addEventListener('abort', () => reject(signal.reason), { once: true }),
      )
      return undefined
    },
  })
  const mailId = uuidv7()
  await leave('mail.send', { mailId })
  const signal = await running.promise
  const began = performance.now()
  await worker.stop({ patienceMs: 50, graceMs: 60_000 })
  assert.ok(signal.aborted)
  assert.ok(performance.now() - began < 50_000, 'its grace was not waited for')
  assert.equal((await jobOf('mailId', mailId))?.state, 'retry')
})

test('one that is deaf is left behind when its time is over, and somebody else does it', async (t) => {
  const running = Promise.withResolvers<void>()
  const deaf = Promise.withResolvers<void>()
  const worker = await working(t, {
    'mail.send': async () => {
      running.resolve()
      await deaf.promise
      return undefined
    },
  })
  const mailId = uuidv7()
  await leave('mail.send', { mailId })
  await running.promise
  await worker.stop({ patienceMs: 0, graceMs: 1_000 })
  assert.equal((await jobOf('mailId', mailId))?.state, 'retry')
  await working(t, { 'mail.send': async () => undefined })
  await tenancy.owner.query(`update pgboss.job set start_after = now() where state = 'retry'`)
  await until(async () => (await jobOf('mailId', mailId))?.state === 'completed')
  deaf.resolve()
})

test('the job of a worker that died is found by its silence', async (t) => {
  const mailId = uuidv7()
  await leave('mail.send', { mailId })
  await tenancy.owner.query(
    `update pgboss.job set state = 'active', started_on = now(), heartbeat_on = now() where data->>'mailId' = $1`,
    [mailId],
  )
  await outliveTheDead(tenancy)
  await working(t, { 'mail.send': async () => undefined })
  await until(async () => (await jobOf('mailId', mailId))?.state === 'retry')
})

test('a company with a hundred jobs waiting does not keep another one waiting', async (t) => {
  const [busy, quiet] = [await tenancy.company(), await tenancy.company()]
  const hold = Promise.withResolvers<void>()
  let running = 0
  let peak = 0
  const done: string[] = []
  await tenancy.owner.query(`update pgboss.queue set policy = 'standard' where name = 'outbox.publish'`)
  t.after(() => tenancy.owner.query(`update pgboss.queue set policy = 'short' where name = 'outbox.publish'`))
  await working(t, {
    'outbox.publish': async (_deps, { tenantId }) => {
      if (tenantId === busy.tenantId) {
        running += 1
        peak = Math.max(peak, running)
        await hold.promise
        running -= 1
      }
      done.push(tenantId)
      return undefined
    },
  })
  for (let n = 0; n < 100; n++) await leave('outbox.publish', { tenantId: busy.tenantId })
  await until(() => running >= 2)
  await leave('outbox.publish', { tenantId: quiet.tenantId })
  await until(() => done.includes(quiet.tenantId))
  assert.equal(peak, 2)
  await tenancy.owner.query(`delete from pgboss.job where name = 'outbox.publish' and state = 'created'`)
  hold.resolve()
})

test('a job about a company resolves it anew, waits while it is suspended, and is cancelled when it is gone', async (t) => {
  const { tenantId } = await tenancy.company()
  const entered: string[] = []
  await working(t, {
    'outbox.publish': tenantHandler<'outbox.publish'>(async (_deps, db) => {
      entered.push(db.tenantId)
      return undefined
    }),
  })
  await leave('outbox.publish', { tenantId })
  await until(async () => (await jobOf('tenantId', tenantId, 'outbox.publish'))?.state === 'completed')
  assert.deepEqual(entered, [tenantId])

  await tenancy.run(await suspendTenant(tenancy.deps, tenantId, 'prueba', nobody))
  await forget()
  await leave('outbox.publish', { tenantId })
  const waiting = await until(async () => {
    const job = await jobOf('tenantId', tenantId, 'outbox.publish')
    return job?.state === 'retry' ? job : undefined
  })
  assert.equal(waiting.output.code, 'tenant.suspended')

  await tenancy.run(await resumeTenant(tenancy.deps, tenantId, nobody))
  await tenancy.run((await deleteTenant(tenancy.deps, tenantId, nobody)) ?? '')
  await tenancy.owner.query(`update pgboss.job set start_after = now() where state = 'retry'`)
  const cancelled = await until(async () => {
    const job = await jobOf('tenantId', tenantId, 'outbox.publish')
    return job?.state === 'completed' ? job : undefined
  })
  assert.deepEqual(cancelled.output, { cancelled: 'tenant.deleted' })
  assert.deepEqual(entered, [tenantId], 'never entered again, and nothing else instead')
})

test('what a company decided in its own transaction reaches the queue once, whoever died between', async (t) => {
  const { tenantId } = await tenancy.company()
  const mailId = uuidv7()
  const deps = createDeps(tenancy.config, {
    log: createLog({ level: 'silent', service: 'test' }),
    clock: tenancy.clock,
  })
  t.after(() => deps.close())
  await deps.tenants.use(tenantId, async (db) => {
    await db.transaction().execute((trx) => leaveInOutbox(trx, 'mail.send', { mailId }))
    const failing = db.transaction().execute(async (trx) => {
      await leaveInOutbox(trx, 'mail.send', { mailId: uuidv7() })
      throw new Error('undone')
    })
    await assert.rejects(failing, /undone/)
  })
  assert.equal(await jobOf('mailId', mailId), undefined, 'nobody published it yet')

  const sent: string[] = []
  await working(t, {
    'mail.send': async (_deps, payload) => {
      sent.push(payload.mailId)
      return undefined
    },
  })
  await leave('outbox.sweep', {})
  await until(() => sent.length > 0)
  // Told, and noted: what notes it later would undo what comes now.
  await until(async () => (await jobOf('tenantId', tenantId, 'outbox.publish'))?.state === 'completed')
  // As if the process had died after telling the queue and before noting it.
  const inside = await enter(tenancy, tenantId)
  await inside.query('update outbox set published_at = null')
  await inside.end()
  await forget("name <> 'mail.send'")
  await leave('outbox.sweep', {})
  await until(async () => (await jobOf('tenantId', tenantId, 'outbox.publish'))?.state === 'completed')
  await leave('mail.send', { mailId: uuidv7() })
  await until(() => sent.length > 1)
  assert.deepEqual(
    sent.filter((id) => id === mailId),
    [mailId],
  )
})

test('the periodic jobs are those of the table, in the time of Mexico City', async (t) => {
  await tenancy.owner.query(
    `insert into pgboss.schedule (name, key, kind, cron, timezone) values ('tenant.sweep', 'vieja', 'cron', '0 0 * * *', 'UTC')`,
  )
  await working(t, {}, { cron: true })
  const rows = await tenancy.owner.query<{ name: string; cron: string; timezone: string; key: string }>(
    'select name, cron, timezone, key from pgboss.schedule order by name',
  )
  const expected = jobNames
    .flatMap((name) =>
      definitionOf(name).cron
        ? [{ name, cron: definitionOf(name).cron, timezone: 'America/Mexico_City', key: '' }]
        : [],
    )
    .sort((a, b) => (a.name < b.name ? -1 : 1))
  assert.deepEqual([...rows], expected)
})

test('a clock of the database that was weeks ahead holds up neither jobs nor dead workers nor what is periodic', async (t) => {
  const { owner } = tenancy
  const [waiting, held] = [uuidv7(), uuidv7()]
  for (const mailId of [waiting, held]) await leave('mail.send', { mailId })
  const ahead = `now() + interval '40 days'`
  await owner.query(`update pgboss.job set start_after = ${ahead}, created_on = ${ahead} where data->>'mailId' = $1`, [
    waiting,
  ])
  await owner.query(
    `update pgboss.job set state = 'active', started_on = ${ahead}, heartbeat_on = ${ahead}, retry_delay = 0
     where data->>'mailId' = $1`,
    [held],
  )
  await owner.query(`update pgboss.version set cron_on = ${ahead}, bam_on = ${ahead}, monitor_backoff_on = ${ahead}`)
  await owner.query(
    `update pgboss.queue set monitor_claim_on = ${ahead}, monitor_on = ${ahead}, maintain_on = ${ahead}`,
  )
  const soon = uuidv7()
  await leave('mail.send', { mailId: soon })
  await owner.query(`update pgboss.job set start_after = now() + interval '1 hour' where data->>'mailId' = $1`, [soon])

  await working(t, { 'mail.send': async () => undefined }, { superviseSeconds: 1 })
  await until(async () => (await jobOf('mailId', waiting))?.state === 'completed')
  // The last sign of its worker is of now, as far as anybody can tell; then it is missed.
  await owner.query(
    `update pgboss.job set heartbeat_on = heartbeat_on - interval '30 seconds' where data->>'mailId' = $1`,
    [held],
  )
  await until(async () => (await jobOf('mailId', held))?.state === 'completed')
  assert.equal((await jobOf('mailId', soon))?.state, 'created', 'what waits for its time goes on waiting')
  const [clocks] = await owner.query(
    `select cron_on <= now() as cron, (select bool_and(maintain_on <= now()) from pgboss.queue) as queues from pgboss.version`,
  )
  assert.deepEqual(clocks, { cron: true, queues: true })
})

test('that a clock was put back is found while a worker works', async (t) => {
  await working(t, { 'mail.send': async () => undefined }, { timesSeconds: 0.05 })
  const mailId = uuidv7()
  await leave('mail.send', { mailId })
  await until(async () => (await jobOf('mailId', mailId))?.state === 'completed')
  const held = uuidv7()
  const { central, queue } = tenancy
  await central
    .transaction()
    .execute((trx) => queue.enqueue(trx, 'mail.send', { mailId: held }, { afterMs: 3_600_000 }))
  await tenancy.owner.query(
    `with job as (update pgboss.job set start_after = now() + interval '40 days' where data->>'mailId' = $1)
     update pgboss.version set cron_on = now() + interval '40 days'`,
    [held],
  )
  await until(async () => (await jobOf('mailId', held))?.state === 'completed')
  assert.equal((await tenancy.owner.query(`select from pgboss.version where cron_on <= now()`)).length, 1)
})

test('to look for that each minute reads no job where no time of the queues was ahead', async () => {
  const mailId = uuidv7()
  await leave('mail.send', { mailId })
  await tenancy.owner.query(
    `update pgboss.job set start_after = now() + interval '40 days' where data->>'mailId' = $1`,
    [mailId],
  )
  assert.deepEqual(await bringBackTimes(tenancy.central, { jobs: false }), {})
  assert.deepEqual(await bringBackTimes(tenancy.central, { jobs: true }), { waiting: 1 })
})

/** A worker with some handlers of the test's own; it ends with the test at the latest. */
async function working(
  t: { after(end: () => Promise<void>): void },
  handlers: NonNullable<WorkerOptions['handlers']>,
  options: WorkerOptions = {},
) {
  const quiet = Object.fromEntries(SWEEPS.map((name) => [name, async () => undefined]))
  const worker = await tenancy.worker({ ...options, handlers: { ...quiet, ...handlers } })
  let stopping: Promise<void> | undefined
  const stop: typeof worker.stop = (how) => {
    stopping ??= worker.stop(how)
    return stopping
  }
  t.after(() => stop({ patienceMs: 0, graceMs: 1_000 }))
  return { stop }
}

const SWEEPS = ['tenant.sweep', 'mail.sweep', 'tenant.operation'] as const

const leave = <N extends JobName>(name: N, payload: Payload<N>) =>
  tenancy.central.transaction().execute((trx) => tenancy.queue.enqueue(trx, name, payload))

const forget = (which = 'true') => tenancy.owner.query(`delete from pgboss.job where ${which}`)

async function jobOf(field: string, value: string, queue?: string) {
  const [row] = await tenancy.owner.query<{
    state: string
    output: Record<string, unknown>
    start_after: Date
    created_on: Date
  }>(
    `select state, output, start_after, created_on from pgboss.job
     where data->>$1 = $2 and (name = $3 or ($3 is null and name <> 'dead-letters')) order by created_on desc limit 1`,
    [field, value, queue ?? null],
  )
  return row
}
