import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { nobody, someRfc, startTenancy, type Tenancy } from '../../../test/support/tenancy.ts'
import { enter, expectHealthy, expectNothing } from '../../../test/support/tenancy-checks.ts'
import { outliveTheDead } from '../../../test/support/worker-child.ts'
import { defaultPolicy } from '../../billing/subscription.ts'
import { databaseName } from '../../fiscal/rfc.ts'
import { deleteTenant, retryOperation } from '../lifecycle.ts'
import { findOperation } from './queries.ts'
import { sweepOperations } from './sweep-operations.ts'

let tenancy: Tenancy
before(async () => {
  tenancy = await startTenancy()
})
after(() => tenancy.stop())

test('a registration becomes a whole company, its temporary password known to its mail alone', async () => {
  const { tenantId, operationId } = await tenancy.register({ rfc: someRfc(true), regimen: '612' })
  assert.equal(await tenancy.run(operationId), 'succeeded')
  await expectHealthy(tenancy, tenantId)

  const inside = await enter(tenancy, tenantId)
  assert.deepEqual(await inside.query('select regimen from configuracion_fiscal'), [{ regimen: '612' }])
  await inside.end()
  const [mail] = await tenancy.owner.query<{ data: { acceso: { password: string } } }>(
    'select data from mail_outbox where tenant_id = $1',
    [tenantId],
  )
  const password = mail?.data.acceso.password ?? ''
  assert.match(password, /^[a-z2-9]{6}-[a-z2-9]{6}-[a-z2-9]{5}$/)
  const traces = await tenancy.owner.query<{ found: number }>(
    `select count(*)::int as found from (
       select to_jsonb(o) from tenant_operations o union all select to_jsonb(a) from audit_log a
       union all select data from pgboss.job union all select to_jsonb(u) from users u) as rows(row)
     where row::text like '%' || $1 || '%'`,
    [password],
  )
  assert.deepEqual(traces, [{ found: 0 }])
})

test('running an operation again, or twice at once, changes nothing', async () => {
  const { tenantId, operationId } = await tenancy.register()
  const outcomes = await Promise.all([tenancy.run(operationId), tenancy.run(operationId), tenancy.run(operationId)])
  assert.deepEqual(outcomes.sort(), ['busy', 'busy', 'succeeded'])
  assert.equal(await tenancy.run(operationId), 'succeeded')
  await expectHealthy(tenancy, tenantId)
})

test('the same RFC registered twelve times at once is one company', async () => {
  const rfc = someRfc()
  const attempts = await Promise.allSettled(Array.from({ length: 12 }, () => tenancy.register({ rfc })))
  const registered = attempts.flatMap((attempt) => (attempt.status === 'fulfilled' ? [attempt.value] : []))
  const codes = attempts.flatMap((attempt) => (attempt.status === 'rejected' ? [attempt.reason.code] : []))
  assert.equal(registered.length, 1)
  assert.deepEqual(new Set(codes), new Set(['tenants.rfc_taken']))
  const [{ operationId, tenantId } = { operationId: '', tenantId: '' }] = registered
  await tenancy.run(operationId)
  await expectHealthy(tenancy, tenantId)
  await assert.rejects(tenancy.register({ rfc }), { code: 'tenants.rfc_taken' })
})

test('somebody who has an account gets the membership and a mail without a password', async () => {
  const first = await tenancy.company()
  const [before] = await tenancy.owner.query('select password_hash, nombre from users where email = $1', [first.email])
  const second = await tenancy.company({ admin: { email: first.email, nombre: 'Otro Nombre' } })
  await expectHealthy(tenancy, second.tenantId)
  const [after] = await tenancy.owner.query('select password_hash, nombre from users where email = $1', [first.email])
  assert.deepEqual(after, before)
  const [mail] = await tenancy.owner.query<{ data: { acceso: unknown } }>(
    'select data from mail_outbox where tenant_id = $1',
    [second.tenantId],
  )
  assert.equal(mail?.data.acceso, null)
})

