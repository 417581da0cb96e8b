import assert from 'node:assert/strict'
import { request } from 'node:http'
import { type TestContext, test } from 'node:test'
import { openSimulator } from './open-simulator.ts'

test('the payer authorises on the hosted page, which never goes back by itself', async (t) => {
  const { create, form, mandate, get } = await open(t)
  const id = await create({ back_url: 'http://localhost:3000/volver?empresa=7' })
  const first = await get(`/subscriptions/checkout?preapproval_id=${id}`)
  assert.match(first.text, /<h1>Horux360 plan Pro<\/h1>[\s\S]*\$650\.50 MXN[\s\S]*cada mes/)
  // The screen that says `external_reference` and means the mandate.
  assert.match(
    first.text,
    new RegExp(`href="http://localhost:3000/volver\\?empresa=7&#38;preapproval_id=${id}&#38;external_reference=${id}"`),
  )

  const wrong = await form('/subscriptions/checkout', { preapproval_id: id, email: 'otra@x.mx', holder: 'APRO' })
  assert.match(wrong.text, /Solo puede autorizarla la cuenta ana@muebles\.example/)
  const refused = await form('/subscriptions/checkout', {
    preapproval_id: id,
    email: 'ana@muebles.example',
    holder: 'FUND',
  })
  assert.match(refused.text, /no fue aceptada: fondos insuficientes/)
  const rejected = await form('/subscriptions/checkout', { preapproval_id: id, accion: 'rechazar' })
  assert.match(rejected.text, /cc_rejected_other_reason/)
  assert.deepEqual([mandate(id).status, mandate(id).refusals.length], ['pending', 2])

  const done = await form('/subscriptions/checkout', {
    preapproval_id: id,
    email: 'ana@muebles.example',
    holder: 'APRO',
    script: 'fund, apro',
    accion: 'autorizar',
  })
  assert.deepEqual([done.status, done.location], [200, null])
  assert.match(done.text, /quedó autorizada/)
  assert.match(done.text, new RegExp(`href="http://localhost:3000/volver\\?empresa=7&#38;preapproval_id=${id}"`))
  assert.deepEqual([mandate(id).status, mandate(id).script], ['authorized', ['FUND', 'APRO']])
  assert.match((await get('/subscriptions/cerrada')).text, /Cerraste la pestaña/)
  const unknown = await get('/subscriptions/checkout?preapproval_id=x')
  assert.deepEqual([unknown.status, /does not exist/.test(unknown.text)], [404, true])
  const card = await form('/subscriptions/checkout', { preapproval_id: id, email: 'a@x.mx', holder: 'NADA' })
  assert.equal(card.status, 400)
})

