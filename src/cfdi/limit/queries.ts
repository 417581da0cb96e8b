import { sql } from 'kysely'
import type { TenantSql } from '../../db/databases.ts'
import type { EnEspera } from './limit-alert.ts'

/** Loads that wait for a place in the plan, if any does. */
export async function findEnEspera(db: TenantSql): Promise<EnEspera | undefined> {
  const { rows } = await sql<EnEspera & { cargaId: string | null }>`
    select (array_agg(id order by creada_en, id))[1]::text as "cargaId", count(*)::int as cargas,
      coalesce(sum(total - case when procesados = total then coalesce(reintento, total) else procesados end), 0)::int
        as archivos
    from cargas where estado in ('recibida', 'procesando') and pausa = 'limit_reached'`.execute(db)
  return rows[0]?.cargaId ? rows[0] : undefined
}
