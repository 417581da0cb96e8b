import { type RawBuilder, sql } from 'kysely'
import type { TenantSql, TenantTx } from '../../db/databases.ts'
import type { ListaPedida } from './central-queries.ts'

/** A list that was read whole. */
export interface Lista extends Omit<ListaPedida, 'numeroCfdis' | 'paquetes'> {
  /** Civil time: what was stamped until then it must name. */
  timbradoHasta: string
}

/** Which of these are known as read whole already. */
export async function findListasLeidas(db: TenantSql, solicitudes: readonly string[]): Promise<Set<string>> {
  const { rows } = await sql<{ id: string }>`
    select solicitud_id::text as id from sat_listas where solicitud_id = any(${solicitudes}::uuid[])`.execute(db)
  return new Set(rows.map(({ id }) => id))
}

/** What became of a list here. */
export interface Lectura {
  /** Every package was read to its end. */
  leida: boolean
  renglones: number
  /** Some row, or a file that is no list, could not be read and does not say whose it is. */
  anonimos: boolean
  /** It leaves out what an earlier one named. */
  omite: boolean
}

export async function findLecturaDeLista(db: TenantSql, lista: ListaPedida): Promise<Lectura> {
  const { paquetes, servicio, direccion, desde, hasta, listadaEn } = lista
  const { rows } = await sql<Lectura>`
    select l.leidos = cardinality(${paquetes}::text[]) as leida, l.renglones,
      exists (select from sat_filas_ilegibles
        where paquete_id = any(${paquetes}::text[]) and uuid_fiscal is null and motivo <> 'ajeno') as anonimos,
      exists (select from sat_metadata m
        where m.servicio = ${servicio} and m.direccion = ${direccion} and m.vista_en < ${listadaEn}
          and ${isCovered(sql`m.fecha_emision`, sql`${desde}::timestamp`, sql`${hasta}::timestamp`)}) as omite
    from (
      select count(*) as leidos, coalesce(sum(filas + ilegibles), 0)::int as renglones from sat_lecturas
      where paquete_id = any(${paquetes}::text[]) and terminada_en is not null
    ) l`.execute(db)
  return rows[0] as Lectura
}

/**
 * Keeps that a list was read, unless a newer one says as much; those that it makes needless go. One that is newer than now was
 * made under a clock that went wrong.
 */
export async function putLista(trx: TenantTx, lista: Lista, now: Date): Promise<void> {
  const { solicitudId, servicio, direccion, desde, hasta, listadaEn, timbradoHasta } = lista
  const same = sql`l.servicio = ${servicio} and l.direccion = ${direccion}`
  await sql`
    delete from sat_listas l where ${same} and l.desde >= ${desde}::timestamp and l.hasta <= ${hasta}::timestamp
      and (l.listada_en <= ${listadaEn} or l.listada_en > ${now})`.execute(trx)
  await sql`
    insert into sat_listas (solicitud_id, servicio, direccion, desde, hasta, listada_en, timbrado_hasta)
    select ${solicitudId}::uuid, ${servicio}::text, ${direccion}::text, ${desde}::timestamp, ${hasta}::timestamp,
      ${listadaEn}::timestamptz, ${timbradoHasta}::timestamp
    where not exists (select from sat_listas l where ${same} and l.desde <= ${desde}::timestamp
      and l.hasta >= ${hasta}::timestamp and l.listada_en between ${listadaEn} and ${now})
    on conflict do nothing`.execute(trx)
}

/** Lists that were read whole, by now. */
export async function findListas(db: TenantSql, now: Date): Promise<Lista[]> {
  const { rows } = await sql<Lista>`
    select solicitud_id::text as "solicitudId", servicio, direccion, to_char(desde, 'YYYY-MM-DD"T"HH24:MI:SS') as desde,
      to_char(hasta, 'YYYY-MM-DD"T"HH24:MI:SS') as hasta, listada_en as "listadaEn",
      to_char(timbrado_hasta, 'YYYY-MM-DD"T"HH24:MI:SS') as "timbradoHasta"
    from sat_listas where listada_en <= ${now} order by hasta desc, solicitud_id`.execute(db)
  return rows
}

export interface Sobrante {
  uuid: string
  consultable: boolean
}

/**
 * Keeps which CFDI of a list's range no list names, of those that came after `llegadosDesde`. Not those that somebody else
 * issued by order of the company, which the SAT lists as his; nor those of a row that could not be read.
 * @returns those that were not known, the latest issued first, with whether the state service can be asked for them
 */
