import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, beforeEach, test } from 'node:test'
import { sql } from 'kysely'
import { pino } from 'pino'
import { uuidv7 } from 'uuidv7'
import { client, type Product, startProduct, type Tenant } from '../../../test/support/product.ts'
import { type ScriptedApi, startScriptedApi } from '../../../test/support/scripted-api.ts'
import { buildApp } from '../../app.ts'
import { systemClock } from '../../clock.ts'
import { loadConfig } from '../../config.ts'
import { sealedWith } from '../../crypto/seal.ts'
import { createDeps } from '../../deps.ts'
import { findConnector } from './queries.ts'
import { findVerificationSecrets } from './verification-secrets.ts'

const TOKEN = 'APP_USR-1111-canario-token-0001'
const OTHER_TOKEN = 'APP_USR-2222-canario-token-0002'
const SECRET = 'canario-secreto-0123456789abcdef'
const NEXT_SECRET = 'canario-siguiente-fedcba9876543210'

let api: ScriptedApi
let product: Product
let tenant: Tenant
const ended: (() => unknown)[] = []

before(async () => {
  api = await startScriptedApi({ after: (end) => void ended.push(end) })
  product = await startProduct({ after: () => undefined }, { env: { MERCADOPAGO_URL: api.url } })
  tenant = await product.createTenant()
})
after(async () => {
  await product.close()
  for (const end of ended.toReversed()) await end()
})
beforeEach(async () => {
  for (const table of ['mp_mandates', 'webhook_events', 'payment_connectors'] as const)
    await product.deps.central.deleteFrom(table).execute()
  answerAs(TEST_SELLER)
})

const TEST_SELLER = { id: 2_000_000_001, nickname: 'TESTUSER6000000003' }
const OTHER_SELLER = { id: 2_000_000_002, nickname: 'TESTUSER6000000006' }
const REAL_SELLER = { id: 3_000_000_001, nickname: 'HORUX EJEMPLO' }
const answerAs = (account: { id: number; nickname: string }) => api.script({ json: { ...account, site_id: 'MLM' } })

const send = (method: 'POST' | 'PATCH' | 'DELETE', path: string, body?: object) =>
  product.staff.send(method, `/api/conectores-pago${path}`, body ? { body } : {})
const create = async (change: object = {}) => {
  const body = { nombre: 'Pruebas', tipo: 'sandbox', accessToken: TOKEN, webhookSecret: SECRET, ...change }
  const answer = await send('POST', '', body)
  assert.equal(answer.statusCode, 201, answer.body)
  return answer.json()
}
const checked = async (change: object = {}) => {
  const { id } = await create(change)
  const answer = await send('POST', `/${id}/verificar`)
  assert.equal(answer.statusCode, 200, answer.body)
  return answer.json()
}
const read = async (id: string) => (await product.staff.get(`/api/conectores-pago/${id}`)).json()
const list = async () => (await product.staff.get('/api/conectores-pago')).json().datos
const refusal = (answer: { statusCode: number; json(): { code: string } }) => [answer.statusCode, answer.json().code]
const secretsOf = () => findVerificationSecrets(product.deps.central, product.deps.config.billingKeys)

/** The API after its ring of keys was changed, on the same databases. */
async function startAgain(ring: string) {
  const config = loadConfig({ ...product.env, BILLING_ENCRYPTION_KEY: ring }, 'api')
  const deps = createDeps(config, { log: pino({ level: 'silent' }), clock: systemClock })
  ended.push(() => deps.close())
  const app = await buildApp(deps, { maxLoopDelayMs: 0 })
  ended.push(() => app.close())
  return { staff: client(app, product.staff.token), keys: config.billingKeys }
}

/** A permission to charge that was made through a connector. */
async function mandate(connectorId: string, status: 'authorized' | 'cancelled') {
  const { central } = product.deps
  const { id: subscriptionId } = await central
    .selectFrom('subscriptions')
    .select('id')
    .where('tenant_id', '=', tenant.id)
    .executeTakeFirstOrThrow()
  const { n } = await central
    .selectFrom('mp_mandates')
    .select(sql<number>`count(*)::int + 1`.as('n'))
    .executeTakeFirstOrThrow()
  await central
    .insertInto('mp_mandates')
    .values({
      id: uuidv7(),
      subscription_id: subscriptionId,
      connector_id: connectorId,
      attempt: n,
      external_reference: `hx-${subscriptionId}-${n}`,
      status,
      payer_email: 'ana@empresa.example',
      frecuencia: 'mensual',
      amount_c: 65_000n,
      plan_code: 'business',
      plan_version: 1,
      created_at: new Date(),
    })
    .execute()
}

