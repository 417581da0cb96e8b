import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { after, before, test } from 'node:test'
import { sql } from 'kysely'
import { readMigrations, TENANT_MIGRATIONS } from '../../src/db/migrate.ts'
import { schemaVersionOf } from '../../src/db/migrations.ts'
import { createFleet, type Fleet, type FleetMember, membersOf } from '../../test/support/migrator-fleet.ts'
import { type PreparedCluster, startPreparedCluster } from '../../test/support/prepared-cluster.ts'

const all = readMigrations(TENANT_MIGRATIONS)
const born = all.slice(0, 1)
const target = schemaVersionOf(all)

let cluster: PreparedCluster
let fleet: Fleet
before(async () => {
  cluster = await startPreparedCluster()
  fleet = await createFleet(cluster, born, 3)
})
after(async () => {
  await fleet.close()
  await cluster.stop()
})

test('from the plan to the last tenant, as an operator sees it', async () => {
  const [first, sick] = (await membersOf(fleet)) as [FleetMember, FleetMember, FleetMember]
  await fleet.sql(sick, 'create table cfdis ()') // what 0002 wants to make
  const name = (member: FleetMember) => member.database.replace('horux_', '')

  const plan = await horux('migrate-tenants', '--dry-run')
  assert.equal(plan.exit, 3)
  assert.match(plan.stdout, /dry run {3}target 0\d{3} \(chain [0-9a-f]{8}\)/)
  assert.match(plan.stdout, new RegExp(`would apply +${name(first)} {2}0001 → 0\\d{3} {2}0002_\\w+\\.sql`))
  assert.equal((await horux('migrate-tenants', '--status')).stdout, 'no run yet\n')

  const run = await horux('migrate-tenants', '--concurrency', '2')
  assert.equal(run.exit, 3, run.stdout + run.stderr)
  const [head, central, template, tenants, tally, failed, resume, exit] = run.stdout.split('\n')
  const runId = /run ([0-9a-f-]{36})/.exec(head ?? '')?.[1]
  assert.match(
    head ?? '',
    /^horux migrate-tenants {3}run \S+ {3}target 0\d{3} \(chain [0-9a-f]{8}\) {3}3 tenants on 1 server {3}concurrency 2\/server$/,
  )
  assert.match(central ?? '', /^ {2}central {7}0\d{3} ok$/)
  assert.match(template ?? '', /^ {2}template {6}local {2}horux_tpl_[0-9a-f]{12} {2}(built \d+ ms|reused)$/)
  assert.match(tenants ?? '', /^ {2}tenants {7}3\/3 {3}\d+\.\d s {3}\d+ ms\/tenant$/)
  assert.equal(tally, '  ok 2 · failed 1')
  assert.match(
    failed ?? '',
    new RegExp(
      `^ {2}FAILED {2}${name(sick)} {2}0002_\\w+\\.sql:\\d+ 42P07 .* {5}try: make migrate-tenants ARGS="--tenant ${name(sick)}"$`,
    ),
  )
  assert.equal(resume, `  resume with:  make migrate-tenants            state kept in migration_runs ${runId}`)
  assert.equal(exit, 'exit 3')
  assert.equal(run.stderr, '', 'no bar where nobody looks')
  assert.equal((await horux('migrate-tenants', '--status')).exit, 3)

  await fleet.sql(sick, 'drop table cfdis')
  const one = await horux('migrate-tenants', '--json', '--tenant', sick.rfc.toLowerCase())
  assert.equal(one.exit, 0, one.stdout)
  const events = one.stdout
    .trim()
    .split('\n')
    .map((text) => JSON.parse(text))
  assert.deepEqual(
    events.map(({ event }) => event),
    ['central', 'run', 'template', 'tenant', 'end'],
  )
  assert.deepEqual(
    [events[3].tenant.tenantId, events[3].state, events[4].exit, events[4].tally.ok],
    [sick.id, 'succeeded', 0, 1],
  )

  const done = await horux('migrate-tenants')
  assert.equal(done.exit, 0)
  assert.match(done.stdout, /resumed\n/)
  assert.equal((await horux('migrate-tenants', '--dry-run')).exit, 0)
  const status = await horux('migrate-tenants', '--status', '--json')
  assert.equal(status.exit, 0)
  assert.equal(JSON.parse(status.stdout.split('\n')[0] ?? '').run.target.hash, target.hash)
})

