import { addDays, addMonths, fechaOf, instantOf } from '../../fiscal/fecha.ts'
import { after } from './stamps.ts'
import type { Preapproval, State } from './state.ts'

/**
 * When instalment `slot` of a mandate is debited: 0 is the first debit, the others lie on the grid of its day, always
 * counted from the anchor, so that one of 31 January falls on 28 February and 31 March.
 */
export function debitOf({ settings }: Pick<State, 'settings'>, preapproval: Preapproval, slot: number): Date | null {
  const { anchor, firstDebitAt, frequency, frequencyType } = preapproval
  if (!anchor || !firstDebitAt) return null
  if (slot === 0) return firstDebitAt
  const fecha = frequencyType === 'months' ? addMonths(anchor, slot * frequency) : addDays(anchor, slot * frequency)
  if (settings.debit_time === 'debit_hour') return instantOf(fecha, settings.debit_hour)
  const timeOfDayMs = firstDebitAt.getTime() - instantOf(fechaOf(firstDebitAt)).getTime()
  return after(instantOf(fecha), timeOfDayMs)
}
