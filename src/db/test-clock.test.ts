import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type PreparedCluster, startPreparedCluster } from '../../test/support/prepared-cluster.ts'
import { until } from '../../test/support/until.ts'
import { type OwnerConnection, openAs, openCentral } from './client.ts'
import type { CentralDb } from './databases.ts'
import { createTestClock, type TestClock } from './test-clock.ts'

const REAL = new Date('2026-03-01T18:00:00Z')
const DAY = 86_400_000
const real = { now: () => REAL }

let cluster: PreparedCluster
let url: string
let central: CentralDb
let owner: OwnerConnection
before(async () => {
  cluster = await startPreparedCluster()
  const database = await cluster.createCentral()
  url = database.url
  central = openCentral({ central: { url, poolMax: 5 }, processRole: 'api', statementTimeoutMs: 5_000 })
  owner = await openAs(database.ownerUrl)
})
after(async () => {
  await central.destroy()
  await owner.end()
  await cluster.stop()
})

const move = (clock: TestClock, instant: Date) => central.transaction().execute((trx) => clock.moveTo(trx, instant))

const open = () => createTestClock(central, { real, past: true })

test('a move by one process is the time of another from its next reading on, and not before its commit', async () => {
  const [mover, other] = [open(), open()]
  const target = new Date(REAL.getTime() + 30 * DAY)
  await central.transaction().execute(async (trx) => {
    await mover.moveTo(trx, target)
    await other.sync()
    assert.deepEqual(other.now(), REAL)
  })
  await other.sync()
  assert.deepEqual(other.now(), target)
  assert.deepEqual(mover.now(), REAL, 'it asks nobody in between')
  await mover.sync()
  assert.deepEqual(mover.now(), target)
})

test('a move that is rolled back is none', async () => {
  const clock = open()
  await move(clock, REAL)
  const failing = central.transaction().execute(async (trx) => {
    await clock.moveTo(trx, new Date(REAL.getTime() + DAY))
    throw new Error('the cause failed')
  })
  await assert.rejects(failing)
  await clock.sync()
  assert.deepEqual(clock.now(), REAL)
})

test('the past is allowed where it is asked for, and elsewhere it is the real time', async () => {
  const yesterday = new Date(REAL.getTime() - DAY)
  const free = open()
  await move(free, yesterday)
  await free.sync()
  assert.deepEqual(free.now(), yesterday)
  const bound = createTestClock(central, { real, past: false })
  await move(bound, yesterday)
  await bound.sync()
  assert.deepEqual(bound.now(), REAL)
})

test('who asks while a reading is under way gets one that began later, and all who wait share it', async () => {
  const clock = open()
  await move(clock, REAL)
  await owner.query('begin')
  await owner.query('lock table test_clock in access exclusive mode')
  const first = clock.sync()
  await until(async () => (await waiting()) === 1)
  const later = [clock.sync(), clock.sync(), clock.sync()]
  assert.equal(new Set(later).size, 1)
  assert.notEqual(later[0], first)
  await owner.query('update test_clock set offset_ms = $1', [DAY])
  await owner.query('commit')
  await Promise.all([first, ...later])
  assert.deepEqual(clock.now(), new Date(REAL.getTime() + DAY))
})

test('a reading that fails is told to who asked, and the next one is tried', async (t) => {
  const impatient = openCentral({ central: { url, poolMax: 1 }, processRole: 'api', statementTimeoutMs: 1_000 })
  t.after(() => impatient.destroy())
  const clock = createTestClock(impatient, { real, past: true })
  await owner.query('begin')
  await owner.query('lock table test_clock in access exclusive mode')
  const first = clock.sync()
  const second = clock.sync()
  await assert.rejects(first)
  await owner.query('rollback')
  await second
})

test('without its row the time is the real one, and a move makes the row again', async () => {
  await owner.query('delete from test_clock')
  const clock = open()
  await clock.sync()
  assert.deepEqual(clock.now(), REAL)
  await move(clock, new Date(REAL.getTime() + DAY))
  await clock.sync()
  assert.deepEqual(clock.now(), new Date(REAL.getTime() + DAY))
})

async function waiting(): Promise<number | undefined> {
  const [row] = await owner.query<{ n: number }>(
    `select count(*)::int as n from pg_locks where not granted and relation = 'test_clock'::regclass`,
  )
  return row?.n
}
