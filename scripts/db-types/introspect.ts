/** A column as the catalogs of a migrated database describe it. */
export interface Column {
  table: string
  name: string
  /** `pg_type.typname`, of the element for an array. */
  type: string
  array: boolean
  nullable: boolean
  /** What fills the column when an insert leaves it out. */
  filledBy: 'nobody' | 'default' | 'always'
  /** The only values a CHECK of the shape `column in ('a', 'b')` lets through. */
  values: string[] | undefined
}

type Query = (text: string) => Promise<readonly Record<string, unknown>[]>

/** Every column of the schema `public`, in the order of tables and columns. The migrator's own ledger is left out. */
export async function readColumns(query: Query): Promise<Column[]> {
  const checks = await readChecks(query)
  const rows = await query(COLUMNS)
  return rows.map((row) => ({
    table: String(row['table']),
    name: String(row['name']),
    type: String(row['type']),
    array: row['array'] === true,
    nullable: row['nullable'] === true,
    filledBy: row['always'] === true ? 'always' : row['default'] === true ? 'default' : 'nobody',
    values: checks.get(`${row['table']}.${row['name']}`),
  }))
}

/** `CHECK ((state = ANY (ARRAY['a'::text, 'b'::text])))` is how PostgreSQL prints `check (state in ('a', 'b'))`. */
async function readChecks(query: Query): Promise<Map<string, string[]>> {
  const values = new Map<string, string[]>()
  for (const { table, name, definition } of await query(CHECKS)) {
    const list = /^CHECK \(\(\w+ = ANY \(ARRAY\[([^\]]+)\]\)\)\)$/.exec(String(definition))?.[1]
    const literals = list?.split(', ').map((item) => /^'([\w.-]+)'::text$/.exec(item)?.[1])
    if (literals?.every((literal) => literal !== undefined)) values.set(`${table}.${name}`, literals)
  }
  return values
}

const COLUMNS = `
  select c.relname as table, a.attname as name,
         coalesce(e.typname, t.typname) as type, e.oid is not null as array, not a.attnotnull as nullable,
         a.attidentity = 'a' or a.attgenerated <> '' as always, a.atthasdef or a.attidentity = 'd' as default
  from pg_catalog.pg_class c
  join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  join pg_catalog.pg_type t on t.oid = a.atttypid
  left join pg_catalog.pg_type e on e.oid = t.typelem and t.typcategory = 'A'
  where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
    and c.relname <> 'schema_migrations'
  order by c.relname collate "C", a.attnum`

const CHECKS = `
  select c.relname as table, a.attname as name, pg_get_constraintdef(k.oid) as definition
  from pg_catalog.pg_constraint k
  join pg_catalog.pg_class c on c.oid = k.conrelid
  join pg_catalog.pg_attribute a on a.attrelid = c.oid and k.conkey = array[a.attnum]
  where k.contype = 'c' and c.relnamespace = 'public'::regnamespace
  order by 1, 2`
