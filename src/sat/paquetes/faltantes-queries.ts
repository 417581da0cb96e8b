import { sql } from 'kysely'
import type { TenantSql, TenantTx } from '../../db/databases.ts'

/**
 * A CFDI that the SAT listed, whose XML is not here and can be had: any in force, and what the company issued itself. A received
 * one that is cancelled is listed and its XML never given (sat.md 0.2).
 */
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

/**
 * What is missing, the latest issued first. With `askedBefore` only what was not asked for since then, with `mostAsked` only
 * what was asked for less often. A time after `now` was written under a clock that went wrong.
 */
export async function findFaltantes(
  db: TenantSql,
  { limit, askedBefore, now, mostAsked }: { limit: number; askedBefore?: Date; now?: Date; mostAsked?: number },
): Promise<Faltante[]> {
  const { rows } = await sql<Faltante>`
    select m.uuid_fiscal::text as uuid, m.servicio, m.direccion,
      to_char(m.fecha_emision, 'YYYY-MM-DD"T"HH24:MI:SS') as "fechaEmision", m.rfc_emisor as "rfcEmisor",
      m.rfc_receptor as "rfcReceptor", m.pedidos, m.pedido_en as "pedidoEn"
    from sat_metadata m
    where m.falta
      and ${
        askedBefore
          ? sql`(m.pedido_en is null or m.pedido_en < ${askedBefore}::timestamptz
              or m.pedido_en > ${now ?? null}::timestamptz + interval '5 minutes')`
          : sql`true`
      }
      and ${mostAsked === undefined ? sql`true` : sql`m.pedidos < ${mostAsked}::int`}
    order by m.fecha_emision desc, m.uuid_fiscal
    limit ${limit}`.execute(db)
  return rows
}

/** Its XML was asked for. The caller holds the company's line, without which whoever stores XML would meet it half-way. */
export async function markPedidos(trx: TenantTx, uuids: readonly string[], now: Date): Promise<void> {
  await sql`
    update sat_metadata m set pedidos = pedidos + 1, pedido_en = ${now}
    from (
      select uuid_fiscal, direccion from sat_metadata
      where uuid_fiscal = any(${uuids}::uuid[]) order by uuid_fiscal, direccion for no key update
    ) l
    where m.uuid_fiscal = l.uuid_fiscal and m.direccion = l.direccion`.execute(trx)
}
