import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { after, before, type TestContext, test } from 'node:test'
import { sql } from 'kysely'
import {
  createFleet,
  type Fleet,
  type FleetMember,
  membersOf,
  migrationsOf,
} from '../../../test/support/migrator-fleet.ts'
import { type PreparedCluster, startPreparedCluster } from '../../../test/support/prepared-cluster.ts'
import { until } from '../../../test/support/until.ts'
import { type Migration, schemaVersionOf, templateName } from '../../db/migrations.ts'
import { dropUnusedTemplates } from './ensure-templates.ts'
import { type FleetEvent, type FleetOptions, type FleetReport, type FleetRun, migrateFleet } from './migrate-fleet.ts'
import { migrateTenant } from './migrate-tenant.ts'
import { planFleet, type TenantPlan } from './plan-fleet.ts'
import { findServers } from './queries.ts'

let cluster: PreparedCluster
before(async () => {
  cluster = await startPreparedCluster()
})
after(() => cluster.stop())

const BORN = 'create table a (n int unique)'
const born = migrationsOf(BORN)
/** With a table whose rows hold migrations up. */
const GATED = `${BORN}; create table gate (n int)`
const gated = migrationsOf(GATED)
/** A statement that waits in each database for as long as its gate has this row: in a template it has none. */
const held = (n: number) =>
  `do $$ begin while exists (select from gate where n = ${n}) loop perform pg_sleep(0.01); end loop; end $$`
/** Whether somebody waits there in such a statement. */
const WAITING = `select from pg_stat_activity
  where datname = current_database() and pid <> pg_backend_pid() and state = 'active' and query like '%select from gate%'`
const grown = migrationsOf(BORN, 'alter table a add column m int', 'create table b (n int)')

test('every tenant reaches the target, its placement says so and caches hear of it', async (t) => {
  const fleet = await fleetOf(t, 6)
  await fleet.addTenant('suspended')
  const before = await placements(fleet)
  const { report, events } = await migrate(fleet, grown)
  const run = finished(report)
  assert.equal(run.state, 'succeeded')
  assert.deepEqual([run.tally.total, run.tally.ok], [7, 7])
  const target = schemaVersionOf(grown)
  for (const [index, row] of (await placements(fleet)).entries()) {
    assert.deepEqual([row.schema_version, row.schema_hash], [target.version, target.hash])
    assert.equal(Number(row.generation), Number(before[index]?.generation) + 1)
  }
  for (const member of await membersOf(fleet)) {
    const ledger = await fleet.sql(member, 'select version, app_version from schema_migrations order by 1')
    assert.deepEqual(
      ledger.map((row) => row['version']),
      [1, 2, 3],
    )
    assert.equal(ledger[2]?.['app_version'], '9.9.9')
  }
  assert.equal(events.filter(({ event }) => event === 'tenant').length, 7)
  const server = await fleet.central.selectFrom('database_servers').selectAll().executeTakeFirstOrThrow()
  assert.equal(server.template_hash, target.hash)
  assert.ok((server.server_version ?? 0) >= 150_000)

  const again = await migrate(fleet, grown)
  assert.deepEqual(
    [finished(again.report).tally.current, again.events.filter(({ event }) => event === 'tenant').length],
    [7, 0],
  )
})

test('a failing tenant does not stop the others, and the next call goes on with it alone', async (t) => {
  const fleet = await fleetOf(t, 5)
  const [, sick] = await membersOf(fleet)
  await fleet.sql(sick as FleetMember, 'create table b ()')
  const first = finished((await migrate(fleet, grown)).report)
  assert.equal(first.state, 'failed')
  assert.deepEqual([first.tally.ok, first.tally.failed], [4, 1])
  assert.equal(first.failures[0]?.databaseName, sick?.database)
  assert.equal(first.failures[0]?.errorCode, '42P07')
  assert.match(first.failures[0]?.error ?? '', /^0003_f\.sql:1 42P07 relation "b" already exists$/)
  const half = (await placements(fleet)).find(({ tenant_id }) => tenant_id === sick?.id)
  assert.equal(half?.schema_version, 2, 'what was committed counts')

  await fleet.sql(sick as FleetMember, 'drop table b')
  const { report, events } = await migrate(fleet, grown)
  const second = finished(report)
  assert.deepEqual([second.state, second.runId, second.tally.ok], ['succeeded', first.runId, 5])
  assert.deepEqual(tenantsIn(events), [sick?.id])
})

