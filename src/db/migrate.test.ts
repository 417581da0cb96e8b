import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Cluster, startCluster } from '../../test/support/cluster.ts'
import { openConnection } from './connection.ts'
import { MigrationError } from './ledger.ts'
import { type Applied, type ApplyOptions, applyMigrations, migrateDatabase, readLedger } from './migrate.ts'
import { type Migration, parseMigrations, schemaVersionOf } from './migrations.ts'
import type { MigrationSession } from './owner-session.ts'

let cluster: Cluster
let admin: MigrationSession
before(async () => {
  cluster = await startCluster()
  admin = await open('postgres')
})
after(async () => {
  await admin.end()
  await cluster.stop()
})

const QUICK: ApplyOptions = { lockWaitMs: 0, backoffMs: 5 }

test('files are applied once, in order, and written down', async () => {
  const database = await createDatabase()
  const migrations = files('create table a (n int)', 'alter table a add column m int; insert into a values (1, 2)')
  const first = await migrateDatabase(() => open(database), migrations, { appVersion: '1.2.3' })
  assert.deepEqual(first, {
    state: 'migrated',
    from: { version: 0, hash: '' },
    to: schemaVersionOf(migrations),
    files: ['0001_f.sql', '0002_f.sql'],
  })
  const second = await migrateDatabase(() => open(database), migrations)
  assert.deepEqual(second, { ...first, state: 'current', from: schemaVersionOf(migrations), files: [] })
  const ledger = await rows(
    database,
    'select version, name, checksum, phase, statements_done, app_version, applied_at is not null as applied from schema_migrations order by version',
  )
  assert.deepEqual(
    ledger,
    migrations.map((m) => ({
      version: m.version,
      name: 'f',
      checksum: m.checksum,
      phase: 'expand',
      statements_done: m.statements.length,
      app_version: '1.2.3',
      applied: true,
    })),
  )
  assert.deepEqual(await rows(database, 'select n, m from a'), [{ n: 1, m: 2 }])
})

test('a failing file leaves nothing of itself, and names file, line, SQLSTATE and statement', async () => {
  const database = await createDatabase()
  const broken = files(
    'create table a (n int unique)',
    'insert into a values (1);\n\ninsert into a\n values (1)',
    'create table c ()',
  )
  const error = await failure(migrateDatabase(() => open(database), broken, QUICK))
  assert.match(error.message, /^0002_f\.sql:3 23505 duplicate key .*a_n_key/)
  assert.deepEqual(
    [error.file, error.line, error.sqlstate, error.statement],
    ['0002_f.sql', 3, '23505', 'insert into a\n values (1)'],
  )
  assert.deepEqual(await rows(database, 'select n from a'), [])
  assert.deepEqual(await versions(database), [1])

  const syntax = await failure(
    migrateDatabase(() => open(database), files('create table a (n int unique)', '\nselect 1;\nselect\n  nope'), QUICK),
  )
  assert.match(syntax.message, /^0002_f\.sql:4 42703/)
  const atCommit = 'create table d (n int unique deferrable initially deferred);\ninsert into d values (1), (1)'
  const late = await failure(
    migrateDatabase(() => open(database), files('create table a (n int unique)', atCommit), QUICK),
  )
  assert.match(late.message, /^0002_f\.sql:2 23505/)
})

test('an applied file that was edited, lost or overtaken is refused and nothing is touched', async () => {
  const database = await createDatabase()
  const original = files('create table a ()', 'create table b ()')
  await migrateDatabase(() => open(database), original)
  const edited = files('create table a ()', 'create table b (n int)', 'create table c ()')
  const checksum = await failure(migrateDatabase(() => open(database), edited))
  assert.equal(checksum.code, 'checksum')
  assert.ok(checksum.refused)
  for (const m of [original[1], edited[1]]) assert.ok(checksum.message.includes(m?.checksum ?? '?'), checksum.message)
  assert.match(checksum.message, /0002_f\.sql/)
  const missing = await failure(migrateDatabase(() => open(database), files('create table a ()')))
  assert.equal(missing.code, 'missing')
  await rows(database, 'delete from schema_migrations where version = 1')
  assert.equal((await failure(migrateDatabase(() => open(database), original))).code, 'order')
  assert.deepEqual(await versions(database), [2])
  assert.deepEqual(await rows(database, `select to_regclass('c') as c`), [{ c: null }])
})