test('one person, two companies at once: one account', async () => {
  const admin = { email: 'dos.empresas@ejemplo.mx', nombre: 'Ana' }
  const [a, b] = await Promise.all([tenancy.register({ admin }), tenancy.register({ admin })])
  const outcomes = await Promise.all([tenancy.run(a.operationId), tenancy.run(b.operationId)])
  assert.deepEqual(outcomes, ['succeeded', 'succeeded'])
  await expectHealthy(tenancy, a.tenantId)
  await expectHealthy(tenancy, b.tenantId)
  const mails = await tenancy.owner.query<{ acceso: boolean }>(
    `select data->'acceso' <> 'null' as acceso from mail_outbox where to_email = $1 order by 1`,
    [admin.email],
  )
  assert.deepEqual(mails, [{ acceso: false }, { acceso: true }])
})

test('a database that is not ours and has the name survives untouched, and says why nothing became of it', async (t) => {
  const rfc = someRfc()
  const name = databaseName(rfc)
  await tenancy.admin.query(`create database ${name}`)
  await tenancy.admin.query(`comment on database ${name} is 'contabilidad de otro sistema'`)
  t.after(() => tenancy.admin.query(`drop database if exists ${name}`))
  const before = await tenancy.admin.query('select * from pg_database where datname = $1', [name])

  const { tenantId, operationId } = await tenancy.register({ rfc })
  assert.equal(await tenancy.run(operationId), 'compensated')
  const { error } = (await findOperation(tenancy.central, operationId)) ?? {}
  assert.equal(error?.step, 'database')
  assert.equal(error?.code, 'provision.name_taken')
  assert.deepEqual(await tenancy.admin.query('select * from pg_database where datname = $1', [name]), before)
  await expectNothing(tenancy, tenantId)

  // The operator moves it out of the way and tries again.
  await tenancy.admin.query(`alter database ${name} rename to contabilidad_vieja`)
  t.after(() => tenancy.admin.query('drop database contabilidad_vieja'))
  assert.equal(await tenancy.run(await retryOperation(tenancy.deps, tenantId, nobody)), 'succeeded')
  await expectHealthy(tenancy, tenantId)
})

test('a database of horux_owner that anybody may enter is not taken for an unfinished one', async (t) => {
  const rfc = someRfc()
  const name = databaseName(rfc)
  await tenancy.admin.query(`create database ${name} owner horux_owner`)
  t.after(() => tenancy.admin.query(`drop database ${name}`))
  const { operationId } = await tenancy.register({ rfc })
  assert.equal(await tenancy.run(operationId), 'compensated')
  const [{ there } = { there: 0 }] = await tenancy.admin.query<{ there: number }>(
    'select count(*)::int as there from pg_database where datname = $1 and datallowconn',
    [name],
  )
  assert.equal(there, 1)
})

test('a role that is not ours and has the name is left alone', async (t) => {
  const { tenantId, operationId } = await tenancy.register()
  const [{ role } = { role: '' }] = await tenancy.owner.query<{ role: string }>(
    'select role_name as role from tenant_databases where tenant_id = $1',
    [tenantId],
  )
  await tenancy.admin.query(`create role ${role} login password 'suya'`)
  t.after(() => tenancy.admin.query(`drop role ${role}`))
  assert.equal(await tenancy.run(operationId), 'compensated')
  const [found] = await tenancy.admin.query('select rolcanlogin from pg_roles where rolname = $1', [role])
  assert.deepEqual(found, { rolcanlogin: true })
})

test('what an interrupted CREATE or DROP of ours left is made anew', async () => {
  const { tenantId, operationId, rfc } = await tenancy.register()
  const name = databaseName(rfc)
  await tenancy.admin.query(`create database ${name} owner horux_owner allow_connections false`)
  assert.equal(await tenancy.run(operationId), 'succeeded')
  await expectHealthy(tenancy, tenantId)

  const dropped = await tenancy.register()
  await tenancy.admin.query(`create database ${databaseName(dropped.rfc)} owner horux_owner`)
  await tenancy.admin.query('update pg_database set datconnlimit = -2 where datname = $1', [databaseName(dropped.rfc)])
  assert.equal(await tenancy.run(dropped.operationId), 'succeeded')
  await expectHealthy(tenancy, dropped.tenantId)
})

