import type { Feature } from '../plans/features.ts'
import type { Access } from '../subscription.ts'
import type { Entitlements } from './entitlements.ts'

/** What somebody of a company, or a job about it, wants to do. */
export interface Wish {
  readonly writes: boolean
  readonly feature: Feature | undefined
  readonly siempre: 'facturacion' | 'exportar' | undefined
  readonly isAdmin: boolean
}

export type Refusal =
  | { readonly kind: 'access'; readonly access: Exclude<Access, 'full'> }
  | { readonly kind: 'feature'; readonly feature: Feature }

/** Why a wish is refused, access before feature (billing.md 8.4); undefined when nothing is against it. */
export function refusalOf({ access, features }: Entitlements, wish: Wish): Refusal | undefined {
  if (access !== 'full' && !isOpen(access, wish)) return { kind: 'access', access }
  if (wish.feature !== undefined && !features[wish.feature]) return { kind: 'feature', feature: wish.feature }
  return undefined
}

/** What clients and the queue know a refusal by. */
export function codeOf(refusal: Refusal): 'subscription_read_only' | 'subscription_blocked' | 'feature_not_in_plan' {
  if (refusal.kind === 'feature') return 'feature_not_in_plan'
  return refusal.access === 'blocked' ? 'subscription_blocked' : 'subscription_read_only'
}

function isOpen(access: 'read_only' | 'blocked', { writes, siempre, isAdmin }: Wish): boolean {
  if (siempre === 'facturacion') return true
  // Tax records are kept for years: their owner takes them along whatever is owed.
  if (access === 'blocked') return siempre === 'exportar' && isAdmin
  return !writes || siempre === 'exportar'
}