test('every way to end has its exit code', async () => {
  const other = await createFleet(cluster, born, 2)
  try {
    await other.central
      .insertInto('migration_runs')
      .values({
        id: crypto.randomUUID(),
        target_version: 1,
        target_hash: '',
        state: 'running',
        started_by: 'ana@otra:1',
      })
      .execute()
    const busy = await horuxOn(other, 'migrate-tenants')
    assert.deepEqual(
      [busy.exit, /refused: another run is open: .* by ana@otra:1, last heartbeat \d+ s ago/.test(busy.stdout)],
      [4, true],
    )
    await other.central.deleteFrom('migration_runs').execute()

    for (const member of await membersOf(other))
      await other.sql(member, `update schema_migrations set checksum = repeat('0', 64)`)
    await other.central.updateTable('tenant_databases').set({ schema_hash: 'edited' }).execute()
    const edited = await horuxOn(other, 'migrate-tenants')
    assert.equal(edited.exit, 4)
    assert.ok(edited.stdout.includes('0'.repeat(64)) && edited.stdout.includes(born[0]?.checksum ?? '?'), edited.stdout)
    assert.equal((await horuxOn(other, 'migrate-tenants', '--dry-run')).exit, 4)
  } finally {
    await other.close()
  }
  const gone = await horuxOn(
    { ...fleet, centralUrl: fleet.centralUrl.replace(/:\d+\//, ':1/') },
    'migrate-tenants',
    '--status',
  )
  assert.equal(gone.exit, 75, gone.stderr)
  assert.equal((await horux('migrate-tenants', '--concurrency', '0')).exit, 2)
  assert.equal((await horux('migrate-tenants', '--canary', '3')).exit, 2)
  const nobody = await horux('migrate-tenants', '--tenant', 'NOP850101AB1')
  assert.deepEqual([nobody.exit, nobody.stderr.trim()], [1, 'No existe esa empresa. (tenants.not_found)'])
  assert.equal((await horux('migrate-tenants', '--server', 'pg-77')).exit, 1)
})

test('migrate brings the central database, its queues and the templates', async () => {
  const plan = await horux('migrate', '--dry-run')
  assert.deepEqual([plan.exit, /central {7}0\d{3} ok/.test(plan.stdout)], [0, true])
  const { exit, stdout, stderr } = await horux('migrate', '--json')
  assert.equal(exit, 0, stdout + stderr)
  const events = stdout
    .trim()
    .split('\n')
    .map((text) => JSON.parse(text))
  assert.deepEqual(
    events.map(({ event }) => event),
    ['central', 'template', 'end'],
  )
  const queues = await sql`select from pgboss.queue`.execute(fleet.central)
  assert.ok(queues.rows.length > 3)
})

interface Ended {
  exit: number
  stdout: string
  stderr: string
}

const horux = (...args: string[]) => horuxOn(fleet, ...args)

function horuxOn(
  { centralUrl, credentialsDir }: Pick<Fleet, 'centralUrl' | 'credentialsDir'>,
  ...args: string[]
): Promise<Ended> {
  const key = (kid: string) =>
    `${kid}:${Buffer.from(Array.from({ length: 32 }, (_, n) => n * 7 + kid.length)).toString('base64')}`
  const env = {
    PATH: process.env['PATH'],
    TZ: process.env['TZ'],
    HORUX_ENV: 'test',
    CENTRAL_DATABASE_URL: centralUrl,
    CREDENTIALS_DIRECTORY: credentialsDir,
    HORUX_TENANT_KEY: key('t'),
    JWT_KEYS: key('jw'),
    BILLING_ENCRYPTION_KEY: key('b'),
    FIEL_ENCRYPTION_KEY: key('f'),
  }
  const cwd = new URL('../../', import.meta.url)
  const { promise, resolve } = Promise.withResolvers<Ended>()
  execFile(process.execPath, ['scripts/horux.ts', ...args], { env, cwd }, (error, stdout, stderr) => {
    resolve({ exit: typeof error?.code === 'number' ? error.code : error ? -1 : 0, stdout, stderr })
  })
  return promise
}