test('a page of one payment is paid once', async (t) => {
  const { call, form, get, payments } = await open(t)
  const { body } = await call('POST', '/checkout/preferences', {
    items: [{ title: 'Mejora', quantity: 1, unit_price: 10 }],
    external_reference: 'm-1',
    back_urls: { success: 'https://app.ejemplo.mx/ok', failure: 'https://app.ejemplo.mx/mal' },
  })
  const at = `/checkout/v1/redirect?pref_id=${body.id}`
  assert.match((await get(at)).text, /href="https:\/\/app\.ejemplo\.mx\/mal\?/)
  assert.match((await form(at, { pref_id: body.id, email: 'a@x.mx', holder: 'OTHE' })).text, /no fue aceptada/)
  assert.match((await form(at, { pref_id: body.id, email: 'a@x.mx', holder: 'CONT' })).text, /Estamos revisando/)
  assert.match((await form(at, { pref_id: body.id, email: 'a@x.mx', holder: 'APRO' })).text, /ya se pagó/)
  const [, paid] = payments('checkout')
  assert.match(
    (await get(at)).text,
    new RegExp(`/ok\\?preference_id=${body.id}&#38;external_reference=m-1&#38;payment_id=${paid?.id}`),
  )
  for (const success of ['javascript:alert(1)', 'volver'])
    assert.equal(
      (
        await call('POST', '/checkout/preferences', {
          items: [{ title: 'x', quantity: 1, unit_price: 1 }],
          back_urls: { success },
        })
      ).status,
      400,
    )
})

test("the payer's account pauses, resumes, disputes and cancels", async (t) => {
  const { sim, create, form, get, mandate, payments } = await open(t)
  const id = await create()
  sim.authorise(id)
  await sim.advance({ hours: 1 })
  const payer = 'ana@muebles.example'
  assert.match((await get('/account')).text, /href="\/account\?payer=ana%40muebles\.example"/)
  const act = async (accion: string, which = id) => {
    const answer = await form('/account', { payer, id: which, accion })
    assert.deepEqual([answer.status, answer.location], [303, '/account?payer=ana%40muebles.example'])
    return mandate(id).status
  }
  assert.equal(await act('pausar'), 'paused')
  assert.match((await get(`/account?payer=${payer}`)).text, /Reanudar/)
  assert.equal(await act('reanudar'), 'authorized')
  await act('disputar', payments()[0]?.id)
  assert.equal(payments()[0]?.status, 'in_mediation')
  assert.equal(await act('cancelar'), 'cancelled')
  assert.equal((await form('/account', { payer, id, accion: 'reanudar' })).status, 400)
  assert.equal((await form('/account', { payer, id, accion: 'volar' })).status, 400)
  assert.match((await get('/account?payer=nadie@x.mx')).text, /No tienes suscripciones/)
})

test('every lever of the control page does what it says', async (t) => {
  const { sim, create, form, get, mandate, payments, received } = await open(t)
  const id = await create()
  sim.authorise(id)
  await sim.settled()
  const pull = async (path: string, fields: Record<string, string> = {}) => {
    const answer = await form(`/control/${path}`, fields)
    assert.equal(answer.status, 303, `${path}: ${answer.text}`)
    return answer
  }
  await pull(`mandatos/${id}/tarjeta`, { holder: 'OTHE', script: 'APRO CONT' })
  assert.deepEqual([mandate(id).holder, mandate(id).script], ['OTHE', ['APRO', 'CONT']])
  await pull(`mandatos/${id}/cobrar`)
  assert.equal(payments()[0]?.status, 'approved')
  await pull('avanzar', { distancia: '1m' })
  assert.equal(sim.now().toISOString(), '2026-02-28T16:00:00.000Z')
  await pull('avanzar', { distancia: '1d' })
  const [first, second] = payments().map(({ id }) => id)
  await pull(`pagos/${second}/aprobar`)
  await pull(`pagos/${second}/disputa`)
  await pull(`pagos/${second}/ganar`)
  await pull(`pagos/${second}/contracargo`)
  await pull(`pagos/${second}/perder`)
  assert.equal(payments()[1]?.statusDetail, 'settled')
  await pull(`pagos/${first}/reembolso`, { amount: '50.25' })
  assert.equal(payments()[0]?.refundedC, 5_025n)
  await pull(`pagos/${first}/reembolso`, { amount: '' })
  assert.equal(payments()[0]?.status, 'refunded')
  await pull('pago-ajeno', { amount: '12.30' })
  assert.equal(payments('foreign')[0]?.amountC, 1_230n)
  await pull(`mandatos/${id}/pausar`)
  await pull(`mandatos/${id}/reanudar`)
  await pull(`mandatos/${id}/cancelar`)
  assert.equal(mandate(id).status, 'cancelled')

  await pull('fallas', {
    fault: 'http_500',
    route: 'GET /users/me',
    next: '3',
    probability: '',
    ms: '1000',
    resource: '',
  })
  assert.deepEqual(
    [sim.state.faults[0]?.route, sim.state.faults[0]?.next, sim.state.faults[0]?.resource],
    ['GET /users/me', 3, undefined],
  )
  assert.match((await get('/')).text, /http_500 · GET \/users\/me · 3 veces más/)
  await pull('fallas/quitar', { id: sim.state.faults[0]?.id ?? '' })
  assert.equal(sim.state.faults.length, 0)
  assert.equal((await form('/control/fallas', { fault: 'otra' })).status, 400)

  await sim.settled()
  received.length = 0
  await pull('falsificar', { topic: 'payment', resourceId: '9', bodyId: '', mode: 'none', secret: '' })
  const delivery = sim.deliveries()[0]?.id ?? ''
  await pull(`avisos/${delivery}/repetir`)
  await pull(`avisos/${delivery}/reenviar`, { body: '{"type":"editado"}', query: 'data.id=1' })
  await sim.settled()
  assert.deepEqual(
    received.map(({ body }) => body.type),
    ['payment', 'subscription_preapproval', 'editado'],
  )
  assert.match((await get(`/avisos/${delivery}`)).text, /Intento 1[\s\S]*x-signature/)
  assert.equal((await get('/avisos/0')).status, 404)

  await pull('ajustes', { amount_lock: 'schedule', legacy_ipn: 'true', debit_hour: '7', retry_days: '1, 2' })
  const { amount_lock, legacy_ipn, debit_hour, retry_days, ts_unit } = sim.state.settings
  assert.deepEqual([amount_lock, legacy_ipn, debit_hour, retry_days, ts_unit], ['schedule', true, 7, [1, 2], 's'])
  assert.equal((await form('/control/ajustes', { debit_hour: '99' })).status, 400)
  assert.equal((await form('/control/avanzar', { distancia: 'x' })).status, 400)
  assert.equal((await form(`/control/pagos/${first}/reembolso`, { amount: 'mil' })).status, 400)
  await pull('reiniciar')
  assert.equal(sim.state.preapprovals.size, 0)
})

test('what attacks a page is shown as text, and nothing is asked for elsewhere', async (t) => {
  const { sim, create, call, get, form } = await open(t)
  const evil = `"><script>alert(1)</script><img src=x>`
  const id = await create({ reason: evil, external_reference: evil, payer_email: `"<img>'@x.mx` })
  sim.authorise(id)
  await sim.advance({ hours: 1 })
  await call('POST', '/checkout/preferences', {
    items: [{ title: evil, quantity: 1, unit_price: 10 }],
    back_urls: { success: 'https://x.mx/"><script>' },
  })
  const [preference] = sim.state.preferences.keys()
  sim.forge({ topic: evil, resourceId: evil, action: evil })
  sim.addFault({ fault: 'latency', ms: 0, resource: evil })
  sim.setAccount({ nickname: evil })
  await sim.settled()
  const forged = sim.deliveries().at(-1)?.id
  const pages = [
    ...['/', `/subscriptions/checkout?preapproval_id=${id}`, `/checkout/v1/redirect?pref_id=${preference}`],
    ...[
      '/account',
      `/account?payer=${encodeURIComponent(`"<img>'@x.mx`)}`,
      `/account?payer=${encodeURIComponent(evil)}`,
    ],
    ...[`/avisos/${forged}`, `/subscriptions/checkout?preapproval_id=${encodeURIComponent(evil)}`],
  ]
  for (const path of pages) {
    const { text, policy } = await get(path)
    assert.doesNotMatch(text, /<script|<img|<link rel="(?!icon)|@import|url\(/i, path)
    assert.match(policy, /^default-src 'none'; style-src 'sha256-/)
    assert.match(text, /<html lang="es-MX">/)
  }
  const said = await form('/subscriptions/checkout', { preapproval_id: id, email: evil, holder: evil })
  assert.doesNotMatch(said.text, /<script/)
})

test('other sites can neither read the pages under a name of theirs nor post to them', async (t) => {
  const { sim, create } = await open(t)
  const id = await create()
  for (const path of ['/', '/__sim/state', `/subscriptions/checkout?preapproval_id=${id}`])
    assert.equal(await statusOf(sim.url, 'GET', path, { host: 'malo.example' }), 421)
  for (const path of ['/__sim/reset', '/control/reiniciar', '/account', '/__sim/faults']) {
    assert.equal(await statusOf(sim.url, 'POST', path, { origin: 'https://malo.example' }), 403)
    assert.equal(await statusOf(sim.url, 'POST', path, { origin: 'null' }), 403)
  }
  assert.equal(await statusOf(sim.url, 'DELETE', '/__sim/faults', { origin: 'http://127.0.0.1:1' }), 403)
  assert.equal(await statusOf(sim.url, 'DELETE', '/__sim/faults', { origin: sim.url }), 200)
  assert.equal(sim.state.preapprovals.size, 1)
})

async function open(t: TestContext) {
  const bench = await openSimulator(t)
  const ask = async (path: string, init: RequestInit) => {
    const response = await fetch(bench.sim.url + path, { redirect: 'manual', ...init })
    return {
      status: response.status,
      location: response.headers.get('location')?.replace(/#.*$/, '') ?? null,
      policy: response.headers.get('content-security-policy') ?? '',
      text: await response.text(),
    }
  }
  return {
    ...bench,
    get: (path: string) => ask(path, {}),
    form: (path: string, fields: Record<string, string>) =>
      ask(path, { method: 'POST', body: new URLSearchParams(fields), headers: { origin: bench.sim.url } }),
  }
}

/** fetch sets Host itself; this one sends what it is told. */
function statusOf(url: string, method: string, path: string, headers: Record<string, string>) {
  return new Promise<number | undefined>((resolve, reject) => {
    const sent = request(url + path, { method, headers }, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
    sent.on('error', reject).end()
  })
}
