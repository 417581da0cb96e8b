import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { nobody, startTenancy, type Tenancy } from '../../../test/support/tenancy.ts'
import { enter, expectHealthy } from '../../../test/support/tenancy-checks.ts'
import type { OwnerConnection } from '../../db/client.ts'
import { databaseName } from '../../fiscal/rfc.ts'
import { deleteTenant, purgeTenant, restoreTenant, resumeTenant, retryOperation, suspendTenant } from '../lifecycle.ts'
import { sweepServers } from '../servers/sweep-servers.ts'
import { findOperation } from './queries.ts'

let tenancy: Tenancy
before(async () => {
  tenancy = await startTenancy()
})
after(() => tenancy.stop())

type Company = Awaited<ReturnType<Tenancy['company']>>

test('a deletion under load fences, renames and frees the RFC; restoring brings the same rows back', async () => {
  const { tenantId, rfc, database, role } = await tenancy.company()
  const clients = await Promise.all([1, 2, 3].map(() => enter(tenancy, tenantId)))
  await clients[0]?.query(
    `insert into outbox (id, job, payload) values ('018f0000-0000-7000-8000-000000000001', 'x', '{}')`,
  )
  const hammering = clients.map(hammer)

  const deletion = await remove({ tenantId })
  assert.equal(await tenancy.run(deletion), 'succeeded')
  for (const refused of await Promise.all(hammering)) assert.ok(refused, 'every session was ended')

  const placement = await placementOf(tenantId)
  assert.match(placement.database, new RegExp(`^horux_deleted_${database.slice(6)}_\\d{14}$`))
  assert.equal(placement.state, 'deleted')
  assert.equal(Math.round((placement.purge_after.getTime() - Date.now()) / 86_400_000), 30)
  await assert.rejects(enter(tenancy, tenantId), 'the role is shut')
  const [facts] = await tenancy.admin.query(
    `select datallowconn as open, (select rolcanlogin from pg_roles where rolname = $2) as login
     from pg_database where datname = $1`,
    [placement.database, role],
  )
  assert.deepEqual(facts, { open: false, login: false })

  assert.equal(await tenancy.run(await restoreTenant(tenancy.deps, tenantId, nobody)), 'succeeded')
  const inside = await enter(tenancy, tenantId)
  assert.equal((await inside.query('select from outbox')).length, 1)
  await inside.end()
  await expectHealthy(tenancy, tenantId)
  await assert.rejects(tenancy.register({ rfc }), { code: 'tenants.rfc_taken' })
})

test('the RFC of a deleted company may be registered anew; then the old one is not restored, and not touched', async () => {
  const old = await tenancy.company()
  await tenancy.run(await remove(old))
  const young = await tenancy.company({ rfc: old.rfc })
  assert.notEqual(young.tenantId, old.tenantId)
  await expectHealthy(tenancy, young.tenantId)
  await assert.rejects(restoreTenant(tenancy.deps, old.tenantId, nobody), { code: 'tenants.restore_rfc_taken' })
  assert.equal((await placementOf(old.tenantId)).state, 'deleted')

  await tenancy.run(await remove(young))
  assert.equal(await tenancy.run(await restoreTenant(tenancy.deps, old.tenantId, nobody)), 'succeeded')
  await expectHealthy(tenancy, old.tenantId)
})

test('restoring where a foreign database took the name puts everything back as it was', async () => {
  const { tenantId, rfc } = await tenancy.company()
  await tenancy.run(await remove({ tenantId }))
  const retired = await placementOf(tenantId)
  await tenancy.admin.query(`create database ${databaseName(rfc)}`)

  const restoration = await restoreTenant(tenancy.deps, tenantId, nobody)
  assert.equal(await tenancy.run(restoration), 'compensated')
  assert.equal((await findOperation(tenancy.central, restoration))?.error?.code, 'provision.name_taken')
  assert.deepEqual(await placementOf(tenantId), { ...retired, generation: (await placementOf(tenantId)).generation })
  const [foreign] = await tenancy.admin.query('select datallowconn as open from pg_database where datname = $1', [
    databaseName(rfc),
  ])
  assert.deepEqual(foreign, { open: true })

  await tenancy.admin.query(`drop database ${databaseName(rfc)}`)
  assert.equal(await tenancy.run(await retryOperation(tenancy.deps, tenantId, nobody)), 'succeeded')
  await expectHealthy(tenancy, tenantId)
})

