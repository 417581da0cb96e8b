import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Feature, features } from '../plans/features.ts'
import type { Override, OverrideTerms } from '../plans/override.ts'
import type { Plan } from '../plans/plan.ts'
import { defaultPolicy, type Subscription } from '../subscription.ts'
import { refusalOf, type Wish } from './admit.ts'
import { compute, type Sold, TTL_MS, verify } from './entitlements.ts'

const NOW = new Date('2027-03-10T18:00:00Z')
const later = (ms: number) => new Date(NOW.getTime() + ms)

const plan: Plan = {
  code: 'business',
  version: 2,
  nombre: 'Business',
  priceMonthC: 65_000n,
  priceYearC: null,
  extraUserC: 8_500n,
  taxMode: 'included',
  taxRateBp: 1600,
  cfdiLimit: 500,
  userLimit: 3,
  userLimitMode: 'soft',
  cfdiLimitMode: 'hard',
  features: ['cfdi_basic', 'iva_isr'],
}

const active: Subscription = {
  estado: 'activa',
  motivo: null,
  frecuencia: 'mensual',
  anchor: '2027-03-01',
  periodStart: '2027-03-01',
  periodEnd: '2027-04-01',
  paidThrough: '2027-04-01',
  trialEnd: null,
  cancelAt: null,
  endedAt: null,
  pastDueSince: null,
  deadlineAt: null,
  enteredAt: NOW,
  pauseUntil: null,
  suspendedByStaff: false,
  courtesy: false,
  everPaid: true,
  mandateId: null,
  mandates: [],
  notices: { trialEnding: null, expiry: null, renewal: null, rejection: null, prepared: null },
}

const sold = (change: Partial<Sold> = {}): Sold => ({
  sub: active,
  plan,
  taxRateBp: null,
  overrides: [],
  overridesChangeAt: null,
  ...change,
})
const of = (change: Partial<Sold> | undefined) =>
  compute({ tenantId: 't', version: '7.a', sold: change && sold(change), policy: defaultPolicy }, NOW)
const override = (terms: OverrideTerms): Override => ({ id: 'o', validFrom: NOW, validTo: null, ...terms })

test('a plan is its limits and features, for five minutes', () => {
  const { limits, features: has, access, expiresAt, extraUserC, version, estado } = of({})
  assert.deepEqual(limits, { users: { max: 3, mode: 'soft' }, cfdis: { max: 500, mode: 'hard' } })
  assert.deepEqual(
    features.filter((feature) => has[feature]),
    plan.features,
  )
  assert.deepEqual([access, extraUserC, version, estado], ['full', 8_500n, '7.a', 'activa'])
  assert.deepEqual(expiresAt, later(TTL_MS))
})

test('exceptions stand above the plan, of two about one thing the later one', () => {
  const overrides = [
    override({ kind: 'feature', key: 'reportes', enabled: true }),
    override({ kind: 'feature', key: 'iva_isr', enabled: false }),
    override({ kind: 'limit', key: 'users', limit: 5 }),
    override({ kind: 'limit', key: 'users', limit: 9 }),
    override({ kind: 'limit', key: 'cfdis', limit: -1 }),
    override({ kind: 'price', key: 'extra_user', priceC: 5_000n }),
  ]
  const { limits, features: has, extraUserC } = of({ overrides })
  assert.deepEqual([limits.users.max, limits.cfdis.max, extraUserC], [9, -1, 5_000n])
  assert.deepEqual([has.reportes, has.iva_isr, has.cfdi_basic], [true, false, true])
})

test('only who pays goes beyond the users of the plan', () => {
  const mode = (change: Partial<Subscription>, of_: Partial<Plan> = {}) =>
    of({ sub: { ...active, ...change }, plan: { ...plan, ...of_ } }).limits.users.mode
  for (const estado of ['activa', 'pendiente_pago', 'pausada', 'grace_period'] as const)
    assert.equal(mode({ estado }), 'soft', estado)
  for (const estado of ['trial', 'vencida', 'cancelada'] as const) assert.equal(mode({ estado }), 'hard', estado)
  assert.equal(mode({ estado: 'pendiente_pago', motivo: 'alta', everPaid: false }), 'hard', 'has not paid yet')
  assert.equal(mode({ courtesy: true }), 'hard', 'nothing is charged for a gift')
  assert.equal(mode({}, { extraUserC: null }), 'hard', 'there is no price to charge')
  assert.equal(mode({}, { userLimitMode: 'hard' }), 'hard')
})

