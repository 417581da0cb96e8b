/** A calendar month of taxes: year and month, 1 to 12. */
export interface Periodo {
  readonly ejercicio: number
  readonly mes: number
}

/**
 * The month of a CFDI date text (`2026-03-31T20:00:00`). Taken from the text: it is civil time of the place of issue
 * and means no instant. Through a Date of another zone that evening would be in April.
 */
export function periodoOf(fecha: string): Periodo {
  return { ejercicio: Number(fecha.slice(0, 4)), mes: Number(fecha.slice(5, 7)) }
}

/**
 * Reads `2026-03`.
 * @throws RangeError
 */
export function parsePeriodo(text: string): Periodo {
  if (!/^20\d\d-(0[1-9]|1[0-2])$/.test(text)) throw new RangeError(`not a period: ${text.slice(0, 20)}`)
  return periodoOf(text)
}

export function formatPeriodo({ ejercicio, mes }: Periodo): string {
  return `${ejercicio}-${String(mes).padStart(2, '0')}`
}

export function nextPeriodo({ ejercicio, mes }: Periodo): Periodo {
  return mes === 12 ? { ejercicio: ejercicio + 1, mes: 1 } : { ejercicio, mes: mes + 1 }
}

export function previousPeriodo({ ejercicio, mes }: Periodo): Periodo {
  return mes === 1 ? { ejercicio: ejercicio - 1, mes: 12 } : { ejercicio, mes: mes - 1 }
}

/** Below, at or above zero when `a` is before, equal to or after `b`. */
export function comparePeriodos(a: Periodo, b: Periodo): number {
  return a.ejercicio - b.ejercicio || a.mes - b.mes
}

/** The first and the last second of the month as CFDI dates, both inside it. */
export function limitsOf(periodo: Periodo): { desde: string; hasta: string } {
  const month = formatPeriodo(periodo)
  return { desde: `${month}-01T00:00:00`, hasta: `${month}-${daysOf(periodo)}T23:59:59` }
}

/** Whether `text` is a date and time of the calendar, `YYYY-MM-DDTHH:MM:SS`, in this century and without a zone. */
export function isFecha(text: string): boolean {
  const match = FECHA.exec(text)
  if (!match) return false
  const [ejercicio, mes, day, hour, minute, second] = match.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  if (mes < 1 || mes > 12 || day < 1 || day > daysOf({ ejercicio, mes })) return false
  return hour < 24 && minute < 60 && second < 60
}

const FECHA = /^(20\d\d)-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)$/

function daysOf({ ejercicio, mes }: Periodo): number {
  if (mes === 2) return ejercicio % 4 === 0 && (ejercicio % 100 !== 0 || ejercicio % 400 === 0) ? 29 : 28
  return [4, 6, 9, 11].includes(mes) ? 30 : 31
}