test('a new connector is inactive, belongs to nobody yet, and tells nothing of its secrets', async () => {
  const connector = await create({ correoPagadorPrueba: 'Test_User_1@testuser.example' })
  const { id, creadoEn, ...rest } = connector
  assert.deepEqual(rest, {
    nombre: 'Pruebas',
    tipo: 'sandbox',
    activo: false,
    principal: false,
    tokenTermina: '0001',
    tieneSecreto: true,
    tieneSecretoAnterior: false,
    correoPagadorPrueba: 'test_user_1@testuser.example',
    permiteFechaInicio: false,
    cuenta: null,
    verificadoEn: null,
    ultimoError: null,
    ultimoWebhookEn: null,
  })
  assert.ok(creadoEn)
  assert.deepEqual(await list(), [connector])
  assert.deepEqual(await read(id), connector)
  const row = await findConnector(product.deps.central, id)
  assert.ok(row && !row.accessToken.includes(TOKEN) && !row.webhookSecret?.includes(SECRET))
  assert.deepEqual(api.requests, [], 'nobody asked MercadoPago')
})

test('the check keeps the account that MercadoPago names, and asks with that token', async () => {
  const connector = await checked()
  assert.deepEqual(connector.cuenta, { id: '2000000001', apodo: 'TESTUSER6000000003' })
  assert.ok(connector.verificadoEn)
  assert.equal(api.requests.length, 1)
  assert.equal(api.requests[0]?.path, '/users/me')
  assert.equal(api.requests[0]?.headers.authorization, `Bearer ${TOKEN}`)
  const body = { nombre: 'X', tipo: 'sandbox', accessToken: TOKEN, cuenta: { id: '1', apodo: 'x' } }
  assert.equal((await send('POST', '', body)).statusCode, 400, 'nobody types an account')
  assert.equal((await send('PATCH', `/${connector.id}`, { cuenta: { id: '1', apodo: 'x' } })).statusCode, 400)
})

test('a real account is no sandbox, and why is kept for who looks later', async () => {
  const { id } = await create()
  answerAs(REAL_SELLER)
  const answer = await send('POST', `/${id}/verificar`)
  assert.deepEqual(refusal(answer), [422, 'connectors.wrong_account'])
  assert.match(answer.json().detail, /HORUX EJEMPLO/)
  const after = await read(id)
  assert.deepEqual([after.cuenta, after.verificadoEn], [null, null])
  assert.match(after.ultimoError, /HORUX EJEMPLO/)
  answerAs(TEST_SELLER)
  assert.equal((await send('POST', `/${id}/verificar`)).json().ultimoError, null)
})

test('a token that MercadoPago refuses, and a MercadoPago that is down, are two things', async () => {
  const { id } = await create()
  api.script({ status: 401, json: { message: 'invalid access token', error: 'unauthorized', status: 401 } })
  assert.deepEqual(refusal(await send('POST', `/${id}/verificar`)), [422, 'connectors.token_refused'])
  assert.match((await read(id)).ultimoError, /no acepta ese token/)
  for (const reply of ['cut', { status: 500, text: 'x' }, { text: '<html>' }] as const) {
    api.script(reply)
    const answer = await send('POST', `/${id}/verificar`)
    assert.equal(answer.statusCode, 503, answer.body)
    assert.equal(api.requests.length, 1, 'a person waits: asked once')
  }
  assert.equal((await read(id)).cuenta, null)
})