test('a failed registration does not keep its RFC: the next one takes it up with its own data', async () => {
  const rfc = someRfc()
  await tenancy.admin.query(`create database ${databaseName(rfc)}`)
  const first = await tenancy.register({ rfc })
  assert.equal(await tenancy.run(first.operationId), 'compensated')
  await tenancy.admin.query(`drop database ${databaseName(rfc)}`)

  const admin = { email: 'segunda@ejemplo.mx', nombre: 'Segunda' }
  const second = await tenancy.register({ rfc, admin, nombre: 'Con otro nombre', plan: 'business' })
  assert.equal(second.tenantId, first.tenantId)
  assert.equal(await tenancy.run(second.operationId), 'succeeded')
  await expectHealthy(tenancy, second.tenantId)
  const [row] = await tenancy.owner.query<{ nombre: string; plan: string; email: string }>(
    `select t.nombre, s.plan_code as plan, u.email from tenants t join subscriptions s on s.tenant_id = t.id
     join memberships m on m.tenant_id = t.id join users u on u.id = m.user_id where t.id = $1`,
    [second.tenantId],
  )
  assert.deepEqual(row, { nombre: 'Con otro nombre', plan: 'business', email: admin.email })
})

test('a failed registration can be forgotten', async () => {
  const rfc = someRfc()
  await tenancy.admin.query(`create database ${databaseName(rfc)}`)
  const { tenantId, operationId } = await tenancy.register({ rfc })
  await tenancy.run(operationId)
  await tenancy.admin.query(`drop database ${databaseName(rfc)}`)
  assert.equal(await deleteTenant(tenancy.deps, tenantId, nobody), null)
  const next = await tenancy.register({ rfc })
  assert.notEqual(next.tenantId, tenantId)
  assert.equal(await tenancy.run(next.operationId), 'succeeded')
})

test('without room the registration waits, is told to the operator, and goes on when there is room', async (t) => {
  await tenancy.owner.query(`update database_servers set state = 'full'`)
  t.after(() => tenancy.owner.query(`update database_servers set state = 'active'`))
  tenancy.alarms()
  const { tenantId, operationId } = await tenancy.register()
  for (let minute = 0; minute < 10; minute++) assert.equal(await tenancy.run(operationId), 'waiting')
  assert.ok(tenancy.alarms().includes('tenants.no_room'))
  await tenancy.owner.query(`update database_servers set state = 'active'`)
  assert.equal(await tenancy.run(operationId), 'succeeded')
  await expectHealthy(tenancy, tenantId)
})

test('a server that does not answer says nothing against the registration', async () => {
  const { tenantId, operationId } = await tenancy.register()
  await tenancy.owner.query('update database_servers set port = 1')
  for (let attempt = 0; attempt < 8; attempt++) await assert.rejects(tenancy.run(operationId))
  const { state, error } = (await findOperation(tenancy.central, operationId)) ?? {}
  assert.deepEqual({ state, step: error?.step }, { state: 'running', step: 'lock' })
  await tenancy.owner.query('update database_servers set port = $1', [tenancy.cluster.port])
  assert.equal(await tenancy.run(operationId), 'succeeded')
  await expectHealthy(tenancy, tenantId)
})

test('a step that keeps failing is given up after its attempts, and nothing is left', async () => {
  const { tenantId, operationId } = await tenancy.register({ plan: 'starter' })
  await tenancy.owner.query(`alter table subscriptions add constraint broken check (tenant_id <> '${tenantId}')`)
  for (let attempt = 1; attempt < 6; attempt++) await assert.rejects(tenancy.run(operationId), /broken/)
  assert.equal(await tenancy.run(operationId), 'compensated')
  await tenancy.owner.query('alter table subscriptions drop constraint broken')
  const { error, attempts } = (await findOperation(tenancy.central, operationId)) ?? {}
  assert.deepEqual({ step: error?.step, code: error?.code, attempts }, { step: 'activate', code: '23514', attempts: 6 })
  await expectNothing(tenancy, tenantId)
})

