import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Cluster, startCluster } from '../../test/support/cluster.ts'
import { startTcpProxy } from '../../test/support/tcp-proxy.ts'
import { until } from '../../test/support/until.ts'
import { parseDatabaseUrl } from './address.ts'
import { type Connection, type ConnectOptions, openConnection, type Target } from './connection.ts'
import { ConnectionFailure } from './failures.ts'

/** For a statement that is not to meet its deadline, however busy the machine is. */
const QUITE_LONG = 30_000

let cluster: Cluster
let admin: Connection

before(async () => {
  cluster = await startCluster()
  admin = await openConnection(target(), { deadlineMs: 30_000 })
})
after(() => admin.end())

function target(changes: Partial<Target> = {}): Target {
  const { password, ...address } = parseDatabaseUrl(cluster.adminUrl)
  const rest = { applicationName: 'prueba', settings: {}, prepare: true, tls: 'off' as const }
  return { ...address, passwords: [password], ...rest, ...changes }
}

const open = (changes: Partial<Target> = {}, options: Partial<ConnectOptions> = {}) =>
  openConnection(target(changes), { deadlineMs: 30_000, ...options })

const failed = (stage: ConnectionFailure['stage'], code: string) => (error: unknown) =>
  error instanceof ConnectionFailure && error.stage === stage && error.code === code

test('values keep their meaning: civil time and exact numbers are text, arrays are arrays', async () => {
  const values = {
    date: ['2026-01-31', 'date'],
    timestamp: ['2026-01-31T23:59:59', 'timestamp'],
    numeric: ['1234567890123456.78', 'numeric'],
    int8: [9007199254740993n, 'int8'],
    int4: [7, 'int4'],
    bool: [true, 'bool'],
    bytes: [Buffer.from([0, 255]), 'bytea'],
    instant: [new Date('2026-02-01T05:59:59.123Z'), 'timestamptz'],
    json: [{ a: ['ñ', null] }, 'jsonb'],
    list: [[1, 2], 'jsonb'],
    nothing: [null, 'text'],
    texts: [['a"b\\c', 'NULL', '', null, '{,}', 'Ñ & <'], 'text[]'],
    none: [[], 'text[]'],
    bigs: [[1n, 9007199254740993n], 'int8[]'],
    flags: [[true, false], 'bool[]'],
    nested: [
      [
        ['a', 'b'],
        ['c', null],
      ],
      'text[]',
    ],
    instants: [[new Date(0)], 'timestamptz[]'],
    days: [['2026-02-29'.replace('29', '28')], 'date[]'],
  } as const
  const columns = Object.entries(values).map(([name, [, type]], index) => `$${index + 1}::${type} as "${name}"`)
  const params = Object.values(values).map(([value]) => value)
  const { rows } = await admin.query(`select ${columns.join(', ')}`, params, QUITE_LONG)
  assert.deepEqual(rows[0], {
    ...Object.fromEntries(Object.entries(values).map(([name, [value]]) => [name, value])),
    timestamp: '2026-01-31 23:59:59',
    int8: '9007199254740993',
    bigs: ['1', '9007199254740993'],
  })
  await assert.rejects(admin.query('select $1::date', [new Date()], QUITE_LONG), /never a Date/)
  await assert.rejects(admin.query('select $1::text', [undefined], QUITE_LONG), { code: 'UNDEFINED_VALUE' })
  assert.equal((await admin.query('select 1 as x', [], QUITE_LONG)).rows[0]?.['x'], 1)
})

test('a query holds one statement, whatever a parameter or a semicolon says', async () => {
  await assert.rejects(admin.query('select 1; select 2', [], QUITE_LONG), { code: '42601' })
  assert.deepEqual((await admin.script('select 1 as x; select 2 as x', QUITE_LONG)).rows, [{ x: 2 }])
})

test('several statements at once run one after the other, each with its own deadline', async () => {
  const session = await open()
  const started = performance.now()
  // Together they take longer than any of them may, and each of them much less.
  const all = Array.from({ length: 12 }, (_, n) => n)
  const naps = await Promise.all(all.map((n) => session.query('select pg_sleep(0.2), $1::int as n', [n], 2_000)))
  assert.deepEqual(
    naps.map(({ rows }) => rows[0]?.['n']),
    all,
  )
  assert.ok(performance.now() - started > 2_350)
  await session.end()
})

