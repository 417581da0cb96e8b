import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, describe, test } from 'node:test'
import { type OwnerConnection, openAs } from '../../../src/db/client.ts'
import { asked } from '../../support/billing-inbox.ts'
import { type BillingWorld, type Company, ok, type Story, startBillingWorld } from '../../support/billing-world.ts'
import { until } from '../../support/until.ts'
import { outliveTheDead, spawnWorker, workUntilCrash } from '../../support/worker-child.ts'

/** Workers die at the worst moments, and two work at once (billing.md 5.5): another one ends what was begun, once. */
describe('workers that die', () => {
  const ends: (() => Promise<void>)[] = []
  let world: BillingWorld
  let owner: OwnerConnection
  let story: Story

  before(async () => {
    const at = new Date('2027-01-04T07:00:00Z')
    world = await startBillingWorld(
      { after: (end) => void ends.push(end) },
      { at, env: { WORKER_METRICS_PORT: '0', LOG_LEVEL: 'silent' } },
    )
    owner = await openAs(world.product.centralOwnerUrl)
    ends.push(() => owner.end())
    const undisturbed = await world.company()
    await undisturbed.payByCard()
    story = await undisturbed.story()
  })
  after(async () => {
    for (const end of ends.reverse()) await end()
  })

  /** What is due is begun by a worker that dies at `point`, and ended by the next. */
  const dieAt = (point: string, due: () => Promise<unknown>) =>
    world.withoutWorker(async () => {
      await due()
      await workUntilCrash(world.product, point)
      await outliveTheDead({ owner })
    })

  for (const point of ['billing.fetched', 'billing.applied', 'mail.sent'])
    test(`killed at ${point}, a charge is applied and confirmed once`, async () => {
      const company = await world.company()
      await company.authorise()
      await dieAt(point, () => world.advance({ minutes: 61 }))
      assert.deepEqual(await company.story(), story)
      // The job of a worker that died comes back when the queue misses its heartbeat.
      await until(async () => (await confirmationsTo(company)).rows[0] !== 'queued')
      assert.deepEqual(await confirmationsTo(company), { rows: ['sent'], ids: 1 })
    })

  test('killed at billing.commanded, MercadoPago is told once', async () => {
    const [disturbed, undisturbed] = (await Promise.all([world.company(), world.company()])) as [Company, Company]
    const id = await disturbed.authorise()
    await undisturbed.authorise()
    await world.advance({ minutes: 61 })
    await dieAt('billing.commanded', () => ok(disturbed.post('/api/suscripciones/cancelar', {})))
    await ok(undisturbed.post('/api/suscripciones/cancelar', {}))
    await world.settle()
    assert.deepEqual((await undisturbed.story()).commands, ['cancel done'])
    assert.deepEqual(await disturbed.story(), await undisturbed.story())
    assert.equal(asked(world, 'PUT', `/preapproval/${id}`), 1)
  })

  test('two workers on one subscription do everything once', async () => {
    const company = await world.company()
    const id = await company.authorise()
    const second = spawnWorker(world.product)
    const ended = once(second, 'exit')
    for (let i = 0; i < 5; i++) world.simulator.forge({ topic: 'subscription_preapproval', resourceId: id })
    await world.advance({ minutes: 61 })
    for (const payment of world.simulator.state.payments.values()) {
      if (payment.preapprovalId !== id) continue
      for (let i = 0; i < 5; i++) world.simulator.forge({ topic: 'payment', resourceId: payment.id })
    }
    await world.settle()
    second.kill('SIGTERM')
    await ended
    assert.deepEqual(await company.story(), story)
  })

  /** What became of the mails that confirm a payment: their rows, and under how many Message-IDs the mailbox has them. */
  async function confirmationsTo({ id, admin }: Company) {
    const rows = await world.product.deps.central
      .selectFrom('mail_outbox')
      .select('state')
      .where('tenant_id', '=', id)
      .where('template', '=', 'pago_confirmado')
      .execute()
    const list = await fetch(`${world.product.mailboxUrl}/api/correos?para=${encodeURIComponent(admin.email)}`)
    const { datos } = (await list.json()) as { datos: { asunto: string; messageId: string | null }[] }
    const ids = new Set(datos.filter(({ asunto }) => /pago/i.test(asunto)).map(({ messageId }) => messageId))
    return { rows: rows.map(({ state }) => state), ids: ids.size }
  }
})
