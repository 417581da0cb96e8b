import { addDays, addMonths, type Fecha } from '../fiscal/fecha.ts'
import type { Frecuencia } from './subscription.ts'

/** Civil days [start, end): boundaries are midnights in Mexico City. */
export interface Period {
  readonly start: Fecha
  readonly end: Fecha
}

export const monthsOf = (frecuencia: Frecuencia): number => (frecuencia === 'anual' ? 12 : 1)

/**
 * Period `n` of the grid of an anchor, from 0. Both ends are counted from the anchor and clamped to the month's last
 * day: counted from the period before, the 31st would become the 30th and stay it for ever (billing.md 4.3).
 */
export function periodAt(anchor: Fecha, frecuencia: Frecuencia, n: number): Period {
  const months = monthsOf(frecuencia)
  return { start: addMonths(anchor, n * months), end: addMonths(anchor, (n + 1) * months) }
}

/** The period of the grid in which a day lies; before the anchor the first one. */
export function periodContaining(anchor: Fecha, frecuencia: Frecuencia, day: Fecha): Period {
  const [year, month] = [Number(day.slice(0, 4)), Number(day.slice(5, 7))]
  const elapsed = (year - Number(anchor.slice(0, 4))) * 12 + month - Number(anchor.slice(5, 7))
  const n = Math.max(0, Math.floor(elapsed / monthsOf(frecuencia)))
  const period = periodAt(anchor, frecuencia, n)
  // The day of the month decides: the 30th is still in the period that began on the 31st of the month before.
  return n > 0 && day < period.start ? periodAt(anchor, frecuencia, n - 1) : period
}

/** Spanish, with the last day instead of the midnight after it: `del 1 al 30 de junio de 2026`. */
export function inWords({ start, end }: Period): string {
  const [first, last] = [dayInWords(start), dayInWords(addDays(end, -1))]
  if (first.year !== last.year) return `del ${first.day} de ${first.year} al ${last.day} de ${last.year}`
  if (first.month !== last.month) return `del ${first.day} al ${last.day} de ${last.year}`
  if (first.number !== last.number) return `del ${first.number} al ${last.day} de ${last.year}`
  return `el ${last.day} de ${last.year}`
}

function dayInWords(day: Fecha) {
  const [year, month, number] = [day.slice(0, 4), MESES[Number(day.slice(5, 7)) - 1], Number(day.slice(8, 10))]
  return { year, month, number, day: `${number} de ${month}` }
}

const MESES = [
  'enero',
  'febrero',
  'marzo',
  'abril',
  'mayo',
  'junio',
  'julio',
  'agosto',
  'septiembre',
  'octubre',
  'noviembre',
  'diciembre',
]
