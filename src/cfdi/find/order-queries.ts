import { type RawBuilder, sql } from 'kysely'
import { type Columna, type Criterio, ORDEN_INICIAL } from './schemas.ts'

/** How the list is sorted: what it says in SQL, and what comes after a row. */
export interface Order {
  /** For `order by`, over `cfdis` under this alias. */
  by(alias: string): RawBuilder<unknown>
  /** What of `cfdis c` follows the row with this id. */
  after(uuid: string): RawBuilder<unknown>
  /** By date of issue and nothing else. */
  readonly byFecha: boolean
  /** An index of the whole list begins like it, so its first rows are found without sorting all. */
  readonly indexed: boolean
}

/**
 * The order of `criterios`, made total by the folio fiscal, which goes the way of the last of them. What is missing comes
 * last, whichever the way.
 *
 * A cursor is the id of a row: the values to go on from are read where they are, so that it is short whatever the names,
 * and nobody can write values into it. None of the columns changes after a CFDI came in.
 */
export function orderOf(criterios: readonly Criterio[] = ORDEN_INICIAL): Order {
  const desc = criterios.at(-1)?.desc ?? false
  const keys = [...criterios.map(({ columna, desc }) => ({ ...SQL[columna], desc })), { column: 'uuid_fiscal', desc }]
  return {
    by: (alias) => sql.join(keys.map((key) => sql.raw(`${over(alias, key)}${key.desc ? ' desc' : ''}${nulls(key)}`))),
    after: (uuid) => after(keys, uuid),
    byFecha: criterios.length === 1 && criterios[0]?.columna === 'fechaEmision',
    indexed: criterios[0]?.columna === 'fechaEmision' || criterios[0]?.columna === 'total',
  }
}

interface Key {
  readonly column: string
  readonly nullable?: boolean
  /** As people read it: Spanish, F9 before F10. */
  readonly human?: boolean
  readonly desc: boolean
}

const SQL: Readonly<Record<Columna, Omit<Key, 'desc'>>> = {
  fechaEmision: { column: 'fecha_emision' },
  fechaTimbrado: { column: 'fecha_timbrado' },
  tipo: { column: 'tipo' },
  direccion: { column: 'direccion' },
  serie: { column: 'serie', nullable: true, human: true },
  folio: { column: 'folio', nullable: true, human: true },
  rfcEmisor: { column: 'rfc_emisor' },
  nombreEmisor: { column: 'nombre_emisor', nullable: true, human: true },
  rfcReceptor: { column: 'rfc_receptor' },
  nombreReceptor: { column: 'nombre_receptor', nullable: true, human: true },
  subtotal: { column: 'subtotal' },
  iva: { column: 'iva' },
  total: { column: 'total' },
  moneda: { column: 'moneda' },
  metodoPago: { column: 'metodo_pago', nullable: true },
  formaPago: { column: 'forma_pago', nullable: true },
  usoCfdi: { column: 'uso_cfdi', nullable: true },
}

const over = (alias: string, { column, human }: Key) => `${alias}.${column}${human ? ' collate orden_humano' : ''}`

// Said only where there can be some: an index in the other order of nulls would not be used.
const nulls = ({ nullable, desc }: Key) => (nullable && desc ? ' nulls last' : '')

function after(keys: readonly Key[], uuid: string): RawBuilder<unknown> {
  const c = (key: Key) => sql.raw(over('c', key))
  const there = (key: Key) =>
    key.column === 'uuid_fiscal'
      ? sql`${uuid}::uuid`
      : sql`(select ${sql.raw(over('u', key))} from cfdis u where u.uuid_fiscal = ${uuid}::uuid)`
  const [first] = keys
  // All one way and never missing: rows compare as one value, which an index of these columns finds its place by.
  if (keys.every(({ desc, nullable }) => desc === first?.desc && !nullable)) {
    const sign = sql.raw(first?.desc ? '<' : '>')
    return sql`(${sql.join(keys.map(c))}) ${sign} (${sql.join(keys.map(there))})`
  }
  const beyond = (key: Key) => {
    const further = sql`${c(key)} ${sql.raw(key.desc ? '<' : '>')} ${there(key)}`
    return key.nullable ? sql`(${further} or (${c(key)} is null and ${there(key)} is not null))` : further
  }
  const same = (key: Key) => sql`${c(key)} ${sql.raw(key.nullable ? 'is not distinct from' : '=')} ${there(key)}`
  // Beyond in the first that differs.
  const further = keys.reduceRight<RawBuilder<unknown>>(
    (rest, key) => sql`(${beyond(key)} or (${same(key)} and ${rest}))`,
    sql`false`,
  )
  // Said twice, so that an index that begins with the first of them goes on from its place.
  if (first === undefined || first.nullable) return further
  return sql`${c(first)} ${sql.raw(first.desc ? '<=' : '>=')} ${there(first)} and ${further}`
}
