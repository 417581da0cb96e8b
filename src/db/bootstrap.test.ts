import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { type Cluster, startCluster } from '../../test/support/cluster.ts'
import { until } from '../../test/support/until.ts'
import { parseDatabaseUrl } from './address.ts'
import { bootstrapServer, tenantRoleSettings } from './bootstrap.ts'
import { type OwnerConnection, openAs } from './client.ts'
import { sqlState } from './failures.ts'

const PASSWORDS = {
  ownerPassword: 'clave-del-duenio',
  centralPassword: 'clave-del-central',
  centralDatabase: 'horux_central',
}
let cluster: Cluster
let owner: OwnerConnection
let mine: OwnerConnection

before(async () => {
  cluster = await startCluster({ settings: { log_statement: 'all' } })
  await Promise.all([
    bootstrapServer({ url: cluster.adminUrl }, PASSWORDS),
    bootstrapServer({ url: cluster.adminUrl }, PASSWORDS),
  ])
  owner = await openAs({ ...address(), user: 'horux_owner', password: PASSWORDS.ownerPassword })
  for (const [role, database] of [
    ['hxt_1', 'horux_mio'],
    ['hxt_2', 'horux_ajeno'],
  ] as const) {
    await owner.query(`create role ${role} login in role horux_tenant password '${role}'`)
    await owner.query(`create database ${database} template horux_tpl_base allow_connections false`)
    await owner.query(
      `revoke all on database ${database} from public; grant connect on database ${database} to ${role}`,
    )
    for (const setting of tenantRoleSettings(role, database)) await owner.query(setting)
    await owner.query(`alter database ${database} allow_connections true`)
    const inside = await as('horux_owner', PASSWORDS.ownerPassword, database)
    await inside.query(`create table notas (id bigint generated always as identity, texto text)`)
    await inside.end()
  }
  mine = await as('hxt_1', 'hxt_1', 'horux_mio')
})
after(() => Promise.all([owner.end(), mine.end()]))

const address = () => parseDatabaseUrl(cluster.adminUrl)
const as = (user: string, password: string, database: string) => openAs({ ...address(), user, password, database })
const stateOf = (work: Promise<unknown>) =>
  work.then(
    () => 'ok',
    (error: unknown) => sqlState(error) ?? String(error),
  )

test('a second run changes nothing and says so', async () => {
  const again = await bootstrapServer({ url: cluster.adminUrl }, PASSWORDS)
  assert.deepEqual(again, { serverVersion: again.serverVersion, created: [], catalogsHidden: true, warnings: [] })
})

test('no password was ever written to the log of the server', () => {
  const log = readFileSync(cluster.logFile, 'utf8')
  assert.match(log, /SCRAM-SHA-256\$4096/)
  for (const secret of [PASSWORDS.ownerPassword, PASSWORDS.centralPassword]) assert.ok(!log.includes(secret))
})

test('a tenant works in its own database, within its limits, and nowhere else', async () => {
  await mine.query(`insert into notas (texto) values ('Ñ'); update notas set texto = 'ñ'; delete from notas`)
  const [limits] = await mine.query<object>(`
    select current_setting('statement_timeout') as s, current_setting('lock_timeout') as l,
           current_setting('idle_in_transaction_session_timeout') as i`)
  assert.deepEqual(limits, { s: '5s', l: '2s', i: '10s' })
  for (const database of ['horux_ajeno', 'postgres', 'template1', 'horux_central'])
    assert.equal(await stateOf(as('hxt_1', 'hxt_1', database)), '42501', database)
  assert.equal(await stateOf(as('hxt_1', 'hxt_1', 'horux_tpl_base')), '55000')
  for (const statement of [
    'create table otra (n int)',
    'create temp table otra (n int)',
    'create schema otro',
    'alter table notas add column x int',
    'drop table notas',
    'truncate notas',
    'create role otro',
    'set role horux_owner',
    'set role hxt_2',
    'create extension dblink',
    'create database otra',
    'alter role hxt_2 nologin',
    'drop database horux_ajeno with (force)',
    `copy notas to program 'true'`,
    `select pg_terminate_backend(pid) from pg_stat_get_activity(null) where usesysid <> (select oid from pg_authid limit 1)`,
    `select pg_read_file('postgresql.conf')`,
    'set session_replication_role = replica',
  ])
    assert.match(await stateOf(mine.query(statement)), /^(42501|0A000)$/, statement)
})

