import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, test } from 'node:test'
import { openAs } from '../../src/db/client.ts'
import { databaseName } from '../../src/fiscal/rfc.ts'
import { steps } from '../../src/tenants/operations/operation.ts'
import { findOperation } from '../../src/tenants/operations/queries.ts'
import { sweepOperations } from '../../src/tenants/operations/sweep-operations.ts'
import { startTenancy, type Tenancy } from '../support/tenancy.ts'
import { expectHealthy, expectNothing } from '../support/tenancy-checks.ts'
import { until } from '../support/until.ts'
import { outliveTheDead, spawnWorker, workUntilCrash } from '../support/worker-child.ts'

let tenancy: Tenancy
before(async () => {
  tenancy = await startTenancy()
})
after(() => tenancy.stop())

const points = [
  'provision.role.before',
  ...Object.keys(steps.provision)
    .slice(0, -1)
    .flatMap((step) => [`provision.${step}.done`, `provision.${step}.noted`]),
  'provision.activate.before',
  'provision.closing',
  'provision.activate.done',
]

for (const point of points)
  test(`a worker that dies at ${point} leaves a company that the next one completes`, async () => {
    const { tenantId, operationId } = await tenancy.register()
    await workUntilCrash(tenancy, point)
    await recover(operationId)
    assert.equal((await findOperation(tenancy.central, operationId))?.state, 'succeeded')
    await expectHealthy(tenancy, tenantId)
  })

test(`a worker that dies during CREATE DATABASE is outlived by the server's own work, which is not done twice`, async (t) => {
  const { tenantId, operationId, rfc } = await tenancy.register()
  // It takes a moment only: held in the middle of it, it is seen however seldom we look.
  const holder = await openAs(tenancy.cluster.adminUrl)
  t.after(() => holder.end())
  await holder.query('begin; lock table pg_database in share mode')
  const child = spawnWorker(tenancy)
  await until(async () => {
    const [busy] = await tenancy.admin.query(
      `select from pg_stat_activity
       where query ~* '^create database "?${databaseName(rfc)}' and state = 'active' and wait_event_type = 'Lock'`,
    )
    return busy
  })
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
  await holder.query('commit')
  await recover(operationId)
  await expectHealthy(tenancy, tenantId)
})

for (const step of ['role', 'database'])
  test(`a worker that dies while undoing ${step} leaves nothing behind in the end, and nothing foreign is touched`, async (t) => {
    const { tenantId, operationId, rfc } = await tenancy.register()
    await tenancy.admin.query(`create database ${databaseName(rfc)}`)
    t.after(() => tenancy.admin.query(`drop database ${databaseName(rfc)}`))
    await workUntilCrash(tenancy, `provision.${step}.undo`)
    await recover(operationId)
    assert.equal((await findOperation(tenancy.central, operationId))?.state, 'compensated')
    await expectNothing(tenancy, tenantId)
    const [foreign] = await tenancy.admin.query('select datallowconn as open from pg_database where datname = $1', [
      databaseName(rfc),
    ])
    assert.deepEqual(foreign, { open: true })
  })

test('a worker that is started again takes up what a dead one left, by itself', async (t) => {
  const { tenantId, operationId } = await tenancy.register()
  await workUntilCrash(tenancy, 'provision.database.done')
  await outliveTheDead(tenancy)
  const worker = await tenancy.worker()
  t.after(() => worker.stop())
  await until(async () => (await findOperation(tenancy.central, operationId))?.finishedAt)
  await expectHealthy(tenancy, tenantId)
})

test('after all these deaths the server holds the companies and nothing else', async () => {
  const stray = await tenancy.admin.query(
    `select datname as name from pg_database where datname ~ '^horux_' and datname !~ '^horux_(tpl|central)' and datname <> all($1)`,
    [await names('database_name')],
  )
  const roles = await tenancy.admin.query(
    `select rolname as name from pg_roles where rolname ~ '^hxt_' and rolname <> all($1)`,
    [await names('role_name')],
  )
  assert.deepEqual([...stray, ...roles], [])
})

async function names(column: 'database_name' | 'role_name'): Promise<string[]> {
  const rows = await tenancy.owner.query<{ name: string }>(
    `select ${column} as name from tenant_databases where state = 'active'`,
  )
  return rows.map(({ name }) => name)
}

/** What a next worker does, without the minutes between. */
async function recover(operationId: string): Promise<void> {
  await outliveTheDead(tenancy)
  await sweepOperations(tenancy.deps)
  await tenancy.run(operationId)
}
