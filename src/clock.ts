/** What time it is. Passed in `deps`, so that tests and the development clock can move it; durations use `performance.now()`. */
export interface Clock {
  now(): Date
}

export const systemClock: Clock = { now: () => new Date() }

const civil = new Intl.DateTimeFormat('sv-SE', {
  timeZone: 'America/Mexico_City',
  dateStyle: 'short',
  timeStyle: 'medium',
})

/** The civil time of central Mexico as `YYYY-MM-DDTHH:MM:SS`, the form CFDI dates have. */
export function mexicoCityTime(instant: Date): string {
  return civil.format(instant).replace(' ', 'T')
}
