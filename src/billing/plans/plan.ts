import type { Centavos } from '../../fiscal/money.ts'
import type { TaxMode } from '../prices.ts'
import type { Feature } from './features.ts'

/** `hard` refuses what is beyond the limit, `soft` lets it in: users are then charged, CFDI are told of. */
export const limitModes = ['hard', 'soft'] as const
export type LimitMode = (typeof limitModes)[number]

/** Limit of those who have none. */
export const UNLIMITED = -1

/** One version of a plan. It never changes: what was sold stays as it was sold. */
export interface Plan {
  readonly code: string
  readonly version: number
  readonly nombre: string
  /** As configured: `taxMode` says whether IVA is inside. Null until staff sets it: then it is not for sale. */
  readonly priceMonthC: Centavos | null
  readonly priceYearC: Centavos | null
  /** Per user beyond `userLimit` and period. */
  readonly extraUserC: Centavos | null
  readonly taxMode: TaxMode
  /** Basis points: 1600 is 16 %. */
  readonly taxRateBp: number
  readonly cfdiLimit: number
  readonly userLimit: number
  readonly userLimitMode: LimitMode
  readonly cfdiLimitMode: LimitMode
  readonly features: readonly Feature[]
}

/** What staff decides about a plan; its version follows. */
export type PlanTerms = Omit<Plan, 'version'>

/** The names of what differs, so that a new version can say why it is there. */
export function differences(a: PlanTerms, b: PlanTerms): (keyof PlanTerms)[] {
  return TERMS.filter((term) => String(a[term]) !== String(b[term]))
}

const TERMS = [
  'nombre',
  'priceMonthC',
  'priceYearC',
  'extraUserC',
  'taxMode',
  'taxRateBp',
  'cfdiLimit',
  'userLimit',
  'userLimitMode',
  'cfdiLimitMode',
  'features',
] as const satisfies readonly (keyof PlanTerms)[]
