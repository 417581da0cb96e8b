import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { addDays, daysBetween } from '../fiscal/fecha.ts'
import { overage, projection, rebuildSnapshots, type SeatChange, type Snapshot, snapshotInstant } from './seats.ts'

const nights = (from: string, ...users: number[]): Snapshot[] =>
  users.map((count, index) => ({ day: addDays(from, index), users: count }))

const price = { included: 3, extraUserC: 8_500n }

test('the most people of any night beyond those included are charged', () => {
  assert.deepEqual(overage({ snapshots: nights('2026-06-01', 3, 4, 6, 5), ...price }), {
    max: 6,
    seats: 3,
    amountC: 25_500n,
  })
  assert.deepEqual(overage({ snapshots: nights('2026-06-01', 2, 3, 1), ...price }), { max: 3, seats: 0, amountC: 0n })
  assert.deepEqual(overage({ snapshots: nights('2026-06-01', 4), ...price }), { max: 4, seats: 1, amountC: 8_500n })
  assert.deepEqual(overage({ snapshots: [], ...price }), { max: 0, seats: 0, amountC: 0n })
})

test('an unlimited plan has no overage, and one that includes nobody charges all', () => {
  const snapshots = nights('2026-06-01', 500)
  assert.deepEqual(overage({ snapshots, included: -1, extraUserC: 8_500n }), { max: 500, seats: 0, amountC: 0n })
  assert.deepEqual(overage({ snapshots, included: 0, extraUserC: 8_500n }), {
    max: 500,
    seats: 500,
    amountC: 4_250_000n,
  })
})

test('a night is at 23:55 in Mexico City, in summers that had daylight saving too', () => {
  assert.equal(snapshotInstant('2026-06-01').toISOString(), '2026-06-02T05:55:00.000Z')
  assert.equal(snapshotInstant('2022-07-01').toISOString(), '2022-07-02T04:55:00.000Z')
  // The nights in which the clocks moved, at two in the morning.
  assert.equal(snapshotInstant('2022-04-02').toISOString(), '2022-04-03T05:55:00.000Z')
  assert.equal(snapshotInstant('2022-10-30').toISOString(), '2022-10-31T05:55:00.000Z')
})

const change = (at: string, users: number): SeatChange => ({ at: new Date(at), users })

test('missing nights have the people of the last change before them', () => {
  const log = [
    change('2026-05-20T12:00:00-06:00', 3),
    change('2026-06-02T10:00:00-06:00', 5),
    change('2026-06-02T18:00:00-06:00', 4),
    change('2026-06-04T09:00:00-06:00', 6),
  ]
  const known = nights('2026-06-03', 4)
  const { snapshots, rebuilt, unknown } = rebuildSnapshots({ log, known, from: '2026-06-01', to: '2026-06-06' })
  assert.deepEqual(snapshots, nights('2026-06-01', 3, 4, 4, 6, 6))
  assert.deepEqual(rebuilt, [...nights('2026-06-01', 3, 4), ...nights('2026-06-04', 6, 6)])
  assert.deepEqual(unknown, [])
})

test('a change at 23:55 is of that night, and one after it of the next', () => {
  const before = change('2026-05-01T00:00:00-06:00', 1)
  const usersOn = (at: string) =>
    rebuildSnapshots({ log: [before, change(at, 9)], known: [], from: '2026-06-01', to: '2026-06-03' }).snapshots.map(
      ({ users }) => users,
    )
  assert.deepEqual(usersOn('2026-06-01T23:55:00-06:00'), [9, 9])
  assert.deepEqual(usersOn('2026-06-01T23:55:00.001-06:00'), [1, 9])
})

test('a night that was counted stands, whatever the log says', () => {
  const log = [change('2026-06-01T08:00:00-06:00', 2)]
  const known = nights('2026-06-01', 7)
  const { snapshots, rebuilt } = rebuildSnapshots({ log, known, from: '2026-06-01', to: '2026-06-03' })
  assert.deepEqual(snapshots, nights('2026-06-01', 7, 2))
  assert.deepEqual(rebuilt, nights('2026-06-02', 2))
})