export const putSobrantesDe = (trx: TenantTx, lista: Lista, now: Date, llegadosDesde = '-infinity') =>
  putSobrantes(
    trx,
    sql`cross join (select ${lista.servicio}::text as servicio, ${lista.listadaEn}::timestamptz as listada_en) l`,
    sql`c.direccion = ${lista.direccion} and (c.tipo = 'R') = ${lista.servicio === 'retenciones'}
      and ${isCovered(sql`c.fecha_emision`, sql`${lista.desde}::timestamp`, sql`${lista.hasta}::timestamp`)}
      and c.fecha_timbrado <= ${lista.timbradoHasta}::timestamp
      and ${llegadosDesde === '-infinity' ? sql`true` : sql`c.creado_en > ${llegadosDesde}::text::timestamptz`}`,
    now,
  )

/** The same of whatever came after `llegadosDesde`, against the newest list that covers each. For a few thousand. */
export const putSobrantesDesde = (trx: TenantTx, llegadosDesde: string, now: Date) =>
  putSobrantes(
    trx,
    sql`cross join lateral (
      select l.servicio, l.listada_en from sat_listas l
      where l.servicio = case c.tipo when 'R' then 'retenciones' else 'cfdi' end and l.direccion = c.direccion
        and ${isCovered(sql`c.fecha_emision`, sql`l.desde`, sql`l.hasta`)} and c.fecha_timbrado <= l.timbrado_hasta
        and l.listada_en <= ${now}
      order by l.listada_en desc limit 1) l`,
    sql`c.creado_en > ${llegadosDesde}::text::timestamptz`,
    now,
  )

/** The SAT refuses a range of no length, so its last second may not be in it: what was issued then is not demanded of a list. */
const isCovered = (fecha: RawBuilder<unknown>, desde: RawBuilder<unknown>, hasta: RawBuilder<unknown>) =>
  sql<boolean>`${fecha} >= ${desde} and ${fecha} < ${hasta}`

// With a limit, so that lists are looked up by index: for a month PostgreSQL would rather read all that were ever named.
async function putSobrantes(
  trx: TenantTx,
  listas: RawBuilder<unknown>,
  which: RawBuilder<unknown>,
  now: Date,
): Promise<Sobrante[]> {
  const { rows } = await sql<Sobrante>`
    with nuevos as (
      insert into sat_sobrantes (uuid_fiscal, servicio, direccion, fecha_emision, listada_en, visto_en)
      select c.uuid_fiscal, l.servicio, c.direccion, c.fecha_emision, l.listada_en, ${now}
      from cfdis c ${listas}
      left join lateral (select true as nombrado from sat_metadata m where m.uuid_fiscal = c.uuid_fiscal limit 1) m on true
      where ${which} and not c.cuenta_terceros and m.nombrado is null
        and not exists (select from sat_filas_ilegibles i where i.uuid_fiscal = c.uuid_fiscal)
      order by c.uuid_fiscal
      on conflict do nothing
      returning uuid_fiscal, servicio, fecha_emision
    )
    select uuid_fiscal::text as uuid, servicio = 'cfdi' as consultable from nuevos
    order by fecha_emision desc, uuid_fiscal`.execute(trx)
  return rows
}

/** What a list named meanwhile is not one too many. @returns how many */
export async function clearSobrantes(db: TenantSql): Promise<number> {
  const { numAffectedRows } = await sql`
    delete from sat_sobrantes s using (
      select uuid_fiscal from sat_sobrantes s
      where exists (select from sat_metadata m where m.uuid_fiscal = s.uuid_fiscal)
      order by uuid_fiscal for update
    ) l where s.uuid_fiscal = l.uuid_fiscal`.execute(db)
  return Number(numAffectedRows ?? 0n)
}

/**
 * Since when CFDI that came were not held against the lists, and up to when they will have been: by the clock of the
 * database, which writes when they came, and an hour back, longer than any transaction lasts that stores some. A time after
 * now was written under a clock that went wrong. `muchos`: there are more than `pocos`.
 */
export async function findLlegados(
  db: TenantSql,
  pocos: number,
): Promise<{ desde: string; hasta: string; muchos: boolean }> {
  const { rows } = await sql<{ desde: string; hasta: string; muchos: boolean }>`
    select l.desde::text, (now() - interval '1 hour')::text as hasta,
      (select count(*) from (select from cfdis c where c.creado_en > l.desde limit ${pocos + 1}) c) > ${pocos} as muchos
    from (
      select coalesce((select llegados_hasta from sat_cotejo where llegados_hasta <= now()), '-infinity') as desde
    ) l`.execute(db)
  return rows[0] as { desde: string; hasta: string; muchos: boolean }
}

export async function saveLlegados(db: TenantSql, hasta: string): Promise<void> {
  await sql`
    insert into sat_cotejo (llegados_hasta) values (${hasta}::text::timestamptz)
    on conflict (unico) do update set llegados_hasta = excluded.llegados_hasta`.execute(db)
}