test('it becomes active with a secret and a known account, and not before', async () => {
  const { id } = await create({ webhookSecret: null })
  assert.deepEqual(refusal(await send('PATCH', `/${id}`, { activo: true })), [422, 'connectors.secret_missing'])
  assert.deepEqual(refusal(await send('POST', `/${id}/principal`)), [422, 'connectors.secret_missing'])
  const both = { activo: true, webhookSecret: SECRET }
  assert.deepEqual(refusal(await send('PATCH', `/${id}`, both)), [422, 'connectors.not_checked'])
  assert.equal((await read(id)).tieneSecreto, false, 'all of a change or nothing of it')
  await send('POST', `/${id}/verificar`)
  const active = await send('PATCH', `/${id}`, both)
  assert.deepEqual([active.statusCode, active.json().activo, active.json().principal], [200, true, false])
  assert.equal((await send('PATCH', `/${id}`, { activo: false })).json().activo, false)
})

test('one account is active once', async () => {
  const first = await checked()
  await send('PATCH', `/${first.id}`, { activo: true })
  const second = await checked({ nombre: 'Gemelo', accessToken: OTHER_TOKEN })
  const answer = await send('PATCH', `/${second.id}`, { activo: true })
  assert.deepEqual(refusal(answer), [409, 'connectors.account_taken'])
  assert.match(answer.json().detail, /Pruebas/)
  assert.deepEqual(refusal(await send('POST', `/${second.id}/principal`)), [409, 'connectors.account_taken'])
})

test('the primary is one, whoever asks at once, and mandates stay where they were made', async () => {
  const ids: string[] = []
  for (const [i, account] of [TEST_SELLER, OTHER_SELLER, { id: 2_000_000_003, nickname: 'TESTUSER9' }].entries()) {
    answerAs(account)
    ids.push((await checked({ nombre: `Cuenta ${i}`, accessToken: `${TOKEN}-${i}` })).id)
  }
  const [first = '', second = ''] = ids
  const chosen = await send('POST', `/${first}/principal`)
  assert.deepEqual([chosen.statusCode, chosen.json().principal, chosen.json().activo], [200, true, true])
  await mandate(first, 'authorized')
  assert.equal((await send('POST', `/${second}/principal`)).statusCode, 200)
  assert.deepEqual(
    (await list()).map(({ principal, activo }: { principal: boolean; activo: boolean }) => [principal, activo]),
    [
      [false, true],
      [true, true],
      [false, false],
    ],
  )
  const mandates = await product.deps.central.selectFrom('mp_mandates').select(['connector_id', 'status']).execute()
  assert.deepEqual(mandates, [{ connector_id: first, status: 'authorized' }])
  product.deps.gateways.forget()
  assert.equal((await product.deps.gateways.of(first)).connector.id, first)
  assert.equal((await product.deps.gateways.primary()).connector.id, second)

  const race = await Promise.all(Array.from({ length: 9 }, (_, i) => send('POST', `/${ids[i % 3]}/principal`)))
  assert.deepEqual(new Set(race.map(({ statusCode }) => statusCode)), new Set([200]))
  assert.equal((await list()).filter(({ principal }: { principal: boolean }) => principal).length, 1)
})

test('the primary, and one through which somebody may be charged, are not switched off or deleted', async () => {
  const connector = await checked()
  await send('POST', `/${connector.id}/principal`)
  assert.deepEqual(refusal(await send('PATCH', `/${connector.id}`, { activo: false })), [409, 'connectors.is_primary'])
  assert.deepEqual(refusal(await send('DELETE', `/${connector.id}`)), [409, 'connectors.is_primary'])

  answerAs(OTHER_SELLER)
  const next = await checked({ nombre: 'Siguiente', accessToken: OTHER_TOKEN })
  await send('POST', `/${next.id}/principal`)
  await mandate(connector.id, 'authorized')
  assert.deepEqual(refusal(await send('PATCH', `/${connector.id}`, { activo: false })), [409, 'connectors.in_use'])
  assert.deepEqual(refusal(await send('DELETE', `/${connector.id}`)), [409, 'connectors.in_use'])
  await product.deps.central.updateTable('mp_mandates').set({ status: 'cancelled' }).execute()
  assert.equal((await send('PATCH', `/${connector.id}`, { activo: false })).statusCode, 200)
  assert.deepEqual(refusal(await send('DELETE', `/${connector.id}`)), [409, 'connectors.in_use'], 'it was used')
  await product.deps.central.deleteFrom('mp_mandates').execute()
  assert.equal((await send('DELETE', `/${connector.id}`)).statusCode, 204)
  assert.equal((await product.staff.get(`/api/conectores-pago/${connector.id}`)).statusCode, 404)
  assert.deepEqual(refusal(await send('DELETE', `/${connector.id}`)), [404, 'connectors.not_found'])
})

