import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { anyFreePort } from '../../../scripts/supervisor/ports.ts'
import { type BillingWorld, type Company, ok, startBillingWorld } from '../../../test/support/billing-world.ts'
import { until } from '../../../test/support/product.ts'

let world: BillingWorld
const ending = new AsyncDisposableStack()
after(() => ending.disposeAsync())
before(async () => {
  world = await startBillingWorld({ after: (end) => ending.defer(end) })
})

const payer = 'pagos@ejemplo.mx'
const start = (company: Company, body: object = {}) =>
  company.post('/api/checkout/iniciar', { correoPagador: payer, ...body })
const idOf = (initPoint: string) => new URL(initPoint).searchParams.get('preapproval_id') ?? ''

const mandatesOf = ({ subscriptionId }: Company) =>
  world.product.deps.central
    .selectFrom('mp_mandates')
    .selectAll()
    .where('subscription_id', '=', subscriptionId)
    .orderBy('attempt')
    .execute()

const sold = ({ subscriptionId }: Company) =>
  world.product.deps.central
    .selectFrom('subscriptions')
    .select(['plan_code', 'plan_version', 'frecuencia', 'payer_email', 'estado'])
    .where('id', '=', subscriptionId)
    .executeTakeFirstOrThrow()

test('a checkout in a trial says what is charged and when, and keeps what MercadoPago made', async () => {
  const company = await world.company()
  const answer = (await ok(start(company))).json()
  const { initPoint, importe, plan, frecuencia, avisos } = answer
  assert.deepEqual({ importe, plan, frecuencia }, { importe: '650.00', plan: 'business', frecuencia: 'mensual' })
  assert.match(avisos[0], /^Tu prueba dura hasta el 17 de enero de 2027, pero el cargo se hace en cuanto autorizas/)
  assert.match(avisos.at(-1), /^Se cobran \$650\.00 MXN cada mes, hasta que canceles/)

  const [mandate, ...others] = await mandatesOf(company)
  assert.equal(others.length, 0)
  assert.equal(mandate?.preapproval_id, idOf(initPoint))
  assert.equal(mandate?.external_reference, `hx-${company.subscriptionId}-1`)
  assert.deepEqual(
    [mandate?.status, mandate?.amount_acked_c, mandate?.init_point, mandate?.payer_email],
    ['pending', '65000', initPoint, payer],
  )
  const made = world.simulator.state.preapprovals.get(idOf(initPoint))
  assert.equal(made?.reason, `Horux360 Business mensual ${company.rfc}`)
  assert.equal(made?.backUrl, 'http://localhost:3000/pago/regreso')
  assert.equal(made?.startAt, null)
  assert.equal((await sold(company)).payer_email, payer)
})

test('asked again within a day it is the same one; another payer, or a day later, is another attempt', async () => {
  const company = await world.company()
  const { initPoint } = (await ok(start(company))).json()
  assert.equal((await ok(start(company))).json().initPoint, initPoint)
  const other = (await ok(start(company, { correoPagador: 'otra@ejemplo.mx' }))).json().initPoint
  assert.notEqual(other, initPoint)
  assert.equal((await mandatesOf(company)).length, 2)
  await world.advance({ hours: 25 })
  const late = (await ok(start(company))).json().initPoint
  assert.notEqual(late, initPoint)
  const mandates = await mandatesOf(company)
  assert.deepEqual(
    mandates.map(({ attempt, external_reference }) => [attempt, external_reference.endsWith(`-${attempt}`)]),
    [
      [1, true],
      [2, true],
      [3, true],
    ],
  )
})

test('many at once leave nothing at MercadoPago that we do not know', async () => {
  const company = await world.company()
  const answers = await Promise.all(Array.from({ length: 5 }, () => start(company)))
  assert.deepEqual(new Set(answers.map(({ statusCode }) => statusCode)), new Set([200]))
  const known = (await mandatesOf(company)).map(({ preapproval_id }) => preapproval_id).sort()
  assert.deepEqual(
    known,
    madeFor(company)
      .map(({ id }) => id)
      .sort(),
  )
  for (const answer of answers) assert.ok(known.includes(idOf(answer.json().initPoint)))
  // Two of them are authorised: one pays, the other ends.
  const [first, second] = madeFor(company)
  if (first && second) {
    world.simulator.authorise(first.id)
    world.simulator.authorise(second.id)
    await until('one of them alone', async () => {
      await world.settle()
      return madeFor(company).filter(({ status }) => status === 'authorized').length === 1 || undefined
    })
  }
})