test('with more failures than allowed no further tenant is begun, and --only-failed takes just the failed', async (t) => {
  const fleet = await fleetOf(t, 8)
  const members = await membersOf(fleet)
  const sick = members.slice(0, 2)
  for (const member of sick) await fleet.sql(member, 'create table b ()')
  const { report } = await migrate(fleet, grown, { maxFailures: 1, concurrency: 1 })
  const first = finished(report)
  assert.deepEqual([first.stopped, first.tally.failed, first.tally.pending], ['max-failures', 2, 6])
  for (const member of sick) await fleet.sql(member, 'drop table b')
  const only = await migrate(fleet, grown, { onlyFailed: true })
  assert.deepEqual(tenantsIn(only.events).sort(), sick.map(({ id }) => id).sort())
  const rest = finished((await migrate(fleet, grown)).report)
  assert.deepEqual([rest.runId, rest.state, rest.tally.ok + rest.tally.current], [first.runId, 'succeeded', 8])
})

test('an applied file that was edited stops the run before anything is touched; one odd database fails alone', async (t) => {
  const fleet = await fleetOf(t, 3)
  const edited = migrationsOf(`${BORN} -- better`, 'create table c ()')
  const refused = (await migrate(fleet, edited)).report
  assert.equal(refused.state, 'refused')
  assert.ok(
    refused.state === 'refused' &&
      refused.text.includes(born[0]?.checksum ?? '?') &&
      refused.text.includes(edited[0]?.checksum ?? '?'),
  )
  assert.equal((await fleet.central.selectFrom('migration_runs').select('id').execute()).length, 0)
  assert.ok(!(await templates(fleet)).includes(templateName(schemaVersionOf(edited).hash)))
  const behind = migrationsOf()
  assert.equal((await migrate(fleet, behind)).report.state, 'refused', 'a build that knows less than the databases')

  const [odd] = await membersOf(fleet)
  await fleet.sql(odd as FleetMember, `update schema_migrations set checksum = repeat('0', 64)`)
  await fleet.central
    .updateTable('tenant_databases')
    .set({ schema_hash: 'odd' })
    .where('tenant_id', '=', odd?.id ?? '')
    .execute()
  const run = finished((await migrate(fleet, grown)).report)
  assert.deepEqual([run.tally.ok, run.tally.failed, run.failures[0]?.errorCode], [2, 1, 'checksum'])
})

test('one run at a time: a second caller is refused while the first one lives and takes over when it fell silent', async (t) => {
  const fleet = await fleetOf(t, 4, gated)
  const members = await membersOf(fleet)
  for (const member of members) await fleet.sql(member, 'insert into gate values (1)')
  const slow = migrationsOf(GATED, held(1))
  const first = migrate(fleet, slow, { concurrency: 1, heartbeatMs: 60_000 })
  await until(async () => (await rowStates(fleet)).includes('running'))
  const second = (await migrate(fleet, slow)).report
  assert.ok(second.state === 'refused' && second.reason === 'another-run')
  await silence(fleet)
  // The silent one was only slow: it notices, and begins nothing more.
  const opening: Promise<unknown>[] = []
  const third = await migrate(fleet, slow, {
    onEvent: ({ event }) => {
      if (event === 'run') opening.push(...members.map((member) => fleet.sql(member, 'delete from gate')))
    },
  })
  await Promise.all(opening)
  assert.equal(finished(third.report).state, 'succeeded')
  const { report } = await first
  assert.ok(report.state === 'refused' && report.reason === 'taken-over')
  for (const member of members) assert.equal((await fleet.sql(member, 'select from schema_migrations')).length, 2)
  const runs = await fleet.central.selectFrom('migration_runs').select('state').execute()
  assert.deepEqual(
    runs.map(({ state }) => state),
    ['succeeded'],
  )
})

