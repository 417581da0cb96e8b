import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type BillingWorld, type Company, ok, startBillingWorld } from '../../../test/support/billing-world.ts'
import { startProduct, until } from '../../../test/support/product.ts'

let world: BillingWorld
const ending = new AsyncDisposableStack()
after(() => ending.disposeAsync())
before(async () => {
  world = await startBillingWorld({ after: (end) => ending.defer(end) })
})

const payer = 'pagos@ejemplo.mx'
const visit = (url: string) => world.product.app.inject({ method: 'GET', url })
const submit = (url: string, fields: Record<string, string> = {}) =>
  world.product.app.inject({
    method: 'POST',
    url,
    headers: { 'content-type': 'application/x-www-form-urlencoded', origin: 'null' },
    payload: new URLSearchParams(fields).toString(),
  })
const linkFor = async ({ id }: Company) => {
  const made = await ok(world.product.staff.post(`/api/subscriptions/${id}/generate-link`, {}))
  return new URL(made.json().url).pathname
}
const eventsOf = async (company: Company) => (await company.story()).events

test('a link in a mail leads to a page that says what is paid, and its button to MercadoPago', async () => {
  const company = await world.company()
  await linkFor(company)
  const mail = await until('the mail with the link', async () => {
    const newest = await world.product.mailTo(company.admin.email)
    return newest.text.includes('/pagar/') ? newest : undefined
  })
  const path = new URL(/http\S+\/pagar\/\S+/.exec(mail.text)?.[0] ?? '').pathname
  const before = await eventsOf(company)
  const opened = await visit(path)
  assert.equal(opened.statusCode, 200)
  for (const words of [
    company.rfc.slice(0, 3),
    'Business',
    '$650.00 MXN cada mes',
    'Pagar con MercadoPago',
    'hasta que canceles',
  ])
    assert.ok(opened.body.includes(words), words)
  assert.ok(!opened.body.includes(company.admin.email))
  assert.ok(!new RegExp(`<dd>${company.rfc}</dd>`).test(opened.body))
  assert.deepEqual(await eventsOf(company), before, 'looking begins nothing')

  const gone = await submit(path, { correoPagador: payer })
  assert.equal(gone.statusCode, 303, gone.body)
  const initPoint = String(gone.headers.location)
  assert.ok(initPoint.startsWith(`${world.simulator.url}/subscriptions/checkout?preapproval_id=`))
  assert.equal((await submit(path, { correoPagador: payer })).headers.location, initPoint)
  assert.ok((await visit(path)).body.includes('p…@ejemplo.mx'))

  world.simulator.authorise(new URL(initPoint).searchParams.get('preapproval_id') ?? '')
  const done = await until('the news of it', async () => {
    await world.settle()
    const page = await visit(path)
    return page.body.includes('<h1>Este cobro ya se autorizó</h1>') ? page : undefined
  })
  assert.ok(!done.body.includes('<form'))
  const again = await submit(path, { correoPagador: payer })
  assert.equal(again.statusCode, 409)
})

test('pages load nothing, run nothing, tell nobody where they are, and are kept nowhere', async () => {
  const path = await linkFor(await world.company())
  for (const url of [path, '/pago/regreso', '/cancelar/nadie', '/pagar/nadie']) {
    const { headers, body } = await visit(url)
    const policy = String(headers['content-security-policy'])
    assert.match(policy, /^default-src 'none'; style-src 'sha256-[^']+'; img-src data:; form-action 'self'/, url)
    assert.match(policy, /base-uri 'none'; frame-ancestors 'none'$/)
    assert.equal(policy.includes(world.simulator.url), url === path, 'only paying leads away')
    assert.equal(headers['referrer-policy'], 'no-referrer')
    assert.equal(headers['x-robots-tag'], 'noindex')
    assert.equal(headers['cache-control'], 'no-store')
    assert.match(String(headers['content-type']), /^text\/html/)
    assert.ok(!/<script|javascript:|\son\w+=|src=/i.test(body), url)
  }
})

test('an e-mail that is none, or that MercadoPago refuses, comes back with the page and what was written', async () => {
  const company = await world.company()
  const path = await linkFor(company)
  const none = await submit(path, { correoPagador: '"><b>ana' })
  assert.equal(none.statusCode, 422)
  assert.match(none.body, /role="alert">Escribe el correo completo/)
  assert.ok(none.body.includes('value="&#34;&#62;&#60;b&#62;ana"'), 'escaped')
  // A test user's e-mail made of the wrong number: MercadoPago says 'User bad request'.
  const wrong = `test_user_${world.simulator.state.account.id}@testuser.com`
  const refused = await submit(path, { correoPagador: wrong })
  assert.equal(refused.statusCode, 422)
  assert.match(refused.body, /Cambia el correo e intenta de nuevo/)
  assert.ok(refused.body.includes(`value="${wrong}"`))
  assert.equal((await submit(path, { correoPagador: payer })).statusCode, 303)
  assert.equal((await submit(path, { correoPagador: payer, otra: 'x' })).statusCode, 400)
})

