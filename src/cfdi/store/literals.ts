/**
 * A column of texts as the literal of a PostgreSQL array. One text per column is what costs least on the way to the
 * server and in it: less than half of what the same rows cost as JSON.
 */
export function arrayLiteral(values: readonly (string | null)[]): string {
  if (values.some((value) => value !== null && NAMED.test(value))) return `{${values.map(quoted).join(',')}}`
  // JSON's list is the same otherwise; and one flat text in one step, where adding up parts leaves the collector a tree of them.
  return `{${JSON.stringify(values).slice(1, -1)}}`
}

/** Bytes as PostgreSQL reads them. */
export const bytea = (bytes: Buffer): string => `\\x${bytes.toString('hex')}`

const quoted = (value: string | null): string =>
  value === null ? 'NULL' : ESCAPED.test(value) ? `"${value.replace(EVERY, '\\$&')}"` : `"${value}"`

/** What JSON has names and numbers for: control characters and halves of a pair. */
const NAMED = /[\0-\x1f\ud800-\udfff]/
const ESCAPED = /["\\]/
const EVERY = /["\\]/g
