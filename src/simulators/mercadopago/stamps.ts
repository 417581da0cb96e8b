/** MercadoPago stamps with the offset of its servers, not with ours: `2026-11-25T12:00:00.000-04:00`. */
export const stamp = (instant: Date): string =>
  new Date(instant.getTime() - 4 * HOUR_MS).toISOString().replace('Z', '-04:00')

export const stampOrNull = (instant: Date | null): string | null => instant && stamp(instant)

export const HOUR_MS = 3_600_000
export const DAY_MS = 24 * HOUR_MS
export const MINUTE_MS = 60_000

export const after = (instant: Date, ms: number): Date => new Date(instant.getTime() + ms)
