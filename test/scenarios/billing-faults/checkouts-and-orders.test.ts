import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { asked, platformAlerts } from '../../support/billing-inbox.ts'
import { type BillingWorld, type Company, ok, type Story, startBillingWorld } from '../../support/billing-world.ts'

const CREATE = 'POST /preapproval'
const CHANGE = 'PUT /preapproval/:id'

/** Writes of ours whose answer is lost, is a refusal, or comes twice (billing.md 3.9, 5.5): nothing is done twice. */
describe('checkouts and orders', () => {
  const ends: (() => Promise<void>)[] = []
  let world: BillingWorld
  let story: Story

  before(async () => {
    world = await startBillingWorld({ after: (end) => void ends.push(end) }, { at: new Date('2027-01-04T07:00:00Z') })
    const undisturbed = await world.company()
    await undisturbed.payByCard()
    story = await undisturbed.story()
  })
  after(async () => {
    for (const end of ends.reverse()) await end()
  })

  const begin = (company: Company, correoPagador = company.admin.email) =>
    company.post('/api/checkout/iniciar', { correoPagador })
  const idOf = (answer: Awaited<ReturnType<typeof begin>>): string =>
    new URL((answer.json() as { initPoint: string }).initPoint).searchParams.get('preapproval_id') ?? ''
  /** What MercadoPago has of a company: `status` of each mandate, oldest first. */
  const mandatesAt = ({ subscriptionId }: Company) =>
    [...world.simulator.state.preapprovals.values()]
      .filter(({ externalReference }) => externalReference.includes(subscriptionId))
      .map(({ status }) => status)
  async function paid(company: Company, preapprovalId: string): Promise<Story> {
    world.simulator.authorise(preapprovalId)
    await world.advance({ minutes: 61 })
    return company.story()
  }

  test('the answer to a checkout is lost: what MercadoPago made is found by its reference and used', async () => {
    const company = await world.company()
    const other = await world.company()
    // Somebody with the same e-mail must not be taken for it.
    await ok(begin(other, company.admin.email))
    world.simulator.addFault({ fault: 'lost_response', route: CREATE, next: 1 })
    const answer = await begin(company)
    assert.equal(answer.statusCode, 200, answer.body)
    assert.deepEqual(mandatesAt(company), ['pending'])
    assert.equal(idOf(await ok(begin(company))), idOf(answer), 'asked again it is the same')
    assert.deepEqual(mandatesAt(company), ['pending'])
    assert.deepEqual(await paid(company, idOf(answer)), story)
  })

  test('lost, and the search fails too: 503, and the next try finds it', async () => {
    const company = await world.company()
    world.simulator.addFault({ fault: 'lost_response', route: CREATE, next: 1 })
    world.simulator.addFault({ fault: 'http_500', route: 'GET /preapproval/search', next: 1 })
    const first = await begin(company)
    assert.equal(first.statusCode, 503)
    assert.equal(first.json().code, 'gateway.lost_answer')
    await world.advance({ minutes: 1 })
    const second = await ok(begin(company))
    assert.deepEqual(mandatesAt(company), ['pending'])
    assert.deepEqual(await paid(company, idOf(second)), story)
  })

  test('lost before MercadoPago made it: another attempt, and one mandate', async () => {
    const company = await world.company()
    world.simulator.addFault({ fault: 'http_503', route: CREATE, next: 1 })
    assert.equal((await begin(company)).statusCode, 503)
    assert.deepEqual(mandatesAt(company), [])
    await world.advance({ minutes: 1 })
    const second = await ok(begin(company))
    assert.deepEqual(mandatesAt(company), ['pending'])
    const events = story.events.toSpliced(1, 0, 'checkout_iniciado→trial')
    // The first attempt is ended when the second is authorised: there turns out to be nothing to tell.
    const commands = ['cancel superseded']
    assert.deepEqual(await paid(company, idOf(second)), { ...story, events, commands })
  })

  test('two checkouts at once are one', async () => {
    const company = await world.company()
    const answers = await Promise.all([begin(company), begin(company), begin(company)])
    const made = answers.filter(({ statusCode }) => statusCode === 200)
    assert.ok(made.length > 0, answers.map(({ body }) => body).join('\n'))
    const [first = ''] = made.map(idOf)
    world.simulator.authorise(first)
    await world.advance({ minutes: 61 })
    const after = await company.story()
    assert.equal(after.estado, 'activa')
    assert.deepEqual([after.payments, after.invoices, after.mails], [story.payments, story.invoices, story.mails])
    assert.deepEqual(
      mandatesAt(company).filter((status) => status !== 'cancelled'),
      ['authorized'],
    )
  })

  test('two checkouts, both authorised and both paid: one survives, the other charge is credit and an alert', async () => {
    world.simulator.configure({ first_charge_delay_minutes: 0 })
    const company = await world.company()
    const older = idOf(await ok(begin(company)))
    const newer = idOf(await ok(begin(company, 'otra.cuenta@empresa.example')))
    assert.notEqual(older, newer)
    // Both are charged before the first word of either.
    world.simulator.addFault({ fault: 'delay_webhook', minutes: 5 })
    world.simulator.authorise(older)
    world.simulator.authorise(newer, { email: 'otra.cuenta@empresa.example' })
    await world.advance({ minutes: 10 })
    world.simulator.clearFaults()
    world.simulator.configure({ first_charge_delay_minutes: 60 })
    const both = await company.story()
    assert.deepEqual([both.estado, both.paidUntil], ['activa', '2027-02-04'])
    assert.deepEqual(both.ledger, ['duplicate_payment 65000'])
    assert.deepEqual(both.invoices, story.invoices)
    assert.deepEqual(both.mails, ['pago_confirmado'])
    // Whether the older one was seen authorised before it was ended, or after, is a matter of who is read first.
    assert.deepEqual(
      both.alerts.filter((code) => !code.startsWith('mandato_')),
      ['pago_duplicado'],
    )
    assert.deepEqual(new Set(both.commands), new Set(['cancel done']))
    assert.deepEqual(mandatesAt(company).toSorted(), ['authorized', 'cancelled'])
  })

  test('the answer to a cancellation is lost: asked again it is a 400, which is success', async () => {
    const [lost, heard] = (await Promise.all([world.company(), world.company()])) as [Company, Company]
    const ids = [await lost.authorise(), await heard.authorise()]
    await world.advance({ minutes: 61 })
    await ok(heard.post('/api/suscripciones/cancelar', {}))
    await world.settle()
    world.simulator.addFault({ fault: 'lost_response', route: CHANGE, resource: ids[0] ?? '', next: 1 })
    const told = asked(world, 'PUT', `/preapproval/${ids[0]}`)
    await ok(lost.post('/api/suscripciones/cancelar', {}))
    await world.settle()
    assert.equal(asked(world, 'PUT', `/preapproval/${ids[0]}`) - told, 2)
    const undisturbed = await heard.story()
    assert.deepEqual(undisturbed.commands, ['cancel done'])
    assert.deepEqual(await lost.story(), undisturbed)
  })

  test('the payer cancels at MercadoPago in the moment in which the company cancels here: one cancellation', async () => {
    const company = await world.company()
    const id = await company.payByCard()
    world.simulator.addFault({ fault: 'drop_webhook' })
    world.simulator.cancel(id)
    world.simulator.clearFaults()
    await ok(company.post('/api/suscripciones/cancelar', {}))
    await world.settle()
    const after = await company.story()
    assert.deepEqual([after.estado, after.paidUntil], ['activa', '2027-02-04'])
    assert.deepEqual(after.mails, ['pago_confirmado', 'cancelada'])
    assert.deepEqual(after.commands, ['cancel done'])
    assert.deepEqual(after.alerts, [])
  })

  test('a transfer marked twice at once is one payment', async () => {
    const [twice, once] = (await Promise.all([world.company(), world.company()])) as [Company, Company]
    const mark = (company: Company, referencia: string) =>
      world.product.staff.post(`/api/subscriptions/${company.id}/mark-paid`, {
        importe: '650.00',
        fecha: '2027-01-04',
        referencia,
      })
    await ok(mark(once, 'SPEI-1'))
    const answers = await Promise.all(Array.from({ length: 4 }, () => mark(twice, 'SPEI-2')))
    assert.deepEqual(
      answers.map(({ statusCode }) => statusCode),
      [200, 200, 200, 200],
    )
    assert.equal(new Set(answers.map((answer) => answer.json().pago.id)).size, 1)
    await world.settle()
    assert.deepEqual(await twice.story(), await once.story())
    assert.deepEqual((await twice.story()).payments.length, 1)
  })

  test('none of it is the platform’s concern', async () => {
    assert.deepEqual(
      (await platformAlerts(world)).filter((line) => !line.endsWith('resolved')),
      [],
    )
  })
})
