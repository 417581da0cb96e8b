import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { nobody, startTenancy, type Tenancy } from '../../test/support/tenancy.ts'
import { expectHealthy } from '../../test/support/tenancy-checks.ts'
import { until } from '../../test/support/until.ts'
import type { CentralDb, CentralTx } from '../db/databases.ts'
import { databaseName } from '../fiscal/rfc.ts'
import { deleteTenant, restoreTenant, retryOperation } from './lifecycle.ts'
import { findOperation } from './operations/queries.ts'
import { runOperation } from './operations/run-operation.ts'

let tenancy: Tenancy
before(async () => {
  tenancy = await startTenancy()
})
after(() => tenancy.stop())

test('a failed registration that is forgotten while it is registered again is not brought back to life', async () => {
  const { tenantId, rfc } = await failed()
  const release = await holdRow(tenantId)
  const forgotten = deleteTenant(tenancy.deps, tenantId, nobody)
  await waiting(1)
  const registered = tenancy.register({ rfc })
  await waiting(2)
  await release()
  assert.equal(await forgotten, null)
  const young = await registered
  assert.notEqual(young.tenantId, tenantId)
  assert.equal(await tenancy.run(young.operationId), 'succeeded')
  await expectHealthy(tenancy, young.tenantId)
  assert.deepEqual(await zombies(), [])
})

test('a retry of a failed registration and its deletion at once: one of them is refused', async () => {
  const { tenantId } = await failed()
  const release = await holdRow(tenantId)
  const retried = retryOperation(tenancy.deps, tenantId, nobody)
  await waiting(1)
  const forgotten = deleteTenant(tenancy.deps, tenantId, nobody)
  forgotten.catch(() => undefined)
  await waiting(2)
  await release()
  assert.equal(await tenancy.run(await retried), 'succeeded')
  await assert.rejects(forgotten, { code: 'tenants.wrong_state' })
  assert.deepEqual(await zombies(), [])
})

test('what was forgotten is not retried', async () => {
  const { tenantId, rfc } = await failed()
  await deleteTenant(tenancy.deps, tenantId, nobody)
  await assert.rejects(retryOperation(tenancy.deps, tenantId, nobody), { code: 'tenants.not_found' })
  await tenancy.company({ rfc })
  await assert.rejects(retryOperation(tenancy.deps, tenantId, nobody), { code: 'tenants.not_found' })
  assert.deepEqual(await zombies(), [])
})

test('a failed registration that is taken up while no server has room is under way, and cannot be forgotten', async (t) => {
  const { tenantId, rfc } = await failed()
  await tenancy.owner.query(`update database_servers set state = 'full'`)
  t.after(() => tenancy.owner.query(`update database_servers set state = 'active'`))
  const { operationId } = await tenancy.register({ rfc })
  await assert.rejects(deleteTenant(tenancy.deps, tenantId, nobody), { code: 'tenants.wrong_state' })
  assert.equal(await tenancy.run(operationId), 'succeeded')
  await expectHealthy(tenancy, tenantId)
})

test('a registration that is cancelled while a worker looks for room is not given a place', async (t) => {
  await tenancy.owner.query(`update database_servers set state = 'full'`)
  t.after(() => tenancy.owner.query(`update database_servers set state = 'active'`))
  const { tenantId, operationId } = await tenancy.register()
  const gate = Promise.withResolvers<void>()
  t.after(() => gate.resolve())
  const working = runOperation({ ...tenancy.deps, central: withGate(tenancy.central, gate.promise) }, operationId)
  await until(async () => (await findOperation(tenancy.central, operationId))?.state === 'running')
  assert.equal(await deleteTenant(tenancy.deps, tenantId, nobody), null)
  await tenancy.owner.query(`update database_servers set state = 'active'`)
  gate.resolve()
  assert.equal(await working, 'compensated')
  assert.equal(await tenancy.run(operationId), 'compensated')
  assert.deepEqual(await tenancy.owner.query('select from tenant_databases where tenant_id = $1', [tenantId]), [])
  assert.deepEqual(await zombies(), [])
})

test('a worker that lost its company while it was stuck writes nothing about it any more', async () => {
  const { tenantId } = await tenancy.company()
  const deletion = await deleteTenant(tenancy.deps, tenantId, nobody)
  await tenancy.run(deletion ?? '')
  const retired = await databaseOf(tenantId)
  const restoration = await restoreTenant(tenancy.deps, tenantId, nobody)

  const gate = Promise.withResolvers<void>()
  const stuck = runOperation({ ...tenancy.deps, central: withGate(tenancy.central, gate.promise) }, restoration)
  await until(async () => (await findOperation(tenancy.central, restoration))?.step === 'rename')
  await tenancy.admin.query(
    `select pg_terminate_backend(pid, 2000) from pg_locks where locktype = 'advisory' and granted`,
  )
  await tenancy.owner.query(`update tenant_operations set lease_until = now() - interval '1 second' where id = $1`, [
    restoration,
  ])
  assert.equal(await tenancy.run(restoration, { maxAttempts: 1 }), 'compensated')
  gate.resolve()
  assert.equal(await stuck, 'busy')
  assert.equal(await databaseOf(tenantId), retired)
  assert.equal((await tenancy.admin.query('select from pg_database where datname = $1', [retired])).length, 1)
})

/** The central database of a process whose transactions do not begin until the gate opens. */
function withGate(central: CentralDb, gate: Promise<void>): CentralDb {
  return Object.create(central, {
    transaction: {
      value: () => ({
        execute: async (work: (trx: CentralTx) => Promise<unknown>) => {
          await gate
          return central.transaction().execute(work)
        },
      }),
    },
    selectFrom: { value: central.selectFrom.bind(central) },
    updateTable: { value: central.updateTable.bind(central) },
  })
}

async function databaseOf(tenantId: string): Promise<string | undefined> {
  const [row] = await tenancy.owner.query<{ name: string }>(
    'select database_name as name from tenant_databases where tenant_id = $1',
    [tenantId],
  )
  return row?.name
}

/** A registration that was given up, because somebody else's database had the name. */
async function failed() {
  const { tenantId, operationId, rfc } = await tenancy.register()
  await tenancy.admin.query(`create database ${databaseName(rfc)}`)
  assert.equal(await tenancy.run(operationId), 'compensated')
  await tenancy.admin.query(`drop database ${databaseName(rfc)}`)
  return { tenantId, rfc }
}

/** Keeps the company's row to ourselves, so that whoever changes it stands in line. */
async function holdRow(tenantId: string): Promise<() => Promise<unknown>> {
  await tenancy.owner.query(`begin; select from tenants where id = '${tenantId}' for update`)
  return () => tenancy.owner.query('commit')
}

async function waiting(n: number): Promise<void> {
  await until(async () => {
    const rows = await tenancy.admin.query(
      `select from pg_stat_activity where usename = 'horux_central' and wait_event_type = 'Lock'`,
    )
    return rows.length >= n
  })
}

/** Deleted companies that live, or the other way round. */
const zombies = () =>
  tenancy.owner.query(
    `select t.rfc, d.state from tenants t join tenant_databases d on d.tenant_id = t.id
     where (t.deleted_at is not null) <> (d.state in ('deleted', 'purging', 'purged'))`,
  )
