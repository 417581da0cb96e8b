import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { parseDatabaseUrl } from '../../src/db/address.ts'
import { type OwnerConnection, openAs } from '../../src/db/client.ts'
import { sqlState } from '../../src/db/failures.ts'
import { tenantPassword } from '../../src/db/tenant-credentials.ts'
import { deleteTenant } from '../../src/tenants/lifecycle.ts'
import { sweepServers } from '../../src/tenants/servers/sweep-servers.ts'
import { nobody, someRfc, startTenancy, type Tenancy } from '../support/tenancy.ts'
import { enter } from '../support/tenancy-checks.ts'

// Somebody runs statements of his choice in the name of one company's role, made by the real provisioning.

let tenancy: Tenancy
let ours: Company
let theirs: Company
let mine: OwnerConnection
type Company = Awaited<ReturnType<Tenancy['company']>>

before(async () => {
  tenancy = await startTenancy()
  ours = await tenancy.company()
  theirs = await tenancy.company({ rfc: someRfc(true) })
  mine = await enter(tenancy, ours.tenantId)
})
after(async () => {
  await mine.end()
  await tenancy.stop()
})

test('no door but its own opens: other companies, the central database, templates, postgres, a deleted company', async () => {
  const gone = await tenancy.company()
  await tenancy.run((await deleteTenant(tenancy.deps, gone.tenantId, nobody)) ?? '')
  const databases = await tenancy.admin.query<{ name: string }>(
    'select datname as name from pg_database where datname <> $1',
    [ours.database],
  )
  assert.ok(databases.length >= 7, 'there are doors to try')
  for (const { name } of databases) {
    const outcome = await verdict(enter(tenancy, ours.tenantId, name))
    // A database that lets nobody in says so before it looks who asks.
    assert.match(outcome, /^(42501|55000)$/, `${name}: ${outcome}`)
  }
})

test('a copy of a company that was made by hand is open to everybody, and the sweep says so', async (t) => {
  const copy = 'copia_de_trabajo'
  await tenancy.admin.query(`alter database ${theirs.database} allow_connections false`)
  await tenancy.admin.query(`create database ${copy} template ${theirs.database}`)
  await tenancy.admin.query(`alter database ${theirs.database} allow_connections true`)
  t.after(() => tenancy.admin.query(`drop database ${copy}`))
  tenancy.alarms()
  await sweepServers(tenancy.deps)
  assert.ok(tenancy.alarms().includes('servers.open_to_public'))
})

test('no database of the server lets PUBLIC connect', async () => {
  const open = await tenancy.admin.query(
    `select datname from pg_database cross join lateral aclexplode(coalesce(datacl, acldefault('d', datdba))) a
     where a.grantee = 0 and a.privilege_type = 'CONNECT' and datallowconn`,
  )
  assert.deepEqual(open, [])
})

test('its own password opens no other role, and its own role has no other rights', async () => {
  const password = tenantPassword(tenancy.config.tenantKeys, ours.tenantId, 1)
  const { host, port } = parseDatabaseUrl(tenancy.cluster.adminUrl)
  for (const user of [theirs.role, 'horux_owner', 'horux_central', 'postgres'])
    assert.equal(
      await verdict(openAs({ host, port, tls: 'off', user, password, database: theirs.database })),
      '28P01',
      user,
    )
  assert.notEqual(password, tenantPassword(tenancy.config.tenantKeys, theirs.tenantId, 1))
})

