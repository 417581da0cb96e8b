import assert from 'node:assert/strict'
import { after, before, type TestContext, test } from 'node:test'
import { uuidv7 } from 'uuidv7'
import { startPreparedCluster, type TestCentral } from '../../../test/support/prepared-cluster.ts'
import { startTcpProxy } from '../../../test/support/tcp-proxy.ts'
import { until } from '../../../test/support/until.ts'
import { type Changes, openChanges } from '../../db/changes.ts'
import { type OwnerConnection, openAs, openCentral } from '../../db/client.ts'
import type { CentralDb } from '../../db/databases.ts'
import { AppError } from '../../errors.ts'
import type { Estado } from '../subscription.ts'
import { createEntitlementCache, type EntitlementCacheDeps } from './entitlement-cache.ts'

let made: TestCentral
let central: CentralDb
let admin: OwnerConnection
let owner: OwnerConnection
let serial = 0
before(async () => {
  const cluster = await startPreparedCluster()
  made = await cluster.createCentral()
  central = openCentral(configOf(made.url))
  admin = await openAs(cluster.adminUrl)
  owner = await openAs(made.ownerUrl)
})
after(() => Promise.all([central.destroy(), admin.end(), owner.end()]))

const configOf = (url: string) =>
  ({ central: { url, poolMax: 4 }, processRole: 'api', statementTimeoutMs: 5_000 }) as const

interface ProcessOptions {
  url?: string
  /** Hears nothing at all. */
  deaf?: boolean
  timing?: NonNullable<EntitlementCacheDeps['timing']>
  now?: () => Date
}

/** What a process has of it: its own pool, its own line for notices, its own memory. */
function startProcess(
  t: TestContext,
  { url = made.url, deaf = false, timing, now = () => new Date() }: ProcessOptions = {},
) {
  const own = openCentral(configOf(url))
  const changes: Changes = deaf ? DEAF : openChanges(configOf(url))
  const log: string[] = []
  const note = (fields: object) => void log.push(JSON.stringify(fields))
  const deps = { central: own, clock: { now }, changes, log: { warn: note, error: note } }
  const cache = createEntitlementCache({ ...deps, ...(timing && { timing }) })
  t.after(async () => {
    cache.close()
    await changes.close()
    await own.destroy()
  })
  const accessOf = async (tenantId: string) => (await cache.get(tenantId)).access
  return { cache, changes, log, accessOf }
}

const DEAF: Changes = {
  on: () => () => undefined,
  onResync: () => () => undefined,
  connected: false,
  close: async () => undefined,
}

const NEVER = 3_600_000

async function company(): Promise<string> {
  const id = uuidv7()
  const rfc = `PRU0101${String(++serial).padStart(2, '0')}AA1`
  await central.insertInto('tenants').values({ id, rfc, nombre: 'De prueba' }).execute()
  const sub = { id: uuidv7(), tenant_id: id, plan_code: 'starter', plan_version: 1, estado: 'activa' as const }
  await central.insertInto('subscriptions').values(sub).execute()
  return id
}

const become = (tenantId: string, estado: Estado) =>
  central.updateTable('subscriptions').set({ estado }).where('tenant_id', '=', tenantId).execute()

/** As if its notice were lost: no trigger but the one that moves the version. */
async function becomeUnheard(tenantId: string, estado: Estado) {
  await owner.query('set session_replication_role = replica')
  await owner.query('update subscriptions set estado = $2 where tenant_id = $1', [tenantId, estado])
  await owner.query('update tenants set entitlements_version = entitlements_version + 1 where id = $1', [tenantId])
  await owner.query('set session_replication_role = origin')
}

/** Told and not demanded: it would be a demand on the machine. A memory lasts five minutes here, so none ends by itself meanwhile. */
async function timeUntil(fact: () => Promise<boolean>): Promise<number> {
  const start = performance.now()
  await until(fact)
  return performance.now() - start
}

test('a change in one process is told to the other, and seen in its own at once', async (t) => {
  const [one, two] = [startProcess(t), startProcess(t, { timing: { compareMs: NEVER } })]
  await until(() => one.changes.connected && two.changes.connected)
  const tenantId = await company()
  assert.deepEqual([await one.accessOf(tenantId), await two.accessOf(tenantId)], ['full', 'full'])

  await become(tenantId, 'suspendida')
  one.cache.forget(tenantId)
  assert.equal(await one.accessOf(tenantId), 'blocked', 'the next look of the process that changed it')
  const took = await timeUntil(async () => (await two.accessOf(tenantId)) === 'blocked')
  t.diagnostic(`the other process: ${Math.round(took)} ms`)
})

test('what is at hand is answered without a promise, and many who ask at once cause one reading', async (t) => {
  const { cache } = startProcess(t, { deaf: true })
  const tenantId = await company()
  const asked = Array.from({ length: 50 }, () => cache.get(tenantId))
  assert.equal(new Set(asked).size, 1)
  const found = await asked[0]
  assert.ok(!(cache.get(tenantId) instanceof Promise))
  assert.equal(cache.get(tenantId), found)
})

test('with its line killed for good, a process sees a change by comparing versions', async (t) => {
  const deaf = startProcess(t, { deaf: true })
  const tenantId = await company()
  assert.equal(await deaf.accessOf(tenantId), 'full')
  await become(tenantId, 'suspendida')
  assert.equal(await deaf.accessOf(tenantId), 'full', 'it heard nothing')
  const took = await timeUntil(async () => (await deaf.accessOf(tenantId)) === 'blocked')
  t.diagnostic(`by comparing every ten seconds: ${Math.round(took)} ms`)
})