test('killed half-way and called again, the fleet ends as if nothing had happened', async (t) => {
  const [fleet, undisturbed] = [await fleetOf(t, 10, gated), await fleetOf(t, 1, gated)]
  const texts = [
    GATED,
    `alter table a add column m int default 7; ${held(2)}`,
    `-- no-transaction\ncreate index concurrently a_m on a (m); ${held(3)}; create index concurrently a_mn on a (m, n)`,
  ]
  // Three go through; of the next two one is held in a transaction, one between two statements that have none.
  const inTransaction = (await membersOf(fleet))[3] as FleetMember
  const between = (await membersOf(fleet))[4] as FleetMember
  await fleet.sql(inTransaction, 'insert into gate values (2)')
  await fleet.sql(between, 'insert into gate values (3)')
  const child = spawn(process.execPath, ['--input-type=module', '-e', CHILD], {
    env: {
      ...process.env,
      FLEET: JSON.stringify({ url: fleet.centralUrl, credentialsDir: fleet.credentialsDir, texts }),
    },
    stdio: ['ignore', 'ignore', 'inherit'],
    cwd: new URL('../../../', import.meta.url),
  })
  const ended = once(child, 'exit')
  for (const member of [inTransaction, between]) await until(async () => (await fleet.sql(member, WAITING))[0])
  child.kill('SIGKILL')
  await ended
  const states = (await rowStates(fleet)).toSorted()
  assert.deepEqual(states, [...Array(5).fill('pending'), ...Array(2).fill('running'), ...Array(3).fill('succeeded')])
  for (const member of [inTransaction, between]) await fleet.sql(member, 'delete from gate')
  const { report, events } = await migrate(fleet, migrationsOf(...texts))
  const run = finished(report)
  assert.deepEqual([run.state, run.tally.ok + run.tally.current], ['succeeded', 10])
  assert.ok(events.some((event) => event.event === 'run' && event.resumed))
  assert.ok(tenantsIn(events).length <= 7, 'those that were done are left alone')
  await migrate(undisturbed, migrationsOf(...texts))
  const [reference] = await membersOf(undisturbed)
  const expected = await fingerprint(undisturbed, reference as FleetMember)
  for (const member of await membersOf(fleet)) assert.deepEqual(await fingerprint(fleet, member), expected)
})

test('a server that cannot be reached costs its own tenants only', async (t) => {
  const fleet = await fleetOf(t, 4)
  const [lost] = await membersOf(fleet)
  const deadServer = await fleet.addServer('pg-02', 1)
  await fleet.central
    .updateTable('tenant_databases')
    .set({ server_id: deadServer })
    .where('tenant_id', '=', lost?.id ?? '')
    .execute()
  const { report, events } = await migrate(fleet, grown, { patience: { retries: 1, backoffMs: 5 } })
  const run = finished(report)
  assert.deepEqual([run.state, run.tally.ok, run.tally.unreachable], ['failed', 3, 1])
  assert.ok(events.some((event) => event.event === 'server-unreachable' && event.server === 'pg-02'))
  assert.match(run.failures[0]?.error ?? '', /ECONNREFUSED/)
  const server = await fleet.central
    .selectFrom('database_servers')
    .select('last_error')
    .where('id', '=', deadServer)
    .executeTakeFirst()
  assert.match(server?.last_error ?? '', /ECONNREFUSED/)
})

test('moving tenants are waited for, deleted and locked ones left out, newcomers taken along', async (t) => {
  const fleet = await fleetOf(t, 3)
  const [moving, deleted, locked] = await membersOf(fleet)
  await setState(fleet, moving, 'moving')
  const holder = await fleet.deps(born).connect({ ...(await serverOf(fleet)) }, locked?.database ?? '')
  await holder.query(`select pg_advisory_lock(${0x686f727578})`)
  t.after(() => holder.end())
  let newcomer: FleetMember | undefined
  const changes: Promise<unknown>[] = []
  const { report } = await migrate(fleet, grown, {
    patience: { lockWaitMs: 300 },
    onEvent: (event) => {
      if (event.event === 'run')
        changes.push(
          setState(fleet, deleted, 'deleted'),
          fleet.addTenant().then((member) => {
            newcomer = member
          }),
        )
      // Once the newcomer is there, however long that takes: as long as somebody is moving, the run goes on.
      if (event.event === 'tenant' && event.tenant.tenantId === locked?.id)
        changes.push(Promise.all(changes).then(() => setState(fleet, moving, 'active')))
    },
  })
  await Promise.all(changes)
  const run = finished(report)
  assert.equal(run.state, 'failed')
  assert.equal(run.tally.skipped.locked, 1)
  const rows = await fleet.central
    .selectFrom('migration_run_tenants')
    .select(['tenant_id', 'state', 'error_code'])
    .execute()
  const byId = new Map(rows.map((row) => [row.tenant_id, row]))
  assert.equal(byId.get(moving?.id ?? '')?.state, 'succeeded')
  assert.equal(byId.get(newcomer?.id ?? '')?.state, 'succeeded')
  assert.deepEqual([byId.get(locked?.id ?? '')?.state, byId.get(locked?.id ?? '')?.error_code], ['skipped', 'locked'])
})