test('a company restored while staff has it suspended stays suspended', async () => {
  const { tenantId } = await tenancy.company()
  await tenancy.run(await suspendTenant(tenancy.deps, tenantId, 'falta de pago', nobody))
  await tenancy.run(await remove({ tenantId }))
  await tenancy.run(await restoreTenant(tenancy.deps, tenantId, nobody))
  assert.equal((await placementOf(tenantId)).state, 'suspended')
  await assert.rejects(enter(tenancy, tenantId), refusedAtTheDoor)
  await tenancy.run(await resumeTenant(tenancy.deps, tenantId, nobody))
  await expectHealthy(tenancy, tenantId)
})

test('a suspension cuts the sessions and the access, and nothing else', async () => {
  const { tenantId, database } = await tenancy.company()
  const inside = await enter(tenancy, tenantId)
  assert.equal(await tenancy.run(await suspendTenant(tenancy.deps, tenantId, 'investigación', nobody)), 'succeeded')
  await assert.rejects(inside.query('select 1'))
  await assert.rejects(enter(tenancy, tenantId), refusedAtTheDoor)
  const [{ rows } = { rows: 0 }] = await asOwnerIn(database, (owner) =>
    owner.query<{ rows: number }>('select count(*)::int as rows from _tenant'),
  )
  assert.equal(rows, 1, 'the owner can still export it')
  await assert.rejects(suspendTenant(tenancy.deps, tenantId, 'otra vez', nobody), { code: 'tenants.wrong_state' })
  await tenancy.run(await resumeTenant(tenancy.deps, tenantId, nobody))
  await expectHealthy(tenancy, tenantId)
})

test('a suspension without a reason is refused', async () => {
  const { tenantId } = await tenancy.company()
  await assert.rejects(suspendTenant(tenancy.deps, tenantId, undefined, nobody), { code: 'tenants.reason_required' })
})

test('a company undergoes one operation at a time', async () => {
  const { tenantId } = await tenancy.company()
  const attempts = await Promise.allSettled([
    remove({ tenantId }),
    remove({ tenantId }),
    suspendTenant(tenancy.deps, tenantId, 'a la vez', nobody),
  ])
  const accepted = attempts.flatMap((attempt) => (attempt.status === 'fulfilled' ? [attempt.value] : []))
  assert.equal(accepted.length, 1)
  for (const attempt of attempts)
    if (attempt.status === 'rejected') assert.match(attempt.reason.code, /^tenants\.(operation_open|wrong_state)$/)
  assert.equal(await tenancy.run(accepted[0] ?? ''), 'succeeded')
})

test('a purge leaves nothing on the server, and only of what was deleted and whose RFC was typed', async () => {
  const { tenantId, rfc, role } = await tenancy.company()
  await assert.rejects(purgeTenant(tenancy.deps, tenantId, rfc, nobody), { code: 'tenants.wrong_state' })
  await tenancy.run(await remove({ tenantId }))
  await assert.rejects(purgeTenant(tenancy.deps, tenantId, 'OTRO850101AB1', nobody), { code: 'tenants.rfc_not_typed' })
  const { database } = await placementOf(tenantId)
  assert.equal(await tenancy.run(await purgeTenant(tenancy.deps, tenantId, rfc, nobody)), 'succeeded')
  const left = await tenancy.admin.query(
    `select datname as name from pg_database where datname = $1 union all select rolname from pg_roles where rolname = $2`,
    [database, role],
  )
  assert.deepEqual(left, [])
  assert.equal((await placementOf(tenantId)).state, 'purged')
  await assert.rejects(restoreTenant(tenancy.deps, tenantId, nobody), { code: 'tenants.not_found' })
  const audit = await tenancy.owner.query<{ action: string }>(
    'select action from audit_log where tenant_id = $1 order by id',
    [tenantId],
  )
  const told = audit.map(({ action }) => action)
  for (const action of ['tenant.registered', 'tenant.activated', 'tenant.deleted', 'tenant.purged'])
    assert.ok(told.includes(action), `${action} is in the audit log`)
})

test('a purge never drops a database that lost its mark', async (t) => {
  const { tenantId, rfc } = await tenancy.company()
  await tenancy.run(await remove({ tenantId }))
  const { database } = await placementOf(tenantId)
  await tenancy.admin.query(`comment on database ${database} is 'copia de contabilidad'`)
  t.after(() => tenancy.admin.query(`drop database ${database}`))
  assert.equal(await tenancy.run(await purgeTenant(tenancy.deps, tenantId, rfc, nobody)), 'failed')
  const rows = await tenancy.admin.query('select from pg_database where datname = $1', [database])
  assert.equal(rows.length, 1)
})

