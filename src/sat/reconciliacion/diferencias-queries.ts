import { type RawBuilder, sql } from 'kysely'
import type { TenantSql } from '../../db/databases.ts'
import { DIAS_PARA_CREER } from '../estado/veredicto.ts'
import { type Tramo, tramosConFaltantes } from './faltan-queries.ts'

export type TipoDiferencia = 'falta' | 'por_llegar' | 'sobra' | 'difiere'

/** A CFDI that is not the same here and in the lists of the SAT. */
export interface Diferencia {
  tipo: TipoDiferencia
  uuid: string
  servicio: 'cfdi' | 'retenciones'
  direccion: 'emitido' | 'recibido'
  /** `YYYY-MM-DDTHH:MM:SS`. */
  fechaEmision: string
  rfcEmisor: string
  nombreEmisor: string | null
  rfcReceptor: string
  nombreReceptor: string | null
  /** Of the XML that is here, in its currency. Decimal text of two places, as `monto` is. */
  total: string | null
  moneda: string | null
  /** What the list says. */
  monto: string | null
  estatus: 'vigente' | 'cancelado' | null
  /** When that list was made; of one too many, the first that left it out. */
  listadoEn: Date
  /** How often the XML that is missing was asked for, and when last. */
  pedidos: number
  pedidoEn: Date | null
  /** The last answer of the state service, and the last that knew the CFDI. */
  dijo: 'vigente' | 'cancelado' | 'no_encontrado' | null
  firme: 'vigente' | 'cancelado' | null
  /** On how many days in a row it did not find the CFDI. */
  ausencias: number
  consultadoEn: Date | null
  /** Of one that is not here: the SAT gave its XML, and it could not be read. */
  enCuarentena: boolean
}

export interface FiltroDiferencias {
  tipo: TipoDiferencia
  servicio?: 'cfdi' | 'retenciones' | undefined
  direccion?: 'emitido' | 'recibido' | undefined
  /** Civil, both in it. */
  desde?: string | undefined
  hasta?: string | undefined
  /** Of what is not here only what was issued in these, no two of which overlap. Without them, whenever. */
  tramos?: readonly Tramo[] | undefined
}

/** The latest issued first; of what a company sent to itself the issued side first. */
export async function listDiferencias(
  db: TenantSql,
  { tipo, servicio, direccion, desde, hasta, tramos }: FiltroDiferencias,
  { after, limit }: { after?: { fechaEmision: string; uuid: string; direccion: string } | undefined; limit: number },
): Promise<Diferencia[]> {
  const list = tipo === 'sobra' ? SOBRAN : tipo === 'difiere' ? DIFIEREN : FALTAN
  // One condition that an index can start from, and one that makes it exact.
  const behind = after
    ? sql`m.fecha_emision <= ${after.fechaEmision}::timestamp and (m.fecha_emision < ${after.fechaEmision}::timestamp
        or (m.uuid_fiscal, m.direccion) > (${after.uuid}::uuid, ${after.direccion}::text))`
    : sql`true`
  const page = (condition: RawBuilder<unknown>) => sql`
    select ${sql.val(tipo)}::text as tipo, ${list} and ${condition}
      and ${servicio === undefined ? sql`true` : sql`m.servicio = ${servicio}`}
      and ${direccion === undefined ? sql`true` : sql`m.direccion = ${direccion}`}
      and ${desde === undefined ? sql`true` : sql`m.fecha_emision >= ${desde}::timestamp`}
      and ${hasta === undefined ? sql`true` : sql`m.fecha_emision <= ${hasta}::timestamp`}
      and ${behind}
    order by m.fecha_emision desc, m.uuid_fiscal, m.direccion
    limit ${limit}`
  // Of each the first page, and of those the first: whatever lies between two of them is not read.
  const query =
    tramos === undefined || list !== FALTAN
      ? page(sql`true`)
      : sql`select p.* from ${tramosConFaltantes(tramos)} cross join lateral (${page(WITHIN)}) p
          order by p."fechaEmision" desc, p.uuid::uuid, p.direccion limit ${limit}`
  const { rows } = await sql<Diferencia>`${query}`.execute(db)
  return rows
}

/** How many of a month. */
export interface CuentaDeMes {
  servicio: 'cfdi' | 'retenciones'
  direccion: 'emitido' | 'recibido'
  ejercicio: number
  mes: number
  n: number
}