test('a first purchase takes the plan and the interval it names, and ends the page that sold another', async () => {
  const company = await world.company()
  const before = idOf((await ok(start(company))).json().initPoint)
  const answer = (await ok(start(company, { plan: 'professional', frecuencia: 'anual' }))).json()
  assert.deepEqual([answer.importe, answer.plan, answer.frecuencia], ['12500.00', 'professional', 'anual'])
  assert.match(answer.avisos.at(-1), /cada año/)
  const { plan_code, frecuencia } = await sold(company)
  assert.deepEqual([plan_code, frecuencia], ['professional', 'anual'])
  await until('the end of the other page', async () => {
    await world.settle()
    return world.simulator.state.preapprovals.get(before)?.status === 'cancelled' || undefined
  })
  assert.equal(world.simulator.state.preapprovals.get(idOf(answer.initPoint))?.frequency, 12)
  const { events, commands } = await company.story()
  assert.equal(commands.length, 1)
  assert.match(commands[0] ?? '', /^cancel/)
  assert.ok(events.includes('cambiar_plan→trial'))
})

test('after an end everything can be bought anew, with its row in the audit chain', async () => {
  const company = await world.company()
  await world.advance({ days: 15 })
  assert.equal((await sold(company)).estado, 'vencida')
  const answer = (await ok(start(company, { plan: 'starter', frecuencia: 'anual' }))).json()
  assert.equal(answer.importe, '3500.00')
  world.simulator.authorise(idOf(answer.initPoint))
  await world.advance({ hours: 2 })
  const story = await company.story()
  assert.equal(story.estado, 'activa')
  assert.equal(story.paidUntil, '2028-01-20')
  assert.ok(story.events.includes('cambiar_plan→vencida'))
  const changed = await world.product.deps.central
    .selectFrom('subscription_events')
    .select(['rule', 'before', 'after', 'actor_email'])
    .where('subscription_id', '=', company.subscriptionId)
    .where('event', '=', 'cambiar_plan')
    .executeTakeFirstOrThrow()
  assert.deepEqual(
    [changed.rule, (changed.before as Facts).frecuencia, (changed.after as Facts).plan?.code, changed.actor_email],
    ['checkout', 'mensual', 'starter', company.admin.email],
  )
})

test('what was sold is changed elsewhere; its card can be changed here', async () => {
  const company = await world.company()
  await company.payByCard()
  for (const other of [{ plan: 'starter' }, { frecuencia: 'anual' }])
    assert.equal(refusal(await start(company, other)), '409 checkout.use_change_plan')
  const { avisos } = (await ok(start(company, { plan: 'business', frecuencia: 'mensual' }))).json()
  assert.match(avisos[0], /queda como saldo a favor/)
  assert.equal(avisos[1], 'Al autorizar esta forma de pago se cancela la que tienes ahora.')
})

test('where nothing can be bought nothing begins', async () => {
  const company = await world.company()
  await priced('gratis', { precioMensual: null, precioAnual: '0.00' })
  await priced('carisimo', { precioMensual: '200000.01', precioAnual: null })
  const cases = [
    [{ plan: 'gratis' }, '422 plans.not_for_sale'],
    [{ plan: 'gratis', frecuencia: 'anual' }, '422 plans.not_for_sale'],
    [{ plan: 'nadie' }, '422 plans.not_for_sale'],
    [{ plan: 'carisimo' }, '422 checkout.over_ceiling'],
    [{ correoPagador: 'nadie' }, '400 request.invalid'],
    [{ frecuencia: 'semanal' }, '400 request.invalid'],
  ] as const
  for (const [body, expected] of cases)
    assert.equal(refusal(await start(company, body)), expected, JSON.stringify(body))
  await ok(world.product.staff.post(`/api/subscriptions/${company.id}/suspender`, { motivo: 'Revisión' }))
  assert.equal(refusal(await start(company)), '409 checkout.held_by_staff')
  assert.equal(refusal(await generate(company)), '409 checkout.held_by_staff')
  assert.deepEqual(await mandatesOf(company), [])
  assert.deepEqual(madeFor(company), [])
})

