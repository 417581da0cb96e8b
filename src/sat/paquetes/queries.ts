import { type RawBuilder, sql } from 'kysely'
import { arrayLiteral } from '../../cfdi/store/literals.ts'
import type { TenantSql, TenantTx } from '../../db/databases.ts'

/** A row of a list, of this company, as it is kept. */
export interface MetadataRow {
  uuid_fiscal: string
  servicio: 'cfdi' | 'retenciones'
  direccion: 'emitido' | 'recibido'
  rfc_emisor: string
  nombre_emisor: string
  rfc_receptor: string
  nombre_receptor: string
  rfc_pac: string
  fecha_emision: string
  fecha_certificacion: string
  monto: string | null
  efecto: string
  estatus: 'vigente' | 'cancelado'
  fecha_cancelacion: string | null
  rfc_terceros: string | null
  nombre_terceros: string | null
}

/**
 * Keeps what a list made at `listedAt` says, where nothing newer is known; of one list the cancelled row wins. A time after
 * now was written under a clock that went wrong. Each CFDI at most once.
 * @returns of the rows that were new or changed, of how many the XML is missing, and of how many it has another total
 */
export async function upsertMetadata(
  trx: TenantTx,
  rows: readonly MetadataRow[],
  { listedAt, now }: { listedAt: Date; now: Date },
): Promise<{ faltantes: number; difieren: number }> {
  if (rows.length === 0) return { faltantes: 0, difieren: 0 }
  const { rows: written } = await sql<{ faltantes: number; difieren: number }>`
    with written as (
      insert into sat_metadata as m (${NAMES}, vista_en, primera_vez_en, falta, difiere)
      select ${NAMES}, ${listedAt}::timestamptz, ${now}::timestamptz,
        (estatus = 'vigente' or direccion = 'emitido') and c.otro is null, servicio = 'cfdi' and coalesce(c.otro, false)
      from ${recordsOf(rows)}
      left join lateral (
        select coalesce(sat_difiere(r.monto, c.tipo, c.total, c.moneda, c.tipo_cambio), false) as otro
        from cfdis c where c.uuid_fiscal = r.uuid_fiscal limit 1
      ) c on true
      order by uuid_fiscal, direccion
      on conflict (uuid_fiscal, direccion) do update set ${CHANGES}, vista_en = excluded.vista_en, falta = excluded.falta,
          difiere = excluded.difiere
        where excluded.vista_en > m.vista_en or m.vista_en > ${now}::timestamptz
          or excluded.vista_en = m.vista_en and (excluded.estatus = 'cancelado' or m.estatus = 'vigente')
      returning falta, difiere
    )
    select count(*) filter (where falta)::int as faltantes, count(*) filter (where difiere)::int as difieren
    from written`.execute(trx)
  return written[0] ?? { faltantes: 0, difieren: 0 }
}

const COLUMNS: { readonly [C in keyof MetadataRow]: string } = {
  uuid_fiscal: 'uuid',
  servicio: 'text',
  direccion: 'text',
  rfc_emisor: 'text',
  nombre_emisor: 'text',
  rfc_receptor: 'text',
  nombre_receptor: 'text',
  rfc_pac: 'text',
  fecha_emision: 'timestamp',
  fecha_certificacion: 'timestamp',
  monto: 'numeric',
  efecto: 'text',
  estatus: 'text',
  fecha_cancelacion: 'timestamp',
  rfc_terceros: 'text',
  nombre_terceros: 'text',
}
const NAMES = sql.raw(Object.keys(COLUMNS).join(', '))
const CHANGES = sql.raw(
  Object.keys(COLUMNS)
    .filter((name) => name !== 'uuid_fiscal' && name !== 'direccion')
    .map((name) => `${name} = excluded.${name}`)
    .join(', '),
)

/** One text per column, unnested: six tenths of what the same rows cost PostgreSQL as JSON. */
function recordsOf(rows: readonly MetadataRow[]): RawBuilder<unknown> {
  const columns = Object.entries(COLUMNS) as [keyof MetadataRow, string][]
  const lists = columns.map(([name, type]) => sql`${arrayLiteral(rows.map((row) => row[name]))}::${sql.raw(type)}[]`)
  return sql`unnest(${sql.join(lists)}) as r(${NAMES})`
}

