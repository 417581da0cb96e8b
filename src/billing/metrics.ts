import type { Centavos } from '../fiscal/money.ts'
import { monthsOf } from './periods.ts'
import { roundHalfAway, splitTax } from './prices.ts'
import type { Estado, Frecuencia } from './subscription.ts'

/**
 * What a subscription is worth a month, in centavos without IVA (billing.md 4.10): the base of its charged price over the
 * months of its interval, half up. Trials, paused, suspended, ended and given ones are worth nothing.
 */
export function monthlyValue({ estado, courtesy, chargedC, rateBp, frecuencia }: Valued): Centavos {
  if (courtesy || !PAYING.has(estado)) return 0n
  return roundHalfAway(splitTax(chargedC, rateBp).baseC, BigInt(monthsOf(frecuencia)))
}

export interface Valued {
  readonly estado: Estado
  readonly courtesy: boolean
  /** What is charged for a whole period, IVA inside. */
  readonly chargedC: Centavos
  readonly rateBp: number
  readonly frecuencia: Frecuencia
}

/** How a subscription stood from an instant on. */
export interface Standing {
  readonly at: Date
  readonly estado: Estado
  /** Its monthly value, as `monthlyValue` has it. */
  readonly valueC: Centavos
}

/** Of one subscription, oldest first; of two at one instant the later one counts. */
export type History = readonly Standing[]

export interface Movements {
  readonly mrr0C: Centavos
  readonly newC: Centavos
  readonly reactivationC: Centavos
  readonly expansionC: Centavos
  readonly contractionC: Centavos
  readonly churnedC: Centavos
  readonly mrr1C: Centavos
  /** Twelve times the MRR of the end. */
  readonly arrC: Centavos
}

/**
 * How the MRR came from what it was just before `from` to what it was just before `to` (billing.md 4.10). Each change of
 * value counts as what it is, so movements of consecutive windows add up; all amounts are zero or more.
 * @throws RangeError when the window is backwards
 * @throws Error when the movements do not explain the difference: a history is out of order
 */
export function movements(histories: readonly History[], from: Date, to: Date): Movements {
  if (to < from) throw new RangeError('the window ends before it begins')
  const sums = { newC: 0n, reactivationC: 0n, expansionC: 0n, contractionC: 0n, churnedC: 0n }
  for (const history of histories)
    for (const [index, standing] of history.entries())
      if (standing.at >= from && standing.at < to) {
        const change = standing.valueC - (history[index - 1]?.valueC ?? 0n)
        if (change !== 0n) sums[kindOf(history, index)] += change < 0n ? -change : change
      }
  const [mrr0C, mrr1C] = [mrrBefore(histories, from), mrrBefore(histories, to)]
  const explained = mrr0C + sums.newC + sums.reactivationC + sums.expansionC - sums.contractionC - sums.churnedC
  if (explained !== mrr1C) throw new Error(`movements of MRR lead to ${explained}, and it is ${mrr1C}`)
  return { mrr0C, ...sums, mrr1C, arrC: 12n * mrr1C }
}

export interface Churn {
  /** Subscriptions with value just before the window. */
  readonly atStart: number
  /** Those of them without value at its end. */
  readonly lost: number
  /** Subscriptions with value at the end, whenever they came. */
  readonly atEnd: number
  /** Basis points, half up; null where there was nothing to lose. */
  readonly logoBp: number | null
  readonly grossBp: number | null
  readonly netBp: number | null
}

/**
 * What became of the customers of the start (billing.md 4.10), each by its value at both ends of the window: churned and
 * contraction over MRR₀, and what is left of MRR₀ with expansion over it. Whoever came and went in between, or was
 * suspended and paid, was not lost; so gross churn is never above 100 %, as it could be from the sums of `movements`,
 * with which it agrees where nobody moved twice.
 * @throws RangeError when the window is backwards
 */
export function churn(histories: readonly History[], from: Date, to: Date): Churn {
  if (to < from) throw new RangeError('the window ends before it begins')
  const ends = histories.map((history) => ({ startC: valueBefore(history, from), endC: valueBefore(history, to) }))
  const cohort = ends.filter(({ startC }) => startC > 0n)
  const sum = (of: (subscription: { startC: Centavos; endC: Centavos }) => Centavos) =>
    cohort.reduce((total, subscription) => total + of(subscription), 0n)
  const mrr0C = sum(({ startC }) => startC)
  const lost = cohort.filter(({ endC }) => endC === 0n).length
  return {
    atStart: cohort.length,
    lost,
    atEnd: ends.filter(({ endC }) => endC > 0n).length,
    logoBp: basisPoints(BigInt(lost), BigInt(cohort.length)),
    grossBp: basisPoints(
      sum(({ startC, endC }) => (endC < startC ? startC - endC : 0n)),
      mrr0C,
    ),
    netBp: basisPoints(
      sum(({ endC }) => endC),
      mrr0C,
    ),
  }
}

const PAYING: ReadonlySet<Estado> = new Set<Estado>(['activa', 'pendiente_pago', 'grace_period'])

type Kind = 'newC' | 'reactivationC' | 'expansionC' | 'contractionC' | 'churnedC'

function kindOf(history: History, index: number): Kind {
  const now = history[index]?.valueC ?? 0n
  const before = history[index - 1]
  if (before && before.valueC > 0n) return now === 0n ? 'churnedC' : now > before.valueC ? 'expansionC' : 'contractionC'
  switch (before?.estado) {
    case undefined:
    case 'trial':
    case 'vencida':
      return 'newC'
    case 'pausada':
    case 'suspendida':
    case 'cancelada':
      return 'reactivationC'
    case 'activa':
    case 'pendiente_pago':
    case 'grace_period':
      // Given until now. It comes back if it was ever worth something before, and is new if this is its first.
      return history.slice(0, index).some(({ valueC }) => valueC > 0n) ? 'reactivationC' : 'newC'
  }
}

const valueBefore = (history: History, instant: Date): Centavos =>
  history.findLast(({ at }) => at < instant)?.valueC ?? 0n

const mrrBefore = (histories: readonly History[], instant: Date): Centavos =>
  histories.reduce((sum, history) => sum + valueBefore(history, instant), 0n)

const basisPoints = (part: bigint, whole: bigint): number | null =>
  whole === 0n ? null : Number(roundHalfAway(part * 10_000n, whole))