test('files that no empty database takes stop the run before any tenant', async (t) => {
  const fleet = await fleetOf(t, 2)
  const broken = migrationsOf(BORN, 'create table b (n int);\nalter table nowhere add column n int')
  await assert.rejects(migrate(fleet, broken), /0002_f\.sql:2 42P01/)
  assert.deepEqual(await rowStates(fleet), ['pending', 'pending'])
  assert.equal(finished((await migrate(fleet, grown)).report).state, 'succeeded', 'nobody has to wait for a silence')
})

test('the template is reused, built anew when it is not closed, and older ones go', async (t) => {
  const fleet = await fleetOf(t, 1)
  const files = migrationsOf(BORN, 'create table only_here ()')
  const name = templateName(schemaVersionOf(files).hash)
  const built = async (migrations: Migration[]) => {
    const { events } = await migrate(fleet, migrations)
    return events.flatMap((event) => (event.event === 'template' ? [event.built] : []))
  }
  assert.deepEqual(await built(born), [false])
  assert.deepEqual(await built(files), [true])
  assert.deepEqual(await built(files), [false])
  await dropUnusedTemplates(fleet.deps(files), [await serverOf(fleet)])
  const kept = await templates(fleet)
  assert.ok(kept.length === 2 && kept.includes(name), 'the one before may still be being cloned')
  const admin = await fleet.deps(files).connect(await serverOf(fleet), 'postgres')
  t.after(() => admin.end())
  await admin.query(`alter database ${name} allow_connections true`)
  await admin.query(`create database ${name.replace('tpl_', 'tpl_new_')}`) // what a builder left who was killed
  assert.deepEqual(await built(files), [true])
  assert.ok(!(await templates(fleet)).some((template) => template.includes('new')))
  const open = await admin.query(
    `select datname from pg_database where datname = $1 and (datallowconn or not datistemplate
    or exists (select from aclexplode(coalesce(datacl, acldefault('d', datdba))) where grantee = 0))`,
    [name],
  )
  assert.equal(open.length, 0)
})

test('a dry run tells what would be done and leaves every database as it was', async (t) => {
  const fleet = await fleetOf(t, 3)
  const [sick] = await membersOf(fleet)
  await fleet.sql(sick as FleetMember, `update schema_migrations set checksum = repeat('0', 64)`)
  await fleet.central
    .updateTable('tenant_databases')
    .set({ schema_hash: 'odd' })
    .where('tenant_id', '=', sick?.id ?? '')
    .execute()
  const before = [await placements(fleet), await templates(fleet)]
  const plans: TenantPlan[] = []
  for await (const plan of planFleet(fleet.deps(grown), { tenant: null, server: null })) plans.push(plan)
  assert.deepEqual(
    plans.map(({ files, error }) => error?.code ?? files.join()),
    ['checksum', '0002_f.sql,0003_f.sql', '0002_f.sql,0003_f.sql'],
  )
  assert.deepEqual([await placements(fleet), await templates(fleet)], before)
  assert.deepEqual(await rowStates(fleet), [])
  for (const member of await membersOf(fleet))
    assert.equal((await fleet.sql(member, 'select from schema_migrations')).length, 1)
})

