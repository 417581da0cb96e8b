import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startPreparedCluster, type TestCentral } from '../../test/support/prepared-cluster.ts'
import { until } from '../../test/support/until.ts'
import { openAs, openCentral } from './client.ts'
import type { CentralDb } from './databases.ts'
import { checkConnectionBudget, registerInstance } from './instances.ts'

let made: TestCentral
let central: CentralDb

before(async () => {
  const cluster = await startPreparedCluster({ maxConnections: 100 })
  made = await cluster.createCentral()
  central = openCentral({ central: { url: made.url, poolMax: 2 }, processRole: 'api', statementTimeoutMs: 5000 })
})
after(() => central.destroy())

const description = { role: 'api', version: '1.2.3', budget: 40, schema: { min: 1, current: 3 } } as const
const quiet = { warn() {} }
const beats = () => central.selectFrom('app_instances').select(['id', 'heartbeat_at']).execute()

test('a process is known while it lives, comes back when its row was lost, and leaves nothing behind', async () => {
  const instance = await registerInstance(central, description, quiet, 20)
  const [first] = await beats()
  assert.equal(first?.id, instance.id)
  await until(async () => ((await beats())[0]?.heartbeat_at as Date) > (first?.heartbeat_at as Date))
  await central.deleteFrom('app_instances').execute()
  await until(async () => (await beats()).length === 1)
  await instance.stop()
  assert.deepEqual(await beats(), [])
})

test('a beat that takes long is waited for: there is never a second one on its way', async (t) => {
  const owner = await openAs(made.ownerUrl)
  t.after(() => owner.end())
  const instance = await registerInstance(central, description, quiet, 1)
  await owner.query('begin')
  await owner.query('lock table app_instances in access exclusive mode')
  const waiting = async () => {
    const [row] = await owner.query<{ n: number }>(
      `select count(*)::int as n from pg_locks where not granted and relation = 'app_instances'::regclass`,
    )
    return row?.n ?? 0
  }
  await until(async () => (await waiting()) > 0)
  // Time for many beats.
  for (let look = 0; look < 100; look++) assert.equal(await waiting(), 1)
  await owner.query('commit')
  await instance.stop()
  assert.deepEqual(await beats(), [])
})

test('the budgets of the living are compared with what the server can give', async () => {
  const [one, two] = [
    await registerInstance(central, description, quiet),
    await registerInstance(central, description, quiet),
  ]
  // 100 less 3 for superusers less 10.
  assert.deepEqual(await checkConnectionBudget(central), { planned: 80, available: 87, fits: true })
  const three = await registerInstance(central, { ...description, role: 'worker' }, quiet)
  assert.deepEqual(await checkConnectionBudget(central), { planned: 120, available: 87, fits: false })
  const owner = await openAs(made.ownerUrl)
  await owner.query(`update app_instances set heartbeat_at = now() - interval '2 minutes' where id = $1`, [three.id])
  await owner.end()
  assert.equal((await checkConnectionBudget(central)).fits, true)
  for (const instance of [one, two, three]) await instance.stop()
})

test('a central database that does not answer stops nobody', async () => {
  const nowhere = openCentral({
    central: { url: 'postgres://a:b@127.0.0.1:1/c', poolMax: 1 },
    processRole: 'api',
    statementTimeoutMs: 100,
  })
  const warnings: unknown[] = []
  await registerInstance(nowhere, description, { warn: (fields: unknown) => void warnings.push(fields) })
  assert.equal(warnings.length, 1)
  await nowhere.destroy()
})
