/**
 * A column of texts as the literal of a PostgreSQL array. One text per column is what costs least on the way to the
 * server and in it: less than half of what the same rows cost as JSON.
 */
export function arrayLiteral(values: readonly (string | null)[]): string {
  let literal = '{'
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as string | null
    if (i > 0) literal += ','
    literal += value === null ? 'NULL' : quoted(value)
  }
  return `${literal}}`
}

/** Bytes as PostgreSQL reads them. */
export const bytea = (bytes: Buffer): string => `\\x${bytes.toString('hex')}`

const quoted = (value: string): string => (ESCAPED.test(value) ? `"${value.replace(EVERY, '\\$&')}"` : `"${value}"`)

const ESCAPED = /["\\]/
const EVERY = /["\\]/g