test('an excluded tax and a rate of its own make what an extra user costs', () => {
  const excluded = { ...plan, taxMode: 'excluded' as const }
  assert.equal(of({ plan: excluded }).extraUserC, 9_860n)
  assert.equal(of({ plan: excluded, taxRateBp: 800 }).extraUserC, 9_180n)
})

test('a snapshot is not believed beyond the next change that comes by itself', () => {
  const soon = later(60_000)
  assert.deepEqual(of({ overridesChangeAt: soon }).expiresAt, soon)
  assert.deepEqual(of({ overridesChangeAt: later(2 * TTL_MS) }).expiresAt, later(TTL_MS))
  // Paused and paid up to a midnight in Mexico City: full until then, and the snapshot of a minute before ends with it.
  const midnight = new Date('2027-04-01T06:00:00Z')
  const minuteBefore = new Date(midnight.getTime() - 60_000)
  const grounds = {
    tenantId: 't',
    version: '1.a',
    sold: sold({ sub: { ...active, estado: 'pausada' } }),
    policy: defaultPolicy,
  }
  const before = compute(grounds, minuteBefore)
  assert.deepEqual([before.access, before.expiresAt], ['full', midnight])
  assert.equal(compute(grounds, midnight).access, 'read_only')
})

test('a company without a subscription can do nothing', () => {
  const { access, estado, limits, features: has, extraUserC } = of(undefined)
  assert.deepEqual([access, estado, limits.users.max, limits.cfdis.max, extraUserC], ['blocked', null, 0, 0, null])
  assert.ok(features.every((feature) => !has[feature]))
})

test('so many more fit or not, and cost what is beyond', () => {
  const hard = { max: 3, mode: 'hard' } as const
  const soft = { max: 3, mode: 'soft' } as const
  assert.deepEqual(verify(hard, null, 2, 1), { allowed: true, extraC: null })
  assert.deepEqual(verify(hard, null, 2, 2), { allowed: false, extraC: null })
  assert.deepEqual(verify(hard, null, 5, 1), { allowed: false, extraC: null }, 'after a downgrade')
  assert.deepEqual(verify(soft, 8_500n, 2, 1), { allowed: true, extraC: null })
  assert.deepEqual(verify(soft, 8_500n, 2, 3), { allowed: true, extraC: 17_000n })
  assert.deepEqual(verify(soft, 8_500n, 5, 1), { allowed: true, extraC: 8_500n }, 'those beyond already are paid for')
  assert.deepEqual(verify({ max: -1, mode: 'hard' }, null, 1_000_000, 100_000), { allowed: true, extraC: null })
})

test('access stands before features, and each opens what billing.md 8.4 says', () => {
  const base: Wish = { writes: false, feature: undefined, siempre: undefined, isAdmin: false }
  const wishes: Record<string, Wish> = {
    reads: base,
    writes: { ...base, writes: true },
    'settles, as anybody': { ...base, writes: true, siempre: 'facturacion' },
    'exports, as anybody': { ...base, writes: true, siempre: 'exportar' },
    'exports, as admin': { ...base, writes: true, siempre: 'exportar', isAdmin: true },
    'writes, as admin': { ...base, writes: true, isAdmin: true },
  }
  const open = (access: 'full' | 'read_only' | 'blocked') =>
    Object.keys(wishes).filter((name) => !refusalOf({ ...of({}), access }, wishes[name] as Wish))
  assert.deepEqual(open('full'), Object.keys(wishes))
  assert.deepEqual(open('read_only'), ['reads', 'settles, as anybody', 'exports, as anybody', 'exports, as admin'])
  assert.deepEqual(open('blocked'), ['settles, as anybody', 'exports, as admin'])

  const feature: Feature = 'reportes'
  assert.deepEqual(refusalOf(of({}), { ...base, feature }), { kind: 'feature', feature })
  const both = refusalOf({ ...of({}), access: 'read_only' }, { ...base, writes: true, feature })
  assert.deepEqual(both, { kind: 'access', access: 'read_only' })
})
