import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { sql } from 'kysely'
import { type BillingWorld, type Company, startBillingWorld } from '../../../test/support/billing-world.ts'
import { deleteOldDeliveries } from '../pipeline/queries.ts'
import { sweepBilling } from './sweep.ts'

let world: BillingWorld
const ending = new AsyncDisposableStack()
after(() => ending.disposeAsync())
before(async () => {
  world = await startBillingWorld({ after: (end) => ending.defer(end) })
})

const estadoOf = async ({ subscriptionId }: Company) =>
  (
    await world.product.deps.central
      .selectFrom('subscriptions')
      .select('estado')
      .where('id', '=', subscriptionId)
      .executeTakeFirstOrThrow()
  ).estado

/** As a bug of ours might leave it: nobody can read it any more. */
const poison = ({ subscriptionId }: Company) =>
  sql`update subscriptions set notices = '[]' where id = ${subscriptionId}`.execute(world.product.deps.central)

const remove = ({ id }: Company) =>
  sql`update tenants set deleted_at = now() where id = ${id}`.execute(world.product.deps.central)

/** Its trial is over, and nobody has noticed. */
const expire = ({ subscriptionId }: Company) =>
  sql`update subscriptions set trial_until = '2027-01-01', next_due_at = '2027-01-01' where id = ${subscriptionId}`.execute(
    world.product.deps.central,
  )

test('a subscription that cannot be read holds up neither those that are due nor those of deleted companies', async () => {
  const { deps } = world.product
  const [poisoned, deleted, due, broken] = await Promise.all([
    world.company(),
    world.company(),
    world.company(),
    world.company(),
  ])
  await remove(poisoned)
  await poison(poisoned)
  await remove(deleted)
  await expire(due)
  await expire(broken)
  await poison(broken)
  const before = world.product.log.length
  const swept = await sweepBilling(deps)
  assert.deepEqual([await estadoOf(poisoned), await estadoOf(deleted)], ['trial', 'cancelada'])
  assert.equal(await estadoOf(due), 'vencida')
  assert.equal(swept.failed, 2)
  const told = world.product.log.slice(before).filter((line) => line.includes('billing.sweep_failed'))
  assert.equal(told.length, 2)
  for (const { subscriptionId } of [poisoned, broken])
    assert.ok(
      told.some((line) => line.includes(subscriptionId)),
      'the log says which',
    )
})

test('a comparison of the future is none: the night is asked for all the same', async () => {
  const { deps } = world.product
  await world.advance({ days: 1 })
  const waiting = async () => {
    const { rows } = await sql<{ n: number }>`
      select count(*)::int as n from pgboss.job where name = 'billing.nightly'`.execute(deps.central)
    return rows[0]?.n ?? 0
  }
  const year = 365 * 86_400_000
  await sql`update reconcile_runs set started_at = ${new Date(deps.clock.now().getTime() + year)} where kind = 'nocturna'`.execute(
    deps.central,
  )
  const before = await waiting()
  assert.ok(before > 0, 'there was a night')
  await sweepBilling(deps)
  assert.equal(await waiting(), before + 1)
})

test('what was last read half a year ago is forgotten, unless it still has news', async () => {
  const { central, clock } = world.product.deps
  const longAgo = new Date(clock.now().getTime() - 181 * 86_400_000)
  for (const [resourceId, dirty] of [
    ['41', 1],
    ['42', 2],
  ] as const)
    await sql`
      insert into mp_resources (connector_id, kind, resource_id, dirty_seq, clean_seq, first_seen_at, last_fetched_at, dead_reason)
      values (${world.connectorId}, 'payment', ${resourceId}, ${dirty}, 1, ${longAgo}, ${longAgo}, 'poison')`.execute(
      central,
    )
  await deleteOldDeliveries(central, clock.now())
  const left = await central
    .selectFrom('mp_resources')
    .select('resource_id')
    .where('resource_id', 'in', ['41', '42'])
    .execute()
  assert.deepEqual(left, [{ resource_id: '42' }])
})
