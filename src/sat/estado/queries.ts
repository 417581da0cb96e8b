import { sql } from 'kysely'
import type { TenantSql, TenantTx } from '../../db/databases.ts'
import type { Efos, EstatusCancelacion } from './respuesta.ts'
import { markAsked } from './turn-queries.ts'
import type { CodigoSat } from './veredicto.ts'

/** A CFDI with what is known of its state. */
export interface ConocidoRow {
  uuid: string
  direccion: 'emitido' | 'recibido'
  estado: 'vigente' | 'cancelado'
  fechaEmision: string
  avisos: string[]
  consultadoEn: Date | null
  efos: Efos | null
  ausencias: number
  ausenteEl: string | null
  fallos: number
  historia: {
    estado: 'vigente' | 'cancelado' | 'no_encontrado'
    estatusCancelacion: EstatusCancelacion | null
    efos: Efos | null
  } | null
  conocidoEn: Date | null
  /** What the newest list of the SAT says of it, and when that was made. */
  metadata: 'vigente' | 'cancelado' | null
  listadoEn: Date | null
}

/**
 * Locks documents whose state or warnings may change, before their questions. Whoever is about to ask for the first time
 * may have them without changing them: PostgreSQL keeps the lock of a row that it waited for and then found to be asked for.
 */
export async function lockCfdis(trx: TenantTx, uuids: readonly string[]): Promise<void> {
  await sql`
    select from cfdis where uuid_fiscal = any(${uuids}::uuid[]) order by uuid_fiscal for no key update`.execute(trx)
}

/** Locks what is written about the questions for these CFDI, in the order of uuid, and makes it where it is missing. */
export async function lockConsultas(trx: TenantTx, uuids: readonly string[]): Promise<void> {
  // Documents before questions, as whoever takes turns does.
  await markAsked(trx, uuids)
  await sql`
    insert into cfdi_consultas (uuid_fiscal)
    select uuid from unnest(${uuids}::uuid[]) as u(uuid) join cfdis c on c.uuid_fiscal = uuid
    order by uuid on conflict do nothing`.execute(trx)
  await sql`
    select from cfdi_consultas where uuid_fiscal = any(${uuids}::uuid[]) order by uuid_fiscal for update`.execute(trx)
}

export async function findConocidos(db: TenantSql, uuids: readonly string[]): Promise<ConocidoRow[]> {
  const { rows } = await sql<ConocidoRow>`
    select c.uuid_fiscal::text as uuid, c.direccion, c.estado, c.avisos,
      to_char(c.fecha_emision, 'YYYY-MM-DD"T"HH24:MI:SS') as "fechaEmision",
      q.consultado_en as "consultadoEn", q.efos, q.ausencias, q.ausente_el::text as "ausenteEl",
      q.fallos, h.historia, h.conocido_en as "conocidoEn", m.estatus as metadata, m.vista_en as "listadoEn"
    from cfdis c
    join cfdi_consultas q using (uuid_fiscal)
    left join lateral (
      select e.conocido_en, json_build_object('estado', e.estado,
        'estatusCancelacion', e.detalle->>'estatusCancelacion', 'efos', e.detalle->>'efos') as historia
      from cfdi_estados e where e.uuid_fiscal = c.uuid_fiscal
      order by e.conocido_en desc, e.id desc limit 1
    ) h on true
    left join lateral (
      select m.estatus, m.vista_en from sat_metadata m where m.uuid_fiscal = c.uuid_fiscal
      order by m.vista_en desc, m.estatus limit 1
    ) m on true
    where c.uuid_fiscal = any(${uuids}::uuid[])`.execute(db)
  return rows
}

/** What stands in cfdi_consultas after an answer or a failure. */
export interface ConsultaRow {
  uuid_fiscal: string
  estado: 'vigente' | 'cancelado' | 'no_encontrado' | null
  codigo: string | null
  es_cancelable: string | null
  estatus_cancelacion: string | null
  efos: Efos | null
  consultado_en: Date
  siguiente_en: Date | null
  prioridad: 0 | 1
  ausencias: number
  ausente_el: string | null
}

export async function saveConsultas(trx: TenantTx, rows: readonly ConsultaRow[]): Promise<void> {
  if (rows.length === 0) return
  await sql`
    update cfdi_consultas q set estado = r.estado, codigo = r.codigo, es_cancelable = r.es_cancelable,
      estatus_cancelacion = r.estatus_cancelacion, efos = r.efos, consultado_en = r.consultado_en,
      siguiente_en = r.siguiente_en, prioridad = r.prioridad, ausencias = r.ausencias, ausente_el = r.ausente_el,
      firme = case when r.estado in ('vigente', 'cancelado') then r.estado else q.firme end,
      firme_en = case when r.estado in ('vigente', 'cancelado') then r.consultado_en else q.firme_en end,
      fallos = 0, error = null
    from jsonb_populate_recordset(null::cfdi_consultas, ${JSON.stringify(rows)}::text::jsonb) r
    where q.uuid_fiscal = r.uuid_fiscal`.execute(trx)
}