test('a checkout with CRLF goes on where one with LF stopped', async () => {
  const database = await createDatabase()
  await migrateDatabase(() => open(database), files('create table a (\n)'))
  const outcome = await migrateDatabase(() => open(database), files('create table a (\r\n)', 'create table b (\r\n)'))
  assert.deepEqual(outcome.state === 'migrated' && outcome.files, ['0002_f.sql'])
})

test('of two migrators at once one works, and the other waits for it or gives up untouched', async () => {
  const database = await createDatabase()
  const migrations = files('create table a (); select pg_sleep(0.3)', 'create table b ()')
  const [one, two] = await Promise.all(
    [0, 0].map(() => migrateDatabase(() => open(database), migrations, { lockWaitMs: 60_000 })),
  )
  assert.deepEqual([one?.state, two?.state].sort(), ['current', 'migrated'])
  const holder = await open(database)
  const lock = await holder.query('select pg_advisory_lock(448546370936)') // "horux"
  assert.equal(lock.length, 1)
  assert.deepEqual(await migrateDatabase(() => open(database), files('select 1'), { lockWaitMs: 120 }), {
    state: 'locked',
  })
  await holder.end()
})

test('a reader waits behind a migration that cannot get its lock no longer than lock_timeout', async () => {
  const database = await createDatabase()
  const first = files('create table a (n int)')
  await migrateDatabase(() => open(database), first)
  const [slow, reader] = [await open(database), await open(database)]
  await slow.query('begin; select * from a') // a report that runs and runs
  const migrations = files('create table a (n int)', '-- lock-timeout: 200ms\nalter table a add column m int')
  let settled = false
  // As many tries as it takes until the readers have met three of them.
  const work = migrateDatabase(() => open(database), migrations, { backoffMs: 60, retries: 50 }).finally(() => {
    settled = true
  })
  let [worst, reads] = [0, 0]
  while (reads < 3) {
    await untilWaiting()
    if (settled) break
    const started = performance.now()
    await reader.query('select * from a')
    worst = Math.max(worst, performance.now() - started)
    reads++
  }
  assert.ok(reads >= 2, `${reads} reads met the waiting alter`)
  // The migration asks for 200 ms; 2 s are what others get.
  assert.ok(worst < 1_900, `${worst} ms behind a report that never ends`)
  await slow.query('commit')
  assert.equal((await work).state, 'migrated')
  await Promise.all([slow.end(), reader.end()])

  async function untilWaiting() {
    for (const deadline = performance.now() + 5_000; !settled && performance.now() < deadline; await sleep(5)) {
      const waiting = await admin.query(
        `select from pg_stat_activity where datname = $1 and wait_event_type = 'Lock' and query like 'alter table%'`,
        [database],
      )
      if (waiting.length > 0) return
    }
  }
})

test('a lock that stays taken ends in an error after the retries, not in waiting', async () => {
  const database = await createDatabase()
  await migrateDatabase(() => open(database), files('create table a (n int)'))
  const holder = await open(database)
  await holder.query('begin; lock table a')
  const migrations = files('create table a (n int)', '-- lock-timeout: 20ms\nalter table a add column m int')
  const error = await failure(migrateDatabase(() => open(database), migrations, { ...QUICK, retries: 2 }))
  assert.match(error.message, /^0002_f\.sql:2 55P03/)
  await holder.end()
})

