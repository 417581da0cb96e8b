import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Override, OverrideTerms } from './override.ts'
import type { Plan } from './plan.ts'
import { extraUserPriceOf, priceOf } from './price-of.ts'

const plan: Plan = {
  code: 'business',
  version: 3,
  nombre: 'Business',
  priceMonthC: 65_000n,
  priceYearC: 650_000n,
  extraUserC: 8_500n,
  taxMode: 'included',
  taxRateBp: 1600,
  cfdiLimit: 500,
  userLimit: 3,
  userLimitMode: 'soft',
  cfdiLimitMode: 'hard',
  features: ['dashboard'],
}
const net: Plan = { ...plan, taxMode: 'excluded' }
const override = (terms: OverrideTerms): Override => ({
  id: '019adb4e-0000-7000-8000-000000000001',
  validFrom: new Date('2026-01-01T06:00:00Z'),
  validTo: null,
  ...terms,
})

test('a price with its IVA inside is what is charged, whatever the rate', () => {
  assert.equal(priceOf(plan, [], 'mensual', null), 65_000n)
  assert.equal(priceOf(plan, [], 'anual', null), 650_000n)
  assert.equal(priceOf(plan, [], 'mensual', 800), 65_000n)
  assert.equal(extraUserPriceOf(plan, [], null), 8_500n)
})

test('a price without IVA has it added, at the rate of the company where it has its own', () => {
  assert.equal(priceOf(net, [], 'mensual', null), 75_400n)
  assert.equal(priceOf(net, [], 'mensual', 800), 70_200n)
  assert.equal(priceOf(net, [], 'mensual', 0), 65_000n)
  assert.equal(extraUserPriceOf(net, [], null), 9_860n)
})

test('what staff has not priced has no price', () => {
  const unpriced: Plan = { ...plan, priceMonthC: null, priceYearC: null, extraUserC: null }
  assert.equal(priceOf(unpriced, [], 'mensual', null), null)
  assert.equal(priceOf(unpriced, [], 'anual', 800), null)
  assert.equal(extraUserPriceOf(unpriced, [], null), null)
  const agreed = [override({ kind: 'price', key: 'year', priceC: 500_000n })]
  assert.equal(priceOf(unpriced, agreed, 'anual', null), 500_000n)
  assert.equal(priceOf(unpriced, agreed, 'mensual', null), null)
})

test('a price agreed with one company replaces that price and no other, in the tax mode of the plan', () => {
  const agreed = [
    override({ kind: 'price', key: 'month', priceC: 50_000n }),
    override({ kind: 'limit', key: 'users', limit: 9 }),
    override({ kind: 'feature', key: 'xml_sat', enabled: true }),
  ]
  assert.equal(priceOf(plan, agreed, 'mensual', null), 50_000n)
  assert.equal(priceOf(net, agreed, 'mensual', null), 58_000n)
  assert.equal(priceOf(plan, agreed, 'anual', null), 650_000n)
  assert.equal(extraUserPriceOf(plan, agreed, null), 8_500n)
  const extra = [override({ kind: 'price', key: 'extra_user', priceC: 0n })]
  assert.equal(extraUserPriceOf(plan, extra, null), 0n)
  assert.equal(priceOf(plan, extra, 'mensual', null), 65_000n)
})

test('of two prices agreed about the same thing the one made last counts', () => {
  const first = override({ kind: 'price', key: 'month', priceC: 50_000n })
  const second = override({ kind: 'price', key: 'month', priceC: 0n })
  assert.equal(priceOf(plan, [first, second], 'mensual', null), 0n)
  assert.equal(priceOf(plan, [second, first], 'mensual', null), 50_000n)
})
