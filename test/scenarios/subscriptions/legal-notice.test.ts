import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type BillingWorld, type Company, ok, startBillingWorld } from '../../support/billing-world.ts'
import { type Chapter, chaptersOf } from '../../support/chapters.ts'
import { until } from '../../support/product.ts'

// Art. 76 Bis of the consumer law (billing.md 3.8): told at least five calendar days before, cancelled without delay.

let world: BillingWorld
let company: Company
let chapter: () => Promise<Chapter>
let preapproval: string
let path: string
const ending = new AsyncDisposableStack()
after(() => ending.disposeAsync())
before(async () => {
  // 10:00 in Mexico City.
  world = await startBillingWorld({ after: (end) => ending.defer(end) }, { at: new Date('2027-05-01T16:00:00Z') })
  company = await world.company({ plan: 'business' })
  chapter = chaptersOf(world, company)
  preapproval = await company.payByCard()
  await chapter()
})

/** To a moment of Mexico City. */
const to = (local: string) => world.advance({ until: new Date(`${local}:00-06:00`) })
/** What MercadoPago was told of the mandate. */
const told = () =>
  world.simulator.requests().filter(({ method, path }) => method === 'PUT' && path === `/preapproval/${preapproval}`)
const submit = () =>
  world.product.app.inject({
    method: 'POST',
    url: path,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    payload: '',
  })

test('the notice goes at eight on the sixth day before, and says how much, when and how to cancel', async () => {
  await to('2027-05-26T07:59')
  assert.deepEqual(await chapter(), { now: 'activa full 2027-06-01' })
  await to('2027-05-26T08:00')
  assert.deepEqual(await chapter(), {
    now: 'activa full 2027-06-01',
    log: ['05-26 08:00 aviso_renovacion → activa'],
    mails: ['aviso_renovacion'],
  })
  const { text } = await until('the notice', async () => {
    const mail = await world.product.mailTo(company.admin.email)
    return mail.text.includes('/cancelar/') ? mail : undefined
  })
  assert.match(text, /\$650\.00 MXN/)
  assert.match(text, /1 de junio de 2027/)
  path = new URL(/http\S+\/cancelar\/\S+/.exec(text)?.[0] ?? '').pathname
})

test('that the server took it is kept with the mail', async () => {
  const proof = await world.product.deps.central
    .selectFrom('mail_outbox')
    .select(['state', 'delivery', 'sent_at'])
    .where('tenant_id', '=', company.id)
    .where('template', '=', 'aviso_renovacion')
    .executeTakeFirstOrThrow()
  assert.deepEqual([proof.state, proof.delivery !== null, proof.sent_at !== null], ['sent', true, true])
})

test('whoever follows the link, as scanners of mail do, changes nothing', async () => {
  for (const method of ['GET', 'HEAD', 'GET'] as const)
    assert.equal((await world.product.app.inject({ method, url: path })).statusCode, 200, method)
  await world.settle()
  assert.deepEqual(await chapter(), { now: 'activa full 2027-06-01' })
  assert.deepEqual(told(), [])
})

test('one click cancels, MercadoPago is told in the same minute, and the month is charged no more', async () => {
  for (let i = 0; i < 2; i++) assert.equal((await submit()).statusCode, 303)
  await world.settle()
  assert.deepEqual(await chapter(), {
    now: 'activa full 2027-06-01',
    log: ['05-26 08:00 cancelar_fin_periodo → activa', '05-26 08:00 mandato_cancelado → activa'],
    mails: ['cancelada'],
    commands: ['cancel done'],
  })
  assert.equal(told().length, 1)
  assert.equal(world.simulator.state.preapprovals.get(preapproval)?.status, 'cancelled')
  await to('2027-06-02T10:00')
  assert.deepEqual(await chapter(), {
    now: 'cancelada/fin_periodo read_only 2027-06-01',
    log: ['05-27 08:00 aviso_vencimiento → activa', '06-01 00:00 cancelacion → cancelada'],
    mails: ['por_vencer_5d'],
  })
  assert.equal((await ok(company.get('/api/suscripciones/mi-suscripcion'))).json().pagos.length, 1)
})