test('statements outside a transaction resume after the last one that was done', async () => {
  const database = await createDatabase()
  const text =
    '-- no-transaction\ninsert into a values (1); create index concurrently a_n on a (n);\ninsert into a values ((select 1 / m from b)); insert into a values (3)'
  const migrations = files('create table a (n int); create table b (m int); insert into b values (0)', text)
  const error = await failure(migrateDatabase(() => open(database), migrations, QUICK))
  assert.match(error.message, /^0002_f\.sql:3 22012/)
  assert.deepEqual(
    await rows(database, 'select statements_done, applied_at from schema_migrations where version = 2'),
    [{ statements_done: 2, applied_at: null }],
  )
  const state = await withOpen(database, (session) => readLedger(session, migrations))
  assert.deepEqual([state.from.version, state.pending.length], [1, 1])
  await rows(database, 'update b set m = 1')
  assert.equal((await migrateDatabase(() => open(database), migrations)).state, 'migrated')
  assert.deepEqual(await rows(database, 'select n from a'), [{ n: 1 }, { n: 1 }, { n: 3 }])
  assert.deepEqual(
    await rows(
      database,
      'select statements_done, applied_at is not null as done from schema_migrations where version = 2',
    ),
    [{ statements_done: 4, done: true }],
  )
})

test('a half-done file may only be mended while nothing of it has run', async () => {
  const database = await createDatabase()
  const half = '-- no-transaction\ncreate table a (); create table b (n nope)'
  await failure(migrateDatabase(() => open(database), files('-- no-transaction\nselect nope', 'select 1'), QUICK))
  await failure(migrateDatabase(() => open(database), files(half), QUICK))
  assert.equal(
    (await failure(migrateDatabase(() => open(database), files(half.replace('nope', 'int'))))).code,
    'checksum',
  )
})

test('the invalid index of an interrupted CREATE INDEX CONCURRENTLY is dropped before the next try', async () => {
  const database = await createDatabase()
  const table = 'create table a (n int); insert into a select generate_series(1, 100)'
  const text = '-- no-transaction\n-- lock-timeout: 150ms\ncreate index concurrently if not exists a_n on a (n)'
  await migrateDatabase(() => open(database), files(table))
  const writer = await open(database)
  await writer.query('begin; update a set n = 0 where n = 1') // CONCURRENTLY waits for it
  const stuck = await failure(migrateDatabase(() => open(database), files(table, text), { ...QUICK, retries: 1 }))
  assert.equal(stuck.sqlstate, '55P03')
  const find = `select indexrelid::regclass::text as name, indisvalid from pg_index where indrelid = 'a'::regclass`
  assert.deepEqual(await rows(database, find), [{ name: 'a_n', indisvalid: false }])
  await writer.query('commit')
  assert.equal((await migrateDatabase(() => open(database), files(table, text))).state, 'migrated')
  assert.deepEqual(await rows(database, find), [{ name: 'a_n', indisvalid: true }])
  await writer.end()
})

test('an index that was built just before the migrator died is not built again', async () => {
  const database = await createDatabase()
  const migrations = files(
    'create table a (n int)',
    '-- no-transaction\ncreate unique index concurrently "a N" on a (n)',
  )
  await migrateDatabase(() => open(database), migrations)
  await rows(database, 'update schema_migrations set statements_done = 0, applied_at = null where version = 2')
  assert.equal((await migrateDatabase(() => open(database), migrations)).state, 'migrated')
  const taken = files(
    'create table a (n int)',
    migrations[1]?.statements[0] ? '-- no-transaction\ncreate unique index concurrently "a N" on a (n)' : '',
    '-- no-transaction\ncreate index concurrently "a N" on a (n)',
  )
  assert.equal(
    (await failure(migrateDatabase(() => open(database), taken, QUICK))).sqlstate,
    '42P07',
    'a name that was taken before we came is an error',
  )
})

