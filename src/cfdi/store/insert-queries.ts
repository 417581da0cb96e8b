import { sql } from 'kysely'
import type { TenantTx } from '../../db/databases.ts'
import type { Aviso } from '../verify/avisos.ts'
import type { Written } from './batch.ts'
import type { Origen, XmlRow } from './cfdi-rows.ts'
import { type ColumnType, TABLES, type Table } from './columns.ts'
import { bytea } from './literals.ts'

/**
 * Puts everybody who changes CFDI of one company in line: the counter's row is locked until the commit, and it is the first
 * thing that such a transaction takes. Whoever comes after sees all that came before, so an invoice and its payment that
 * arrive at once meet; of fifty at once to the last place one finds it free; and nobody waits for somebody who waits for
 * him, whatever documents and months they share.
 */
export async function lockLine(trx: TenantTx): Promise<Line> {
  const { rows } = await sql<{ n: string; limitTold: boolean }>`
    select n, exists(select from alertas where clave = 'CFDI_LIMITE_PLAN' and resuelta_en is null) as "limitTold"
    from usage where kind = 'cfdi' for update`.execute(trx)
  return { cfdis: Number(rows[0]?.n ?? 0), limitTold: rows[0]?.limitTold ?? false }
}

export interface Line {
  /** How many CFDI there are. */
  readonly cfdis: number
  /** Whether something is told of the plan's limit. As it was before the wait for the line: a hint, asked in passing. */
  readonly limitTold: boolean
}

/** Counts what was stored. The line is held. */
export async function countCfdis(trx: TenantTx, added: number): Promise<void> {
  await sql`update usage set n = n + ${added}::int where kind = 'cfdi'`.execute(trx)
}

/** Hashes of the bytes that are stored of these documents, in hexadecimal. */
export async function findStored(trx: TenantTx, uuids: readonly string[]): Promise<Map<string, string>> {
  const { rows } = await sql<{ uuid: string; sha256: string }>`
    select uuid_fiscal::text as uuid, encode(sha256, 'hex') as sha256
    from cfdi_xml where uuid_fiscal = any(${uuids}::uuid[])`.execute(trx)
  return new Map(rows.map(({ uuid, sha256 }) => [uuid, sha256]))
}

/** Writes documents that are not there yet, a table with one statement. */
export async function insertCfdis(trx: TenantTx, { tables, xml }: Written): Promise<void> {
  await insertTables(trx, tables)
  // In one piece, decoded once, of which each row takes its part: as an array they took as long to read as to write.
  await sql`
    insert into cfdi_xml (uuid_fiscal, contenido, bytes, sha256)
    select r.uuid_fiscal, substring((select decode(${xml.todo}::text, 'base64')) from r.desde for r.largo), r.bytes, r.sha256
    from unnest(${xml.uuids}::uuid[], ${xml.desde}::int[], ${xml.largo}::int[], ${xml.bytes}::int[], ${xml.sha256}::bytea[])
      as r(uuid_fiscal, desde, largo, bytes, sha256)`.execute(trx)
}

export async function insertTables(trx: TenantTx, tables: Written['tables']): Promise<void> {
  for (const { table, columns } of tables) {
    const { names, values, types } = STATEMENTS[table]
    const lists = sql.join(columns.map((column, i) => sql`${column}::${types[i]}`))
    await sql`insert into ${sql.table(table)} (${names}) select ${values} from unnest(${lists}) as r(${names})`.execute(
      trx,
    )
  }
}

/** Keeps other bytes of documents that are here, as proof, and warns of them on the document: once, however often they come. */
export async function insertEvidence(
  trx: TenantTx,
  others: readonly { xml: XmlRow; aviso: Aviso }[],
  { source, cargaId }: Origen,
): Promise<void> {
  const rows = others.map(({ xml, aviso }) => ({
    uuid_fiscal: xml.uuid,
    contenido: bytea(xml.contenido),
    bytes: xml.bytes,
    sha256: `\\x${xml.sha256}`,
    codigo: aviso.code,
    mensaje: aviso.mensaje,
  }))
  await sql`
    with otros as (
      select o.* from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb)
        as o(uuid_fiscal uuid, contenido bytea, bytes int, sha256 bytea, codigo text, mensaje text)
    ), pruebas as (
      insert into cfdi_evidencias (uuid_fiscal, sha256, contenido, bytes, source, carga_id)
      select uuid_fiscal, sha256, contenido, bytes, ${source}::text, ${cargaId ?? null}::uuid from otros
      on conflict do nothing
    ), nuevos as (
      update cfdis c set avisos = avisos || o.codigo from (select distinct uuid_fiscal, codigo from otros) o
      where c.uuid_fiscal = o.uuid_fiscal and not c.avisos @> array[o.codigo]
      returning c.uuid_fiscal
    )
    insert into cfdi_avisos (uuid_fiscal, n, codigo, mensaje)
    select distinct on (o.uuid_fiscal) o.uuid_fiscal,
      (select coalesce(max(a.n) + 1, 0) from cfdi_avisos a where a.uuid_fiscal = o.uuid_fiscal), o.codigo, o.mensaje
    from otros o join nuevos using (uuid_fiscal)`.execute(trx)
}

type Raw = ReturnType<typeof sql.raw>

// One text per column, unnested: less than half of what the same rows cost as JSON, on the way to the server and in it.
// An array of arrays would have to have equal lengths: those travel as the texts of their literals.
const STATEMENTS = Object.fromEntries(
  Object.entries(TABLES).map(([table, types]): [string, { names: Raw; values: Raw; types: readonly Raw[] }] => {
    const columns = Object.entries(types) as [string, ColumnType][]
    const values = columns.map(([name, type]) => (type === 'text[]' ? `r.${name}::text[]` : `r.${name}`))
    return [
      table,
      {
        names: sql.raw(Object.keys(types).join(', ')),
        values: sql.raw(values.join(', ')),
        types: columns.map(([, type]) => sql.raw(type === 'text[]' ? 'text[]' : `${type}[]`)),
      },
    ]
  }),
) as Record<Table, { names: Raw; values: Raw; types: readonly Raw[] }>
