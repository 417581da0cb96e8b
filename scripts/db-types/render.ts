import type { Column } from './introspect.ts'

/** The text of `src/db/tables.ts`: one interface per table, one schema per kind of database. */
export function renderTables(central: readonly Column[], tenant: readonly Column[]): string {
  return [HEAD, renderDatabase('Central', central), renderDatabase('Tenant', tenant)].join('\n')
}

function renderDatabase(side: string, columns: readonly Column[]): string {
  const tables = Map.groupBy(columns, (column) => column.table)
  const interfaces = [...tables].map(([table, own]) => renderTable(side, table, own))
  const entries = [...tables.keys()].map((table) => `  ${table}: ${interfaceName(side, table)}`)
  return [...interfaces, `export interface ${side}Tables {\n${entries.join('\n')}\n}\n`].join('\n')
}

function renderTable(side: string, table: string, columns: readonly Column[]): string {
  const lines = columns.map((column) => `  ${column.name}: ${columnType(column)}`)
  return `export interface ${interfaceName(side, table)} {\n${lines.join('\n')}\n}\n`
}

/** `tenant_databases` of the central database becomes `CentralTenantDatabases`: the side is in the name, both have an outbox. */
function interfaceName(side: string, table: string): string {
  return side + table.replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase())
}

function columnType({ type, array, nullable, filledBy, values }: Column): string {
  const scalar = values ? values.map((value) => `'${value}'`).join(' | ') : typeOf(type)
  const whole = array ? `${scalar.includes('|') ? `(${scalar})` : scalar}[]` : scalar
  const withNull = nullable ? `${whole} | null` : whole
  if (filledBy === 'always') return `Always<${withNull}>`
  return filledBy === 'default' ? `Filled<${withNull}>` : withNull
}

function typeOf(type: string): string {
  const known = TYPES[type]
  if (!known) throw new Error(`scripts/db-types: no TypeScript type is known for the PostgreSQL type ${type}`)
  return known
}

const TYPES: Readonly<Record<string, string>> = {
  bool: 'boolean',
  bytea: 'Bytes',
  date: 'string',
  float8: 'number',
  inet: 'string',
  int2: 'number',
  int4: 'number',
  int8: 'BigInteger',
  jsonb: 'Json',
  numeric: 'string',
  text: 'string',
  timestamp: 'string',
  timestamptz: 'Instant',
  uuid: 'string',
  tsvector: 'string',
}

const HEAD = `// Made by \`make db-types\` from a migrated central and tenant database. Do not edit: change a migration and make it again.
import type { ColumnType } from 'kysely'

/** The database fills it when an insert leaves it out. */
type Filled<T> = T extends ColumnType<infer S, infer I, infer U> ? ColumnType<S, I | undefined, U> : ColumnType<T, T | undefined, T>
/** The database alone fills it: an identity or a generated column. */
type Always<T> = T extends ColumnType<infer S, unknown, unknown> ? ColumnType<S, never, never> : ColumnType<T, never, never>

/** int8: text when read (a JavaScript number would round it); cast to int in SQL where it is known to be small. */
type BigInteger = ColumnType<string, bigint | number | string, bigint | number | string>
type Instant = ColumnType<Date, Date | string, Date | string>
type Bytes = ColumnType<Buffer, Uint8Array, Uint8Array>
/** jsonb: objects and arrays go in, never strings; what comes out is believed only after zod has read it. */
type Json = ColumnType<unknown, object, object>
`