export interface FalloRow {
  uuid_fiscal: string
  error: string
  fallos: number
  siguiente_en: Date
  prioridad: 0 | 1
}

/** Nothing was learnt: the last answer stays what it was. */
export async function saveFallos(trx: TenantTx, rows: readonly FalloRow[]): Promise<void> {
  if (rows.length === 0) return
  await sql`
    update cfdi_consultas q set fallos = r.fallos, error = r.error, siguiente_en = r.siguiente_en,
      prioridad = r.prioridad
    from jsonb_populate_recordset(null::cfdi_consultas, ${JSON.stringify(rows)}::text::jsonb) r
    where q.uuid_fiscal = r.uuid_fiscal`.execute(trx)
}

export interface HechoRow {
  uuid_fiscal: string
  estado: 'vigente' | 'cancelado' | 'no_encontrado'
  conocido_en: Date
  fuente: 'consulta' | 'metadata'
  /** Civil time of Mexico; null when it was not said. */
  ocurrio_en: string | null
  detalle: object
}

export async function insertHechos(trx: TenantTx, rows: readonly HechoRow[]): Promise<void> {
  if (rows.length === 0) return
  await sql`
    insert into cfdi_estados (uuid_fiscal, estado, ocurrio_en, conocido_en, fuente, detalle)
    select uuid_fiscal, estado, ocurrio_en, conocido_en, fuente, detalle
    from jsonb_populate_recordset(null::cfdi_estados, ${JSON.stringify(rows)}::text::jsonb)
    order by uuid_fiscal`.execute(trx)
}

export interface EstadoRow {
  uuid_fiscal: string
  estado: 'vigente' | 'cancelado'
  cancelacion_conocida_en: Date | null
  fecha_cancelacion: string | null
}

/** The state service does not say when it was cancelled: that stays open until the metadata do. */
export async function setEstados(trx: TenantTx, rows: readonly EstadoRow[]): Promise<void> {
  if (rows.length === 0) return
  await sql`
    update cfdis c set estado = r.estado, cancelacion_conocida_en = r.cancelacion_conocida_en,
      fecha_cancelacion = r.fecha_cancelacion
    from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb)
      as r(uuid_fiscal uuid, estado text, cancelacion_conocida_en timestamptz, fecha_cancelacion timestamp)
    where c.uuid_fiscal = r.uuid_fiscal`.execute(trx)
}

export interface AvisoChange {
  uuid: string
  codigo: CodigoSat
  /** Null takes it away. */
  mensaje: string | null
}

/** Puts and takes warnings, and keeps the codes that lists show in step. The caller holds the company's line. */
export async function changeAvisos(trx: TenantTx, changes: readonly AvisoChange[]): Promise<void> {
  if (changes.length === 0) return
  const json = JSON.stringify(changes)
  await sql`
    delete from cfdi_avisos a
    using jsonb_to_recordset(${json}::text::jsonb) as r(uuid uuid, codigo text, mensaje text)
    where a.uuid_fiscal = r.uuid and a.codigo = r.codigo`.execute(trx)
  await sql`
    insert into cfdi_avisos (uuid_fiscal, n, codigo, mensaje)
    select r.uuid, coalesce((select max(a.n) from cfdi_avisos a where a.uuid_fiscal = r.uuid), -1)
      + row_number() over (partition by r.uuid order by r.codigo), r.codigo, r.mensaje
    from jsonb_to_recordset(${json}::text::jsonb) as r(uuid uuid, codigo text, mensaje text)
    where r.mensaje is not null`.execute(trx)
  await sql`
    update cfdis c set avisos = array(
      select distinct codigo from (
        select unnest(c.avisos) as codigo except select codigo from jsonb_array_elements_text(r.gone) as g(codigo)
        union select codigo from jsonb_array_elements_text(r.put) as p(codigo)
      ) s order by codigo)
    from (
      select uuid, coalesce(jsonb_agg(codigo) filter (where mensaje is null), '[]') as gone,
        coalesce(jsonb_agg(codigo) filter (where mensaje is not null), '[]') as put
      from jsonb_to_recordset(${json}::text::jsonb) as x(uuid uuid, codigo text, mensaje text) group by uuid
    ) r
    where c.uuid_fiscal = r.uuid`.execute(trx)
}
