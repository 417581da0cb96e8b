import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { readCredential } from '../src/db/address.ts'
import { openOwner } from '../src/db/client.ts'
import { migrateFleet } from '../src/tenants/fleet/migrate-fleet.ts'
import { createFleet, type Fleet, type FleetMember, membersOf, migrationsOf } from '../test/support/migrator-fleet.ts'
import { type PreparedCluster, startPreparedCluster } from '../test/support/prepared-cluster.ts'
import { compare, type Result, type Side } from './harness.ts'

/**
 * B5: a file of one ALTER, one index and one table brought to 200 tenant databases, by `migrate-tenants` (template,
 * claims, locks, ledgers, placements) and by loops that do nothing but send the SQL to one database after the other in
 * a transaction: `psql`, what an operator without it would type, and the driver. All work on the same databases, on
 * tables of their own, of a server that flushes its commits to the disk.
 */
export async function run(): Promise<Result[]> {
  const settings = { fsync: 'on', synchronous_commit: 'on', full_page_writes: 'on' }
  const cluster = await startPreparedCluster({ settings })
  const fleet = await createFleet(cluster, migrationsOf(BORN), TENANTS)
  const scratch = mkdtempSync(path.join(tmpdir(), 'horux-bench-'))
  try {
    const members = await membersOf(fleet)
    const { migrator, rounds } = byMigrator(fleet)
    const loops = { psql: byPsql(fleet, members, cluster, scratch), driver: byDriver(fleet, members) }
    const results: Result[] = []
    if (await hasPsql()) results.push(await against('B5', 'psql', migrator, loops.psql.side))
    results.push(await against(results.length > 0 ? 'B5b' : 'B5', 'driver', migrator, loops.driver.side))
    const did = { ours: rounds(), psql: loops.psql.rounds(), driver: loops.driver.rounds() }
    for (const member of members) await verify(fleet, member, did)
    return results
  } finally {
    await fleet.close()
    await cluster.stop()
    rmSync(scratch, { recursive: true, force: true })
  }
}

const TENANTS = 200
const BORN = 'create table ours (id int); create table psql (id int); create table driver (id int)'

const growth = (table: string, n: number) => `
  alter table ${table} add column c${n} int not null default 0;
  create index ${table}_c${n} on ${table} (c${n});
  create table ${table}_${n} (id int primary key, name text not null);`

function against(id: string, what: string, ours: Side, peer: Side): Promise<Result> {
  return compare({
    id,
    title: `migrate-tenants over ${TENANTS} databases, against the same SQL by ${what} one after the other`,
    unit: 'ms',
    ratio: 'peer/ours',
    goal: { atLeast: 3 },
    ours,
    peer,
    // CPU times of the processes, from /proc: a session costs 3.3 ms of PostgreSQL and 1.8 ms of Node.
    limit: (figure) =>
      `CPU: about 12 ms a database (session 5, DDL 4, ledger and placement 2, template 1) on ${cpus().length} cores is ${Math.round((12 * TENANTS) / cpus().length)} ms at best; it took ${Math.round(figure)}`,
  })
}

function byMigrator(fleet: Fleet): { migrator: Side; rounds: () => number } {
  const texts = [BORN]
  const round = () => {
    texts.push(growth('ours', texts.length))
    const deps = fleet.deps(migrationsOf(...texts))
    return timed(async () => assert.equal((await migrateFleet(deps)).state, 'succeeded'))
  }
  return { migrator: { name: 'migrate-tenants, 4 at a time', round }, rounds: () => texts.length - 1 }
}

function byDriver({ central, credentialsDir }: Fleet, members: readonly FleetMember[]) {
  return loop('driver', 'driver, one after the other', async (text) => {
    const server = await central.selectFrom('database_servers').selectAll().executeTakeFirstOrThrow()
    for (const { database } of members) {
      const session = await openOwner(server, database, { credentialsDir })
      await session.query(`begin; ${text} commit`)
      await session.end()
    }
  })
}

function byPsql({ credentialsDir }: Fleet, members: readonly FleetMember[], cluster: PreparedCluster, scratch: string) {
  const { user, password } = readCredential(credentialsDir, 'local-owner')
  const env = { ...process.env, PGPASSWORD: password }
  const file = path.join(scratch, 'file.sql')
  const where = ['-h', cluster.host, '-p', String(cluster.port), '-U', user, '-v', 'ON_ERROR_STOP=1', '-Xq1f', file]
  return loop('psql', 'psql, one after the other', async (text) => {
    writeFileSync(file, text)
    for (const { database } of members) await execute('psql', [...where, '-d', database], { env })
  })
}

function loop(table: string, name: string, apply: (text: string) => Promise<void>) {
  let rounds = 0
  const side: Side = { name, round: () => timed(() => apply(growth(table, ++rounds))) }
  return { side, rounds: () => rounds }
}

async function hasPsql(): Promise<boolean> {
  return execute('psql', ['--version']).then(
    () => true,
    () => false,
  )
}

const execute = promisify(execFile)

async function timed(work: () => Promise<void>): Promise<number> {
  const started = performance.now()
  await work()
  return performance.now() - started
}

/** All did the whole of their work, everywhere. */
async function verify(fleet: Fleet, member: FleetMember, did: { ours: number; psql: number; driver: number }) {
  const columns = (table: string) =>
    `(select count(*)::int from pg_attribute where attrelid = '${table}'::regclass and attname ~ '^c[0-9]') as ${table}`
  const [row] = await fleet.sql(
    member,
    `select ${Object.keys(did).map(columns).join(', ')}, (select count(*)::int from schema_migrations) as ledger`,
  )
  assert.deepEqual(row, { ...did, ledger: did.ours + 1 })
}
