import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { NewFault } from '../../../src/simulators/mercadopago/fault-rules.ts'
import { asked } from '../../support/billing-inbox.ts'
import { type BillingWorld, type Company, type Story, startBillingWorld } from '../../support/billing-world.ts'

const PAYMENT = 'GET /v1/payments/:id'
const MANDATE = 'GET /preapproval/:id'
const INSTALMENT = 'GET /authorized_payments/:id'

/** MercadoPago answers badly, slowly or not at all (billing.md 5.5, 5.6): events wait, and nobody is punished for it. */
describe('MercadoPago down', () => {
  const ends: (() => Promise<void>)[] = []
  let world: BillingWorld
  let undisturbed: Company
  let story: Story

  before(async () => {
    world = await startBillingWorld({ after: (end) => void ends.push(end) }, { at: new Date('2027-01-04T07:00:00Z') })
    undisturbed = await world.company()
    await undisturbed.payByCard()
    story = await undisturbed.story()
  })
  after(async () => {
    for (const end of ends.reverse()) await end()
  })

  async function paysUnder(...faults: NewFault[]): Promise<Company & { preapprovalId: string }> {
    const company = await world.company()
    for (const fault of faults) world.simulator.addFault(fault)
    const preapprovalId = await company.authorise()
    await world.advance({ minutes: 61 })
    return { ...company, preapprovalId }
  }

  const strikes = (fault: string) => world.simulator.requests().filter(({ faults }) => faults.includes(fault)).length

  // Three at a time, each on another answer of the same charge.
  for (const [mandate, payment, instalment] of [
    ['http_500', 'http_423', 'html_200'],
    ['http_429', 'empty_200', 'http_502'],
    ['lost_response', 'http_503', 'http_429'],
  ] as const)
    test(`${mandate}, ${payment} and ${instalment}: a failure each, asked again, and the story is as undisturbed`, async () => {
      const first = world.simulator.requests().length
      const company = await paysUnder(
        { fault: mandate, route: MANDATE, next: 1 },
        { fault: payment, route: PAYMENT, next: 1 },
        { fault: instalment, route: INSTALMENT, next: 1, retry_after: 1 },
      )
      world.simulator.clearFaults()
      const suffered = world.simulator
        .requests()
        .slice(first)
        .flatMap(({ faults }) => faults)
      assert.deepEqual(suffered.toSorted(), [mandate, payment, instalment].toSorted())
      assert.deepEqual(await company.story(), story)
    })

  test('silence, half a body and slowness: each call has its end, and is asked again', async () => {
    const company = await paysUnder(
      { fault: 'timeout', route: PAYMENT, next: 1 },
      { fault: 'stall_body', route: INSTALMENT, next: 1 },
      { fault: 'latency', ms: 200 },
    )
    world.simulator.clearFaults()
    assert.deepEqual([strikes('timeout'), strikes('stall_body')], [1, 1])
    assert.deepEqual(await company.story(), story)
  })

  test('reads of what was true before: nothing goes back, and the truth is found later', async () => {
    const company = await paysUnder({ fault: 'stale_read', seconds: 1_800 })
    world.simulator.clearFaults()
    await world.advance({ minutes: 16 })
    assert.deepEqual(await company.story(), story)
    world.simulator.addFault({ fault: 'stale_read', seconds: 5_000, route: MANDATE })
    const stale = asked(world, 'GET', `/preapproval/${company.preapprovalId}`)
    world.simulator.forge({ topic: 'subscription_preapproval', resourceId: company.preapprovalId })
    await world.settle()
    world.simulator.clearFaults()
    assert.ok(asked(world, 'GET', `/preapproval/${company.preapprovalId}`) > stale)
    assert.deepEqual(await company.story(), story, 'pending again is older news')
  })

  test('a payment that was approved does not return to being reviewed', async () => {
    const reviewed = await world.company()
    await reviewed.authorise({ script: ['CONT'] })
    await world.advance({ hours: 26 })
    const paid = await reviewed.story()
    assert.deepEqual(paid.events.slice(-2), ['pago_en_proceso→trial', 'pago_aprobado→activa'])
    const payment = [...world.simulator.state.payments.values()].find(
      ({ kind, externalReference }) => kind === 'subscription' && externalReference?.includes(reviewed.subscriptionId),
    )
    assert.ok(payment)
    world.simulator.addFault({ fault: 'stale_read', seconds: 20 * 3_600, route: PAYMENT, resource: payment.id })
    world.simulator.forge({ topic: 'payment', resourceId: payment.id })
    await world.settle()
    world.simulator.clearFaults()
    assert.equal(strikes('stale_read') > 0, true)
    assert.deepEqual(await reviewed.story(), paid)
  })
})
