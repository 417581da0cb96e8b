/**
 * A civil day in central Mexico, `YYYY-MM-DD`. As text it compares and sorts like a date, and no zone can move it: through
 * a Date, the last evening of a month would be the first of the next.
 */
export type Fecha = string

/** @throws RangeError when it is no day of the calendar */
export function parseFecha(text: string): Fecha {
  const match = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text)
  const [year, month, day] = match ? match.slice(1).map(Number) : []
  if (!year || !month || !day || month > 12 || day > daysInMonth(year, month))
    throw new RangeError(`not a date: ${text.slice(0, 20)}`)
  return text
}

export function isFechaCivil(text: string): boolean {
  try {
    return parseFecha(text) === text
  } catch {
    return false
  }
}

/** The day it is in Mexico City. MercadoPago stamps with -04:00: half past midnight there is still yesterday here. */
export function fechaOf(instant: Date): Fecha {
  return CIVIL.format(instant).slice(0, 10)
}

/** The instant at which a clock in Mexico City shows this day and hour. */
export function instantOf(fecha: Fecha, hour = 0): Date {
  const asUtc = Date.UTC(...parts(fecha), hour)
  // The zone's offset then, found by asking what that instant reads as there: history and future decrees included.
  let instant = asUtc - offsetMs(asUtc)
  instant = asUtc - offsetMs(instant)
  return new Date(instant)
}

export function addDays(fecha: Fecha, days: number): Fecha {
  const [year, month, day] = parts(fecha)
  return textOf(new Date(Date.UTC(year, month, day + days)))
}

/** The same day of another month, or that month's last day where it has fewer. Always from the anchor: it never drifts. */
export function addMonths(fecha: Fecha, months: number): Fecha {
  const [year, month, day] = parts(fecha)
  const first = new Date(Date.UTC(year, month + months, 1))
  const last = daysInMonth(first.getUTCFullYear(), first.getUTCMonth() + 1)
  return textOf(new Date(Date.UTC(first.getUTCFullYear(), first.getUTCMonth(), Math.min(day, last))))
}

/** Days from `start` to `end`: 1 from a day to the next. */
export function daysBetween(start: Fecha, end: Fecha): number {
  return Math.round((Date.UTC(...parts(end)) - Date.UTC(...parts(start))) / DAY_MS)
}

/** In Spanish: `5 de febrero`. */
export const diaEnPalabras = (fecha: Fecha): string =>
  `${Number(fecha.slice(8, 10))} de ${MESES[Number(fecha.slice(5, 7)) - 1]}`

const MESES = 'enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre'.split(' ')

export const earlierFecha = (a: Fecha, b: Fecha): Fecha => (a < b ? a : b)

const DAY_MS = 86_400_000

const CIVIL = new Intl.DateTimeFormat('sv-SE', {
  timeZone: 'America/Mexico_City',
  dateStyle: 'short',
  timeStyle: 'medium',
})

function offsetMs(instant: number): number {
  const civil = CIVIL.format(instant - (instant % 1000))
  return Date.parse(`${civil.replace(' ', 'T')}Z`) - (instant - (instant % 1000))
}

function parts(fecha: Fecha): [year: number, month: number, day: number] {
  return [Number(fecha.slice(0, 4)), Number(fecha.slice(5, 7)) - 1, Number(fecha.slice(8, 10))]
}

const textOf = (utc: Date): Fecha => utc.toISOString().slice(0, 10)

const daysInMonth = (year: number, month: number) => new Date(Date.UTC(year, month, 0)).getUTCDate()