test('a link that never was, was replaced or has expired is answered alike', async () => {
  const company = await world.company()
  const replaced = await linkFor(company)
  const path = await linkFor(company)
  const stranger = await visit('/pagar/nadie')
  assert.equal(stranger.statusCode, 404)
  assert.match(stranger.body, /Este enlace ya no sirve/)
  assert.equal((await visit(replaced)).body, stranger.body)
  assert.equal((await submit(replaced, { correoPagador: payer })).body, stranger.body)
  assert.equal((await visit(path)).statusCode, 200)
  await world.advance({ hours: 73 })
  assert.equal((await visit(path)).body, stranger.body)
  assert.equal((await submit('/cancelar/nadie')).statusCode, 404)
})

test('where to send a transfer stands beside the card, in the lines that staff wrote', async () => {
  const { staff } = world.product
  const { politica } = (await staff.get('/api/cobranza/politica')).json()
  const instruccionesTransferencia = 'Banco de prueba\nCLABE 012345678901234567 & <RFC>'
  await ok(staff.send('PUT', '/api/cobranza/politica', { body: { politica, instruccionesTransferencia } }))
  const { body } = await visit(await linkFor(await world.company()))
  assert.match(
    body,
    /O paga por transferencia<\/h2><p class="texto">Banco de prueba\nCLABE 012345678901234567 &#38; &#60;RFC&#62;/,
  )
})

test('the page to come back to says the same whatever the address says', async () => {
  const plain = await visit('/pago/regreso')
  assert.equal(plain.statusCode, 200)
  assert.match(plain.body, /Estamos confirmando tu pago/)
  for (const query of [
    '?preapproval_id=1',
    '?status=approved&external_reference=%3Cscript%3E',
    '?%',
    `?x=${'y'.repeat(2000)}`,
  ])
    assert.equal((await visit(`/pago/regreso${query}`)).body, plain.body)
})

test('the mail before a renewal cancels with one click, and looking at it cancels nothing', async () => {
  const company = await world.company()
  const mandate = await company.payByCard()
  await world.advance({ days: 26 })
  const mail = await until('the notice of renewal', async () => {
    const newest = await world.product.mailTo(company.admin.email)
    return newest.text.includes('/cancelar/') ? newest : undefined
  })
  const path = new URL(/http\S+\/cancelar\/\S+/.exec(mail.text)?.[0] ?? '').pathname
  for (const method of ['GET', 'HEAD'] as const) await world.product.app.inject({ method, url: path })
  const opened = await visit(path)
  assert.match(opened.body, /¿Cancelar la suscripción de/)
  assert.match(opened.body, /Todo sigue funcionando hasta el/)
  const mine = async () => (await company.get('/api/suscripciones/mi-suscripcion')).json()
  const { cancel_at: before, current_period_end: end } = await mine()
  assert.equal(before, null)

  const gone = await submit(path)
  assert.deepEqual([gone.statusCode, gone.headers.location], [303, path])
  const { cancel_at, estado, access } = await mine()
  assert.deepEqual([cancel_at, estado, access], [end, 'activa', 'full'])
  assert.match((await visit(path)).body, /está cancelada<\/h1>/)
  assert.equal((await submit(path)).statusCode, 303)
  await until('MercadoPago told', async () => {
    await world.settle()
    return world.simulator.state.preapprovals.get(mandate)?.status === 'cancelled' || undefined
  })
  const story = await company.story()
  assert.equal(story.events.filter((event) => event.startsWith('cancelar_fin_periodo')).length, 1)
  assert.equal(story.mails.filter((name) => name === 'cancelada').length, 1)

  // A new card undoes the cancellation; the old link has done its work.
  await company.authorise()
  await until('the news of it', async () =>
    (await mine()).cancel_at === null ? true : world.settle().then(() => undefined),
  )
  assert.match((await visit(path)).body, /Este enlace ya se usó/)
  await submit(path)
  assert.equal((await mine()).cancel_at, null)
  await world.advance({ days: 9 })
  assert.equal((await visit(path)).statusCode, 404, 'the day after the charge it is over')
})

test('who tries many links from one place is told to wait, as a page; others are not', async (t) => {
  const { app } = await startProduct(t, { worker: false, env: { RATE_LIMIT_PER_MINUTE: '1000' } })
  const trying = (remoteAddress: string) => app.inject({ method: 'GET', url: '/pagar/nadie', remoteAddress })
  const answers = await Promise.all(Array.from({ length: 61 }, () => trying('192.0.2.1')))
  const refused = answers.filter(({ statusCode }) => statusCode === 429)
  assert.equal(refused.length, 1)
  assert.match(String(refused[0]?.headers['content-type']), /^text\/html/)
  assert.ok(Number(refused[0]?.headers['retry-after']) > 0)
  assert.match(refused[0]?.body ?? '', /Demasiadas solicitudes/)
  assert.equal((await trying('198.51.100.1')).statusCode, 404)
})
