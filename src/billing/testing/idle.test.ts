import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { uuidv7 } from 'uuidv7'
import { client, startProduct, until } from '../../../test/support/product.ts'
import { startTenancy, type Tenancy } from '../../../test/support/tenancy.ts'
import type { Handlers } from '../../../workers/handlers.ts'
import { createTestClock, type TestClock } from '../../db/test-clock.ts'
import { definitionOf } from '../../queue/jobs.ts'
import { DUE_WORK } from './due-work.ts'
import { findIdleness } from './idle.ts'
import { moveClock } from './move-clock.ts'

const NOW = new Date('2026-06-15T18:00:00Z')
const HOUR = 3_600_000
const hours = (n: number) => new Date(NOW.getTime() + n * HOUR)
const NONE = { listos: 0, enEspera: 0 }

let tenancy: Tenancy
let clock: TestClock
before(async () => {
  tenancy = await startTenancy()
  clock = createTestClock(tenancy.central, { real: tenancy.clock, past: true })
})
after(() => tenancy.stop())

const idleness = () => findIdleness(tenancy.central, NOW)

test('with nothing to do it is idle, and nothing comes next', async () => {
  assert.deepEqual(await idleness(), {
    ocioso: true,
    siguiente: null,
    pendientes: { trabajos: {}, correos: NONE, recursos: NONE, comandos: NONE, suscripciones: NONE },
  })
})

test('a job is in the way from when it is left until it has ended; one that waits for its retry is not', async (t) => {
  const started = Promise.withResolvers<void>()
  const gate = Promise.withResolvers<void>()
  const payload = { mailId: uuidv7() }
  await leave(payload)
  assert.deepEqual((await idleness()).pendientes.trabajos, { 'mail.send': { listos: 1, enEspera: 0 } })
  assert.equal((await idleness()).ocioso, false)

  await work(t, {
    'mail.send': async () => {
      started.resolve()
      await gate.promise
      throw new Error('no hay servidor')
    },
  })
  await started.promise
  const running = await idleness()
  assert.deepEqual([running.ocioso, running.pendientes.trabajos['mail.send']], [false, { listos: 1, enEspera: 0 }])
  gate.resolve()
  await until('the retry', async () => ((await idleness()).ocioso ? true : undefined))
  const { siguiente, pendientes } = await idleness()
  assert.deepEqual([siguiente, pendientes.trabajos], [null, { 'mail.send': { listos: 0, enEspera: 1 } }])
  await forgetJobs()
})

test('a mail that nobody has tried is in the way; after a first try it waits for its server', async (t) => {
  t.after(() => tenancy.owner.query('delete from mail_outbox'))
  await tenancy.owner.query(
    `insert into mail_outbox (id, template, to_email, data, dedupe_key) values ($1, 'x', 'a@ejemplo.mx', '{}', 'x')`,
    [uuidv7()],
  )
  const fresh = await idleness()
  assert.deepEqual([fresh.ocioso, fresh.pendientes.correos], [false, { listos: 1, enEspera: 0 }])
  await tenancy.owner.query('update mail_outbox set attempts = 1')
  const tried = await idleness()
  assert.deepEqual([tried.ocioso, tried.pendientes.correos], [true, { listos: 0, enEspera: 1 }])
  await tenancy.owner.query(`update mail_outbox set attempts = 0, state = 'sent'`)
  assert.deepEqual((await idleness()).pendientes.correos, NONE)
})

test('what is to be read at MercadoPago is in the way when its time has come by the product’s clock', async (t) => {
  const connector = await connectorFor(t)
  const resource = (id: string, clean: number, nextTry: Date | null, dead: string | null = null) =>
    tenancy.owner.query(
      `insert into mp_resources (connector_id, kind, resource_id, clean_seq, next_try_at, dead_reason, first_seen_at)
       values ($1, 'payment', $2, $3, $4, $5, $6)`,
      [connector, id, clean, nextTry, dead, NOW],
    )
  await resource('limpio', 1, hours(1))
  await resource('muerto', 0, hours(1), 'missing')
  assert.deepEqual((await idleness()).pendientes.recursos, NONE)
  await resource('luego', 0, hours(3))
  await resource('antes', 0, hours(2))
  const waiting = await idleness()
  assert.deepEqual([waiting.ocioso, waiting.siguiente], [true, hours(2)])
  assert.deepEqual(waiting.pendientes.recursos, { listos: 0, enEspera: 2 })
  // The same instant, once the clock is there.
  assert.equal((await findIdleness(tenancy.central, hours(2))).ocioso, false)
  await resource('ya', 0, null)
  assert.equal((await idleness()).ocioso, false)
})

test('what MercadoPago is to be told, likewise', async (t) => {
  const connector = await connectorFor(t)
  const command = (key: string, state: string, nextTry: Date | null) =>
    tenancy.owner.query(
      `insert into mp_commands (id, dedupe_key, kind, connector_id, state, next_try_at, created_at)
       values ($1, $2, 'cancel', $3, $4, $5, $6)`,
      [uuidv7(), key, connector, state, nextTry, NOW],
    )
  await command('hecho', 'done', hours(1))
  await command('luego', 'queued', hours(4))
  const waiting = await idleness()
  assert.deepEqual([waiting.ocioso, waiting.siguiente], [true, hours(4)])
  await command('ya', 'queued', null)
  const due = await idleness()
  assert.deepEqual([due.ocioso, due.pendientes.comandos], [false, { listos: 1, enEspera: 1 }])
})