test('an e-mail that MercadoPago refuses names its field, and another one goes on', async () => {
  const company = await world.company()
  const wrong = `test_user_${world.simulator.state.account.id}@testuser.com`
  const refused = await start(company, { correoPagador: wrong })
  assert.equal(refusal(refused), '422 gateway.rejected')
  assert.deepEqual(
    refused.json().errors.map(({ path, code }: { path: string; code: string }) => [path, code]),
    [['correoPagador', 'payer_email_mismatch']],
  )
  const [failed] = await mandatesOf(company)
  assert.deepEqual(
    [failed?.status, failed?.failure, failed?.preapproval_id],
    ['cancelled', 'payer_email_mismatch', null],
  )
  await ok(start(company))
  assert.deepEqual(
    (await mandatesOf(company)).map(({ status }) => status),
    ['cancelled', 'pending'],
  )
})

test('an answer that is lost is looked for by its reference, at once', async () => {
  const company = await world.company()
  world.simulator.addFault({ fault: 'lost_response', route: 'POST /preapproval', next: 1 })
  const { initPoint } = (await ok(start(company))).json()
  assert.deepEqual(
    madeFor(company).map(({ id }) => id),
    [idOf(initPoint)],
  )
  assert.equal((await mandatesOf(company)).length, 1)
})

test('lost and not found, it waits, and whoever tries again is given what MercadoPago made', async () => {
  const company = await world.company()
  world.simulator.addFault({ fault: 'drop_webhook' })
  world.simulator.addFault({ fault: 'lost_response', route: 'POST /preapproval', next: 1 })
  world.simulator.addFault({ fault: 'http_503', route: 'GET /preapproval/search', next: 1 })
  const lost = await start(company)
  assert.equal(refusal(lost), '503 gateway.lost_answer')
  assert.deepEqual(
    (await mandatesOf(company)).map(({ status }) => status),
    ['creating'],
  )
  await grownOlder(company)
  const { initPoint } = (await ok(start(company))).json()
  assert.deepEqual(
    madeFor(company).map(({ id }) => id),
    [idOf(initPoint)],
  )
  assert.deepEqual(
    (await mandatesOf(company)).map(({ status }) => status),
    ['pending'],
  )
  world.simulator.clearFaults()
})

test('of several that were never answered the one that is there is adopted, and none is asked for twice', async () => {
  const company = await world.company()
  world.simulator.addFault({ fault: 'drop_webhook' })
  // The first never reached MercadoPago, the second did; each was given up by who asked.
  for (const fault of ['http_503', 'lost_response'] as const) {
    world.simulator.addFault({ fault, route: 'POST /preapproval', next: 1 })
    world.simulator.addFault({ fault: 'http_503', route: 'GET /preapproval/search', next: 1 })
    assert.equal(refusal(await start(company)), '503 gateway.lost_answer')
  }
  await grownOlder(company)
  const { initPoint } = (await ok(start(company))).json()
  assert.deepEqual(
    madeFor(company).map(({ id }) => id),
    [idOf(initPoint)],
  )
  assert.deepEqual(
    (await mandatesOf(company)).map(({ status }) => status),
    ['creating', 'pending'],
  )
  world.simulator.clearFaults()
})

test('MercadoPago surely did nothing: the attempt is over and the next one works', async () => {
  const company = await world.company()
  world.simulator.addFault({ fault: 'http_429', route: 'POST /preapproval', next: 1 })
  const busy = await start(company)
  assert.equal(busy.statusCode, 503)
  assert.deepEqual(
    (await mandatesOf(company)).map(({ status, failure }) => [status, failure]),
    [['cancelled', 'gateway.unavailable']],
  )
  await ok(start(company))
  assert.equal(madeFor(company).length, 1)
})

