import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { platformAlerts } from '../../support/billing-inbox.ts'
import { type BillingWorld, type Company, type Story, startBillingWorld } from '../../support/billing-world.ts'

/** MercadoPago is out while a renewal, a notice, a failing card and a cancellation are due (billing.md 0.4, 3.6, 5.5). */
describe('three days of outage', () => {
  const ends: (() => Promise<void>)[] = []
  let world: BillingWorld
  let undisturbed: Company
  let story: Story
  let failing: Company
  let renewed: Company
  let transferring: Company
  let cancelling: Company

  before(async () => {
    world = await startBillingWorld({ after: (end) => void ends.push(end) })
    undisturbed = await world.company()
    await undisturbed.payByCard()
    story = await undisturbed.story()
    // All but `renewed`, whose notice of renewal falls into the outage, renew on 4 February.
    failing = await world.company()
    renewed = await world.company()
    transferring = await world.company()
    cancelling = await world.company()
    const late = new Date('2027-01-10T18:00:00Z')
    const failingId = await failing.authorise()
    await cancelling.authorise()
    await world.advance({ until: late })
    await renewed.payByCard()
    await world.advance({ until: new Date('2027-02-02T16:00:00Z') })
    world.simulator.setCard(failingId, 'FUND')
    world.simulator.addFault({ fault: 'outage' })
  })
  after(async () => {
    for (const end of ends.reverse()) await end()
  })

  test('nobody is sanctioned, notices go out, and after half an hour somebody is called', async () => {
    // Past the end of the period, the day that MercadoPago has to charge, and 08:00 after it.
    await world.advance({ until: new Date('2027-02-05T15:00:00Z') })
    for (const company of [undisturbed, failing, renewed]) assert.equal((await company.story()).estado, 'activa')
    assert.deepEqual((await renewed.story()).mails, ['pago_confirmado', 'aviso_renovacion'])
    assert.ok((await platformAlerts(world)).includes('mercadopago_fuera critica'))
  })

  test('a checkout is refused with a sentence, a cancellation is accepted and waits', async () => {
    const begun = await transferring.post('/api/checkout/iniciar', { correoPagador: transferring.admin.email })
    assert.equal(begun.statusCode, 503)
    assert.match(begun.json().detail, /MercadoPago/)
    const answer = await cancelling.post('/api/suscripciones/cancelar', {})
    assert.equal(answer.statusCode, 200, answer.body)
    assert.deepEqual((await cancelling.story()).commands, ['cancel queued'])
    await world.advance({ until: new Date('2027-02-05T16:00:00Z') })
    assert.deepEqual((await cancelling.story()).commands, ['cancel queued'])
  })

  test('afterwards everything is as if it had not been', async () => {
    world.simulator.clearFaults()
    await world.advance({ hours: 1 })
    assert.deepEqual(await undisturbed.story(), {
      ...story,
      paidUntil: '2027-03-04',
      events: [...story.events, 'aviso_renovacion→activa', 'preparar_cobro→activa', 'pago_aprobado→activa'],
      mails: ['pago_confirmado', 'aviso_renovacion', 'pago_confirmado'],
      invoices: ['periodo:2027-01-04 paid 65000', 'periodo:2027-02-04 paid 65000'],
      payments: ['mercadopago approved 65000 2027-01-04', 'mercadopago approved 65000 2027-02-04'],
    })
    assert.deepEqual((await cancelling.story()).commands, ['cancel done'])
    const after = await failing.story()
    assert.deepEqual([after.estado, after.motivo, after.access], ['pendiente_pago', 'renovacion', 'full'])
    assert.deepEqual(after.mails, ['pago_confirmado', 'aviso_renovacion', 'pago_fallido'])
    const alerts = await platformAlerts(world)
    assert.ok(alerts.includes('mercadopago_fuera critica resolved'))
    assert.deepEqual(
      alerts.filter((line) => !line.endsWith('resolved')),
      [],
    )
  })

  test('the one whose card failed has the days it would have had', async () => {
    await world.advance({ until: new Date('2027-02-07T05:59:00Z') })
    assert.equal((await failing.story()).estado, 'pendiente_pago')
    await world.advance({ hours: 12 })
    assert.equal((await failing.story()).estado, 'grace_period')
  })
})