test('nothing that a tenant can read in the catalogs names another database', async () => {
  const relations = await mine.query<{ name: string }>(`
    select c.oid::regclass::text as name from pg_class c
    where c.relkind in ('r', 'v', 'm', 'f', 'p') and has_schema_privilege(c.relnamespace, 'usage')
      and has_table_privilege(c.oid, 'select')`)
  let read = 0
  for (const { name } of relations) {
    const answer = await mine.query<{ row: string }>(`select x::text as row from ${name} x`).catch(() => [])
    if (answer.length > 0) read++
    for (const { row } of answer) assert.doesNotMatch(row, STRANGERS, name)
  }
  assert.ok(read > 40, `only ${read} relations were read`)
})

test('no function puts the number of another database into its name, not even to refuse it', async () => {
  const [found] = await owner.query<{ ajeno: number }>(
    `select oid::int as ajeno from pg_database where datname = 'horux_ajeno'`,
  )
  const functions = await mine.query<{ name: string; args: string }>(`
    select p.oid::regproc::text as name, oidvectortypes(p.proargtypes) as args from pg_proc p
    where p.pronamespace = 'pg_catalog'::regnamespace and p.prokind = 'f' and p.prorettype <> 'trigger'::regtype
      and has_function_privilege(p.oid, 'execute') and p.proname !~ '^pg_(sleep|(try_)?advisory|terminate|cancel)'
      and oidvectortypes(p.proargtypes) in ('oid', 'oid, oid', 'oid, integer', 'oid, name', 'oid, oid, integer')`)
  const argument = { oid: `${found?.ajeno}::oid`, integer: '0', name: `'pg_database'::name` } as Record<string, string>
  assert.ok(functions.length > 100, `only ${functions.length} functions were called`)
  for (const { name, args } of functions) {
    const types = args.split(', ')
    const values = types.map((type, index) => (types[1] === 'oid' && index === 0 ? '1262::oid' : argument[type]))
    const said = await mine
      .query<{ said: string | null }>(`select x::text as said from ${name}(${values.join(', ')}) x`)
      .then(
        (rows) => rows.map((row) => row.said ?? '').join(),
        (error: Error) => error.message,
      )
    assert.doesNotMatch(said, STRANGERS, name)
  }
})

test('the owner still reads what pg_dump reads, and may end the sessions of tenants', async (t) => {
  const inside = await as('horux_owner', PASSWORDS.ownerPassword, 'horux_mio')
  t.after(() => inside.end())
  assert.ok((await inside.query('select datname from pg_database')).length >= 5)
  await inside.query('select * from pg_roles, pg_auth_members, pg_db_role_setting, pg_shdescription limit 1')
  await inside.query('set session_replication_role = replica')
  const victim = await as('hxt_2', 'hxt_2', 'horux_ajeno')
  await inside.query(`select pg_terminate_backend(pid, 1000) from pg_stat_activity where usename = 'hxt_2'`)
  await until(() => victim.lost)
})

test('an administrator without superuser gets a working server and is told what he could not do', async () => {
  const managed = await startCluster()
  const admin = await openAs(managed.adminUrl)
  await admin.query(`create role gerente login createdb createrole password 'gerente'`)
  await admin.end()
  const url = managed.adminUrl.replace(/\/\/[^@]+@/, '//gerente:gerente@')
  const done = await bootstrapServer({ url }, PASSWORDS)
  assert.equal(done.catalogsHidden, false)
  assert.ok(done.warnings.some((warning) => /catalogs/.test(warning)))
  assert.deepEqual((await bootstrapServer({ url }, PASSWORDS)).created, [])
  const managedOwner = await openAs({
    ...parseDatabaseUrl(url),
    user: 'horux_owner',
    password: PASSWORDS.ownerPassword,
    database: 'postgres',
  })
  await managedOwner.query('create database horux_mio template horux_tpl_base')
  await managedOwner.query('create role hxt_1 login in role horux_tenant')
  await managedOwner.end()

  // A superuser who comes later hides them after all.
  assert.equal((await bootstrapServer({ url: managed.adminUrl }, PASSWORDS)).catalogsHidden, true)
  await managed.stop()
})

const STRANGERS = /horux_ajeno|horux_central/
