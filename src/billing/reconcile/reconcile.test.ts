import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import { sql } from 'kysely'
import { type BillingWorld, type Company, startBillingWorld } from '../../../test/support/billing-world.ts'
import { compareAll } from './nightly.ts'
import { reconcile } from './reconcile.ts'

let world: BillingWorld
/** Its mandate cannot be read at MercadoPago, for ever. */
let odd: Company & { preapprovalId: string }
let healthy: Company & { preapprovalId: string }
const ending = new AsyncDisposableStack()
after(() => ending.disposeAsync())
before(async () => {
  world = await startBillingWorld({ after: (end) => ending.defer(end) })
  const paying = async () => {
    const company = await world.company()
    return { ...company, preapprovalId: await company.payByCard() }
  }
  odd = await paying()
  healthy = await paying()
})
afterEach(() => world.simulator.clearFaults())

const exec = (query: ReturnType<typeof sql>) => query.execute(world.product.deps.central)

/** Both are due to be read, the odd one first. */
async function forgetReadings() {
  const longAgo = new Date(world.product.deps.clock.now().getTime() - 48 * 3_600_000)
  await exec(sql`update subscriptions set last_synced_at = null where id = ${odd.subscriptionId}`)
  await exec(sql`update subscriptions set last_synced_at = ${longAgo} where id = ${healthy.subscriptionId}`)
}

async function lastReading({ subscriptionId }: Company): Promise<Date | null> {
  const { central } = world.product.deps
  const row = await central
    .selectFrom('subscriptions')
    .select('last_synced_at')
    .where('id', '=', subscriptionId)
    .executeTakeFirstOrThrow()
  return row.last_synced_at
}

for (const fault of ['http_500', 'html_200'] as const)
  test(`a mandate that is always answered ${fault} keeps nobody else from being read`, async () => {
    await forgetReadings()
    world.simulator.addFault({ fault, route: 'GET /preapproval/:id', resource: odd.preapprovalId })
    const before = world.product.deps.clock.now()
    const { read } = await reconcile(world.product.deps)
    assert.equal(read, 1)
    assert.equal(await lastReading(odd), null)
    assert.ok(((await lastReading(healthy)) ?? 0) >= before)
  })

test('an outage ends the run after a few calls, and says so', async () => {
  const others = await Promise.all(Array.from({ length: 8 }, () => world.company()))
  for (const company of others) await company.authorise()
  await exec(sql`update subscriptions set last_synced_at = null`)
  world.simulator.addFault({ fault: 'http_503' })
  const asked = world.simulator.requests().length
  const { read, truncated } = await reconcile(world.product.deps)
  assert.deepEqual([read, truncated], [0, true])
  assert.equal(world.simulator.requests().length - asked, 5, 'then the breaker is open')
  world.simulator.clearFaults()
  await world.advance({ minutes: 10 })
  assert.notEqual(await lastReading(healthy), null)
})

test('a reading that lies in the future is none, and is put right', async () => {
  const { clock } = world.product.deps
  const future = new Date(clock.now().getTime() + 400 * 86_400_000)
  await exec(sql`update subscriptions set last_synced_at = ${future} where id = ${healthy.subscriptionId}`)
  await reconcile(world.product.deps)
  const at = await lastReading(healthy)
  assert.ok(at && at <= clock.now())
})

test('the nightly comparison leaves out what breaks it, and comes to its end', async () => {
  const { central } = world.product.deps
  // MercadoPago has news of both: their payments were given back, and none of its webhooks arrived.
  world.simulator.addFault({ fault: 'drop_webhook' })
  const payments = [...world.simulator.state.payments.values()]
  const paymentOf = ({ subscriptionId }: Company) => {
    const found = payments.find(
      ({ kind, externalReference }) => kind === 'subscription' && externalReference?.includes(subscriptionId),
    )
    return found?.id ?? ''
  }
  for (const company of [odd, healthy]) world.simulator.refund(paymentOf(company))
  await world.simulator.settled()
  // As a bug of ours might leave it: nobody can read this one any more.
  await exec(sql`update subscriptions set notices = '[]' where id = ${odd.subscriptionId}`)
  const found = await compareAll(world.product.deps)
  assert.deepEqual(found.unreadable, [`payment:${paymentOf(odd)}`])
  assert.equal(found.truncated, false)
  assert.ok((await healthy.story()).ledger.length + (await healthy.story()).events.length > 0)
  assert.equal((await healthy.story()).estado, 'pendiente_pago')
  const run = await central
    .selectFrom('reconcile_runs')
    .select(['finished_at', 'error'])
    .where('kind', '=', 'nocturna')
    .orderBy('id', 'desc')
    .executeTakeFirstOrThrow()
  assert.ok(run.finished_at)
  await exec(sql`update subscriptions set notices = '{}' where id = ${odd.subscriptionId}`)
  await compareAll(world.product.deps)
  assert.equal((await odd.story()).estado, 'pendiente_pago')
})
