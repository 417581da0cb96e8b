import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultPolicy, type Policy } from '../subscription.ts'
import { policyOf, toPolitica } from './answers.ts'
import { changedRules, differencesOf, PolicyShape, withDifferences } from './policy.ts'

const other: Policy = {
  ...defaultPolicy,
  pendingDays: 0,
  minDwellHours: { ...defaultPolicy.minDwellHours, grace_period: 72 },
  cancelAccess: 'immediate',
}

test('the defaults are within the bounds of what may be set', () => {
  assert.deepEqual(PolicyShape.parse(defaultPolicy), defaultPolicy)
})

test('only what differs is kept, and it comes back whole', () => {
  assert.deepEqual(differencesOf(defaultPolicy), {})
  assert.deepEqual(differencesOf(other), {
    pendingDays: 0,
    minDwellHours: { pendiente_pago: 24, grace_period: 72, suspendida: 48 },
    cancelAccess: 'immediate',
  })
  assert.deepEqual(withDifferences({}), defaultPolicy)
  assert.deepEqual(withDifferences(JSON.parse(JSON.stringify(differencesOf(other)))), other)
  assert.deepEqual(changedRules(defaultPolicy, other), ['pendingDays', 'minDwellHours', 'cancelAccess'])
})

test('a rule of a later release is left to it; one out of its bounds is not believed', () => {
  assert.deepEqual(withDifferences({ graceDays: 9, rulesOfTomorrow: 1 }), { ...defaultPolicy, graceDays: 9 })
  assert.throws(() => withDifferences({ graceDays: -1 }))
  assert.throws(() => withDifferences({ graceDays: '9' }))
})

test('every rule has its word on the wire and comes back as it went', () => {
  // Each value another, so that two rules that were swapped would show.
  const distinct: Policy = {
    trialDays: 1,
    mandateWaitHours: 2,
    pendingDays: 3,
    graceDays: 4,
    suspensionDays: 5,
    altaTtlDays: 6,
    retentionReadOnlyDays: 7,
    earlyWindowDays: 8,
    trialNoticeDays: 9,
    expiryNoticeDays: 10,
    renewalNoticeDays: 11,
    noticeHour: 12,
    trialHour: 13,
    invoiceHour: 14,
    minDwellHours: { pendiente_pago: 15, grace_period: 16, suspendida: 17 },
    cancelAccess: 'immediate',
    upgradeCollection: 'next_renewal',
  }
  for (const policy of [distinct, defaultPolicy]) {
    assert.deepEqual(policyOf(toPolitica(policy) as never), policy)
    assert.equal(Object.keys(toPolitica(policy)).length, Object.keys(defaultPolicy).length)
  }
  assert.deepEqual(
    Object.values(toPolitica(distinct)).filter((value) => typeof value === 'number'),
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14],
  )
})
