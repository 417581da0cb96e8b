import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Step, whats, world } from '../../../test/support/subscription-world.ts'
import { defaultPolicy } from '../subscription.ts'
import { deedInWords, ruleInWords, rules } from './rules.ts'

test('every rule by which the machine ever decides has words, and no words are left over', () => {
  const seen = new Set<string>()
  for (const alta of [false, true])
    for (const cancelAccess of ['until_period_end', 'immediate'] as const)
      for (let seed = 1; seed <= 300; seed++) {
        const next = chance(seed * (alta ? 7919 : 104_729))
        const walked = world(
          { alta, frecuencia: 'mensual', policy: { ...defaultPolicy, cancelAccess } },
          ({ result }) => {
            if (result.kind !== 'refused') seen.add(result.rule)
          },
        )
        for (let i = 0; i < 25; i++) {
          const step: Step = { what: whats[next(whats.length)] ?? 'time_healthy', n: next(1000) }
          walked.step(step)
        }
      }
  // Written by who applies events, not by the machine: the birth of a subscription, and money that is not enough.
  assert.deepEqual([...seen, 'alta', '4.7'].toSorted(), Object.keys(rules).toSorted())
})

test('what a later release writes beside us is shown as it is', () => {
  assert.equal(ruleInWords('z9'), 'z9')
  assert.equal(ruleInWords('toString'), 'toString')
  assert.equal(deedInWords('algo_nuevo'), 'algo_nuevo')
})

/** The same numbers every time. */
function chance(seed: number): (below: number) => number {
  let state = seed >>> 0
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}
