import { sql } from 'kysely'
import type { CentralSql, CentralTx } from '../../db/databases.ts'
import { isSince } from './due-queries.ts'
import { COLUMNS, type SolicitudRow, type SolicitudSql, solicitudOf } from './request-queries.ts'

/**
 * Ranges of XML since `desde` that a company asked for and did not get: those that came to nothing, and those that are being
 * asked for again, until they come.
 */
export async function countHoles(db: CentralSql, tenantId: string, desde: string): Promise<number> {
  const { rows } = await sql<{ n: number }>`
    select (
      select count(*) from sat_solicitudes
      where tenant_id = ${tenantId} and estado in ('fallida', 'rechazada') and ${isRange(desde)}
    )::int + (
      select count(*) from sat_solicitudes
      where tenant_id = ${tenantId} and siguiente_en is not null and reintentos > 0 and ${isRange(desde)}
    )::int as n`.execute(db)
  return rows[0]?.n ?? 0
}

/** From when on the first of them is asked for again; null when none waits for that. */
export async function findNextRetry(db: CentralSql, tenantId: string, desde: string, now: Date): Promise<Date | null> {
  const { rows } = await sql<{ at: Date | null }>`
    select min(coalesce(reintentar_en, ${now})) as at from sat_solicitudes
    where tenant_id = ${tenantId} and estado in ('fallida', 'rechazada') and ${isRange(desde)}`.execute(db)
  return rows[0]?.at ?? null
}

const isRange = (desde: string) => sql<boolean>`tipo = 'CFDI' and direccion <> 'folio' and hasta >= ${desde}::timestamp`

/**
 * Ranges whose time has come to be asked for again, those that wait longest first. A list that a later one tells anew is
 * none. Locked; one that a person is trying again just now is left to him.
 */
export async function lockHolesToRetry(
  trx: CentralTx,
  { tenantId, rfc }: { tenantId: string; rfc: string },
  { desde, now, farthest, limit }: { desde: string; now: Date; farthest: Date; limit: number },
): Promise<SolicitudRow[]> {
  const { rows } = await sql<SolicitudSql>`
    select ${COLUMNS} from sat_solicitudes s
    where tenant_id = ${tenantId} and rfc = ${rfc} and estado in ('fallida', 'rechazada') and direccion <> 'folio'
      and hasta >= ${desde}::timestamp
      and (reintentar_en is null or reintentar_en <= ${now} or reintentar_en > ${farthest})
      and (tipo = 'CFDI' or not exists (
        select from sat_solicitudes n
        where n.tenant_id = s.tenant_id and n.tipo = 'Metadata' and n.servicio = s.servicio and n.direccion = s.direccion
          and n.desde = s.desde and n.creada_en > s.creada_en
          and n.estado not in ('fallida', 'rechazada', 'sustituida', 'dividida')))
    order by reintentar_en nulls first, hasta desc, id limit ${limit} for update skip locked`.execute(trx)
  return rows.map(solicitudOf)
}

/** How many requests stand for such ranges that were written since `since`. */
export async function countRetried(db: CentralSql, tenantId: string, since: Date, now: Date): Promise<number> {
  const { rows } = await sql<{ n: number }>`
    select count(*)::int as n from sat_solicitudes
    where tenant_id = ${tenantId} and ${isSince('creada_en', since, now)} and reintentos > 0`.execute(db)
  return rows[0]?.n ?? 0
}
