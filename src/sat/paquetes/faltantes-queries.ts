import { sql } from 'kysely'
import type { TenantSql, TenantTx } from '../../db/databases.ts'

/** A CFDI that the SAT listed, whose XML is not here and can be had. */
export interface Faltante {
  uuid: string
  servicio: 'cfdi' | 'retenciones'
  direccion: 'emitido' | 'recibido'
  /** `YYYY-MM-DDTHH:MM:SS`. */
  fechaEmision: string
  rfcEmisor: string
  rfcReceptor: string
  /** How often its XML was asked for because it was missing, and when last. */
  pedidos: number
  pedidoEn: Date | null
}

export interface Faltan {
  servicio: 'cfdi' | 'retenciones'
  direccion: 'emitido' | 'recibido'
  ejercicio: number
  mes: number
  faltan: number
}

/**
 * What is missing, the latest issued first. With `askedBefore` only what was not asked for since then, with `mostAsked` only
 * what was asked for less often.
 */
export async function findFaltantes(
  db: TenantSql,
  { limit, askedBefore, mostAsked }: { limit: number; askedBefore?: Date; mostAsked?: number },
): Promise<Faltante[]> {
  const { rows } = await sql<Faltante>`
    select m.uuid_fiscal::text as uuid, m.servicio, m.direccion,
      to_char(m.fecha_emision, 'YYYY-MM-DD"T"HH24:MI:SS') as "fechaEmision", m.rfc_emisor as "rfcEmisor",
      m.rfc_receptor as "rfcReceptor", m.pedidos, m.pedido_en as "pedidoEn"
    from sat_metadata m
    where m.falta and ${NOT_HERE}
      and ${askedBefore ? sql`(m.pedido_en is null or m.pedido_en < ${askedBefore}::timestamptz)` : sql`true`}
      and ${mostAsked === undefined ? sql`true` : sql`m.pedidos < ${mostAsked}::int`}
    order by m.fecha_emision desc, m.uuid_fiscal
    limit ${limit}`.execute(db)
  return rows
}

/** "Faltan N", by service, direction and month of issue, the latest first. */
export async function countFaltantes(db: TenantSql): Promise<Faltan[]> {
  const { rows } = await sql<Faltan>`
    select m.servicio, m.direccion, extract(year from m.fecha_emision)::int as ejercicio,
      extract(month from m.fecha_emision)::int as mes, count(*)::int as faltan
    from sat_metadata m
    where m.falta and ${NOT_HERE}
    group by 1, 2, 3, 4
    order by 3 desc, 4 desc, 1, 2`.execute(db)
  return rows
}

/** Its XML was asked for. In the commit that writes down what is asked. */
export async function markPedidos(trx: TenantTx, uuids: readonly string[], now: Date): Promise<void> {
  await sql`
    update sat_metadata m set pedidos = pedidos + 1, pedido_en = ${now}
    from (
      select uuid_fiscal, direccion from sat_metadata
      where uuid_fiscal = any(${uuids}::uuid[]) order by uuid_fiscal, direccion for no key update
    ) l
    where m.uuid_fiscal = l.uuid_fiscal and m.direccion = l.direccion`.execute(trx)
}

/** What came meanwhile is not missing any more. @returns how many */
export async function clearFaltas(db: TenantSql): Promise<number> {
  const { numAffectedRows } = await sql`
    update sat_metadata m set falta = false
    from (
      select m.uuid_fiscal, m.direccion from sat_metadata m
      where m.falta and not ${NOT_HERE} order by 1, 2 for no key update
    ) l
    where m.uuid_fiscal = l.uuid_fiscal and m.direccion = l.direccion`.execute(db)
  return Number(numAffectedRows ?? 0n)
}

/** A flag says what was so when it was listed: what came since is looked for by every reader. */
const NOT_HERE = sql`not exists (select from cfdis c where c.uuid_fiscal = m.uuid_fiscal)`