test('nights before the log begins are told, not guessed', () => {
  const log = [change('2026-06-03T08:00:00-06:00', 4)]
  const input = { log, known: nights('2026-06-01', 3), from: '2026-06-01', to: '2026-06-05' }
  const { snapshots, unknown } = rebuildSnapshots(input)
  assert.deepEqual(unknown, ['2026-06-02'])
  assert.deepEqual(snapshots, [...nights('2026-06-01', 3), ...nights('2026-06-03', 4, 4)])
  const nothing = rebuildSnapshots({ log: [], known: [], from: '2026-06-01', to: '2026-06-03' })
  assert.deepEqual(nothing, { snapshots: [], rebuilt: [], unknown: ['2026-06-01', '2026-06-02'] })
})

test('the log may come in any order; of two changes at one instant the later written counts', () => {
  const log = [
    change('2026-06-02T10:00:00-06:00', 5),
    change('2026-05-20T12:00:00-06:00', 3),
    change('2026-06-02T10:00:00-06:00', 6),
  ]
  const { snapshots } = rebuildSnapshots({ log, known: [], from: '2026-06-01', to: '2026-06-03' })
  assert.deepEqual(snapshots, nights('2026-06-01', 3, 6))
})

test('whichever nights were missed, the rebuilt period is what was counted', () => {
  const from = '2026-06-01'
  const to = '2026-07-01'
  const days = daysBetween(from, to)
  const steps = fc.array(fc.tuple(fc.integer({ min: 0, max: days * 24 * 60 - 1 }), fc.integer({ min: 0, max: 20 })), {
    maxLength: 40,
  })
  const missed = fc.array(fc.boolean(), { minLength: days, maxLength: days })
  fc.assert(
    fc.property(steps, missed, (changes, lost) => {
      const midnight = new Date('2026-06-01T00:00:00-06:00').getTime()
      const at = changes.map(([minute, users]) => ({ at: new Date(midnight + minute * 60_000), users }))
      const log = [change('2026-05-01T12:00:00-06:00', 2), ...at].toSorted((a, b) => a.at.getTime() - b.at.getTime())
      const counted = Array.from({ length: days }, (_, index) => {
        const day = addDays(from, index)
        return { day, users: log.findLast((entry) => entry.at <= snapshotInstant(day))?.users ?? 0 }
      })
      const known = counted.filter((_, index) => !lost[index])
      const result = rebuildSnapshots({ log, known, from, to })
      assert.deepEqual(result.snapshots, counted)
      assert.deepEqual(
        result.rebuilt,
        counted.filter((_, index) => lost[index]),
      )
      assert.deepEqual(result.unknown, [])
    }),
  )
})

test('the projection has what is owed already and what will be if nobody leaves or comes', () => {
  const period = { start: '2026-06-01', end: '2026-07-01' }
  const snapshots = nights('2026-06-01', 3, 5, 4)
  const ask = (currentUsers: number, today: string) => projection({ snapshots, currentUsers, period, today, ...price })
  const five = { max: 5, seats: 2, amountC: 17_000n }
  assert.deepEqual(ask(4, '2026-06-04'), { soFar: five, projected: five }, 'who left was already counted')
  assert.deepEqual(ask(6, '2026-06-04'), { soFar: five, projected: { max: 6, seats: 3, amountC: 25_500n } })
  assert.deepEqual(ask(6, '2026-06-30').projected.seats, 3, 'the last night still counts')
  assert.deepEqual(ask(6, '2026-07-01'), { soFar: five, projected: five }, 'who comes after it belongs to the next')
  const unlimited = projection({
    snapshots,
    currentUsers: 50,
    period,
    today: '2026-06-04',
    included: -1,
    extraUserC: 1n,
  })
  assert.equal(unlimited.projected.amountC, 0n)
})

test('nights of other periods do not count in the projection', () => {
  const period = { start: '2026-06-01', end: '2026-07-01' }
  const snapshots = [...nights('2026-05-31', 9), ...nights('2026-06-01', 4), ...nights('2026-07-01', 9)]
  const { soFar, projected } = projection({ snapshots, currentUsers: 4, period, today: '2026-06-02', ...price })
  assert.deepEqual([soFar.max, projected.max], [4, 4])
})