test('a line that the server cuts drops everything when it is back, also what changed while it was down', async (t) => {
  const process = startProcess(t, { timing: { compareMs: NEVER } })
  await until(() => process.changes.connected)
  const tenantId = await company()
  assert.equal(await process.accessOf(tenantId), 'full')
  await admin.query(
    `select pg_terminate_backend(pid, 1000) from pg_stat_activity where application_name = 'horux-api-changes'`,
  )
  await becomeUnheard(tenantId, 'suspendida')
  const took = await timeUntil(async () => (await process.accessOf(tenantId)) === 'blocked')
  t.diagnostic(`after the line was cut: ${Math.round(took)} ms`)
})

test('with everything broken, what is remembered ends by its age, and by its time', async (t) => {
  let now = new Date()
  const broken = { deaf: true, now: () => now }
  const brief = startProcess(t, { ...broken, timing: { compareMs: NEVER, ttlMs: 250 } })
  const usual = startProcess(t, { ...broken, timing: { compareMs: NEVER } })
  const tenantId = await company()
  assert.deepEqual([await brief.accessOf(tenantId), await usual.accessOf(tenantId)], ['full', 'full'])
  await become(tenantId, 'suspendida')
  await until(async () => (await brief.accessOf(tenantId)) === 'blocked')
  now = new Date(now.getTime() + 5 * 60_000 - 1)
  assert.equal(await usual.accessOf(tenantId), 'full', 'a millisecond before the five minutes')
  now = new Date(now.getTime() + 1)
  assert.equal(await usual.accessOf(tenantId), 'blocked')
})

test('a clock that is set back does not make a memory last', async (t) => {
  let now = new Date()
  const { accessOf } = startProcess(t, { deaf: true, now: () => now, timing: { compareMs: NEVER } })
  const tenantId = await company()
  assert.equal(await accessOf(tenantId), 'full')
  await become(tenantId, 'suspendida')
  now = new Date(now.getTime() - 3_600_000)
  assert.equal(await accessOf(tenantId), 'blocked')
})

test('an exception begins and ends at its instants without anybody telling', async (t) => {
  const start = Date.now()
  let now = new Date(start)
  const { cache } = startProcess(t, { deaf: true, now: () => now, timing: { compareMs: NEVER } })
  const tenantId = await company()
  const terms = { kind: 'feature' as const, key: 'reportes', enabled: true, reason: 'prueba' }
  const span = { valid_from: new Date(start + 60_000), valid_to: new Date(start + 120_000) }
  await central
    .insertInto('tenant_overrides')
    .values({ id: uuidv7(), tenant_id: tenantId, ...terms, ...span })
    .execute()
  const seen: boolean[] = []
  for (const ms of [0, 59_999, 60_000, 119_999, 120_000]) {
    now = new Date(start + ms)
    seen.push((await cache.get(tenantId)).features.reportes)
  }
  assert.deepEqual(seen, [false, false, true, true, false])
})

test('comparing takes away what changed and nothing else', async (t) => {
  const { cache } = startProcess(t, { deaf: true, timing: { compareMs: 30 } })
  const [changed, same] = [await company(), await company()]
  const before = await cache.get(same)
  await cache.get(changed)
  for (const estado of ['suspendida', 'activa', 'grace_period'] as const) {
    const { version } = await cache.get(changed)
    await become(changed, estado)
    await until(async () => (await cache.get(changed)).version !== version)
  }
  assert.equal(await cache.get(same), before, 'read once')
})

test('other rules of billing are seen by comparing too', async (t) => {
  t.after(() => owner.query(`update billing_policy set policy = '{}'`))
  const { accessOf } = startProcess(t, { timing: { compareMs: 50 } })
  const tenantId = await company()
  const ended = { estado: 'cancelada' as const, ended_at: new Date(Date.now() - 5 * 86_400_000) }
  await central.updateTable('subscriptions').set(ended).where('tenant_id', '=', tenantId).execute()
  await until(async () => (await accessOf(tenantId)) === 'read_only')
  await owner.query(`update billing_policy set policy = '{"retentionReadOnlyDays": 2}'`)
  await until(async () => (await accessOf(tenantId)) === 'blocked')
})

test('while the database is down what is fresh serves, and what has expired is neither a pass nor a refusal', async (t) => {
  const url = new URL(made.url)
  const proxy = await startTcpProxy({ host: url.hostname, port: Number(url.port) })
  t.after(() => proxy.close())
  url.port = String(proxy.port)
  let now = new Date()
  const timing = { compareMs: 20 }
  const { cache, log, accessOf } = startProcess(t, { url: url.href, now: () => now, timing })
  const [known, unknown] = [await company(), await company()]
  assert.equal(await accessOf(known), 'full')
  await until(async () => !(cache.get(known) instanceof Promise))
  await proxy.refuse()
  await until(() => log.length > 0) // comparing failed, and took nothing away
  assert.equal(await accessOf(known), 'full')
  const unavailable = (error: unknown) => error instanceof AppError && error.kind === 'unavailable'
  await assert.rejects(accessOf(unknown), unavailable)
  now = new Date(now.getTime() + 5 * 60_000)
  await assert.rejects(accessOf(known), unavailable)
  await proxy.listen()
  await until(async () => (await accessOf(known).catch(() => 'down')) === 'full')
})

test('a company without a subscription is blocked, and somebody is told', async (t) => {
  const { accessOf, log } = startProcess(t)
  assert.equal(await accessOf(uuidv7()), 'blocked')
  assert.match(log.join(), /billing\.no_subscription/)
})