test('the lock of a worker that is still dying is waited for', async () => {
  const { tenantId, operationId } = await tenancy.register()
  await tenancy.admin.query('select pg_advisory_lock(hashtextextended($1, 360))', [`tenant:${tenantId}`])
  assert.equal(await tenancy.run(operationId, { lockWaitMs: 100 }), 'busy')
  const waiting = tenancy.run(operationId)
  await tenancy.admin.query('select pg_advisory_unlock_all()')
  assert.equal(await waiting, 'succeeded')
})

test('the lease of a dead worker runs out, and the sweep queues its operation once', async () => {
  const { operationId } = await tenancy.register()
  await tenancy.owner.query(`delete from pgboss.job`)
  await tenancy.owner.query(
    `update tenant_operations set state = 'running', worker = 'dead', lease_until = now() + interval '30 s', attempts = 1
     where id = $1`,
    [operationId],
  )
  assert.equal(await sweepOperations(tenancy.deps), 0)
  assert.equal(await tenancy.run(operationId), 'busy')
  await outliveTheDead(tenancy)
  assert.equal(await sweepOperations(tenancy.deps), 1)
  assert.equal(await sweepOperations(tenancy.deps), 0)
  assert.equal(await tenancy.run(operationId), 'succeeded')
})

test('a worker whose clock is hours wrong neither takes an operation from one that lives nor keeps it', async () => {
  const { tenantId, operationId } = await tenancy.register()
  await tenancy.owner.query(
    `update tenant_operations set state = 'running', worker = 'alive', lease_until = now() + interval '30 s' where id = $1`,
    [operationId],
  )
  tenancy.clock.move(2 * 3_600_000)
  assert.equal(await tenancy.run(operationId), 'busy')
  tenancy.clock.move(-4 * 3_600_000)
  await outliveTheDead(tenancy)
  assert.equal(await tenancy.run(operationId), 'succeeded')
  await expectHealthy(tenancy, tenantId)
  tenancy.clock.move(2 * 3_600_000)
})

test('a registration for a plan that does not exist is refused before anything is written', async () => {
  const rfc = someRfc()
  await assert.rejects(tenancy.register({ rfc, plan: 'inventado' }), { code: 'tenants.plan_unknown' })
  const rows = await tenancy.owner.query('select from tenants where rfc = $1', [rfc])
  assert.equal(rows.length, 0)
  await assert.rejects(tenancy.register({ rfc: 'XAXX010101000' }), { code: 'rfc.generic' })
})

test('a missing template is built on the way', async () => {
  await tenancy.owner.query(`update database_servers set template_hash = $1`, ['0'.repeat(64)])
  const { tenantId, operationId } = await tenancy.register()
  assert.equal(await tenancy.run(operationId), 'succeeded')
  await expectHealthy(tenancy, tenantId)
})

test('the trial ends when the policy says, at a midnight in Mexico City, and has no period', async () => {
  const trialOf = async () => {
    const { tenantId } = await tenancy.company()
    const [row] = await tenancy.owner.query<{ days: number; due: boolean; period_start: string | null }>(
      `select trial_until - (entered_at at time zone 'America/Mexico_City')::date as days, next_due_at = entered_at as due,
         period_start from subscriptions where tenant_id = $1`,
      [tenantId],
    )
    return row
  }
  assert.deepEqual(await trialOf(), { days: defaultPolicy.trialDays, due: true, period_start: null })
  await tenancy.owner.query(`update billing_policy set policy = '{"trialDays": 30}'`)
  assert.equal((await trialOf())?.days, 30)
  await tenancy.owner.query(`update billing_policy set policy = '{}'`)
})
