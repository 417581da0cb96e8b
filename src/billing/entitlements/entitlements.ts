import type { Centavos } from '../../fiscal/money.ts'
import { access, accessChangesAt } from '../access.ts'
import { type Feature, features } from '../plans/features.ts'
import type { Override } from '../plans/override.ts'
import { type LimitMode, type Plan, UNLIMITED } from '../plans/plan.ts'
import { extraUserPriceOf } from '../plans/price-of.ts'
import type { Access, Estado, Policy, Subscription } from '../subscription.ts'

/** How many of something a company may have: -1 is any number. `soft` lets more in, `hard` does not. */
export interface Limit {
  readonly max: number
  readonly mode: LimitMode
}

/**
 * What a company may do, as one snapshot (billing.md 8.2). It is replaced, never changed. What it has used is not in it:
 * a count that was remembered must not decide (8.3).
 */
export interface Entitlements {
  readonly tenantId: string
  /** Every change of what it is made of, but the passing of time, makes another one. */
  readonly version: string
  readonly computedAt: Date
  /** Not to be believed from here on: five minutes later, or when access or an exception changes by itself. */
  readonly expiresAt: Date
  readonly access: Access
  /** Null for a company without a subscription, which is blocked. */
  readonly estado: Estado | null
  readonly limits: { readonly users: Limit; readonly cfdis: Limit }
  /** What each user beyond `limits.users` costs per period, centavos as charged; null when none is let in. */
  readonly extraUserC: Centavos | null
  readonly features: Readonly<Record<Feature, boolean>>
}

/** What the snapshot of a company is made of. */
export interface Grounds {
  readonly tenantId: string
  readonly version: string
  readonly sold: Sold | undefined
  readonly policy: Policy
}

/** Its subscription, the plan version that it was sold, and the exceptions in force. */
export interface Sold {
  readonly sub: Subscription
  readonly plan: Plan
  readonly taxRateBp: number | null
  /** In force, the one made last standing last. */
  readonly overrides: readonly Override[]
  /** When one of them ends or another begins; null when none does. */
  readonly overridesChangeAt: Date | null
}

/** For how long a snapshot is believed when nobody tells of a change. */
export const TTL_MS = 5 * 60_000

/** Every company is born with a subscription: one without is a fault of ours, and it fails closed. */
export function compute({ tenantId, version, sold, policy }: Grounds, now: Date): Entitlements {
  const made = { tenantId, version, computedAt: now }
  const last = new Date(now.getTime() + TTL_MS)
  if (!sold) return { ...made, ...NOTHING, expiresAt: last }
  const { sub, plan, overrides, overridesChangeAt } = sold
  const cfdis = { max: limitOf(overrides, 'cfdis') ?? plan.cfdiLimit, mode: plan.cfdiLimitMode }
  return {
    ...made,
    expiresAt: earliest([last, accessChangesAt(sub, now, policy), overridesChangeAt]),
    access: access(sub, now, policy),
    estado: sub.estado,
    limits: { users: usersLimit(sold), cfdis },
    extraUserC: extraUserC(sold),
    features: featuresOf(plan, overrides),
  }
}

/** Charging for one more needs somebody who pays: a trial, a sign-up that has not paid and a gift are held to the limit. */
function usersLimit(sold: Sold): Limit {
  const max = limitOf(sold.overrides, 'users') ?? sold.plan.userLimit
  return { max, mode: extraUserC(sold) === null ? 'hard' : 'soft' }
}

function extraUserC({ sub, plan, overrides, taxRateBp }: Sold): Centavos | null {
  if (plan.userLimitMode === 'hard' || !sub.everPaid || sub.courtesy || !PAYING.has(sub.estado)) return null
  return extraUserPriceOf(plan, overrides, taxRateBp)
}

const PAYING: ReadonlySet<Estado> = new Set(['activa', 'pausada', 'pendiente_pago', 'grace_period', 'suspendida'])

function limitOf(overrides: readonly Override[], key: 'users' | 'cfdis'): number | undefined {
  const found = overrides.findLast((override) => override.kind === 'limit' && override.key === key)
  return found?.kind === 'limit' ? found.limit : undefined
}

function featuresOf(plan: Plan, overrides: readonly Override[]): Record<Feature, boolean> {
  const has = (feature: Feature) => {
    const found = overrides.findLast((override) => override.kind === 'feature' && override.key === feature)
    return found?.kind === 'feature' ? found.enabled : plan.features.includes(feature)
  }
  return Object.fromEntries(features.map((feature) => [feature, has(feature)])) as Record<Feature, boolean>
}

/** Whether so many more are let in beside those that are used, and what they add to every period; null when nothing. */
export function verify({ max, mode }: Limit, extraUserC: Centavos | null, used: number, wanted: number) {
  const beyond = (n: number) => (max === UNLIMITED ? 0 : Math.max(0, n - max))
  const more = beyond(used + wanted) - beyond(used)
  const allowed = mode === 'soft' || more === 0
  return { allowed, extraC: allowed && more > 0 && extraUserC !== null ? BigInt(more) * extraUserC : null }
}

const NOTHING = {
  access: 'blocked',
  estado: null,
  limits: { users: { max: 0, mode: 'hard' }, cfdis: { max: 0, mode: 'hard' } },
  extraUserC: null,
  features: Object.fromEntries(features.map((feature) => [feature, false])) as Record<Feature, boolean>,
} as const

function earliest(instants: readonly (Date | null)[]): Date {
  return new Date(Math.min(...instants.flatMap((instant) => (instant ? [instant.getTime()] : []))))
}