test('a secret that is replaced goes on being accepted until the next, or until it is forgotten', async () => {
  const { id } = await checked()
  await send('PATCH', `/${id}`, { activo: true })
  const known = async () => (await secretsOf()).map(({ secrets, ownAccountId }) => [ownAccountId, ...secrets])
  assert.deepEqual(await known(), [['2000000001', SECRET]])
  const rotated = await send('PATCH', `/${id}`, { webhookSecret: NEXT_SECRET })
  assert.deepEqual([rotated.json().tieneSecreto, rotated.json().tieneSecretoAnterior], [true, true])
  assert.deepEqual(await known(), [['2000000001', NEXT_SECRET, SECRET]])
  await send('PATCH', `/${id}`, { webhookSecret: NEXT_SECRET })
  assert.deepEqual(await known(), [['2000000001', NEXT_SECRET, SECRET]], 'the same again is no rotation')
  assert.equal((await send('PATCH', `/${id}`, { secretoAnterior: null })).json().tieneSecretoAnterior, false)
  assert.deepEqual(await known(), [['2000000001', NEXT_SECRET]])
  await send('PATCH', `/${id}`, { webhookSecret: SECRET, secretoAnterior: null })
  assert.deepEqual(await known(), [['2000000001', SECRET]], 'a secret that leaked leaves at once')
  await send('PATCH', `/${id}`, { activo: false })
  assert.deepEqual(await known(), [])
})

test('a new token is asked about before it is kept, and stays with the account that mandates were given to', async () => {
  const { id } = await checked()
  await send('PATCH', `/${id}`, { activo: true })
  api.script({ status: 401, json: { message: 'invalid access token' } })
  assert.deepEqual(refusal(await send('PATCH', `/${id}`, { accessToken: OTHER_TOKEN })), [
    422,
    'connectors.token_refused',
  ])
  answerAs(REAL_SELLER)
  assert.deepEqual(refusal(await send('PATCH', `/${id}`, { accessToken: OTHER_TOKEN })), [
    422,
    'connectors.wrong_account',
  ])
  assert.equal((await read(id)).tokenTermina, '0001')

  await mandate(id, 'cancelled')
  answerAs(OTHER_SELLER)
  assert.deepEqual(refusal(await send('PATCH', `/${id}`, { accessToken: OTHER_TOKEN })), [
    409,
    'connectors.other_account',
  ])
  assert.deepEqual(refusal(await send('POST', `/${id}/verificar`)), [409, 'connectors.other_account'])
  answerAs(TEST_SELLER)
  const renewed = await send('PATCH', `/${id}`, { accessToken: OTHER_TOKEN })
  assert.deepEqual([renewed.statusCode, renewed.json().tokenTermina, renewed.json().ultimoError], [200, '0002', null])
  assert.equal(api.requests[0]?.headers.authorization, `Bearer ${OTHER_TOKEN}`)

  await product.deps.central.deleteFrom('mp_mandates').execute()
  answerAs(OTHER_SELLER)
  const moved = await send('PATCH', `/${id}`, { accessToken: TOKEN })
  assert.deepEqual(moved.json().cuenta, { id: '2000000002', apodo: OTHER_SELLER.nickname })
})

test('what was never checked takes a new token without a word to MercadoPago', async () => {
  const { id } = await create()
  const answer = await send('PATCH', `/${id}`, { accessToken: OTHER_TOKEN, nombre: 'Otro nombre' })
  assert.deepEqual([answer.statusCode, answer.json().tokenTermina, answer.json().nombre], [200, '0002', 'Otro nombre'])
  assert.deepEqual(api.requests, [])
})

