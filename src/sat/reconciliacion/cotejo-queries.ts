import { sql } from 'kysely'
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
          and m.fecha_emision between ${desde}::timestamp and ${hasta}::timestamp) as omite
    from (
      select count(*) as leidos, coalesce(sum(filas + ilegibles), 0)::int as renglones from sat_lecturas
      where paquete_id = any(${paquetes}::text[]) and terminada_en is not null
    ) l`.execute(db)
  return rows[0] as Lectura
}

/** Keeps that a list was read, unless a newer one says as much; those that it makes needless go. */
export async function putLista(trx: TenantTx, lista: Lista): Promise<void> {
  const { solicitudId, servicio, direccion, desde, hasta, listadaEn, timbradoHasta } = lista
  const same = sql`l.servicio = ${servicio} and l.direccion = ${direccion}`
  await sql`
    delete from sat_listas l where ${same} and l.desde >= ${desde}::timestamp and l.hasta <= ${hasta}::timestamp
      and l.listada_en <= ${listadaEn}`.execute(trx)
  await sql`
    insert into sat_listas (solicitud_id, servicio, direccion, desde, hasta, listada_en, timbrado_hasta)
    select ${solicitudId}::uuid, ${servicio}::text, ${direccion}::text, ${desde}::timestamp, ${hasta}::timestamp,
      ${listadaEn}::timestamptz, ${timbradoHasta}::timestamp
    where not exists (select from sat_listas l where ${same} and l.desde <= ${desde}::timestamp
      and l.hasta >= ${hasta}::timestamp and l.listada_en >= ${listadaEn})
    on conflict do nothing`.execute(trx)
}

/**
 * Keeps which CFDI of a list's range no list names although one that was read whole should. Not those that somebody else
 * issued by order of the company, which the SAT lists as his; nor those of a row that could not be read.
 * @returns those that were not known, the latest issued first, with whether the state service can be asked for them
 */
export const putSobrantesDe = (trx: TenantTx, lista: Lista, now: Date) =>
  putSobrantes(
    trx,
    sql`c.direccion = ${lista.direccion}
      and c.fecha_emision between ${lista.desde}::timestamp and ${lista.hasta}::timestamp`,
    now,
  )

/** The same of what came since: it may have come after the list that should name it. */
export const putSobrantesDesde = (trx: TenantTx, desde: string, now: Date) =>
  putSobrantes(trx, sql`c.creado_en > ${desde}::text::timestamptz`, now)

export interface Sobrante {
  uuid: string
  consultable: boolean
}

// With a limit, so that lists are looked up by index: for a month PostgreSQL would rather read all that were ever named.
async function putSobrantes(trx: TenantTx, which: ReturnType<typeof sql>, now: Date): Promise<Sobrante[]> {
  const { rows } = await sql<Sobrante>`
    with nuevos as (
      insert into sat_sobrantes (uuid_fiscal, servicio, direccion, fecha_emision, listada_en, visto_en)
      select c.uuid_fiscal, l.servicio, c.direccion, c.fecha_emision, l.listada_en, ${now}
      from cfdis c cross join lateral (
        select l.servicio, l.listada_en from sat_listas l
        where l.servicio = case c.tipo when 'R' then 'retenciones' else 'cfdi' end and l.direccion = c.direccion
          and c.fecha_emision between l.desde and l.hasta and c.fecha_timbrado <= l.timbrado_hasta
          and l.listada_en <= ${now}
        order by l.listada_en desc limit 1
      ) l
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
 * database, which writes when they came, and an hour back, longer than any transaction lasts that stores some.
 */
export async function findLlegados(db: TenantSql): Promise<{ desde: string; hasta: string }> {
  const { rows } = await sql<{ desde: string; hasta: string }>`
    select coalesce((select llegados_hasta from sat_cotejo), '-infinity')::text as desde,
      (now() - interval '1 hour')::text as hasta`.execute(db)
  return rows[0] as { desde: string; hasta: string }
}

export async function saveLlegados(trx: TenantTx, hasta: string): Promise<void> {
  await sql`
    insert into sat_cotejo as s (llegados_hasta) values (${hasta}::text::timestamptz)
    on conflict (unico) do update set llegados_hasta = greatest(s.llegados_hasta, excluded.llegados_hasta)`.execute(trx)
}
