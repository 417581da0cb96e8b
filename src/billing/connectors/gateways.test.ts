import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, beforeEach, test } from 'node:test'
import { pino } from 'pino'
import { uuidv7 } from 'uuidv7'
import { type PreparedCluster, startPreparedCluster } from '../../../test/support/prepared-cluster.ts'
import { type ScriptedApi, startScriptedApi } from '../../../test/support/scripted-api.ts'
import { until } from '../../../test/support/until.ts'
import { loadConfig } from '../../config.ts'
import { openCentral } from '../../db/client.ts'
import type { CentralDb } from '../../db/databases.ts'
import { setMercadoPagoUrl } from '../mercadopago/base-url.ts'
import type { ConnectorKind } from './connector.ts'
import { createGateways, type GatewaysOptions } from './gateways.ts'
import { type ConnectorChange, insertConnector, updateConnector } from './queries.ts'
import { sealSecret, sealToken } from './secrets.ts'

let api: ScriptedApi
let cluster: PreparedCluster
let central: CentralDb
let options: GatewaysOptions
const log: string[] = []
const ended: (() => unknown)[] = []

before(async () => {
  api = await startScriptedApi({ after: (end) => void ended.push(end) })
  setMercadoPagoUrl(api.url)
  cluster = await startPreparedCluster()
  const ring = () => `t1:${randomBytes(32).toString('base64')}`
  const env = {
    HORUX_TENANT_KEY: ring(),
    JWT_KEYS: ring(),
    BILLING_ENCRYPTION_KEY: ring(),
    FIEL_ENCRYPTION_KEY: ring(),
  }
  const { url } = await cluster.createCentral()
  const config = loadConfig({ HORUX_ENV: 'test', CENTRAL_DATABASE_URL: url, ...env }, 'api')
  central = openCentral(config)
  const logger = pino({ level: 'info' }, { write: (line: string) => void log.push(line) })
  options = { central, keys: config.billingKeys, log: logger, env: 'test', patience: { retries: 0 } }
})
after(async () => {
  await central.destroy()
  await cluster.stop()
  for (const end of ended) end()
})
beforeEach(async () => {
  await central.deleteFrom('payment_connectors').execute()
  api.script({ json: { id: 7, nickname: 'TESTUSER7', site_id: 'MLM' } })
})

async function connector(
  token: string,
  { kind = 'simulator' as ConnectorKind, ...rest }: ConnectorChange & { kind?: ConnectorKind } = {},
) {
  const id = uuidv7()
  await central.transaction().execute(async (trx) => {
    const accessToken = sealToken(options.keys, id, token)
    const webhookSecret = sealSecret(options.keys, id, 'secreto-0123456789')
    const row = { name: token, kind, testPayerEmail: null, startDateSupported: true, createdAt: new Date() }
    await insertConnector(trx, { id, ...row, accessToken, webhookSecret, previousSecret: null })
    await updateConnector(trx, id, { active: true, ownAccountId: '7', ...rest }, new Date())
  })
  return id
}
const change = (id: string, edit: ConnectorChange) =>
  central.transaction().execute((trx) => updateConnector(trx, id, edit, new Date()))
const tokens = () => api.requests.map(({ headers }) => headers.authorization)
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'ok',
    (error: { code?: string }) => error.code,
  )

/** The database, with an eye on each statement. */
const watched = (onStatement: () => void) =>
  central.withPlugin({
    transformQuery({ node }) {
      onStatement()
      return node
    },
    transformResult: async ({ result }) => result,
  })

test('each connector has one gateway, which speaks with its own token', async () => {
  const [a, b] = [await connector('APP_USR-uno-0000000001'), await connector('APP_USR-dos-0000000002')]
  const gateways = createGateways(options)
  const first = await gateways.of(a)
  await first.gateway.whoAmI()
  await (await gateways.of(b)).gateway.whoAmI()
  assert.deepEqual(tokens(), ['Bearer APP_USR-uno-0000000001', 'Bearer APP_USR-dos-0000000002'])
  assert.equal((await gateways.of(a)).gateway, first.gateway)
  const { id, kind, active, ownAccountId, startDateSupported } = first.connector
  assert.deepEqual([id, kind, active, ownAccountId, startDateSupported], [a, 'simulator', true, '7', true])
  assert.ok(!JSON.stringify(first.connector).match(/token|secret/i), 'what is handed around has no secrets')
  assert.deepEqual(
    gateways.stats().map(({ connectorId, calls }) => [connectorId, calls]),
    [
      [a, 1],
      [b, 1],
    ],
  )
})