test('kinds have their place: no token of real money goes to a simulator, and only a sandbox has a test payer', async () => {
  const real = { nombre: 'Real', tipo: 'produccion', accessToken: TOKEN }
  assert.deepEqual(refusal(await send('POST', '', real)), [422, 'connectors.kind_not_here'])
  assert.deepEqual(api.requests, [])
  const payer = { nombre: 'Sim', tipo: 'simulador', accessToken: TOKEN, correoPagadorPrueba: 'a@testuser.example' }
  assert.deepEqual(refusal(await send('POST', '', payer)), [422, 'connectors.payer_only_in_sandbox'])
  const { id } = await create({ nombre: 'Sim', tipo: 'simulador' })
  const change = { correoPagadorPrueba: 'a@testuser.example' }
  assert.deepEqual(refusal(await send('PATCH', `/${id}`, change)), [422, 'connectors.payer_only_in_sandbox'])
  answerAs(REAL_SELLER)
  assert.equal((await send('POST', `/${id}/verificar`)).statusCode, 200)
  assert.equal((await send('POST', `/${id}/principal`)).statusCode, 200)
})

test('names are told apart', async () => {
  await create()
  const { id } = await create({ nombre: 'Otra' })
  const body = { nombre: 'Pruebas', tipo: 'sandbox', accessToken: TOKEN }
  assert.deepEqual(refusal(await send('POST', '', body)), [409, 'connectors.name_taken'])
  assert.deepEqual(refusal(await send('PATCH', `/${id}`, { nombre: 'Pruebas' })), [409, 'connectors.name_taken'])
  const race = await Promise.all(Array.from({ length: 6 }, () => send('POST', '', { ...body, nombre: 'Carrera' })))
  assert.deepEqual(race.map(({ statusCode }) => statusCode).toSorted(), [201, 409, 409, 409, 409, 409])
})

test('what is no connector is refused', async () => {
  const good = { nombre: 'Mal', tipo: 'sandbox', accessToken: TOKEN, webhookSecret: SECRET }
  const { id } = await create()
  const wrong: object[] = [
    ...[
      `${TOKEN}\n`,
      `${TOKEN}\r\nX-Otro: 1`,
      `${TOKEN} `,
      'corto',
      '',
      'x'.repeat(301),
      `${TOKEN}ñ`,
      `${TOKEN}\u0000`,
      5,
    ].map((accessToken) => ({ accessToken })),
    ...['quince-letras-1', '', 'a'.repeat(40), `${SECRET} `, `${SECRET}\n`, 'x'.repeat(201), 7].map(
      (webhookSecret) => ({
        webhookSecret,
      }),
    ),
    ...['', ' ', 'x'.repeat(61), 'a\u0000', 'a\u202eb'].map((nombre) => ({ nombre })),
    ...['nadie', 'a@', '\n', 3].map((correoPagadorPrueba) => ({ correoPagadorPrueba })),
    { permiteFechaInicio: 'si' },
    { principal: true },
    { own_account_id: '1' },
  ]
  for (const change of wrong) {
    const made = await send('POST', '', { ...good, ...change })
    assert.equal(made.statusCode, 400, `${JSON.stringify(change)}: ${made.body}`)
    assert.ok(!made.body.includes(TOKEN) && !made.body.includes(SECRET), 'a refusal does not repeat what it refuses')
    const changed = await send('PATCH', `/${id}`, change)
    assert.equal(changed.statusCode, 400, `${JSON.stringify(change)}: ${changed.body}`)
  }
  for (const tipo of ['simulator', '', null]) assert.equal((await send('POST', '', { ...good, tipo })).statusCode, 400)
  assert.equal((await send('POST', '', { ...good, activo: true })).statusCode, 400)
  for (const body of [{}, { tipo: 'simulador' }, { secretoAnterior: 'x' }, { webhookSecret: null }])
    assert.equal((await send('PATCH', `/${id}`, body)).statusCode, 400, JSON.stringify(body))
  assert.equal((await list()).length, 1)
})

