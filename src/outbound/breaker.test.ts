import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createBreaker } from './breaker.ts'

function breakerAt(start = 0) {
  const time = { ms: start }
  const clock = { now: () => new Date(Date.UTC(2026, 4, 4) + time.ms) }
  return { time, breaker: createBreaker({ now: () => time.ms, clock }) }
}

function fail(breaker: ReturnType<typeof createBreaker>, times: number) {
  for (let n = 0; n < times; n++) breaker.enter()!.failed()
}

test('the fifth failure in a row opens it, and one success before begins the count again', () => {
  const { breaker } = breakerAt()
  fail(breaker, 4)
  breaker.enter()!.succeeded()
  fail(breaker, 4)
  assert.equal(breaker.state().breaker, 'closed')
  assert.equal(breaker.waitMs(), 0)
  fail(breaker, 1)
  assert.equal(breaker.state().breaker, 'open')
  assert.equal(breaker.enter(), null)
  assert.equal(breaker.waitMs(), 60_000)
})

test('after a minute one probe goes through, and its success closes it', () => {
  const { breaker, time } = breakerAt()
  fail(breaker, 5)
  time.ms = 59_999
  assert.equal(breaker.enter(), null)
  time.ms = 60_000
  assert.equal(breaker.state().breaker, 'half_open')
  const probe = breaker.enter()!
  assert.equal(breaker.enter(), null)
  assert.ok(breaker.waitMs() > 0)
  probe.succeeded()
  assert.deepEqual(breaker.state(), { breaker: 'closed', consecutiveFailures: 0, unreachableSince: null })
  fail(breaker, 4)
  assert.equal(breaker.state().breaker, 'closed')
})

test('a probe that fails opens it for another minute, unreachable since the first time', () => {
  const { breaker, time } = breakerAt()
  time.ms = 1_000
  fail(breaker, 5)
  time.ms = 61_000
  breaker.enter()!.failed()
  assert.equal(breaker.waitMs(), 60_000)
  assert.equal(breaker.state().breaker, 'open')
  assert.equal(breaker.state().unreachableSince?.toISOString(), '2026-05-04T00:00:01.000Z')
  time.ms = 121_000
  assert.ok(breaker.enter())
})

test('calls that began before it opened tell nothing of the time after', () => {
  const { breaker, time } = breakerAt()
  const [slow, slower] = [breaker.enter()!, breaker.enter()!]
  fail(breaker, 5)
  slow.succeeded()
  assert.equal(breaker.state().breaker, 'open')
  time.ms = 60_000
  const probe = breaker.enter()!
  slower.failed()
  assert.equal(breaker.state().breaker, 'half_open')
  probe.succeeded()
  assert.equal(breaker.state().breaker, 'closed')
})

test('calls under way count in the order in which they end, while it is closed', () => {
  const { breaker } = breakerAt()
  const [first, ...rest] = Array.from({ length: 6 }, () => breaker.enter()!)
  first!.succeeded()
  for (const ticket of rest) ticket.failed()
  assert.equal(breaker.state().breaker, 'open')
})

test('a call that we gave up ourselves counts for nothing, and another may be the probe at once', () => {
  const { breaker, time } = breakerAt()
  fail(breaker, 4)
  breaker.enter()!.dropped()
  assert.deepEqual([breaker.state().breaker, breaker.state().consecutiveFailures], ['closed', 4])
  fail(breaker, 1)
  time.ms = 60_000
  breaker.enter()!.dropped()
  assert.equal(breaker.state().breaker, 'half_open')
  breaker.enter()!.succeeded()
  assert.equal(breaker.state().breaker, 'closed')
})

test('it says since when it answers again', () => {
  const { breaker, time } = breakerAt()
  assert.equal(breaker.recoveredMs(), null)
  breaker.enter()!.succeeded()
  assert.equal(breaker.recoveredMs(), null, 'it never failed')
  fail(breaker, 5)
  time.ms = 60_000
  const probe = breaker.enter()!
  assert.equal(breaker.recoveredMs(), null)
  probe.succeeded()
  time.ms = 70_000
  assert.equal(breaker.recoveredMs(), 10_000)
  fail(breaker, 5)
  assert.equal(breaker.recoveredMs(), null)
})