test('a server that says nothing any more is given up after the deadline, and so is the session', async (t) => {
  const proxy = await startTcpProxy(cluster)
  t.after(() => proxy.close())
  let told = 0
  const session = await open({ port: proxy.port }, { onLost: () => void told++ })
  proxy.setSilent(true)
  await assert.rejects(session.query('select 1', [], 100), failed('statement', 'DEADLINE'))
  await assert.rejects(session.query('select 1', [], 100), failed('connect', 'DEADLINE'))
  assert.equal(told, 1)
  await assert.rejects(open({ port: proxy.port }, { deadlineMs: 100 }), failed('connect', 'CONNECT_TIMEOUT'))
})

test('a session that the server ended says so, whether or not a statement was under way', async () => {
  let told = 0
  const idle = await open({}, { onLost: () => void told++ })
  const pid = async (session: Connection) =>
    (await session.query('select pg_backend_pid() as pid', [], QUITE_LONG)).rows[0]?.['pid']
  await admin.query('select pg_terminate_backend($1)', [await pid(idle)], QUITE_LONG)
  await until(() => idle.lost)
  assert.equal(told, 1)
  await assert.rejects(idle.query('select 1', [], QUITE_LONG), failed('connect', 'CONNECTION_CLOSED'))

  const busy = await open()
  const victim = await pid(busy)
  const napping = assert.rejects(busy.query('select pg_sleep(60)', [], 90_000), ConnectionFailure)
  await until(async () => (await admin.query(NAPPING, [victim], QUITE_LONG)).rows.length === 1)
  await admin.query('select pg_terminate_backend($1)', [victim], QUITE_LONG)
  await napping
  assert.ok(busy.lost)
})

test('a connection that breaks at any byte of its start rejects, and nothing else happens', async (t) => {
  const proxy = await startTcpProxy(cluster)
  t.after(() => proxy.close())
  // Start-up packet, SCRAM twice, the first statement. postgres.js' own look-up of types would end the process here.
  for (let message = 1; message <= 4; message++) {
    for (const ending of ['reset', 'goodbye'] as const) {
      let seen = 0
      proxy.onClientData = (_data, client) => {
        if (++seen === message) ending === 'reset' ? client.resetAndDestroy() : client.end()
      }
      await assert.rejects(
        open({ port: proxy.port }),
        (error) => error instanceof ConnectionFailure && error.stage === 'connect',
      )
    }
  }
  proxy.onClientData = undefined
  await (await open({ port: proxy.port })).end()
})

test('what the server refuses at the door is told by its code', async () => {
  await assert.rejects(open({ database: 'no_hay' }), failed('connect', '3D000'))
  await assert.rejects(open({ passwords: ['mala'] }), failed('connect', '28P01'))
  await assert.rejects(open({ port: 1 }), failed('connect', 'ECONNREFUSED'))
  await assert.rejects(open({ host: 'no-hay.invalid' }), (error) => error instanceof ConnectionFailure)
})

test('the password that was taken comes first the next time', async () => {
  const wire = target({ passwords: ['mala', ...target().passwords] })
  await (await openConnection(wire, { deadlineMs: 30_000 })).end()
  assert.deepEqual(wire.passwords, [...target().passwords, 'mala'])
})

test('when end resolves the server has no such session any more', async () => {
  for (let n = 0; n < 20; n++) {
    const session = await open({ applicationName: 'se-va' })
    await session.end()
    const { rows } = await admin.query(
      `select 1 from pg_stat_activity where application_name = 'se-va'`,
      [],
      QUITE_LONG,
    )
    assert.deepEqual(rows, [])
  }
})

test('texts that are never the same twice do not pile up as prepared statements', async () => {
  const session = await open()
  for (let n = 0; n < 600; n++) await session.query(`select ${n}`, [], QUITE_LONG)
  const { rows } = await session.query('select count(*)::int as n from pg_prepared_statements', [], QUITE_LONG)
  assert.ok((rows[0]?.['n'] as number) <= 501)
  await session.end()
})

const NAPPING = `select 1 from pg_stat_activity where pid = $1 and query like '%pg_sleep%' and state = 'active'`
