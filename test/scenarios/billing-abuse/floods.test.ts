import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type BillingWorld, ok, startBillingWorld } from '../../support/billing-world.ts'

/** Who knocks again and again costs himself, and nobody else. */
const ending = new AsyncDisposableStack()
let world: BillingWorld
after(() => ending.disposeAsync())
before(async () => {
  const env = { RATE_LIMIT_PER_MINUTE: '100000' }
  world = await startBillingWorld({ after: (end) => ending.defer(end) }, { env })
})

const payer = (n: number) => `pagos${n}@ejemplo.mx`
const codesOf = (answers: { statusCode: number }[]) => {
  const codes = answers.map(({ statusCode }) => statusCode)
  return Object.fromEntries([...new Set(codes)].sort().map((code) => [code, codes.filter((c) => c === code).length]))
}

test('a company changes its subscription twenty times a minute, however it is asked; others change theirs', async () => {
  const [company, other] = [await world.company(), await world.company()]
  const answers = []
  for (let n = 0; n < 12; n += 1) {
    answers.push(await company.send('PATCH', '/api/suscripciones/reanudar'))
    answers.push(await company.post('/api/suscripciones/deshacer-cancelacion'))
  }
  assert.deepEqual(codesOf(answers), { 409: 20, 429: 4 })
  const refused = await company.post('/api/checkout/iniciar', { correoPagador: payer(1) })
  assert.deepEqual([refused.statusCode, refused.json().code], [429, 'request.too_many'])
  assert.ok(Number(refused.headers['retry-after']) > 0)
  await ok(company.get('/api/suscripciones/mi-suscripcion'))
  await ok(other.post('/api/checkout/iniciar', { correoPagador: payer(1) }))
})

test('pages and links for strangers have limits of their own, which say so in words', async () => {
  const knock = async (times: number, url: string) =>
    codesOf(await Promise.all(Array.from({ length: times }, () => world.product.anonymous.get(url))))
  assert.deepEqual(await knock(70, '/api/checkout/link/nadie'), { 404: 60, 429: 10 })
  assert.deepEqual(await knock(65, '/pagar/nadie'), { 404: 60, 429: 5 })
  const page = await world.product.anonymous.get('/cancelar/nadie')
  assert.equal(page.statusCode, 429, 'pages share theirs')
  assert.match(page.body, /Demasiadas solicitudes/)
  assert.ok(Number(page.headers['retry-after']) > 0)
  const pays = await Promise.all(
    Array.from({ length: 25 }, () =>
      world.product.anonymous.post('/api/checkout/link/nadie/pago', { correoPagador: payer(2) }),
    ),
  )
  assert.deepEqual(codesOf(pays), { 404: 20, 429: 5 })
})

test('twenty pages a day are begun for one subscription; those that are there go on', async () => {
  const company = await world.company()
  const { url } = (await ok(world.product.staff.post(`/api/subscriptions/${company.id}/generate-link`, {}))).json()
  const { pathname } = new URL(url)
  const token = pathname.split('/').at(-1) ?? ''
  const pay = (n: number) =>
    world.product.app.inject({
      method: 'POST',
      url: `/api/checkout/link/${token}/pago`,
      payload: { correoPagador: payer(n) },
      // From another network each time.
      remoteAddress: `198.51.100.${n}`,
    })
  const answers = []
  for (let n = 1; n <= 22; n += 1) answers.push(await pay(n))
  assert.deepEqual(codesOf(answers), { 200: 20, 429: 2 })
  assert.equal(answers.at(-1)?.json().code, 'checkout.too_many_attempts')
  assert.equal((await pay(3)).json().initPoint, answers[2]?.json().initPoint)
  const mine = [...world.simulator.state.preapprovals.values()].filter(({ externalReference }) =>
    externalReference.includes(company.subscriptionId),
  )
  assert.equal(mine.length, 20)
  await world.advance({ hours: 25 })
  assert.equal((await pay(30)).statusCode, 200)
})