test('the next of several kinds is the earliest, never one that the clock set to it would not have reached', async (t) => {
  const connector = await connectorFor(t)
  await tenancy.owner.query(
    `insert into mp_commands (id, dedupe_key, kind, connector_id, next_try_at, created_at) values ($1, 'x', 'cancel', $2, $3, $3)`,
    [uuidv7(), connector, hours(6)],
  )
  await subscriptionDue('2026-06-15T20:00:00.123456Z')
  await subscriptionDue('2026-06-15T17:00:00Z')
  const { ocioso, siguiente, pendientes } = await idleness()
  assert.deepEqual(siguiente, new Date('2026-06-15T20:00:00.124Z'))
  assert.deepEqual(pendientes.suscripciones, { listos: 1, enEspera: 1 })
  assert.equal(ocioso, true, 'one that was looked at may wait for news of MercadoPago')
})

test('a move asks for the work that is due, though the same work is running on the time before', async (t) => {
  const times: Date[] = []
  const started = Promise.withResolvers<void>()
  const gate = Promise.withResolvers<void>()
  await work(t, {
    'mail.sweep': async () => {
      times.push(clock.now())
      started.resolve()
      if (times.length === 1) await gate.promise
      return undefined
    },
  })
  await tenancy.central.transaction().execute((trx) => tenancy.queue.enqueue(trx, 'mail.sweep', {}))
  await started.promise
  const { central, queue } = tenancy
  const target = new Date(tenancy.clock.now().getTime() + 24 * HOUR)
  const now = await moveClock({ central, queue, testClock: clock }, target, ['mail.sweep'])
  assert.ok(now >= target)
  gate.resolve()
  await until('the sweep of the new time', async () => (times.length === 2 ? true : undefined))
  assert.ok((times[0] ?? target) < target)
  assert.ok((times[1] ?? NOW) >= target)
})

test('a move that cannot leave the work that is due is none', async () => {
  const { central, queue } = tenancy
  const testClock = createTestClock(central, { real: tenancy.clock, past: true })
  await testClock.sync()
  const before = testClock.now()
  const target = new Date(before.getTime() + 100 * 24 * HOUR)
  // A job that does not take what a sweep takes.
  await assert.rejects(moveClock({ central, queue, testClock }, target, ['mail.send']))
  await testClock.sync()
  assert.ok(testClock.now().getTime() - before.getTime() < HOUR)
})

test('the work that is due is what the queue’s table has of it, each once per move, through the front door too', async (t) => {
  for (const name of DUE_WORK) assert.ok(definitionOf(name).cron, name)
  const product = await startProduct(t, { env: { TEST_CLOCK: 'true' }, worker: false })
  const payload = { ahora: new Date(Date.now() + 24 * HOUR).toISOString() }
  assert.equal((await client(product.app, undefined).send('PUT', '/__test/clock', { body: payload })).statusCode, 200)
  const { trabajos } = (await product.app.inject('/__test/idle')).json().pendientes
  assert.deepEqual(Object.keys(trabajos).sort(), [...DUE_WORK].sort())
})

const leave = (payload: { mailId: string }) =>
  tenancy.central.transaction().execute((trx) => tenancy.queue.enqueue(trx, 'mail.send', payload))

const forgetJobs = () => tenancy.owner.query('delete from pgboss.job')

/** A worker of which only these do something. What is left at the end is forgotten. */
async function work(t: { after(end: () => Promise<unknown>): void }, handlers: Partial<Handlers>): Promise<void> {
  const nothing = async () => undefined
  const worker = await tenancy.worker({ handlers: { 'tenant.sweep': nothing, ...handlers } })
  t.after(async () => {
    await worker.stop({ patienceMs: 0, graceMs: 1_000 })
    await forgetJobs()
  })
}

async function connectorFor(t: { after(end: () => Promise<unknown>): void }): Promise<string> {
  const id = uuidv7()
  await tenancy.owner.query(
    `insert into payment_connectors (id, name, kind, access_token) values ($1, $2, 'simulator', 'x')`,
    [id, id],
  )
  t.after(() =>
    tenancy.owner.query('delete from mp_resources; delete from mp_commands; delete from payment_connectors'),
  )
  return id
}

async function subscriptionDue(at: string): Promise<void> {
  const [tenantId, id] = [uuidv7(), uuidv7()]
  await tenancy.owner.query(`insert into tenants (id, rfc, nombre) values ($1, $2, 'x')`, [
    tenantId,
    id.slice(-12).toUpperCase(),
  ])
  await tenancy.owner.query(
    `insert into subscriptions (id, tenant_id, plan_code, plan_version, estado, next_due_at)
     select $1, $2, code, version, 'trial', $3::text::timestamptz from plans order by code, version limit 1`,
    [id, tenantId, at],
  )
}
