import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createPace } from './pace.ts'

test('turns are given in the order of asking, 350 ms apart, the first at once', async () => {
  const sleeps: number[] = []
  const wakers: (() => void)[] = []
  const sleep = (ms: number) => {
    sleeps.push(ms)
    return new Promise<void>((resolve) => wakers.push(resolve))
  }
  const pace = createPace({ intervalMs: 350, now: () => 1_000, sleep })
  const came: number[] = []
  const turns = [0, 1, 2, 3].map((n) => pace.turn().then(() => came.push(n)))
  await turns[0]
  assert.deepEqual(came, [0])
  assert.deepEqual(sleeps, [350, 700, 1_050])
  assert.equal(pace.waitMs(), 1_400, 'the next one would wait as long')
  for (const wake of wakers) wake()
  await Promise.all(turns)
  assert.deepEqual(came, [0, 1, 2, 3])
})

test('time that passed between two calls is not waited for again', async () => {
  const time = { ms: 0 }
  const sleeps: number[] = []
  const sleep = async (ms: number) => {
    sleeps.push(ms)
    time.ms += ms
  }
  const pace = createPace({ intervalMs: 350, now: () => time.ms, sleep })
  await pace.turn()
  time.ms = 200
  await pace.turn()
  time.ms = 5_000
  await pace.turn()
  assert.deepEqual(sleeps, [150])
})

test('no interval, no waiting', async () => {
  const pace = createPace({ intervalMs: 0, sleep: () => assert.fail('slept') })
  await Promise.all([pace.turn(), pace.turn(), pace.turn()])
})
