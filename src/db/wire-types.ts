import type { PostgresType } from 'postgres'

/**
 * How values travel, keyed as postgres.js wants its `types`.
 *
 * numeric and int8 have no entry and so stay text. date and timestamp are civil time and stay text too: by default the
 * driver turns them into a Date in the server's zone, and on a server in Mexico City a CFDI of 2026-01-31T23:59:59 was
 * stored as 1 February 05:59:59. Arrays are declared here, by the fixed numbers of PostgreSQL's own types: the driver can ask each new
 * connection for them instead, but when that connection breaks meanwhile its rejection is caught by nobody and ends the
 * process (postgres 3.4.9, fetchArrayTypes).
 */
export function wireTypes(): Record<string, PostgresType> {
  const arrays = Object.entries(ARRAYS).map(([name, [oid, element]]) => [name, arrayType(oid, element)] as const)
  return { date: INSTANT, civil: CIVIL, ...Object.fromEntries(arrays) }
}

interface Element {
  parse: (text: string) => unknown
  serialize: (value: unknown) => string
}

const text = (value: unknown) => String(value)
const instant = (value: unknown) => (value instanceof Date ? value : new Date(String(value))).toISOString()

const TEXT: Element = { parse: (raw) => raw, serialize: text }
const NUMBER: Element = { parse: Number, serialize: text }
const BOOLEAN: Element = { parse: (raw) => raw === 't', serialize: (value) => (value === true ? 't' : 'f') }
const DATE: Element = { parse: (raw) => new Date(raw), serialize: instant }
const JSON_TEXT: Element = { parse: (raw) => JSON.parse(raw), serialize: (value) => JSON.stringify(value) }
const BYTES: Element = {
  parse: (raw) => Buffer.from(raw.slice(2), 'hex'),
  serialize: (value) => `\\x${Buffer.from(value as Uint8Array).toString('hex')}`,
}

const INSTANT: PostgresType = { to: 1184, from: [1184], serialize: instant, parse: DATE.parse }

const CIVIL: PostgresType = {
  to: 1082,
  from: [1082, 1114],
  parse: (raw) => raw,
  serialize(value) {
    if (value instanceof Date) throw new TypeError('date and timestamp columns take text, never a Date')
    return String(value)
  },
}

/** The OID of each array type in pg_type.dat; they have never changed. */
const ARRAYS: Record<string, [oid: number, Element]> = {
  bool_array: [1000, BOOLEAN],
  bytea_array: [1001, BYTES],
  char_array: [1002, TEXT],
  name_array: [1003, TEXT],
  int2_array: [1005, NUMBER],
  int4_array: [1007, NUMBER],
  text_array: [1009, TEXT],
  varchar_array: [1015, TEXT],
  int8_array: [1016, TEXT],
  float4_array: [1021, NUMBER],
  float8_array: [1022, NUMBER],
  oid_array: [1028, NUMBER],
  inet_array: [1041, TEXT],
  timestamp_array: [1115, TEXT],
  date_array: [1182, TEXT],
  timestamptz_array: [1185, DATE],
  numeric_array: [1231, TEXT],
  json_array: [199, JSON_TEXT],
  uuid_array: [2951, TEXT],
  jsonb_array: [3807, JSON_TEXT],
}

function arrayType(oid: number, element: Element): PostgresType {
  return {
    to: oid,
    from: [oid],
    parse: (raw) => parseArray(raw, element.parse),
    serialize: (value) => (Array.isArray(value) ? formatArray(value, element.serialize) : value),
  }
}

/** `['a', null]` becomes `{"a",NULL}`: everything is quoted, so that an element 'NULL' or '' stays a text. */
function formatArray(items: readonly unknown[], serialize: Element['serialize']): string {
  const parts = items.map((item) => {
    if (item === null) return 'NULL'
    if (Array.isArray(item)) return formatArray(item, serialize)
    if (item === undefined) throw new TypeError('undefined in an array parameter')
    return `"${serialize(item).replace(/["\\]/g, '\\$&')}"`
  })
  return `{${parts.join(',')}}`
}

/** The text form of arrays (PostgreSQL manual 8.15.6), without explicit bounds, which nothing here produces. */
function parseArray(raw: string, parse: Element['parse']): unknown[] {
  let at = 0
  return list()

  function list(): unknown[] {
    const items: unknown[] = []
    at++ // {
    while (raw[at] !== '}') {
      items.push(raw[at] === '{' ? list() : raw[at] === '"' ? parse(quoted()) : bare())
      if (raw[at] === ',') at++
    }
    at++ // }
    return items
  }

  function quoted(): string {
    let value = ''
    for (at++; raw[at] !== '"'; at++) value += raw[at] === '\\' ? raw[++at] : raw[at]
    at++
    return value
  }

  function bare(): unknown {
    const start = at
    while (raw[at] !== ',' && raw[at] !== '}') at++
    const value = raw.slice(start, at)
    return value === 'NULL' ? null : parse(value)
  }
}
