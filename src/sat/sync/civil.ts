/** Seconds of civil time of Mexico as the SAT's service takes them, `YYYY-MM-DDTHH:MM:SS`. They mean no instant. */
export type Civil = string

/** So many seconds later, or earlier. */
export const plusSeconds = (civil: Civil, seconds: number): Civil => textOf(millisOf(civil) + seconds * 1000)

/** Seconds from `a` to `b`. */
export const secondsBetween = (a: Civil, b: Civil): number => (millisOf(b) - millisOf(a)) / 1000

export const laterCivil = (a: Civil, b: Civil): Civil => (a > b ? a : b)
export const earlierCivil = (a: Civil, b: Civil): Civil => (a < b ? a : b)

// Through UTC, which has no hour twice: civil seconds are counted as if every day had as many.
const millisOf = (civil: Civil): number => Date.parse(`${civil}Z`)
const textOf = (millis: number): Civil => new Date(millis).toISOString().slice(0, 19)
