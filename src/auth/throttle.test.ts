import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Counter, RULES, waitS, withFailure, withoutFailure } from './throttle.ts'

const at = (seconds: number) => new Date(Date.UTC(2026, 10, 22) + seconds * 1000)
const fail = (times: number, rule = RULES.origen as (typeof RULES)[keyof typeof RULES], now = at(0)) => {
  let counter: Counter | undefined
  for (let i = 0; i < times; i += 1) counter = withFailure(counter, rule, now)
  return counter as Counter
}

test('four failures cost nothing, then one second, doubling up to a quarter of an hour', () => {
  const waits = [1, 2, 3, 4, 5, 6, 7, 8, 14, 15, 40, 5000].map((n) => waitS(fail(n), at(0)))
  assert.deepEqual(waits, [0, 0, 0, 0, 1, 2, 4, 8, 512, 900, 900, 900])
})

test('a wait passes by itself, and an hour of quiet forgets all', () => {
  const counter = fail(10)
  assert.equal(waitS(counter, at(32)), 0)
  assert.equal(withFailure(counter, RULES.origen, at(3599)).failures, 11)
  assert.deepEqual(withFailure(counter, RULES.origen, at(3600)), {
    failures: 1,
    firstAt: at(3600),
    lastAt: at(3600),
    blockedUntil: null,
  })
})

test('the counter of all closes for the rest of its minute and not longer', () => {
  const counter = fail(600, RULES.todo, at(10))
  assert.equal(waitS(counter, at(30)), 40)
  assert.equal(waitS(counter, at(70)), 0)
  assert.equal(withFailure(counter, RULES.todo, at(70)).failures, 1)
})

test('what failed under a clock that was days ahead and was put back makes nobody wait', () => {
  for (const rule of Object.values(RULES)) {
    const ahead = fail(rule.from + 3, rule, at(86_400))
    assert.equal(waitS(ahead, at(0)), 0)
    assert.equal(withFailure(ahead, rule, at(0)).failures, 1)
    assert.ok(waitS(fail(rule.from + 3, rule, at(60)), at(0)) > 0, 'clocks of two machines differ by less')
  }
})

test('a try that was no failure leaves the counter as it was, but for a wait that others have set since', () => {
  const before = { ...fail(9), blockedUntil: at(-1) }
  const tried = withFailure(before, RULES.origen, at(0))
  assert.deepEqual(withoutFailure(tried, tried.blockedUntil), { ...before, lastAt: at(0), blockedUntil: null })
  const later = withFailure(tried, RULES.origen, at(40))
  assert.deepEqual(withoutFailure(later, tried.blockedUntil).blockedUntil, later.blockedUntil)
})

test('no history ever blocks for longer than the rule says', () => {
  const seconds = fc.array(fc.integer({ min: 0, max: 5000 }), { maxLength: 60 })
  fc.assert(
    fc.property(seconds, fc.constantFrom(...Object.values(RULES)), (gaps, rule) => {
      let counter: Counter | undefined
      let now = 0
      for (const gap of gaps) {
        now += gap
        counter = withFailure(counter, rule, at(now))
        assert.ok(waitS(counter, at(now)) <= rule.longestS)
      }
    }),
  )
})