test('no secret is in an answer, a log, a row of the audit or a kept answer', async () => {
  const { id } = await checked()
  await send('PATCH', `/${id}`, { webhookSecret: NEXT_SECRET, activo: true })
  await send('PATCH', `/${id}`, { accessToken: OTHER_TOKEN })
  api.script({ status: 401, json: { message: `token ${OTHER_TOKEN} is invalid` } })
  const refused = await send('POST', `/${id}/verificar`)
  const { central } = product.deps
  const audit = await central
    .selectFrom('audit_log')
    .selectAll()
    .where('action', 'like', 'connector.%')
    .orderBy('id')
    .execute()
  const everything = [
    product.log.join('\n'),
    refused.body,
    JSON.stringify(await list()),
    JSON.stringify(audit),
    JSON.stringify(await central.selectFrom('payment_connectors').selectAll().execute()),
  ].join('\n')
  for (const secret of [TOKEN, OTHER_TOKEN, SECRET, NEXT_SECRET]) assert.ok(!everything.includes(secret), secret)
  assert.deepEqual(
    audit.slice(-4).map(({ action, detail }) => [action, (detail as { changed?: string[] }).changed]),
    [
      ['connector.created', undefined],
      ['connector.checked', undefined],
      ['connector.changed', ['active', 'webhookSecret']],
      ['connector.changed', ['accessToken']],
    ],
  )
})

test('a check seals anew what an older key sealed', async () => {
  const { id } = await checked()
  await send('PATCH', `/${id}`, { webhookSecret: NEXT_SECRET, activo: true })
  const { central, config } = product.deps
  const before = await findConnector(central, id)
  assert.equal(sealedWith(before?.accessToken as Buffer), 'b1')

  const ring = `b2:${randomBytes(32).toString('base64')},${product.env['BILLING_ENCRYPTION_KEY']}`
  const turned = await startAgain(ring)
  const answer = await turned.staff.send('POST', `/api/conectores-pago/${id}/verificar`)
  assert.equal(answer.statusCode, 200, answer.body)
  const after = await findConnector(central, id)
  const kids = [after?.accessToken, after?.webhookSecret, after?.previousSecret].map((s) => sealedWith(s as Buffer))
  assert.deepEqual(kids, ['b2', 'b2', 'b2'])
  const [known] = await findVerificationSecrets(central, turned.keys)
  assert.deepEqual(known?.secrets, [NEXT_SECRET, SECRET])

  // To who only has the old key they are closed, and say so.
  assert.deepEqual(await findVerificationSecrets(central, config.billingKeys), [
    { connectorId: id, ownAccountId: '2000000001', secrets: [], unreadable: 2 },
  ])
  assert.equal((await read(id)).tokenTermina, null)
  assert.deepEqual(refusal(await send('POST', `/${id}/verificar`)), [503, 'connectors.unreadable'])
  product.deps.gateways.forget()
  await assert.rejects(product.deps.gateways.of(id), { code: 'connectors.unreadable' })
  assert.deepEqual(await product.deps.gateways.active(), [])
})

test('when the key is lost, tokens and secrets are written again and everything goes on', async () => {
  const { id } = await checked()
  await send('PATCH', `/${id}`, { activo: true })
  await mandate(id, 'authorized')
  const { staff, keys } = await startAgain(`b9:${randomBytes(32).toString('base64')}`)
  const patch = (body: object) => staff.send('PATCH', `/api/conectores-pago/${id}`, { body })
  const written = await patch({ accessToken: TOKEN })
  assert.deepEqual([written.statusCode, written.json().tokenTermina], [200, '0001'])
  // The secret is still that of the lost key: the check leaves it for whoever finds the key.
  assert.equal((await staff.post(`/api/conectores-pago/${id}/verificar`)).statusCode, 200)
  const again = await patch({ webhookSecret: SECRET })
  assert.deepEqual([again.statusCode, again.json().tieneSecretoAnterior, again.json().activo], [200, false, true])
  const [known] = await findVerificationSecrets(product.deps.central, keys)
  assert.deepEqual([known?.secrets, known?.unreadable], [[SECRET], 0])
})

test('only staff of the platform has to do with connectors', async () => {
  const { id } = await create()
  for (const who of [tenant, product.anonymous])
    for (const [method, path] of [
      ['GET', ''],
      ['POST', ''],
      ['PATCH', `/${id}`],
      ['DELETE', `/${id}`],
      ['POST', `/${id}/verificar`],
      ['POST', `/${id}/principal`],
    ] as const) {
      const answer = await who.send(
        method,
        `/api/conectores-pago${path}`,
        method === 'PATCH' ? { body: { nombre: 'x' } } : {},
      )
      assert.ok([401, 403].includes(answer.statusCode), `${method} ${path}: ${answer.statusCode}`)
    }
  assert.deepEqual(api.requests, [])
})
