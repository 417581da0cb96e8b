import { sql } from 'kysely'
import type { CentralSql } from '../../db/databases.ts'

/**
 * Ranges of XML since `desde` that a company asked for and did not get: nobody asks for them again by himself, and only what
 * the lists name of them comes. One that is tried again is no longer one.
 */
export async function countHoles(db: CentralSql, tenantId: string, desde: string): Promise<number> {
  const { rows } = await sql<{ n: number }>`
    select count(*)::int as n from sat_solicitudes
    where tenant_id = ${tenantId} and tipo = 'CFDI' and direccion <> 'folio' and estado in ('fallida', 'rechazada')
      and hasta >= ${desde}::timestamp`.execute(db)
  return rows[0]?.n ?? 0
}