test('cancelled while MercadoPago was being asked: what it made is ended and nobody is sent there', async () => {
  const company = await world.company()
  world.simulator.addFault({ fault: 'latency', route: 'POST /preapproval', next: 1, ms: 6_000 })
  const asking = start(company)
  await until('the row of the mandate', async () => (await mandatesOf(company)).at(0))
  await ok(company.post('/api/suscripciones/cancelar', {}))
  assert.equal(refusal(await asking), '409 checkout.overtaken')
  await until('its end', async () => {
    await world.settle()
    return madeFor(company).every(({ status }) => status === 'cancelled') || undefined
  })
  assert.equal(madeFor(company).length, 1)
})

test('where the account takes a date the first charge waits for the end of what is free or paid', async () => {
  const { staff } = world.product
  const company = await world.company()
  const url = `/api/conectores-pago/${world.connectorId}`
  await ok(staff.send('PATCH', url, { body: { permiteFechaInicio: true } }))
  const { initPoint, avisos } = (await until('the connector read anew', async () => {
    const answer = (await ok(start(company, { correoPagador: `${crypto.randomUUID()}@ejemplo.mx` }))).json()
    return /^El primer cargo/.test(answer.avisos[0]) ? answer : undefined
  })) as { initPoint: string; avisos: string[] }
  const made = world.simulator.state.preapprovals.get(idOf(initPoint))
  const { trial_end } = (await company.get('/api/suscripciones/mi-suscripcion')).json()
  assert.equal(made?.startAt?.toISOString(), `${trial_end}T18:00:00.000Z`)
  assert.match(avisos[0] ?? '', /^El primer cargo se hace el/)
  await ok(staff.send('PATCH', url, { body: { permiteFechaInicio: false } }))
})

test('a link says what it pays, to whoever has it, and no more', async () => {
  const company = await world.company()
  await ok(start(company))
  const { url, importe, venceEn } = (await ok(generate(company, { frecuencia: 'anual' }))).json()
  assert.equal(importe, '6500.00')
  const token = new URL(url).pathname.split('/').at(-1) ?? ''
  const opened = (await ok(world.product.anonymous.get(`/api/checkout/link/${token}`))).json()
  assert.deepEqual(opened, {
    empresa: `Empresa ${company.rfc}`,
    rfc: `${company.rfc.slice(0, 3)}…${company.rfc.slice(-3)}`,
    plan: 'Business',
    frecuencia: 'anual',
    importe: '6500.00',
    correoSugerido: 'p…@ejemplo.mx',
    venceEn,
    estado: 'vigente',
  })
  assert.equal((await sold(company)).frecuencia, 'mensual', 'made, but not followed')
  const stored = await world.product.deps.central.selectFrom('billing_links').selectAll().execute()
  assert.ok(!JSON.stringify(stored).includes(token))

  const pay = (body = { correoPagador: payer }) =>
    world.product.anonymous.post(`/api/checkout/link/${token}/pago`, body)
  const { initPoint } = (await ok(pay())).json()
  assert.equal((await ok(pay())).json().initPoint, initPoint)
  assert.equal((await sold(company)).frecuencia, 'anual')
  const { origin, actor_id } = await lastCheckout(company)
  assert.deepEqual([origin, actor_id], ['owner', null])
  // Its owner chooses something else: what the link says is no longer on offer, and it is gone.
  await ok(start(company, { plan: 'starter' }))
  assert.equal(refusal(await pay()), '404 checkout.link_invalid')
})

test('a price that changed makes a link stale; who has bought keeps his price', async () => {
  const [company, customer] = [await world.company({ plan: 'starter' }), await world.company({ plan: 'starter' })]
  await customer.payByCard()
  const { url } = (await ok(generate(company))).json()
  const { url: kept } = (await ok(generate(customer))).json()
  const path = (link: string) => `/api/checkout/link/${new URL(link).pathname.split('/').at(-1)}`
  await priced('starter', { precioMensual: '375.00', precioAnual: '3750.00' })
  assert.equal((await world.product.anonymous.get(path(url))).json().estado, 'precio_cambiado')
  const stale = await world.product.anonymous.post(`${path(url)}/pago`, { correoPagador: payer })
  assert.equal(refusal(stale), '409 checkout.link_stale')
  assert.equal((await world.product.anonymous.get(path(kept))).json().estado, 'vigente')
  assert.equal((await ok(start(company))).json().importe, '375.00')
  assert.equal((await ok(start(customer))).json().importe, '350.00')
})