/** A CFDI that is here and whose newest list says another state than it has, or says when it was cancelled. */
export interface Discrepancia {
  uuid: string
  direccion: 'emitido' | 'recibido'
  era: 'vigente' | 'cancelado'
  estado: 'vigente' | 'cancelado'
  fechaCancelacion: string | null
  listadoEn: Date
  efos: string | null
  /** Of the last row of its history. */
  conocidoEn: Date | null
  detalle: Record<string, unknown> | null
}

/**
 * Those of these CFDI of which a list knows more than what they have: it says another state, and nobody who asked for this
 * CFDI was answered later; or it says when it was cancelled.
 */
export async function findDiscrepancias(trx: TenantTx, uuids: readonly string[], now: Date): Promise<Discrepancia[]> {
  const { rows } = await sql<Discrepancia>`
    select c.uuid_fiscal::text as uuid, c.direccion, c.estado as era, m.estatus as estado,
      to_char(m.fecha_cancelacion, 'YYYY-MM-DD"T"HH24:MI:SS') as "fechaCancelacion", m.vista_en as "listadoEn",
      coalesce(h.detalle->>'efos', q.efos) as efos, h.conocido_en as "conocidoEn", h.detalle
    from cfdis c
    cross join lateral (${NEWEST}) m
    left join lateral (${ASKED}) q on true
    left join lateral (
      select e.conocido_en, e.detalle from cfdi_estados e where e.uuid_fiscal = c.uuid_fiscal
      order by e.conocido_en desc, e.id desc limit 1
    ) h on true
    where c.uuid_fiscal = any(${uuids}::uuid[]) and ${knowsMore(now)}
    order by c.uuid_fiscal`.execute(trx)
  return rows
}

/**
 * All of them, by index from two sides: what lists say was cancelled, and what is cancelled here. For documents that came
 * after the list did.
 */
export async function findOutOfStep(db: TenantSql, now: Date, limit: number): Promise<string[]> {
  const { rows } = await sql<{ uuid: string }>`
    select uuid from (
      select c.uuid_fiscal as uuid
      from sat_metadata k
      cross join lateral (
        select c.uuid_fiscal, c.estado, c.fecha_cancelacion from cfdis c
        where c.uuid_fiscal = k.uuid_fiscal and (c.estado = 'vigente' or c.fecha_cancelacion is null) limit 1
      ) c
      cross join lateral (${NEWEST}) m
      left join lateral (${ASKED}) q on true
      where k.estatus = 'cancelado' and ${knowsMore(now)}
      union
      select c.uuid_fiscal
      from cfdis c cross join lateral (${NEWEST}) m
      left join lateral (${ASKED}) q on true
      where c.estado <> 'vigente' and m.estatus = 'vigente' and ${knowsMore(now)}
    ) u limit ${limit}`.execute(db)
  return rows.map(({ uuid }) => uuid)
}

// What a company sends to itself is in both of its lists.
const NEWEST = sql`
  select m.estatus, m.fecha_cancelacion, m.vista_en from sat_metadata m where m.uuid_fiscal = c.uuid_fiscal
  order by m.vista_en desc, m.estatus limit 1`

// With a limit, so that it stays a look by index: of a batch of a thousand PostgreSQL would rather read all that was asked.
const ASKED = sql`
  select q.firme_en, q.efos from cfdi_consultas q where q.uuid_fiscal = c.uuid_fiscal limit 1`

/** The rule of ADR 0021. Times after now were written under a clock that went wrong. */
const knowsMore = (now: Date) => sql<boolean>`(
  m.estatus <> c.estado and (q.firme_en is null or q.firme_en > ${now}::timestamptz
    or m.vista_en > q.firme_en and m.vista_en <= ${now}::timestamptz)
  or m.estatus = 'cancelado' and c.estado = 'cancelado' and c.fecha_cancelacion is null and m.fecha_cancelacion is not null)`

/** Holds what was asked of these CFDI, those that were. After `lockCfdis`. */
export async function lockAsked(trx: TenantTx, uuids: readonly string[]): Promise<void> {
  await sql`
    select from cfdi_consultas where uuid_fiscal = any(${uuids}::uuid[]) order by uuid_fiscal for update`.execute(trx)
}

/** When CFDI were cancelled that were known to be. */
export async function setFechas(
  trx: TenantTx,
  rows: readonly { uuid: string; fechaCancelacion: string | null }[],
): Promise<void> {
  if (rows.length === 0) return
  await sql`
    update cfdis c set fecha_cancelacion = r."fechaCancelacion"
    from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) as r(uuid uuid, "fechaCancelacion" timestamp)
    where c.uuid_fiscal = r.uuid`.execute(trx)
}