test('a hundred who ask at once read the row once, and not again for a second', async () => {
  const id = await connector('APP_USR-cien-0000000001', { isPrimary: true })
  let reads = 0
  const gateways = createGateways({ ...options, central: watched(() => reads++) })
  await Promise.all(Array.from({ length: 100 }, () => gateways.of(id)))
  await Promise.all(Array.from({ length: 100 }, () => gateways.primary()))
  assert.equal(reads, 2)
  gateways.forget()
  await gateways.of(id)
  assert.equal(reads, 3)
})

test('a new token is used within a second, by the same pace and breaker', async () => {
  const id = await connector('APP_USR-viejo-000000001')
  const gateways = createGateways(options)
  const before = await gateways.of(id)
  api.script({ status: 500, text: 'x' })
  for (let i = 0; i < 5; i++) await before.gateway.whoAmI().catch(() => {})
  assert.equal(gateways.stats()[0]?.breaker, 'open')

  await change(id, { accessToken: sealToken(options.keys, id, 'APP_USR-nuevo-000000002'), name: 'Renombrado' })
  const after = await until(async () => {
    const now = await gateways.of(id)
    return now.gateway === before.gateway ? undefined : now
  })
  assert.equal(after.connector.name, 'Renombrado')
  assert.equal(await codeOf(after.gateway.whoAmI()), 'gateway.breaker_open', 'another token does not mend MercadoPago')
})

test('what is not the token changes the connector and not the gateway', async () => {
  const id = await connector('APP_USR-igual-000000001')
  const gateways = createGateways(options)
  const before = await gateways.of(id)
  await change(id, { startDateSupported: false, active: false })
  gateways.forget()
  const after = await gateways.of(id)
  assert.deepEqual([after.connector.startDateSupported, after.connector.active], [false, false])
  assert.equal(after.gateway, before.gateway, 'an inactive one still speaks for the mandates it made')
  assert.deepEqual(await gateways.active(), [])
})

test('the primary is the one of now, and nobody is charged without one', async () => {
  const gateways = createGateways({ ...options, freshMs: 0 })
  assert.equal(await codeOf(gateways.primary()), 'connectors.no_primary')
  const [a, b] = [
    await connector('APP_USR-uno-0000000001', { isPrimary: true }),
    await connector('APP_USR-dos-0000000002'),
  ]
  assert.equal((await gateways.primary()).connector.id, a)
  await change(a, { isPrimary: false })
  await change(b, { isPrimary: true })
  assert.equal((await gateways.primary()).connector.id, b)
  assert.deepEqual(
    (await gateways.active()).map(({ connector }) => connector.id),
    [a, b],
  )
  assert.equal(await codeOf(gateways.of(uuidv7())), 'connectors.not_found')
})

test('a reading that failed is not believed', async () => {
  const id = await connector('APP_USR-falla-000000001')
  let down = true
  const failing = watched(() => {
    if (down) throw new Error('down')
  })
  const gateways = createGateways({ ...options, central: failing })
  await assert.rejects(gateways.of(id), /down/)
  down = false
  assert.equal((await gateways.of(id)).connector.id, id)
})

test('a token goes where it belongs: no simulator in production, no real money to another address', async () => {
  const simulator = await connector('APP_USR-simulador-0001')
  const real = await connector('APP_USR-real-00000000001', { kind: 'production' })
  const here = createGateways(options)
  assert.equal(await codeOf(here.of(real)), 'connectors.kind_not_here')
  assert.equal(await codeOf(here.whoIs('production', 'APP_USR-real-00000000001')), 'connectors.kind_not_here')
  assert.deepEqual(
    (await here.active()).map(({ connector }) => connector.id),
    [simulator],
  )
  assert.ok(log.some((line) => line.includes('connector_unusable') && line.includes(real)))
  const production = createGateways({ ...options, env: 'production' })
  assert.equal(await codeOf(production.of(simulator)), 'connectors.kind_not_here')
  assert.deepEqual(api.requests, [])
})

test('in production nobody buys through a test account, whoever made it the primary one', async () => {
  const sandbox = await connector('APP_USR-sandbox-000001', { kind: 'sandbox', isPrimary: true })
  const production = createGateways({ ...options, env: 'production' })
  assert.equal(await codeOf(production.primary()), 'connectors.kind_not_here')
  assert.equal((await production.of(sandbox)).connector.id, sandbox, 'what it made before can still be ended')
  assert.equal((await createGateways(options).primary()).connector.id, sandbox)
})