test('one tenant can be migrated by itself, also while it is marked as deleted', async (t) => {
  const fleet = await fleetOf(t, 1)
  const [member] = await membersOf(fleet)
  await setState(fleet, member, 'deleted')
  assert.equal((await migrateTenant(fleet.deps(grown), member?.id ?? '')).state, 'migrated')
  assert.equal((await migrateTenant(fleet.deps(grown), member?.id ?? '')).state, 'current')
  assert.equal((await placements(fleet))[0]?.schema_version, 3)
  await assert.rejects(migrateTenant(fleet.deps(born), member?.id ?? ''), /0002_f was applied here/)
  await assert.rejects(migrateTenant(fleet.deps(grown), crypto.randomUUID()), /tenants\.not_found/)
})

const CHILD = `
  import { openCentral, openOwner } from './src/db/client.ts'
  import { migrateFleet } from './src/tenants/fleet/migrate-fleet.ts'
  import { migrationsOf } from './test/support/migrator-fleet.ts'
  const { url, credentialsDir, texts } = JSON.parse(process.env.FLEET)
  const central = openCentral({ central: { url, poolMax: 6 }, processRole: 'cli', statementTimeoutMs: 60000 })
  const connect = (server, database) => openOwner({ ...server, owner_credential: server.ownerCredential }, database, { credentialsDir })
  await migrateFleet({ central, connect, migrations: migrationsOf(...texts), appVersion: '9.9.9' }, { concurrency: 2 })
`

async function fleetOf(t: TestContext, tenants: number, files = born): Promise<Fleet> {
  const fleet = await createFleet(cluster, files, tenants)
  t.after(() => fleet.close())
  return fleet
}

async function migrate(fleet: Fleet, migrations: Migration[], options: FleetOptions = {}) {
  const events: FleetEvent[] = []
  const onEvent = (event: FleetEvent) => {
    events.push(event)
    options.onEvent?.(event)
  }
  return { report: await migrateFleet(fleet.deps(migrations), { movingWaitMs: 60_000, ...options, onEvent }), events }
}

function finished(report: FleetReport): FleetRun {
  if (report.state === 'refused') throw new assert.AssertionError({ message: report.text })
  return report
}

const tenantsIn = (events: readonly FleetEvent[]) =>
  events.flatMap((event) => (event.event === 'tenant' ? [event.tenant.tenantId] : []))

const placements = ({ central }: Fleet) =>
  central
    .selectFrom('tenant_databases')
    .select(['tenant_id', 'schema_version', 'schema_hash', 'generation'])
    .orderBy('tenant_id')
    .execute()

const rowStates = async ({ central }: Fleet) =>
  (await central.selectFrom('migration_run_tenants').select('state').execute()).map(({ state }) => state)

async function setState({ central }: Fleet, member: FleetMember | undefined, state: 'active' | 'moving' | 'deleted') {
  await central
    .updateTable('tenant_databases')
    .set({ state })
    .where('tenant_id', '=', member?.id ?? '')
    .execute()
}

/** As if half a minute had passed since the run last said that it lives. */
const silence = ({ central }: Fleet) =>
  sql`update migration_runs set heartbeat_at = now() - interval '31 s'`.execute(central)

async function serverOf({ central, serverId }: Fleet) {
  const found = (await findServers(central, { tenant: null, server: null })).find(({ id }) => id === serverId)
  assert.ok(found)
  return found
}

async function templates(fleet: Fleet): Promise<string[]> {
  const session = await fleet.deps(born).connect(await serverOf(fleet), 'postgres')
  const rows = await session.query<{ name: string }>(
    `select datname as name from pg_database where datname ~ '^horux_tpl_(new_)?[0-9a-f]{12}$' order by 1`,
  )
  await session.end()
  return rows.map(({ name }) => name)
}

/** Columns, indexes and ledger, without what differs by time. */
async function fingerprint(fleet: Fleet, member: FleetMember) {
  return [
    await fleet.sql(
      member,
      `select table_name, column_name, data_type, column_default from information_schema.columns where table_schema = 'public' order by 1, 2`,
    ),
    await fleet.sql(
      member,
      `select indexrelid::regclass::text as name, indisvalid from pg_index where indrelid = 'a'::regclass order by 1`,
    ),
    await fleet.sql(
      member,
      'select version, checksum, statements_done, applied_at is not null as applied from schema_migrations order by 1',
    ),
  ]
}
