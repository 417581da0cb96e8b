import { addDays, type Fecha, instantOf } from '../../fiscal/fecha.ts'
import type { Centavos } from '../../fiscal/money.ts'
import { type History, movements } from '../metrics.ts'

export interface ActiveDay {
  day: Fecha
  /** Subscriptions with value when the day ended. */
  active: number
  mrrC: Centavos
}

/**
 * How many subscriptions had value at the end of each day from `first` to `last`, both included, and how much. Histories
 * as `findHistories` gives them.
 */
export function activeDays(histories: readonly History[], first: Fecha, last: Fecha): ActiveDay[] {
  const days: ActiveDay[] = []
  for (let day = first; day <= last; day = addDays(day, 1)) {
    const end = instantOf(addDays(day, 1))
    const active = histories.filter((history) => (history.findLast(({ at }) => at < end)?.valueC ?? 0n) > 0n).length
    days.push({ day, active, mrrC: movements(histories, end, end).mrr1C })
  }
  return days
}