test('a session that the server ends is opened anew, and the file starts over whole', async () => {
  const database = await createDatabase()
  const migrations = files(
    'create table a ()',
    'create table b (); insert into killed select; select pg_sleep(0); create table c ()',
  )
  await rows(database, 'create table killed ()')
  let sessions = 0
  const outcome = await migrateDatabase(
    async () => {
      const session = await open(database)
      if (sessions++ > 0) return session
      return {
        ...session,
        query: (text, params) => {
          if (!text.includes('pg_sleep')) return session.query(text, params)
          void killWhenAsleep(database)
          return session.query(text.replace('pg_sleep(0)', 'pg_sleep(50)'), params)
        },
      }
    },
    migrations,
    // The server says that it ends a session before it has let go of its lock.
    { ...QUICK, lockWaitMs: 60_000 },
  )
  assert.deepEqual([outcome.state, sessions], ['migrated', 2])
  assert.deepEqual(await versions(database), [1, 2])
  assert.deepEqual(await rows(database, 'select count(*)::int as n from killed'), [{ n: 1 }])
})

test('the ledger of a tenant is not its role’s to change', async () => {
  await admin.query('create role t_tenant')
  const database = await createDatabase()
  await rows(database, 'alter default privileges grant select, insert, update, delete on tables to t_tenant')
  await migrateDatabase(() => open(database), files('create table a ()'))
  const can = `select has_table_privilege('t_tenant', $$schema_migrations$$, p) as can from unnest('{select,insert,update,delete}'::text[]) p`
  assert.deepEqual(
    (await rows(database, can)).map((row) => Object.values(row)[0]),
    [true, false, false, false],
  )
})

test('a session of the caller’s keeps no lock and no setting behind', async () => {
  const database = await createDatabase()
  await withOpen(database, async (session) => {
    await applyMigrations(
      session,
      files('create table a (n int)', '-- no-transaction\ncreate index concurrently i on a (n)'),
    )
    assert.deepEqual(
      await session.query(
        `select count(*)::int as locks from pg_locks where pid = pg_backend_pid() and locktype = 'advisory'`,
      ),
      [{ locks: 0 }],
    )
    assert.deepEqual(await session.query(`select current_setting('lock_timeout') as t`), [{ t: '0' }])
  })
})

async function killWhenAsleep(database: string): Promise<void> {
  const kill = `select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and wait_event = 'PgSleep'`
  while ((await admin.query(kill, [database])).length === 0) await sleep(5)
}

function files(...texts: string[]): Migration[] {
  return parseMigrations(texts.map((text, index) => ({ file: `${String(index + 1).padStart(4, '0')}_f.sql`, text })))
}

let databases = 0
async function createDatabase(): Promise<string> {
  const name = `m_${++databases}`
  await admin.query(`create database ${name}`)
  return name
}

async function failure(work: Promise<Applied>): Promise<MigrationError> {
  try {
    await work
  } catch (error) {
    if (error instanceof MigrationError) return error
    throw error
  }
  throw new assert.AssertionError({ message: 'the migration did not fail' })
}

const versions = async (database: string) =>
  (await rows(database, 'select version from schema_migrations order by version')).map((row) => Object.values(row)[0])

const rows = (database: string, sql: string) => withOpen(database, (session) => session.query(sql))

async function withOpen<T>(database: string, work: (session: MigrationSession) => Promise<T>): Promise<T> {
  const session = await open(database)
  try {
    return await work(session)
  } finally {
    await session.end()
  }
}

async function open(database: string): Promise<MigrationSession> {
  const { host, port, adminUrl } = cluster
  const { username: user, password } = new URL(adminUrl)
  const target = {
    host,
    port,
    database,
    user,
    passwords: [password],
    tls: 'off',
    applicationName: 'test',
    settings: {},
    prepare: false,
  } as const
  const connection = await openConnection(target, { deadlineMs: 30_000 })
  return {
    query: async <Row extends object>(text: string, params?: readonly unknown[]) =>
      (await (params ? connection.query(text, params, 60_000) : connection.script(text, 60_000))).rows as Row[],
    end: connection.end,
  }
}