for (const [point, attempts] of [
  ['checkout.reserved', 2],
  ['checkout.made', 1],
  ['checkout.recorded', 1],
] as const)
  test(`a process that dies at ${point} loses nothing: the next try goes on from there`, async () => {
    const company = await world.company()
    world.simulator.addFault({ fault: 'drop_webhook' })
    await dieAt(point, company)
    await grownOlder(company)
    const { initPoint } = (await ok(start(company))).json()
    assert.deepEqual(
      madeFor(company).map(({ id }) => id),
      [idOf(initPoint)],
    )
    const mandates = await mandatesOf(company)
    assert.equal(mandates.length, attempts)
    assert.equal(mandates.at(-1)?.preapproval_id, idOf(initPoint))
    world.simulator.clearFaults()
  })

interface Facts {
  frecuencia: string
  plan?: { code: string }
}

/** A minute later, without what else a minute brings: the reconciliation would find it too. */
const grownOlder = ({ subscriptionId }: Company) =>
  world.product.deps.central
    .updateTable('mp_mandates')
    .set({ created_at: new Date(world.simulator.now().getTime() - 60_000) })
    .where('subscription_id', '=', subscriptionId)
    .execute()

const generate = ({ id }: Company, body: object = {}) =>
  world.product.staff.post(`/api/subscriptions/${id}/generate-link`, body)
const refusal = (answer: { statusCode: number; json(): { code: string } }) =>
  `${answer.statusCode} ${answer.json().code}`
const madeFor = ({ subscriptionId }: Company) =>
  [...world.simulator.state.preapprovals.values()].filter(({ externalReference }) =>
    externalReference.startsWith(`hx-${subscriptionId}-`),
  )
const lastCheckout = ({ subscriptionId }: Company) =>
  world.product.deps.central
    .selectFrom('subscription_events')
    .select(['origin', 'actor_id'])
    .where('subscription_id', '=', subscriptionId)
    .where('event', '=', 'checkout_iniciado')
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirstOrThrow()

/** A plan on sale at these prices; everything else as the business plan has it. */
async function priced(codigo: string, prices: { precioMensual: string | null; precioAnual: string | null }) {
  const { staff } = world.product
  const { datos } = (await staff.get('/api/planes')).json()
  const known = datos.find((plan: { codigo: string }) => plan.codigo === codigo)
  const model = known ?? datos.find((plan: { codigo: string }) => plan.codigo === 'business')
  const { cobro, version, vigente, creadaEn, ...plan } = model
  await ok(staff.send('PUT', '/api/planes', { body: { ...plan, codigo, ...prices } }))
}

/** Another process of the API, which begins the checkout and is killed at a named place. */
async function dieAt(point: string, company: Company) {
  const [port, metricsPort] = [await anyFreePort(), await anyFreePort()]
  const main = path.join(import.meta.dirname, '..', '..', 'server.ts')
  const { PATH = '' } = process.env
  const child = spawn(process.execPath, [main], {
    env: {
      ...{ PATH, TZ: 'America/Mexico_City', ...world.product.env },
      ...{ API_PORT: String(port), METRICS_PORT: String(metricsPort), HORUX_CRASH_AT: point },
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const died = once(child, 'exit')
  try {
    const url = `http://127.0.0.1:${port}`
    await until(
      'the other process',
      async () => (await fetch(`${url}/api/live`).catch(() => undefined))?.ok || undefined,
      60_000,
    )
    const headers = { authorization: `Bearer ${company.token}`, 'content-type': 'application/json' }
    const body = JSON.stringify({ correoPagador: payer })
    await until('its death', async () => {
      const answered = await fetch(`${url}/api/checkout/iniciar`, { method: 'POST', headers, body }).catch(
        () => undefined,
      )
      // Just started, on a busy machine, it may ask to come back later.
      if (answered) assert.equal(((await answered.json()) as { code: string }).code, 'sobrecarga')
      return answered ? undefined : true
    })
    const [, signal] = await died
    assert.equal(signal, 'SIGKILL')
  } finally {
    child.kill('SIGKILL')
  }
}
