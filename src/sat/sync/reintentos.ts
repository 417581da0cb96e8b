import { addDays, instantOf } from '../../fiscal/fecha.ts'
import { hoyDe } from './plan.ts'

/**
 * From when on a night asks again for a range that came to nothing: the next night, then after three days, then each week.
 * What the SAT or our own rules refuse by its parameters (301, 5001) would be refused the next night too: each week.
 * `reintentos` counts how often it was asked for again before.
 */
export function reintentarEn(
  { estado, reintentos }: { estado: 'fallida' | 'rechazada'; reintentos: number },
  now: Date,
): Date {
  const days = estado === 'rechazada' ? WEEK : (DAYS[reintentos] ?? WEEK)
  return instantOf(addDays(hoyDe(now), days), NIGHT)
}

/** Of a company in a day of Mexico City: lifetime requests are spent on them. */
export const MOST_RETRIED = 10

/** Farther ahead than any that is given: then a clock went wrong. */
export const FARTHEST_RETRY_MS = 9 * 86_400_000

const DAYS = [1, 3]
const WEEK = 7
/** The hour at which nights begin. */
const NIGHT = 3
