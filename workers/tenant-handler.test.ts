import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { startTenancy, type Tenancy } from '../test/support/tenancy.ts'
import { until } from '../test/support/until.ts'
import { tenantHandler } from './tenant-handler.ts'

let tenancy: Tenancy
before(async () => {
  tenancy = await startTenancy()
})
after(() => tenancy.stop())

test('a job that asks the plan works for a trial, is cancelled in grace and suspension, and upkeep goes on', async (t) => {
  const { tenantId } = await tenancy.company()
  const done: string[] = []
  const note = (what: string) => async (_deps: unknown, db: { tenantId: string }) => {
    done.push(`${what} ${db.tenantId}`)
    return { done: what }
  }
  // Two queues about one company stand for the download of its CFDI, which is paid for, and for its upkeep.
  const worker = await tenancy.worker({
    handlers: {
      'tenant.sweep': async () => undefined,
      'tenant.operation': async () => undefined,
      'outbox.publish': tenantHandler<'outbox.publish'>(note('gated'), { plan: {} }),
      'tenant.migrate': tenantHandler<'tenant.migrate'>(note('upkeep')),
    },
  })
  t.after(() => worker.stop({ patienceMs: 0, graceMs: 1_000 }))

  assert.deepEqual(await outputOf('outbox.publish', tenantId), { done: 'gated' })
  for (const [estado, code] of [
    ['grace_period', 'subscription_read_only'],
    ['suspendida', 'subscription_blocked'],
  ] as const) {
    await become(tenantId, estado)
    // The worker is another process of sorts: it hears of the change, and what it remembers is of before until then, which may
    // be another reason to cancel.
    await until(async () => isDeepStrictEqual(await outputOf('outbox.publish', tenantId), { cancelled: code }))
    done.length = 0
    assert.deepEqual(await outputOf('outbox.publish', tenantId), { cancelled: code })
    assert.deepEqual(await outputOf('tenant.migrate', tenantId), { done: 'upkeep' })
    assert.deepEqual(done, [`upkeep ${tenantId}`])
  }
})

test('a job of a feature is cancelled where the plan has it not, and done where an exception gives it', async (t) => {
  const { tenantId } = await tenancy.company({ plan: 'starter' })
  const worker = await tenancy.worker({
    handlers: {
      'tenant.sweep': async () => undefined,
      'tenant.operation': async () => undefined,
      'outbox.publish': tenantHandler<'outbox.publish'>(async () => ({ done: true }), { plan: { feature: 'xml_sat' } }),
    },
  })
  t.after(() => worker.stop({ patienceMs: 0, graceMs: 1_000 }))
  assert.deepEqual(await outputOf('outbox.publish', tenantId), { cancelled: 'feature_not_in_plan' })
  await tenancy.owner.query(
    `insert into tenant_overrides (id, tenant_id, kind, key, enabled, valid_from, reason)
     values (gen_random_uuid(), $1, 'feature', 'xml_sat', true, now() - interval '1 minute', 'prueba')`,
    [tenantId],
  )
  await until(async () => 'done' in (await outputOf('outbox.publish', tenantId)))
})

test('a company that staff has suspended cancels what a sweep brings back, and keeps what would be lost', async (t) => {
  const { tenantId } = await tenancy.company()
  const work = async () => ({ done: true })
  const worker = await tenancy.worker({
    handlers: {
      'tenant.sweep': async () => undefined,
      'tenant.operation': async () => undefined,
      'outbox.publish': tenantHandler<'outbox.publish'>(work, { swept: true }),
      'tenant.migrate': tenantHandler<'tenant.migrate'>(work),
    },
  })
  t.after(() => worker.stop({ patienceMs: 0, graceMs: 1_000 }))
  await tenancy.owner.query(
    `update tenant_databases set state = 'suspended', generation = generation + 1 where tenant_id = $1`,
    [tenantId],
  )
  assert.deepEqual(await outputOf('outbox.publish', tenantId), { cancelled: 'tenant.suspended' })
  await tenancy.central.transaction().execute((trx) => tenancy.queue.enqueue(trx, 'tenant.migrate', { tenantId }))
  await until(async () => {
    const [job] = await tenancy.owner.query<{ state: string }>(
      `select state from pgboss.job where name = 'tenant.migrate' and data->>'tenantId' = $1`,
      [tenantId],
    )
    return job?.state === 'retry'
  })
})

test('what a sweep leaves each minute waits for it when the server of the company is down, and fills no dead letters', async (t) => {
  const { tenantId } = await tenancy.company()
  await tenancy.owner.query(`update database_servers set port = 1`)
  const worker = await tenancy.worker({
    handlers: { 'tenant.sweep': async () => undefined, 'tenant.operation': async () => undefined },
  })
  t.after(() => worker.stop({ patienceMs: 0, graceMs: 1_000 }))
  assert.deepEqual(await outputOf('cfdi.limit', tenantId), { cancelled: 'database.unavailable' })
})

const become = (tenantId: string, estado: string) =>
  tenancy.owner.query(
    `update subscriptions set estado = $2, deadline_at = now() + interval '1 day' where tenant_id = $1`,
    [tenantId, estado],
  )

/** Leaves a job and waits for what became of it. */
async function outputOf(name: 'outbox.publish' | 'tenant.migrate' | 'cfdi.limit', tenantId: string): Promise<object> {
  await tenancy.owner.query(`delete from pgboss.job where name = $1 and data->>'tenantId' = $2`, [name, tenantId])
  await tenancy.central.transaction().execute((trx) => tenancy.queue.enqueue(trx, name, { tenantId }))
  return until(async () => {
    const [job] = await tenancy.owner.query<{ state: string; output: object }>(
      `select state, output from pgboss.job where name = $1 and data->>'tenantId' = $2`,
      [name, tenantId],
    )
    return job?.state === 'completed' ? job.output : undefined
  })
}
