import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { deleteTenant, purgeTenant, restoreTenant, resumeTenant, suspendTenant } from '../../src/tenants/lifecycle.ts'
import { type OperationKind, steps } from '../../src/tenants/operations/operation.ts'
import { findOperation } from '../../src/tenants/operations/queries.ts'
import { sweepOperations } from '../../src/tenants/operations/sweep-operations.ts'
import { nobody, startTenancy, type Tenancy } from '../support/tenancy.ts'
import { expectHealthy } from '../support/tenancy-checks.ts'
import { outliveTheDead, workUntilCrash } from '../support/worker-child.ts'

let tenancy: Tenancy
before(async () => {
  tenancy = await startTenancy()
})
after(() => tenancy.stop())

for (const point of pointsOf('delete'))
  test(`a worker that dies at ${point} leaves a deletion that the next one completes, and that can be undone`, async () => {
    const { tenantId } = await tenancy.company()
    const deletion = await deleteTenant(tenancy.deps, tenantId, nobody)
    await dieAndRecover(point, deletion)
    const [row] = await tenancy.owner.query<{ database: string; state: string; deleted: boolean }>(
      `select d.database_name as database, d.state, t.deleted_at is not null as deleted
       from tenant_databases d join tenants t on t.id = d.tenant_id where t.id = $1`,
      [tenantId],
    )
    assert.deepEqual({ state: row?.state, deleted: row?.deleted }, { state: 'deleted', deleted: true })
    assert.deepEqual(await databasesOf(tenantId), [row?.database])
    assert.match(row?.database ?? '', /^horux_deleted_/)
    assert.equal(await tenancy.run(await restoreTenant(tenancy.deps, tenantId, nobody)), 'succeeded')
    await expectHealthy(tenancy, tenantId)
  })

for (const point of pointsOf('restore'))
  test(`a worker that dies at ${point} leaves a restoration that the next one completes`, async () => {
    const { tenantId } = await tenancy.company()
    await tenancy.run((await deleteTenant(tenancy.deps, tenantId, nobody)) ?? '')
    await dieAndRecover(point, await restoreTenant(tenancy.deps, tenantId, nobody))
    assert.equal((await databasesOf(tenantId)).length, 1)
    await expectHealthy(tenancy, tenantId)
  })

for (const point of pointsOf('purge'))
  test(`a worker that dies at ${point} leaves a purge that the next one completes`, async () => {
    const { tenantId, rfc } = await tenancy.company()
    await tenancy.run((await deleteTenant(tenancy.deps, tenantId, nobody)) ?? '')
    await dieAndRecover(point, await purgeTenant(tenancy.deps, tenantId, rfc, nobody))
    assert.deepEqual(await databasesOf(tenantId), [])
  })

test('a worker that dies while it suspends or resumes leaves that to the next one', async () => {
  const { tenantId } = await tenancy.company()
  await dieAndRecover('suspend.fence.done', await suspendTenant(tenancy.deps, tenantId, 'revisión', nobody))
  await dieAndRecover('resume.open.done', await resumeTenant(tenancy.deps, tenantId, nobody))
  await expectHealthy(tenancy, tenantId)
})

/** After each step before it was noted, and inside and after the commit that ends it all. */
function pointsOf(kind: OperationKind): string[] {
  const names = Object.keys(steps[kind])
  const last = names.pop()
  return [...names.map((step) => `${kind}.${step}.done`), `${kind}.closing`, `${kind}.${last}.done`]
}

async function dieAndRecover(point: string, operationId: string | null): Promise<void> {
  assert.ok(operationId)
  await workUntilCrash(tenancy, point)
  await outliveTheDead(tenancy)
  await sweepOperations(tenancy.deps)
  await tenancy.run(operationId)
  assert.equal((await findOperation(tenancy.central, operationId))?.state, 'succeeded')
}

async function databasesOf(tenantId: string): Promise<string[]> {
  const rows = await tenancy.admin.query<{ name: string }>(
    `select datname as name from pg_database where shobj_description(oid, 'pg_database') = $1`,
    [`horux tenant=${tenantId}`],
  )
  return rows.map(({ name }) => name)
}
