import type { Centavos } from '../../fiscal/money.ts'
import type { Feature } from './features.ts'

export const limitKeys = ['users', 'cfdis'] as const
export const priceKeys = ['month', 'year', 'extra_user'] as const

/** What one company has beyond or below its plan. */
export type OverrideTerms =
  | { readonly kind: 'feature'; readonly key: Feature; readonly enabled: boolean }
  | { readonly kind: 'limit'; readonly key: (typeof limitKeys)[number]; readonly limit: number }
  /** In the tax mode of the plan that it replaces the price of. */
  | { readonly kind: 'price'; readonly key: (typeof priceKeys)[number]; readonly priceC: Centavos }

export type Override = OverrideTerms & { readonly id: string; readonly validFrom: Date; readonly validTo: Date | null }

/** The price that replaces one of the plan, if any. Of several the one that was made last, which stands last. */
export function priceOverride(overrides: readonly Override[], key: (typeof priceKeys)[number]): Centavos | undefined {
  const found = overrides.findLast((override) => override.kind === 'price' && override.key === key)
  return found?.kind === 'price' ? found.priceC : undefined
}
