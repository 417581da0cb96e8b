import { sql } from 'kysely'
import type { TenantSql, TenantTx } from '../../db/databases.ts'
import type { Consultable } from './expresion.ts'

/** CFDI that were never asked for, the newest first. Locked; those that somebody else has locked are left out. */
export async function lockUnasked(
  trx: TenantTx,
  settling: { from: string; to: string },
  limit: number,
): Promise<Consultable[]> {
  const { rows } = await sql<Consultable>`
    select ${CONSULTABLE} from cfdis c
    where c.estado_por_consultar and c.tipo <> 'R'
      and c.fecha_timbrado not between ${settling.from}::timestamp and ${settling.to}::timestamp
    order by c.fecha_emision desc, c.uuid_fiscal
    limit ${limit}
    for no key update skip locked`.execute(trx)
  return rows
}

/** Those of a priority whose time has come, the longest due first. Locked, as above. */
export async function lockDue(trx: TenantTx, prioridad: 0 | 1, now: Date, limit: number): Promise<Consultable[]> {
  const { rows } = await sql<Consultable>`
    select ${CONSULTABLE} from cfdi_consultas q join cfdis c using (uuid_fiscal)
    where q.prioridad = ${prioridad} and q.siguiente_en <= ${now}
    order by q.siguiente_en
    limit ${limit}
    for update of q skip locked`.execute(trx)
  return rows
}

/**
 * Those whose turn is farther away than any that is given, or who were asked in the future and found too old to be asked
 * again. Locked, as above.
 */
export async function lockBeyond(trx: TenantTx, now: Date, farthest: Date, limit: number): Promise<Consultable[]> {
  const { rows: far } = await sql<Consultable>`
    select ${CONSULTABLE} from cfdi_consultas q join cfdis c using (uuid_fiscal)
    where q.prioridad in (0, 1) and q.siguiente_en > ${farthest}
    limit ${limit}
    for update of q skip locked`.execute(trx)
  const { rows: never } = await sql<Consultable>`
    select ${CONSULTABLE} from cfdi_consultas q join cfdis c using (uuid_fiscal)
    where q.siguiente_en is null and q.consultado_en > ${now}::timestamptz + interval '1 day'
    limit ${limit}
    for update of q skip locked`.execute(trx)
  return [...far, ...never]
}

/** Nobody else takes these before `until`. They are locked by the caller. */
export async function lease(trx: TenantTx, uuids: readonly string[], until: Date): Promise<void> {
  await markAsked(trx, uuids)
  await sql`
    insert into cfdi_consultas (uuid_fiscal, siguiente_en, prioridad)
    select uuid, ${until}::timestamptz, 0 from unnest(${uuids}::uuid[]) as u(uuid)
    on conflict (uuid_fiscal) do update set siguiente_en = excluded.siguiente_en`.execute(trx)
}

/** From now on cfdi_consultas says when they are asked for. Rows that change are locked in the order of uuid. */
export async function markAsked(trx: TenantTx, uuids: readonly string[]): Promise<void> {
  await sql`
    with unasked as (
      select uuid_fiscal from cfdis
      where uuid_fiscal = any(${uuids}::uuid[]) and estado_por_consultar
      order by uuid_fiscal for no key update
    )
    update cfdis c set estado_por_consultar = false from unasked u where c.uuid_fiscal = u.uuid_fiscal`.execute(trx)
}

/** Puts back what was taken and not asked for. */
export async function release(db: TenantSql, uuids: readonly string[], until: Date, now: Date): Promise<void> {
  await sql`
    update cfdi_consultas set siguiente_en = ${now}
    where uuid_fiscal = any(${uuids}::uuid[]) and siguiente_en = ${until}::timestamptz`.execute(db)
}

/**
 * What else came from the issuers of these CFDI, and has or lacks the warning that these lack or have, is due now: a list is
 * about the issuer, and the answers of a day ago are not. What somebody has taken or locked is left to its own turn.
 */
export async function bringForward(db: TenantSql, uuids: readonly string[], now: Date): Promise<void> {
  await sql`
    with issuers as (
      select distinct rfc_emisor, ${LISTED} as listed from cfdis c
      where uuid_fiscal = any(${uuids}::uuid[]) and direccion = 'recibido'
    ), others as (
      select q.uuid_fiscal
      from issuers i
      join cfdis c on c.rfc_emisor = i.rfc_emisor and c.direccion = 'recibido' and ${LISTED} <> i.listed
      join cfdi_consultas q on q.uuid_fiscal = c.uuid_fiscal
      where q.siguiente_en is null or q.siguiente_en > ${now}::timestamptz + interval '1 hour'
      order by c.fecha_emision desc
      limit 1000
      for update of q skip locked
    )
    update cfdi_consultas q set siguiente_en = ${now}, prioridad = 0 from others o where o.uuid_fiscal = q.uuid_fiscal`.execute(
    db,
  )
}

/**
 * These CFDI are asked for before whatever else is due. What somebody has taken, or is due within the hour anyway, is left
 * to its turn.
 */
export async function bringToFront(trx: TenantTx, uuids: readonly string[], now: Date): Promise<void> {
  const front = sql`least(${now}::timestamptz, (select min(siguiente_en) from cfdi_consultas where prioridad = 0))`
  await markAsked(trx, uuids)
  await sql`
    insert into cfdi_consultas (uuid_fiscal, siguiente_en, prioridad)
    select uuid, ${front}, 0 from unnest(${uuids}::uuid[]) as u(uuid)
    order by uuid on conflict do nothing`.execute(trx)
  await sql`
    update cfdi_consultas q set siguiente_en = ${front}, prioridad = 0
    from (
      select uuid_fiscal from cfdi_consultas
      where uuid_fiscal = any(${uuids}::uuid[]) and (siguiente_en is null or siguiente_en <= ${now}
        or siguiente_en > ${now}::timestamptz + interval '1 hour')
      order by uuid_fiscal for update skip locked
    ) l where q.uuid_fiscal = l.uuid_fiscal`.execute(trx)
}

/** One CFDI as it is asked for; undefined when it is not here. */
export async function findConsultable(
  db: TenantSql,
  uuid: string,
): Promise<(Consultable & { tipo: string }) | undefined> {
  const { rows } = await sql<Consultable & { tipo: string }>`
    select ${CONSULTABLE}, c.tipo from cfdis c where c.uuid_fiscal = ${uuid}`.execute(db)
  return rows[0]
}

const LISTED = sql.raw(`('sat.emisor_69b' = any(c.avisos))`)

const CONSULTABLE = sql.raw(`c.uuid_fiscal::text as uuid, c.version, c.rfc_emisor as "rfcEmisor",
  c.rfc_receptor as "rfcReceptor", c.total::text as total, c.sello_fin as "selloFin"`)