test('statements that would change, read or run what is not its own are refused', async () => {
  const refused = [
    'create table intruso (id int)',
    'create temp table intruso (id int)',
    'create schema intruso',
    'create function intruso() returns int language sql as $$ select 1 $$',
    'alter table _tenant add column x int',
    'drop table _tenant',
    'truncate _tenant',
    `update schema_migrations set version = version`,
    `delete from schema_migrations`,
    `update auditoria set motivo = null`,
    'delete from auditoria',
    `update _tenant set id = '${theirs.tenantId}'`,
    'delete from _tenant',
    'set role horux_owner',
    'set role horux_central',
    `set role ${theirs.role}`,
    'set session authorization postgres',
    'create role intruso',
    `alter role ${theirs.role} password 'x'`,
    'alter role current_user superuser',
    'alter role current_user connection limit -1',
    'create database intruso',
    `alter database ${ours.database} rename to otro`,
    `drop database ${theirs.database}`,
    'create extension dblink',
    'create extension file_fdw',
    `copy _tenant to program 'id'`,
    `copy _tenant from '/etc/passwd'`,
    `select pg_read_file('/etc/passwd')`,
    `select pg_ls_dir('.')`,
    `select lo_import('/etc/passwd')`,
    `select pg_reload_conf()`,
    `select pg_stat_reset()`,
    `alter system set log_statement = 'all'`,
    `select pg_promote()`,
    `create publication p for all tables`,
    `create server s foreign data wrapper postgres_fdw`,
    `do $$ begin perform dblink('x'); end $$`,
  ]
  const surprises: string[] = []
  for (const statement of refused) {
    const outcome = await verdict(mine.query(statement))
    if (!/^(42501|42883|42704|0A000|22023|42809|28000)$/.test(outcome)) surprises.push(`${outcome}: ${statement}`)
  }
  assert.deepEqual(surprises, [])
})

test('what it may do to itself ends nothing but itself', async () => {
  const other = await enter(tenancy, theirs.tenantId)
  const [{ pid } = { pid: 0 }] = await other.query<{ pid: number }>('select pg_backend_pid() as pid')
  assert.equal(await verdict(mine.query('select pg_terminate_backend($1)', [pid])), '42501')
  assert.equal(await verdict(mine.query('select pg_cancel_backend($1)', [pid])), '42501')
  await other.query('select 1')
  await other.end()
})

test('nothing it can read names another database, another company or its role', async () => {
  const foreign = [theirs.database, theirs.role, theirs.rfc, 'horux_central', ...(await otherDatabases())]
  const relations = await mine.query<{ name: string }>(
    `select c.oid::regclass::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind in ('r', 'v', 'm', 'p') and n.nspname in ('pg_catalog', 'information_schema', 'public')`,
  )
  assert.ok(relations.length > 100, 'the catalogs are walked')
  const leaks: string[] = []
  for (const { name } of relations) {
    const rows = await mine
      .query<{ row: string }>(`select r::text as row from ${name} r limit 20000`)
      .catch((error: unknown) => {
        assert.match(sqlState(error) ?? '', /^(42501|55000|0A000|22023)$/, `${name}: ${error}`)
        return []
      })
    for (const word of foreign) if (rows.some(({ row }) => row?.includes(word))) leaks.push(`${name} tells ${word}`)
  }
  assert.deepEqual(leaks, [])
})

test('the work of the application goes on with all that', async () => {
  await mine.query(`insert into auditoria (accion, detalle) values ('prueba', '{"a": [1, 2]}')`)
  const [row] = await mine.query('select accion, array_agg(id) is not null as ids from auditoria group by accion')
  assert.deepEqual(row, { accion: 'prueba', ids: true })
  await mine.query(`notify algo, 'x'`)
})

test('the log of the server holds no password of a role', () => {
  const log = readFileSync(tenancy.cluster.logFile, 'utf8')
  for (const { tenantId } of [ours, theirs])
    assert.ok(!log.includes(tenantPassword(tenancy.config.tenantKeys, tenantId, 1)))
})

async function otherDatabases(): Promise<string[]> {
  const rows = await tenancy.admin.query<{ name: string }>(
    `select datname as name from pg_database where datname not in ($1, 'postgres', 'template0', 'template1')`,
    [ours.database],
  )
  return rows.map(({ name }) => name)
}

/** `ok` when it worked, or the SQLSTATE it was refused with. A session that opened is closed again. */
async function verdict(attempt: Promise<unknown>): Promise<string> {
  try {
    const result = await attempt
    if (result && typeof result === 'object' && 'end' in result) await (result as OwnerConnection).end()
    return 'ok'
  } catch (error) {
    const { code } = error as { code?: string }
    return sqlState(error) ?? code ?? String(error)
  }
}
