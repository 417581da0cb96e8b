import assert from 'node:assert/strict'
import { after, before, type TestContext, test } from 'node:test'
import { uuidv7 } from 'uuidv7'
import { startPreparedCluster, type TestCentral } from '../../test/support/prepared-cluster.ts'
import { registerServerAs } from '../../test/support/register-server.ts'
import { startTcpProxy } from '../../test/support/tcp-proxy.ts'
import { until } from '../../test/support/until.ts'
import { type ChangesOptions, openChanges } from './changes.ts'
import { type OwnerConnection, openAs, openCentral } from './client.ts'
import type { CentralDb } from './databases.ts'

let made: TestCentral
let central: CentralDb
let admin: OwnerConnection

before(async () => {
  const cluster = await startPreparedCluster()
  made = await cluster.createCentral()
  central = openCentral({ central: { url: made.url, poolMax: 2 }, processRole: 'api', statementTimeoutMs: 5000 })
  admin = await openAs(cluster.adminUrl)
})
after(() => Promise.all([central.destroy(), admin.end()]))

function open(t: TestContext, options: ChangesOptions = {}, url = made.url) {
  const changes = openChanges({ central: { url, poolMax: 1 }, processRole: 'api' }, options)
  const heard: string[] = []
  changes.on('tenant', (id, generation) => void heard.push(`tenant ${id} ${generation}`))
  changes.on('session', (id) => void heard.push(`session ${id}`))
  changes.on('user', (id) => void heard.push(`user ${id}`))
  changes.on('entitlements', (id) => void heard.push(`entitlements ${id}`))
  changes.onResync(() => void heard.push('resync'))
  t.after(() => changes.close())
  return { changes, heard }
}

test('the triggers tell of placements, sessions, users and what a company may do, and only after the commit', async (t) => {
  const { heard } = open(t)
  await until(() => heard.includes('resync'))
  const server = { name: 'uno', host: 'h', port: 1, tls: 'off' as const, ownerCredential: 'x' }
  const serverId = await registerServerAs(made.ownerUrl, server)
  const [tenantId, userId, sessionId] = [uuidv7(), uuidv7(), uuidv7()]
  await central.insertInto('tenants').values({ id: tenantId, rfc: 'XAXX010101000', nombre: 'Una' }).execute()
  const placement = {
    tenant_id: tenantId,
    server_id: serverId,
    database_name: 'd',
    role_name: 'r',
    state: 'active' as const,
  }
  await central.insertInto('tenant_databases').values(placement).execute()
  await central.insertInto('users').values({ id: userId, email: 'a@ejemplo.mx', nombre: 'A' }).execute()
  const session = { id: sessionId, user_id: userId, device_id: uuidv7(), expires_at: new Date() }
  await central.insertInto('sessions').values(session).execute()

  await central.transaction().execute(async (trx) => {
    await trx.updateTable('tenant_databases').set({ state: 'moving' }).where('tenant_id', '=', tenantId).execute()
    await trx.updateTable('sessions').set({ revoked_at: new Date() }).where('id', '=', sessionId).execute()
    assert.deepEqual(heard, ['resync'])
  })
  await central.updateTable('users').set({ is_platform: true }).where('id', '=', userId).execute()
  const exception = { kind: 'feature' as const, key: 'reportes', enabled: true, reason: 'prueba' }
  const row = { id: uuidv7(), tenant_id: tenantId, ...exception, valid_from: new Date() }
  await central.insertInto('tenant_overrides').values(row).execute()
  await until(() => heard.length === 5)
  const all = [`tenant ${tenantId} 2`, `session ${sessionId}`, `user ${userId}`, `entitlements ${tenantId}`]
  assert.deepEqual(heard, ['resync', ...all])
})

test('a line that the server cut is up again by itself and asks for a resync', async (t) => {
  const { changes, heard } = open(t)
  for (let lines = 1; lines <= 2; lines++) {
    await until(() => heard.length === lines && changes.connected)
    await admin.query(
      `select pg_terminate_backend(pid, 1000) from pg_stat_activity where application_name = 'horux-api-changes'`,
    )
  }
  await until(() => heard.length === 3)
  await admin.query(`select 1`)
})

test('a line that went silent is noticed by its missing echo', async (t) => {
  const url = new URL(made.url)
  const proxy = await startTcpProxy({ host: url.hostname, port: Number(url.port) })
  t.after(() => proxy.close())
  url.port = String(proxy.port)
  const errors: unknown[] = []
  const options = { heartbeatMs: 50, echoTimeoutMs: 200, onError: (error: unknown) => void errors.push(error) }
  const { changes, heard } = open(t, options, url.href)
  await until(() => changes.connected)
  // On a busy machine an echo may be late for once before: what counts is what follows the silence.
  proxy.setSilent(true)
  const told = errors.length
  await until(() => errors.length > told && !changes.connected)
  const resyncs = heard.length
  proxy.setSilent(false)
  await until(() => heard.length > resyncs && changes.connected)
})

test('a server that is not there yet is waited for, and closing does not wait', async (t) => {
  const url = new URL(made.url)
  const proxy = await startTcpProxy({ host: url.hostname, port: Number(url.port) })
  t.after(() => proxy.close())
  url.port = String(proxy.port)
  await proxy.refuse()
  const errors: unknown[] = []
  const { changes, heard } = open(t, { onError: (error) => void errors.push(error) }, url.href)
  await until(() => errors.length > 0)
  await proxy.listen()
  await until(() => heard.length === 1 && changes.connected)
  const started = performance.now()
  await changes.close()
  // It would be beaten the next time after fifteen seconds.
  assert.ok(performance.now() - started < 10_000)
})