test('an operation that failed goes on where it stopped when it is retried', async () => {
  const { tenantId, database } = await tenancy.company()
  await tenancy.admin.query(`comment on database ${database} is 'de nadie'`)
  const deletion = await remove({ tenantId })
  assert.equal(await tenancy.run(deletion), 'failed')
  assert.equal((await findOperation(tenancy.central, deletion))?.error?.code, 'tenants.database_missing')
  await tenancy.admin.query(`comment on database ${database} is 'horux tenant=${tenantId}'`)
  assert.equal(await tenancy.run(await retryOperation(tenancy.deps, tenantId, nobody)), 'succeeded')
  assert.equal((await placementOf(tenantId)).state, 'deleted')
  await assert.rejects(retryOperation(tenancy.deps, tenantId, nobody), { code: 'tenants.nothing_to_retry' })
})

test('a company whose database is gone can be deleted and purged; restoring says what is missing', async () => {
  const { tenantId, rfc, database, role } = await tenancy.company()
  await tenancy.admin.query(`drop database ${database} with (force)`)
  tenancy.alarms()
  assert.equal(await tenancy.run(await remove({ tenantId })), 'succeeded')
  assert.deepEqual(tenancy.alarms(), ['tenants.deleted_without_database'])
  const retired = await placementOf(tenantId)
  assert.deepEqual([retired.state, retired.deleted_at !== null], ['deleted', true])

  const restoration = await restoreTenant(tenancy.deps, tenantId, nobody)
  assert.equal(await tenancy.run(restoration), 'compensated')
  assert.equal((await findOperation(tenancy.central, restoration))?.error?.code, 'tenants.database_missing')
  assert.equal((await placementOf(tenantId)).state, 'deleted')

  const young = await tenancy.company({ rfc })
  assert.equal(await tenancy.run(await purgeTenant(tenancy.deps, tenantId, rfc, nobody)), 'succeeded')
  assert.deepEqual(await tenancy.admin.query('select from pg_roles where rolname = $1', [role]), [])
  await expectHealthy(tenancy, young.tenantId)
})

test('the sweep mends what has one remedy and tells of the rest, without dropping it', async (t) => {
  const { tenantId, role, database } = await tenancy.company()
  const { admin } = tenancy
  const inside = await enter(tenancy, tenantId)
  await inside.query(`alter role current_user set statement_timeout = 0`)
  await inside.end()
  await admin.query(`alter role ${role} connection limit 2`)
  await admin.query('create database horux_zzz010101aaa owner horux_owner')
  await admin.query('revoke all on database horux_zzz010101aaa from public')
  await admin.query('create database horux_yyy010101aaa owner horux_owner')
  await admin.query(`update pg_database set datconnlimit = -2 where datname = 'horux_yyy010101aaa'`)
  await admin.query('create database abierta')
  await admin.query('create role hxt_999999')
  t.after(async () => {
    await admin.query('drop database abierta')
    await admin.query('drop database horux_zzz010101aaa')
    await admin.query('drop role hxt_999999')
  })
  tenancy.alarms()

  await sweepServers(tenancy.deps)
  const told = ['servers.open_to_public', 'servers.role_settings', 'servers.stray_database', 'servers.stray_role']
  assert.deepEqual([...new Set(tenancy.alarms())].sort(), told)
  const left = await admin.query<{ name: string }>(
    `select datname as name from pg_database where datname ~ '^horux_(yyy|zzz)' or datname = $1 order by 1`,
    [database],
  )
  assert.deepEqual(
    left.map(({ name }) => name),
    [database, 'horux_zzz010101aaa'].sort(),
  )
  await expectHealthy(tenancy, tenantId)
})

const refusedAtTheDoor = (error: unknown) => (error as { code: string }).code === '42501'

async function remove({ tenantId }: Pick<Company, 'tenantId'>): Promise<string> {
  const operationId = await deleteTenant(tenancy.deps, tenantId, nobody)
  assert.ok(operationId)
  return operationId
}

async function placementOf(tenantId: string) {
  const [row] = await tenancy.owner.query<{
    database: string
    state: string
    purge_after: Date
    deleted_at: Date
    generation: string
  }>(
    `select d.database_name as database, d.state, d.purge_after, t.deleted_at, d.generation
     from tenant_databases d join tenants t on t.id = d.tenant_id where t.id = $1`,
    [tenantId],
  )
  assert.ok(row)
  return row
}

/** Reads without a pause until the session is ended. */
async function hammer(session: OwnerConnection): Promise<boolean> {
  try {
    for (;;) await session.query('select count(*) from outbox')
  } catch {
    return true
  }
}

async function asOwnerIn<T>(database: string, work: (owner: OwnerConnection) => Promise<T>): Promise<T> {
  const { openAs } = await import('../../db/client.ts')
  const [user, password] = tenancy.cluster.ownerCredential.split(':') as [string, string]
  const { host, port } = tenancy.cluster
  const owner = await openAs({ host, port, tls: 'off', user, password, database })
  try {
    return await work(owner)
  } finally {
    await owner.end()
  }
}
