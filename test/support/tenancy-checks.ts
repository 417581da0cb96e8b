import assert from 'node:assert/strict'
import { createPasswordHasher } from '../../src/crypto/password-hash.ts'
import { openAs } from '../../src/db/client.ts'
import { tenantPassword } from '../../src/db/tenant-credentials.ts'
import { databaseName } from '../../src/fiscal/rfc.ts'
import { findSite } from '../../src/tenants/queries.ts'
import { markOf } from '../../src/tenants/servers/queries.ts'
import { readSchemaVersion } from '../../src/tenants/servers/seed-queries.ts'
import type { Tenancy } from './tenancy.ts'

/** The one way a company is alive: everything that belongs to it is there exactly once, and its own role can work. */
export async function expectHealthy(tenancy: Tenancy, tenantId: string): Promise<void> {
  const { owner, admin, central, config, deps } = tenancy
  const site = await findSite(central, tenantId)
  assert.ok(site, 'the tenant has a placement')
  assert.equal(site.databaseName, databaseName(site.rfc))
  const [placement] = await owner.query<{ state: string; version: number; hash: string; deleted: boolean }>(
    `select d.state, d.schema_version as version, d.schema_hash as hash, t.deleted_at is not null as deleted
     from tenant_databases d join tenants t on t.id = d.tenant_id where d.tenant_id = $1`,
    [tenantId],
  )
  const { version, hash } = deps.servers.schema
  assert.deepEqual(placement, { state: 'active', version, hash, deleted: false })

  const [database] = await admin.query(
    `select pg_get_userbyid(datdba) as owner, datallowconn as open, shobj_description(oid, 'pg_database') as mark,
       array(select grantee::regrole::text from aclexplode(datacl) where privilege_type = 'CONNECT' order by 1) as doors
     from pg_database where datname = $1`,
    [site.databaseName],
  )
  const doors = ['horux_owner', site.roleName]
  assert.deepEqual(database, { owner: 'horux_owner', open: true, mark: markOf(tenantId), doors })

  const inside = await enter(tenancy, tenantId)
  try {
    assert.deepEqual(await readSchemaVersion(inside), deps.servers.schema)
    assert.deepEqual(await inside.query('select id, rfc from _tenant'), [{ id: tenantId, rfc: site.rfc }])
    const [timeout] = await inside.query<{ statement_timeout: string }>('show statement_timeout')
    assert.equal(timeout?.statement_timeout, '5s')
    await inside.query(`insert into outbox (id, job, payload) values (gen_random_uuid(), 'nada', '{}')`)
    await inside.query(`delete from outbox`)
  } finally {
    await inside.end()
  }
  const [role] = await admin.query<{ limit: number }>(
    `select rolconnlimit as limit from pg_roles where rolname = $1 and rolcanlogin and not rolcreatedb`,
    [site.roleName],
  )
  // Twice what three processes may open; more while more processes live.
  assert.ok(role && role.limit >= config.tenantPool.max * 3 * 2, `connection limit ${role?.limit}`)
  await expectAdministrator(tenancy, tenantId)
}

/** One administrator, one trial, one mail; a temporary password in the mail is the one that was hashed. */
async function expectAdministrator({ owner, clock }: Tenancy, tenantId: string): Promise<void> {
  const admins = await owner.query<{ hash: string; temporal: boolean; expires: Date; email: string }>(
    `select u.password_hash as hash, u.password_temporal as temporal, u.password_expires_at as expires, u.email
     from memberships m join users u on u.id = m.user_id where m.tenant_id = $1 and m.role = 'admin'`,
    [tenantId],
  )
  assert.equal(admins.length, 1, 'one administrator')
  const trials = await owner.query<{ estado: string; days: number }>(
    `select estado, trial_until - (entered_at at time zone 'America/Mexico_City')::date as days
     from subscriptions where tenant_id = $1`,
    [tenantId],
  )
  assert.deepEqual(trials, [{ estado: 'trial', days: 14 }])
  const history = await owner.query(`select event, origin, rule from subscription_events where tenant_id = $1`, [
    tenantId,
  ])
  assert.deepEqual(history, [{ event: 'trial_iniciado', origin: 'system', rule: 'alta' }])
  const seats = await owner.query(`select users from seat_log where tenant_id = $1`, [tenantId])
  assert.deepEqual(seats, [{ users: 1 }], 'one arrival, noted once')
  const mails = await owner.query<{ to: string; data: { acceso: { password: string } | null } }>(
    `select to_email as to, data from mail_outbox where tenant_id = $1`,
    [tenantId],
  )
  assert.equal(mails.length, 1, 'one mail')
  const [user] = admins
  assert.equal(mails[0]?.to, user?.email)
  const acceso = mails[0]?.data.acceso
  if (!acceso || !user) return
  assert.ok(user.temporal)
  const hours = (user.expires.getTime() - clock.now().getTime()) / 3_600_000
  assert.ok(hours > 71 && hours <= 72, `the temporary password lasts ${hours} hours`)
  assert.ok(
    await createPasswordHasher().verify(user.hash, acceso.password),
    'the password that was mailed is the one that opens',
  )
}

/** The other way: a registration that failed has left nothing anywhere. */
export async function expectNothing({ owner, admin }: Tenancy, tenantId: string): Promise<void> {
  const [placement] = await owner.query<{ state: string; role: string; database: string }>(
    `select state, role_name as role, database_name as database from tenant_databases where tenant_id = $1`,
    [tenantId],
  )
  assert.equal(placement?.state, 'failed')
  const left = await admin.query<{ what: string }>(
    `select 'role ' || rolname as what from pg_roles where rolname = $1
     union all select 'database ' || datname from pg_database where shobj_description(oid, 'pg_database') = $2
     union all select 'closed database ' || datname from pg_database where datname = $3 and not datallowconn`,
    [placement?.role ?? '', markOf(tenantId), placement?.database ?? ''],
  )
  assert.deepEqual(left, [])
  for (const table of ['memberships', 'subscriptions', 'subscription_events', 'seat_log', 'mail_outbox']) {
    const rows = await owner.query(`select from ${table} where tenant_id = $1`, [tenantId])
    assert.equal(rows.length, 0, `${table} is empty`)
  }
}

/** A session of the tenant's own role with its own password, in its own database or, for an attack, in another one. */
export async function enter({ central, config }: Tenancy, tenantId: string, database?: string) {
  const site = await findSite(central, tenantId)
  assert.ok(site)
  const { host, port, tls } = site.server
  const password = tenantPassword(config.tenantKeys, tenantId, site.credentialGeneration)
  return openAs({ host, port, tls, user: site.roleName, password, database: database ?? site.databaseName })
}
