import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type AuthHouse, startAuthHouse } from '../../../test/support/auth.ts'
import { instantOf } from '../../fiscal/fecha.ts'
import { snapshotInstant } from '../seats.ts'
import { findSeats, insertSnapshots } from './seat-queries.ts'
import { snapshotSeats } from './snapshot-seats.ts'

let house: AuthHouse
let serial = 0
before(async () => {
  house = await startAuthHouse()
})
after(() => house.close())

async function company(people: number) {
  const { id } = await house.company(`ASI0101${String(++serial).padStart(2, '0')}AS1`)
  for (let n = 0; n < people; n++) await house.member((await house.user()).id, id, 'visor')
  return id
}

const at = (instant: Date) => ({ central: house.central, clock: { now: () => instant } })
const march = { start: '2027-03-01', end: '2027-04-01' }
const noon = (day: string) => instantOf(day, 12)

async function change(tenantId: string, when: Date, users: number) {
  await house.central.insertInto('seat_log').values({ tenant_id: tenantId, at: when, user_id: null, users }).execute()
}

const stored = (tenantId: string) =>
  house.central
    .selectFrom('seat_snapshots')
    .select(['day', 'users', 'rebuilt'])
    .where('tenant_id', '=', tenantId)
    .orderBy('day')
    .execute()

test('at 23:55 everybody of every living company is counted, once however often it is asked', async () => {
  const [three, none, gone] = [await company(3), await company(0), await company(2)]
  await house.central.updateTable('tenants').set({ deleted_at: new Date() }).where('id', '=', gone).execute()
  const night = snapshotInstant('2027-01-31')
  await snapshotSeats(at(night))
  await house.member((await house.user()).id, three, 'visor')
  assert.deepEqual(await snapshotSeats(at(new Date(night.getTime() + 120_000))), { day: '2027-01-31', companies: 0 })
  assert.deepEqual(await stored(three), [{ day: '2027-01-31', users: 3, rebuilt: false }])
  assert.deepEqual(await stored(none), [{ day: '2027-01-31', users: 0, rebuilt: false }])
  assert.deepEqual(await stored(gone), [])
})

test('a count that comes after midnight, or before its time, counts nothing', async () => {
  const id = await company(2)
  for (const instant of [new Date(instantOf('2027-02-02').getTime() + 60_000), noon('2027-02-02')])
    assert.deepEqual(await snapshotSeats(at(instant)), { skipped: 'it is not the time of the count' })
  assert.deepEqual(await stored(id), [])
})

test('nights that nobody counted are rebuilt from the log, kept as such, and what was counted stands', async () => {
  const id = await company(4)
  await change(id, noon('2027-02-20'), 3)
  await insertSnapshots(house.central, '2027-03-02')
  await change(id, snapshotInstant('2027-03-03'), 6)
  await change(id, new Date(snapshotInstant('2027-03-04').getTime() + 1), 5)
  const { snapshots, unknownDays } = await findSeats(house.central, id, march, noon('2027-03-06'))
  assert.deepEqual(unknownDays, [])
  assert.deepEqual(
    snapshots.map(({ day, users }) => [day, users]),
    [
      ['2027-03-01', 3],
      ['2027-03-02', 4],
      ['2027-03-03', 6],
      ['2027-03-04', 6],
      ['2027-03-05', 5],
    ],
  )
  assert.deepEqual(
    (await stored(id)).map(({ day, rebuilt }) => [day, rebuilt]),
    [
      ['2027-03-01', true],
      ['2027-03-02', false],
      ['2027-03-03', true],
      ['2027-03-04', true],
      ['2027-03-05', true],
    ],
  )
  assert.deepEqual((await findSeats(house.central, id, march, noon('2027-03-06'))).snapshots, snapshots)
})

test('who was written down later came later, also by the clock of a process that is behind', async () => {
  const id = await company(0)
  await change(id, new Date(noon('2027-02-20').getTime() + 3_000), 1)
  await change(id, noon('2027-02-20'), 2)
  await change(id, new Date(noon('2027-02-20').getTime() + 1_000), 3)
  const { snapshots } = await findSeats(house.central, id, march, noon('2027-03-03'))
  assert.deepEqual(snapshots, [
    { day: '2027-03-01', users: 3 },
    { day: '2027-03-02', users: 3 },
  ])
})

test('tonight is not kept before it is over: who comes in the evening is counted', async () => {
  const id = await company(1)
  await change(id, noon('2027-03-01'), 1)
  assert.deepEqual((await findSeats(house.central, id, march, noon('2027-03-01'))).snapshots, [])
  await change(id, instantOf('2027-03-01', 20), 9)
  const { snapshots } = await findSeats(house.central, id, march, snapshotInstant('2027-03-01'))
  assert.deepEqual(snapshots, [{ day: '2027-03-01', users: 9 }])
  assert.deepEqual((await findSeats(house.central, id, march, noon('2027-02-01'))).snapshots, [])
})

test('nights before the log begins are unknown and not made up', async () => {
  const id = await company(1)
  await change(id, noon('2027-03-03'), 2)
  const { snapshots, unknownDays } = await findSeats(house.central, id, march, noon('2027-03-05'))
  assert.deepEqual(unknownDays, ['2027-03-01', '2027-03-02'])
  assert.deepEqual(snapshots.length, 2)
})

test('the log of one company says nothing of another', async () => {
  const [mine, other] = [await company(1), await company(1)]
  await change(mine, noon('2027-02-01'), 1)
  await change(other, noon('2027-03-02'), 40)
  const { snapshots } = await findSeats(house.central, mine, march, noon('2027-04-02'))
  assert.deepEqual([snapshots.length, new Set(snapshots.map(({ users }) => users))], [31, new Set([1])])
})