/** Of `n` the state service knows `confirmados`, and did not lose them for days: for those there is nothing to do. */
export const countSobrantes = (db: TenantSql) =>
  counted<CuentaDeMes & { confirmados: number }>(
    db,
    sql`, count(q.firme) filter (where q.ausencias < ${DIAS_PARA_CREER})::int as confirmados`,
    sql`sat_sobrantes m left join cfdi_consultas q on q.uuid_fiscal = m.uuid_fiscal where ${UNLISTED}`,
  )

export const countDiferencias = (db: TenantSql) =>
  counted<CuentaDeMes>(db, sql``, sql`sat_metadata m where m.difiere and ${NEWEST}`)

/** By service, direction and month of issue, the latest first. */
async function counted<T>(db: TenantSql, more: RawBuilder<unknown>, from: RawBuilder<unknown>): Promise<T[]> {
  const { rows } = await sql<T>`
    select m.servicio, m.direccion, extract(year from m.fecha_emision)::int as ejercicio,
      extract(month from m.fecha_emision)::int as mes, count(*)::int as n ${more}
    from ${from}
    group by 1, 2, 3, 4
    order by 3 desc, 4 desc, 1, 2`.execute(db)
  return rows
}

/** A row says what was so when it was compared: what was listed since is looked for by every reader, by index. */
const UNLISTED = sql`(select true from sat_metadata l where l.uuid_fiscal = m.uuid_fiscal limit 1) is null`
/** What a company sends to itself is in both of its lists: the newer holds. Looked up by index, row by row. */
const NEWEST = sql`m.direccion = (
  select l.direccion from sat_metadata l where l.uuid_fiscal = m.uuid_fiscal
  order by l.vista_en desc, l.difiere desc, l.direccion limit 1)`

const IDENTITY = sql`m.uuid_fiscal::text as uuid, m.servicio, m.direccion,
  to_char(m.fecha_emision, 'YYYY-MM-DD"T"HH24:MI:SS') as "fechaEmision"`
const NAMES = (row: 'm' | 'c') =>
  sql.raw(`${row}.rfc_emisor as "rfcEmisor", ${row}.nombre_emisor as "nombreEmisor", ${row}.rfc_receptor as "rfcReceptor",
    ${row}.nombre_receptor as "nombreReceptor"`)
const LISTED = sql`m.monto::text as monto, m.estatus, m.vista_en as "listadoEn", m.pedidos, m.pedido_en as "pedidoEn"`
const TOTAL = sql`round(c.total, 2)::text as total, c.moneda`
const SAID = sql`q.estado as dijo, q.firme, coalesce(q.ausencias, 0) as ausencias, q.consultado_en as "consultadoEn"`
/** Members of the SAT's packages are named after their folio. */
const UNREAD = sql`exists (
  select from carga_resultados r join cargas k on k.id = r.carga_id and k.fuente = 'sat'
  where left(lower(r.archivo), 40) = m.uuid_fiscal || '.xml' and r.estado in ('rechazado', 'cuarentena'))`

const FALTAN = sql`${IDENTITY}, ${NAMES('m')}, ${LISTED}, null as total, null as moneda, null as dijo, null as firme,
    0 as ausencias, null::timestamptz as "consultadoEn", ${UNREAD} as "enCuarentena"
  from sat_metadata m
  where m.falta`

const WITHIN = sql`m.servicio = t.servicio and m.direccion = t.direccion and m.fecha_emision between t.desde and t.hasta`

const DIFIEREN = sql`${IDENTITY}, ${NAMES('m')}, ${LISTED}, ${TOTAL}, ${SAID}, false as "enCuarentena"
  from sat_metadata m join cfdis c on c.uuid_fiscal = m.uuid_fiscal
  left join cfdi_consultas q on q.uuid_fiscal = m.uuid_fiscal
  where m.difiere and ${NEWEST}`

const SOBRAN = sql`${IDENTITY}, ${NAMES('c')}, null as monto, null as estatus, m.listada_en as "listadoEn", 0 as pedidos,
    null::timestamptz as "pedidoEn", ${TOTAL}, ${SAID}, false as "enCuarentena"
  from sat_sobrantes m join cfdis c on c.uuid_fiscal = m.uuid_fiscal
  left join cfdi_consultas q on q.uuid_fiscal = m.uuid_fiscal
  where ${UNLISTED}`
